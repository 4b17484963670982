"""Credits are set aside for a retirement, and it is confirmed or void."""

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID, uuid4

from django.db.models import Exists, OuterRef, QuerySet

from common.codes import random_code
from offsets.errors import NotEnoughCredits
from offsets.ledger.stock import name_changed, require_transaction
from offsets.models import Credit, CreditBlock, Retirement, Span
from projects.models import Project


def set_aside(
    *,
    project: Project,
    livemode: bool,
    credits: int,
    adapter: str,
    reason: str,
    now: datetime,
    beneficiary: str = "",
) -> list[Retirement]:
    """Choose this many free credits, oldest vintage first, as one open retirement per contiguous run.

    The caller holds the project's lock. Raises NotEnoughCredits; then nothing has moved.
    """
    require_transaction()
    free = Credit.objects.filter(retirement=None)
    blocks = CreditBlock.objects.filter(
        Exists(free.filter(block=OuterRef("pk"))), project=project, livemode=livemode
    ).order_by("vintage", "pk")
    retirements: list[Retirement] = []
    missing = credits
    for block in blocks:
        numbers = list(free.filter(block=block).order_by("number").values_list("number", flat=True)[:missing])
        for first, last in _runs(numbers):
            reference = f"CL-{now:%Y-%m}-{random_code(groups=1)}"
            retirements.append(
                set_aside_run(
                    block=block,
                    first=first,
                    last=last,
                    adapter=adapter,
                    reference=reference,
                    reason=f"{reference} {reason}",
                    beneficiary=beneficiary,
                    now=now,
                )
            )
        missing -= len(numbers)
        if missing == 0:
            return retirements
    raise NotEnoughCredits(f"{project.short_name} lacks {missing} free credits for this retirement.")


def set_aside_run(
    *,
    block: CreditBlock,
    first: int,
    last: int,
    adapter: str,
    reference: str,
    reason: str,
    now: datetime,
    request_id: UUID | None = None,
    beneficiary: str = "",
    replaces: Retirement | None = None,
) -> Retirement:
    """Set exactly this free run aside as one open retirement; raises NotEnoughCredits when it is not free."""
    require_transaction()
    retirement = Retirement.objects.create(
        reference=reference,
        request_id=request_id or uuid4(),
        project_id=block.project_id,
        block=block,
        livemode=block.livemode,
        adapter=adapter,
        first_number=first,
        last_number=last,
        beneficiary=beneficiary,
        reason=reason,
        replaces=replaces,
        created_at=now,
    )
    _move_credits(retirement, Credit.objects.filter(retirement=None), to=retirement)
    name_changed(retirement)
    return retirement


def _runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Contiguous runs (first, last) of rising numbers."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


def _move_credits(retirement: Retirement, credits: QuerySet[Credit], *, to: Retirement | None) -> None:
    moved = credits.filter(
        block_id=retirement.block_id, number__range=(retirement.first_number, retirement.last_number)
    ).update(retirement=to)
    if moved != retirement.credits:
        raise NotEnoughCredits(
            f"{retirement.reference}: {moved} of {retirement.credits} credits could be moved."
        )


def confirm(
    retirement: Retirement, *, registry_reference: str, retired_on: date, now: datetime
) -> Span | None:
    """The registry has retired the run: its grams become a span. None when somebody was faster."""
    require_transaction()
    changed = Retirement.objects.filter(
        pk=retirement.pk, state__in=[Retirement.State.OPEN, Retirement.State.NEEDS_PERSON]
    ).update(
        state=Retirement.State.CONFIRMED,
        confirmed_at=now,
        registry_reference=registry_reference,
        retired_on=retired_on,
        problem="",
        not_before=None,
    )
    if not changed:
        return None
    return Span.objects.create(
        retirement=retirement, from_g=0, to_g=retirement.amount_g, next_g=0, created_at=now
    )


def void(retirement: Retirement, *, problem: str) -> bool:
    """The registry refused for certain: the credits are free again. False when somebody was faster."""
    require_transaction()
    changed = Retirement.objects.filter(
        pk=retirement.pk, state__in=[Retirement.State.OPEN, Retirement.State.NEEDS_PERSON]
    ).update(state=Retirement.State.VOID, problem=problem, not_before=None)
    if changed:
        _move_credits(retirement, Credit.objects.filter(retirement=retirement), to=None)
        name_changed(retirement)
    return bool(changed)
