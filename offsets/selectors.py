"""What the ledger says, read-only. Grams are integers; `livemode` keeps demonstration and real rows apart."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

from django.db.models import (
    BigIntegerField,
    Exists,
    F,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Window,
)
from django.db.models.functions import Coalesce, RowNumber

from common.errors import NotFound
from offsets import named
from offsets.models import (
    GRAMS_PER_CREDIT,
    Allocation,
    CreditBlock,
    DeviceOffset,
    ProjectStock,
    Retirement,
    Span,
)
from offsets.registries import ADAPTERS
from offsets.serials import CreditRange, credits_of_interval, format_credit_serials, normalise_device
from offsets.verdicts import Verdict
from projects.models import Project

POOLS = 20  # how many earlier pools the worklist looks back
UNATTENDED = [name for name, adapter in ADAPTERS.items() if adapter.unattended]


class UnknownRetirement(NotFound):
    """No retirement has this reference."""

    code = "unknown_retirement"


@dataclass(frozen=True)
class TrailPart:
    """One interval of an offset, and the very credits it falls on."""

    allocation: Allocation
    retirement: Retirement
    from_g: int
    to_g: int
    first_number: int
    last_number: int
    credit_serials: str

    @property
    def amount_g(self) -> int:
        return self.to_g - self.from_g


@dataclass(frozen=True)
class Totals:
    """Public totals of a mode: what was retired, what devices claim of it, and the rest."""

    retired_g: int
    claimed_g: int
    devices: int
    retirements: int

    @property
    def surplus_g(self) -> int:
        return self.retired_g - self.claimed_g


def available_g(*, project: Project, livemode: bool) -> int:
    """Grams that can still be promised: stocked - committed - kept."""
    return available_by_project(livemode=livemode).get(project.pk, 0)


def available_by_project(*, livemode: bool) -> dict[int, int]:
    """Grams that can still be promised, by project; one query."""
    return {stock.project_id: stock.available_g for stock in ProjectStock.objects.filter(livemode=livemode)}


def surplus_g(*, project_id: int, livemode: bool) -> int:
    """Grams retired and not allocated that any device may have: the next offsets use them first."""
    return named.surplus_g(project_id=project_id, livemode=livemode).get("", 0)


def newest_retirement(*, project_id: int, livemode: bool) -> int:
    """Key of the project's newest retirement in this mode; 0 when it has none."""
    rows = Retirement.objects.filter(project_id=project_id, livemode=livemode).order_by("-pk")
    return rows.values_list("pk", flat=True).first() or 0


def projects_with_uncovered() -> list[tuple[int, bool]]:
    """(project, mode) pairs that have promises to cover and that no alarm stops."""
    rows = DeviceOffset.objects.filter(covered_at=None, ended_at=None, problem="").order_by()
    stopped = set(ProjectStock.objects.exclude(alarm="").values_list("project_id", "livemode"))
    return sorted(set(rows.values_list("project_id", "livemode").distinct()) - stopped)


def retirements_to_settle(*, now: datetime) -> QuerySet[Retirement]:
    """Open retirements that need no person, whose time has come, and whose project no alarm stops."""
    stopped = ProjectStock.objects.filter(project=OuterRef("project"), livemode=OuterRef("livemode")).exclude(
        alarm=""
    )
    return (
        Retirement.objects.filter(
            Q(not_before=None) | Q(not_before__lte=now),
            ~Exists(stopped),
            state="open",
            adapter__in=UNATTENDED,
        )
        .select_related("project__registry", "block")
        .order_by("pk")
    )


def retirements_to_file() -> QuerySet[Retirement]:
    """The staff's worklist: open retirements that a person files."""
    return (
        Retirement.objects.filter(state="open")
        .exclude(adapter__in=UNATTENDED)
        .select_related("project__registry", "block")
        .order_by("pk")
    )


@dataclass(frozen=True)
class PoolDurations:
    """How long a project's newest confirmed retirements took, from being set aside to confirmed."""

    median: timedelta
    count: int


def pool_durations(project_ids: Collection[int]) -> dict[int, PoolDurations]:
    """The median over each project's newest POOLS confirmed retirements; projects without any are left out.
    One statement.
    """
    rows = Retirement.objects.filter(project_id__in=list(project_ids), confirmed_at__isnull=False)
    numbered = rows.annotate(
        nth=Window(RowNumber(), partition_by=F("project_id"), order_by=F("id").desc())
    ).filter(nth__lte=POOLS)
    seconds: dict[int, list[float]] = {}
    for project_id, opened, confirmed in numbered.order_by().values_list(
        "project_id", "created_at", "confirmed_at"
    ):
        if confirmed is not None:
            seconds.setdefault(project_id, []).append((confirmed - opened).total_seconds())
    return {
        project_id: PoolDurations(timedelta(seconds=median(found)), len(found))
        for project_id, found in seconds.items()
    }


def retirements_needing_person() -> QuerySet[Retirement]:
    """Retirements whose answer was refused, differs or never came: a person decides."""
    return (
        Retirement.objects.filter(state="needs_person")
        .select_related("project__registry", "block")
        .order_by("pk")
    )


def stocks_with_queues() -> QuerySet[ProjectStock]:
    """Every project's counter, with `uncovered_g`, `surplus_g` and `in_flight_credits` beside it; alarms
    first, then those that most is waiting for.
    """
    of_project = {"project": OuterRef("project"), "livemode": OuterRef("livemode")}
    waiting = DeviceOffset.objects.filter(**of_project, covered_at=None, ended_at=None, problem="")
    spare = Span.objects.filter(
        retirement__project=OuterRef("project"),
        retirement__livemode=OuterRef("livemode"),
        retirement__beneficiary="",
        next_g__lt=F("to_g"),
    )
    flying = Retirement.objects.filter(**of_project, state__in=["open", "needs_person"])
    stocks = ProjectStock.objects.select_related("project").annotate(
        uncovered_g=_total(waiting, "project", F("amount_g")),
        surplus_g=_total(spare, "retirement__project", F("to_g") - F("next_g")),
        in_flight_credits=_total(flying, "project", F("last_number") - F("first_number") + 1),
    )
    return stocks.order_by("-alarm", "-uncovered_g", "project__reference", "livemode")


def _total(rows: QuerySet[Any], group: str, amount: Any) -> Coalesce:
    totals = rows.order_by().values(group).annotate(total=Sum(amount)).values("total")
    return Coalesce(Subquery(totals, output_field=BigIntegerField()), 0)


def retirement_by_reference(reference: str) -> Retirement:
    """The retirement of this reference. Raises UnknownRetirement."""
    row = (
        Retirement.objects.select_related("project__registry", "project__methodology", "block")
        .filter(reference=reference.replace("\x00", "").strip().upper())
        .first()
    )
    if row is None:
        raise UnknownRetirement(
            "No retirement has this reference. Copy it from the certificate, such as CL-2026-11-7Q2M."
        )
    return row


def retirement_trail(offset: DeviceOffset) -> list[TrailPart]:
    """The intervals of an offset in ledger order, each with its retirement and the credits it falls on."""
    return retirement_trails([offset])[offset.pk]


def retirement_trails(offsets: Sequence[DeviceOffset]) -> dict[int, list[TrailPart]]:
    """The trail of each offset, by its key; one query for all of them."""
    trails: dict[int, list[TrailPart]] = {offset.pk: [] for offset in offsets}
    allocations = (
        Allocation.objects.filter(offset_id__in=list(trails))
        .select_related(
            "span__retirement__project__registry",
            "span__retirement__project__methodology",
            "span__retirement__block",
        )
        .order_by("pk")
    )
    for allocation in allocations:
        trails[allocation.offset_id].append(_trail_part(allocation))
    return trails


def _trail_part(allocation: Allocation) -> TrailPart:
    retirement = allocation.span.retirement
    first, last = credits_of_interval(retirement.first_number, allocation.from_g, allocation.to_g)
    return TrailPart(
        allocation=allocation,
        retirement=retirement,
        from_g=allocation.from_g,
        to_g=allocation.to_g,
        first_number=first,
        last_number=last,
        credit_serials=format_credit_serials(retirement.block.series, first, last),
    )


def intervals_of(retirement: Retirement) -> QuerySet[Allocation]:
    """Live allocations of a retirement in gram order, with their offsets."""
    return (
        Allocation.objects.filter(span__retirement=retirement, reversal=None)
        .select_related("offset", "span")
        .order_by("from_g")
    )


def offset_for_device(*, manufacturer: str, device_serial: str, livemode: bool) -> list[DeviceOffset]:
    """Live offsets of a device, newest first. Raises InvalidDeviceSerial."""
    maker, serial = normalise_device(manufacturer, device_serial)
    return list(
        DeviceOffset.objects.filter(
            manufacturer=maker, device_serial=serial, livemode=livemode, ended_at=None
        ).select_related("project")
    )


def covered_devices(devices: Sequence[tuple[str, str]], *, livemode: bool) -> QuerySet[DeviceOffset]:
    """Live offsets whose device serial is one of these normalised (maker, serial) pairs; compare the maker
    yourself.
    """
    return DeviceOffset.objects.filter(
        device_serial__in=[serial for _maker, serial in devices], livemode=livemode, ended_at=None
    )


def state_of(offset: DeviceOffset) -> str:
    """Where an offset stands: promised, retired, reversed, moved, cancelled or needs_person."""
    if offset.ended_at:
        return offset.ended_reason
    if offset.problem:
        return "needs_person"
    return "retired" if offset.covered_at else "promised"


def public_totals(*, livemode: bool) -> Totals:
    """What was retired in this mode and what devices claim of it."""
    confirmed = Retirement.objects.filter(livemode=livemode, state="confirmed")
    live = DeviceOffset.objects.filter(livemode=livemode, ended_at=None, covered_at__isnull=False)
    credits = confirmed.aggregate(total=Sum(F("last_number") - F("first_number") + 1))["total"] or 0
    return Totals(
        retired_g=credits * GRAMS_PER_CREDIT,
        claimed_g=live.aggregate(total=Sum("amount_g"))["total"] or 0,
        devices=live.count(),
        retirements=confirmed.count(),
    )


def retired_by_project(*, livemode: bool) -> list[tuple[Project, int]]:
    """Grams that registries have confirmed, by project, most first."""
    rows = (
        Retirement.objects.filter(livemode=livemode, state="confirmed")
        .order_by()
        .values("project")
        .annotate(tonnes=Sum(F("last_number") - F("first_number") + 1))
        .values_list("project", "tonnes")
    )
    found = Project.objects.in_bulk([pk for pk, _tonnes in rows])
    return sorted(((found[pk], n * GRAMS_PER_CREDIT) for pk, n in rows), key=lambda pair: -pair[1])


def last_checked(retirement: Retirement) -> date | None:
    """The day of the newest registry report that confirmed this retirement; None when the newest did not."""
    newest = retirement.reconciliations.select_related("report").order_by("-pk").first()
    return newest.report.as_of if newest and newest.verdict == Verdict.CONFIRMED else None


def blocks_in_stock(*, project: Project, livemode: bool) -> list[CreditBlock]:
    """The project's blocks, oldest vintage first, with their retirements at hand."""
    return list(
        CreditBlock.objects.filter(project=project, livemode=livemode)
        .prefetch_related(Prefetch("retirements", Retirement.objects.order_by("first_number")))
        .order_by("vintage", "pk")
    )


def blocks_with_credits(credits: CreditRange) -> QuerySet[CreditBlock]:
    """Blocks that hold any credit of this range."""
    return CreditBlock.objects.filter(
        series=credits.series, first_number__lte=credits.last, last_number__gte=credits.first
    )


def retirements_of_credits(credits: CreditRange) -> QuerySet[Retirement]:
    """Retirements that set aside any credit of this range, whatever became of them."""
    return Retirement.objects.filter(
        block__series=credits.series, first_number__lte=credits.last, last_number__gte=credits.first
    )


def offsets_on_credits(credits: CreditRange) -> QuerySet[DeviceOffset]:
    """Device offsets, ended ones too, that were given grams of any credit of this range."""
    first_g = (credits.first - F("span__retirement__first_number")) * GRAMS_PER_CREDIT
    last_g = (credits.last + 1 - F("span__retirement__first_number")) * GRAMS_PER_CREDIT
    given = Allocation.objects.filter(
        span__retirement__block__series=credits.series, from_g__lt=last_g, to_g__gt=first_g
    )
    return DeviceOffset.objects.filter(pk__in=given.order_by().values("offset"))
