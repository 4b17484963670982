"""Grams by the name in which they are retired, read-only: what is promised, what is retired, what is missing.

"" is the pool, which serves anybody. Grams retired in a beneficiary's name serve that beneficiary only.
"""

from collections import defaultdict
from typing import Any

from django.db.models import F, QuerySet, Sum

from offsets.models import GRAMS_PER_CREDIT, DeviceOffset, Retirement, Span

Named = dict[str, int]  # grams, or credits, by beneficiary


def uncovered_g(*, project_id: int, livemode: bool) -> Named:
    """Grams promised to devices and not yet covered, by the beneficiary of the devices."""
    return _sum(_uncovered(project_id, livemode).filter(problem=""), "beneficiary", F("amount_g"))


def surplus_g(*, project_id: int, livemode: bool) -> Named:
    """Grams retired and not allocated, by the name in which they were retired."""
    spans = Span.objects.filter(
        retirement__project_id=project_id, retirement__livemode=livemode, next_g__lt=F("to_g")
    )
    return _sum(spans, "retirement__beneficiary", F("to_g") - F("next_g"))


def in_flight_g(*, project_id: int, livemode: bool) -> Named:
    """Grams of retirements that are neither confirmed nor void, by the name that they stand in."""
    rows = Retirement.objects.filter(
        project_id=project_id,
        livemode=livemode,
        state__in=[Retirement.State.OPEN, Retirement.State.NEEDS_PERSON],
    )
    return _sum(rows, "beneficiary", (F("last_number") - F("first_number") + 1) * GRAMS_PER_CREDIT)


def kept_g(*, project_id: int, livemode: bool) -> int:
    """Grams that stand in names beyond what those beneficiaries' promises will take: nobody else may have
    them.
    """
    of_project: dict[str, Any] = {"project_id": project_id, "livemode": livemode}
    stands: Named = defaultdict(int)
    for found in (surplus_g(**of_project), in_flight_g(**of_project)):
        for name, amount_g in found.items():
            stands[name] += amount_g
    stands.pop("", None)
    if not stands:
        return 0
    waiting = _uncovered(project_id, livemode).filter(beneficiary__in=list(stands))
    promised = _sum(waiting, "beneficiary", F("amount_g"))
    return sum(max(0, amount_g - promised.get(name, 0)) for name, amount_g in stands.items())


def needed_g(*, project_id: int, livemode: bool) -> int:
    """Grams that must be retired yet: uncovered promises - surplus - credits in flight; negative: some are
    spare. What was retired in a name helps only devices of that beneficiary.
    """
    of_project: dict[str, Any] = {"project_id": project_id, "livemode": livemode}
    wanted, surplus, flying = uncovered_g(**of_project), surplus_g(**of_project), in_flight_g(**of_project)
    named = sum(
        max(0, amount_g - surplus.get(beneficiary, 0) - flying.get(beneficiary, 0))
        for beneficiary, amount_g in wanted.items()
        if beneficiary
    )
    return named + wanted.get("", 0) - surplus.get("", 0) - flying.get("", 0)


def credits_missing(*, project_id: int, livemode: bool) -> Named:
    """Credits that must be retired yet in the names of verified companies, by beneficiary.

    Each order (request) of such a company has floor(its grams of the project / 1,000,000) credits in its
    name; what stands in that name already, confirmed or in flight, counts against all of its orders. Never
    more than its devices still wait for: those that the pool has covered need none.
    """
    of_project: dict[str, Any] = {"project_id": project_id, "livemode": livemode}
    waiting = uncovered_g(**of_project)
    names = [name for name in waiting if name]
    if not names:
        return {}
    orders = DeviceOffset.objects.filter(
        **of_project,
        beneficiary__in=names,
        ended_at=None,
        request__owner__company_verified_at__isnull=False,
    )
    wanted: Named = defaultdict(int)
    for row in orders.order_by().values("beneficiary", "request").annotate(total=Sum("amount_g")):
        wanted[row["beneficiary"]] += row["total"] // GRAMS_PER_CREDIT
    stands = Retirement.objects.filter(**of_project, beneficiary__in=names).exclude(
        state=Retirement.State.VOID
    )
    have = _sum(stands, "beneficiary", F("last_number") - F("first_number") + 1)
    surplus, flying = surplus_g(**of_project), in_flight_g(**of_project)
    missing = {
        name: min(
            credits - have.get(name, 0),
            (waiting[name] - surplus.get(name, 0) - flying.get(name, 0)) // GRAMS_PER_CREDIT,
        )
        for name, credits in wanted.items()
    }
    return {name: credits for name, credits in missing.items() if credits > 0}


def _uncovered(project_id: int, livemode: bool) -> QuerySet[DeviceOffset]:
    return DeviceOffset.objects.filter(
        project_id=project_id, livemode=livemode, covered_at=None, ended_at=None
    )


def _sum(rows: QuerySet[Any], field: str, amount: Any) -> Named:
    return dict(rows.order_by().values(field).annotate(total=Sum(amount)).values_list(field, "total"))
