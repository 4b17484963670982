"""The only code that moves grams or credits. Every function runs inside the caller's transaction, or refuses
to.

Guards are conditional updates: zero rows means that somebody was faster. Sweeps lock the project's stock
first; buying takes no early lock and updates the counter last.
"""

import json
import secrets
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from common.codes import random_code
from common.rows import insert_values
from offsets import named
from offsets.errors import NotEnoughCredits, OutsideTransaction, SoldOut, StockStopped
from offsets.models import (
    GRAMS_PER_CREDIT,
    Allocation,
    Credit,
    CreditBlock,
    DeviceOffset,
    ProjectStock,
    Reservation,
    Retirement,
    Span,
)
from offsets.serials import CreditRange
from projects.models import Project

deal_order = (
    secrets.SystemRandom()
)  # intervals of one batch are dealt in random order: neighbours learn nothing


@dataclass(frozen=True, kw_only=True)
class Hold:
    """Grams of a project to keep for `holder` until `expires_at` (None: until released or consumed)."""

    project: Project
    livemode: bool
    holder: str
    amount_g: int
    expires_at: datetime | None = None


class _Wanting(NamedTuple):
    """Of an uncovered offset what dealing grams needs; thousands are dealt at a time."""

    pk: int
    amount_g: int
    beneficiary: str


def _require_transaction() -> None:
    if not transaction.get_connection().in_atomic_block:
        raise OutsideTransaction(
            "The ledger moves grams only inside a transaction; call a service of offsets/."
        )


def lock(*, project_id: int, livemode: bool) -> ProjectStock:
    """Take the project's one lock (PostgreSQL; on SQLite the transaction is its own lock) and make its
    counter if new.
    """
    _require_transaction()
    ProjectStock.objects.get_or_create(project_id=project_id, livemode=livemode)
    return ProjectStock.objects.select_for_update().get(project_id=project_id, livemode=livemode)


def lock_running(*, project_id: int, livemode: bool) -> ProjectStock:
    """`lock`, and refuse with StockStopped while a registry's report has raised an alarm on the project."""
    stock = lock(project_id=project_id, livemode=livemode)
    if stock.alarm:
        raise StockStopped(f"An alarm stops this project until staff clear it: {stock.alarm}")
    return stock


def raise_alarm(*, project_id: int, livemode: bool, detail: str) -> ProjectStock:
    """Stop a project's sales, retirements and allocations until staff clear it; the caller records why."""
    stock = lock(project_id=project_id, livemode=livemode)
    ProjectStock.objects.filter(pk=stock.pk).update(alarm=detail[:300])
    return stock


# As plain SQL: it is a third of what a single request costs when the ORM builds it anew each time.
_COMMIT = (
    f"UPDATE {ProjectStock._meta.db_table} SET committed_g = committed_g + %s"  # noqa: S608 constants only
    " WHERE project_id = %s AND livemode = %s AND alarm = '' AND committed_g + kept_g <= stocked_g - %s"
)


def commit_g(*, project_id: int, livemode: bool, amount_g: int) -> None:
    """Promise grams to buyers. Raises SoldOut, naming what is left, and StockStopped under an alarm."""
    _require_transaction()
    if amount_g == 0:
        return
    with connection.cursor() as cursor:
        cursor.execute(_COMMIT, [amount_g, project_id, livemode, amount_g])
        changed = cursor.rowcount
    if not changed:
        stock = (
            ProjectStock.objects.filter(project_id=project_id, livemode=livemode)
            .select_related("project")
            .first()
        )
        if stock and stock.alarm:
            raise StockStopped(f"{stock.project.short_name} is stopped for now. Choose another project.")
        left_g = stock.available_g if stock else 0
        name = stock.project.short_name if stock else Project.objects.get(pk=project_id).short_name
        raise SoldOut(
            f"{name} has {left_g // 1000} kg of credits left, "
            f"fewer than the {-(-amount_g // 1000)} kg asked for. "
            "Choose another project or fewer devices.",
            details=[{"project_id": project_id, "available_g": left_g}],
        )


def uncommit_g(*, project_id: int, livemode: bool, amount_g: int) -> None:
    """Give promised grams back to the stock."""
    _require_transaction()
    ProjectStock.objects.filter(project_id=project_id, livemode=livemode).update(
        committed_g=F("committed_g") - amount_g
    )


def keep_for_names(*, project_id: int, livemode: bool) -> None:
    """Count again what stands in companies' names beyond their own promises; nobody else is sold it.

    Called whenever a promise or a retirement in a name begins or ends. Takes the project's lock.
    """
    stock = lock(project_id=project_id, livemode=livemode)
    kept_g = named.kept_g(project_id=project_id, livemode=livemode)
    if kept_g != stock.kept_g:
        ProjectStock.objects.filter(pk=stock.pk).update(kept_g=kept_g)


def name_changed(row: DeviceOffset | Retirement) -> None:
    """`keep_for_names`, when this row stands in a name."""
    if row.beneficiary:
        keep_for_names(project_id=row.project_id, livemode=row.livemode)


def add_block(
    serials: CreditRange,
    *,
    project: Project,
    livemode: bool,
    vintage: int,
    monitoring_period: str,
    acquired_on: date,
    source: str,
    now: datetime,
) -> CreditBlock:
    """Take a block into stock: one row for the block, one per credit. The unique constraint refuses a known
    credit.
    """
    _require_transaction()
    stock = lock(project_id=project.pk, livemode=livemode)
    block = CreditBlock.objects.create(
        project=project,
        livemode=livemode,
        series=serials.series,
        first_number=serials.first,
        last_number=serials.last,
        vintage=vintage,
        unit=serials.unit,
        monitoring_period=monitoring_period,
        acquired_on=acquired_on,
        source=source,
        created_at=now,
    )
    numbers = (
        "SELECT generate_series(%s::bigint, %s::bigint) AS number"
        if connection.vendor == "postgresql"
        else "WITH RECURSIVE run(number) AS"
        " (SELECT %s UNION ALL SELECT number + 1 FROM run WHERE number < %s)"
        " SELECT number FROM run"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {Credit._meta.db_table} (series, number, block_id)"  # noqa: S608 constants only
            f" SELECT %s, run.number, %s FROM ({numbers}) AS run",
            [serials.series, block.pk, serials.first, serials.last],
        )
    ProjectStock.objects.filter(pk=stock.pk).update(
        stocked_g=F("stocked_g") + block.credits * GRAMS_PER_CREDIT
    )
    return block


def hold(holds: Sequence[Hold]) -> None:
    """Reserve grams for each holder: inserts first, the guarded counters last, in project order. Raises
    SoldOut.
    """
    _require_transaction()
    now = timezone.now()
    Reservation.objects.bulk_create(
        Reservation(
            project=wanted.project,
            livemode=wanted.livemode,
            holder=wanted.holder,
            amount_g=wanted.amount_g,
            expires_at=wanted.expires_at,
            created_at=now,
        )
        for wanted in holds
    )
    totals: dict[tuple[int, bool], int] = defaultdict(int)
    for wanted in holds:
        totals[wanted.project.pk, wanted.livemode] += wanted.amount_g
    for (project_id, livemode), amount_g in sorted(totals.items()):
        commit_g(project_id=project_id, livemode=livemode, amount_g=amount_g)


def release(reservations: QuerySet[Reservation]) -> int:
    """End these reservations and give their grams back; returns how many there still were."""
    totals = consume(reservations)
    for (project_id, livemode), (amount_g, _count) in sorted(totals.items()):
        uncommit_g(project_id=project_id, livemode=livemode, amount_g=amount_g)
    return sum(count for _amount, count in totals.values())


def consume(reservations: QuerySet[Reservation]) -> dict[tuple[int, bool], tuple[int, int]]:
    """End these reservations and keep their grams committed; returns grams and count per (project, mode)."""
    _require_transaction()
    totals: dict[tuple[int, bool], tuple[int, int]] = {}
    rows = list(reservations.select_for_update().order_by("pk"))
    for row in rows:
        amount_g, count = totals.get((row.project_id, row.livemode), (0, 0))
        totals[row.project_id, row.livemode] = (amount_g + row.amount_g, count + 1)
    Reservation.objects.filter(pk__in=[row.pk for row in rows])._raw_delete(using="default")
    return totals


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
    _require_transaction()
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
    _require_transaction()
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
    _require_transaction()
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
    _require_transaction()
    changed = Retirement.objects.filter(
        pk=retirement.pk, state__in=[Retirement.State.OPEN, Retirement.State.NEEDS_PERSON]
    ).update(state=Retirement.State.VOID, problem=problem, not_before=None)
    if changed:
        _move_credits(retirement, Credit.objects.filter(retirement=retirement), to=None)
        name_changed(retirement)
    return bool(changed)


def allocate(*, project_id: int, livemode: bool, limit: int, now: datetime) -> list[int]:
    """Cover uncovered offsets, oldest first, with grams of confirmed retirements; returns the keys of those
    now covered.

    The caller holds the project's lock. An offset is covered whole (of several intervals if need be) or not
    at all. Grams retired in somebody's name go to offsets of that beneficiary only, and to those first.
    """
    _require_transaction()
    rows = Span.objects.filter(
        retirement__project_id=project_id, retirement__livemode=livemode, next_g__lt=F("to_g")
    ).annotate(beneficiary=F("retirement__beneficiary"))
    names: dict[Span, str] = {span: span.beneficiary for span in rows.order_by("pk")}
    spans = list(names)
    left_g: dict[str, int] = defaultdict(int)
    for span, beneficiary in names.items():
        left_g[beneficiary] += span.to_g - span.next_g
    covered: list[_Wanting] = []
    waiting = waiting_offsets(project_id=project_id, livemode=livemode).values_list(*_Wanting._fields)
    for offset in map(_Wanting._make, waiting[:limit]):
        own_g = left_g[offset.beneficiary] if offset.beneficiary else 0
        surplus_g = own_g + left_g[""]
        if offset.amount_g > surplus_g:
            break
        named_g = min(own_g, offset.amount_g)
        left_g[offset.beneficiary] -= named_g
        left_g[""] -= offset.amount_g - named_g
        covered.append(offset)
    if not covered:
        return []
    deal_order.shuffle(covered)
    _hand_out(spans, covered, now=now, names=names)
    keys = [offset.pk for offset in covered]
    changed = DeviceOffset.objects.filter(pk__in=keys, covered_at=None, ended_at=None).update(covered_at=now)
    if changed != len(covered):
        raise NotEnoughCredits("An offset changed while it was being covered; nothing has moved.")
    return keys


def waiting_offsets(*, project_id: int, livemode: bool) -> QuerySet[DeviceOffset]:
    """Live offsets that nothing covers yet and that need no person, oldest first."""
    return DeviceOffset.objects.filter(
        project_id=project_id, livemode=livemode, covered_at=None, ended_at=None, problem=""
    ).order_by("pk")


def _hand_out(
    spans: list[Span],
    offsets: list[_Wanting],
    *,
    now: datetime,
    names: Mapping[Span, str] = MappingProxyType({}),
) -> None:
    """Deal the spans' grams to the offsets, in order, and raise the spans' counters by one statement.

    `names` says in whose name a span's grams were retired: that beneficiary's offsets take them first.
    """
    intervals: list[tuple[int, int, int, int, datetime]] = []
    raised: dict[int, tuple[int, int]] = {}
    queues: dict[str, deque[Span]] = defaultdict(deque)
    for span in spans:
        queues[names.get(span, "")].append(span)
    for offset in offsets:
        missing_g = offset.amount_g
        while missing_g:
            queue = queues[offset.beneficiary] or queues[""]
            span = queue[0]
            next_g = raised[span.pk][1] if span.pk in raised else span.next_g
            if next_g == span.to_g:
                queue.popleft()
                continue
            part_g = min(missing_g, span.to_g - next_g)
            intervals.append((span.pk, offset.pk, next_g, next_g + part_g, now))
            raised[span.pk] = (span.next_g, next_g + part_g)
            missing_g -= part_g
    insert_values(Allocation, ("span_id", "offset_id", "from_g", "to_g", "created_at"), intervals)
    _raise_counters(raised)


def _raise_counters(raised: dict[int, tuple[int, int]]) -> None:
    """Set each span's `next_g` from its old to its new value, by one statement with one JSON parameter.

    Raises NotEnoughCredits when one moved meanwhile.
    """
    table = Span._meta.db_table
    columns = ("id", "old_g", "new_g")
    if connection.vendor == "postgresql":
        parts = [f"(value->>{n})::bigint AS {name}" for n, name in enumerate(columns)]
        rows = f"SELECT {', '.join(parts)} FROM jsonb_array_elements(%s::jsonb)"  # noqa: S608 constants only
    else:
        parts = [f"json_extract(value, '$[{n}]') AS {name}" for n, name in enumerate(columns)]
        rows = f"SELECT {', '.join(parts)} FROM json_each(%s)"  # noqa: S608 constants only
    statement = (
        f"UPDATE {table} SET next_g = wanted.new_g FROM ({rows}) AS wanted"  # noqa: S608 constants only
        f" WHERE {table}.id = wanted.id AND {table}.next_g = wanted.old_g"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [json.dumps([[pk, old, new] for pk, (old, new) in raised.items()])])
        changed = cursor.rowcount
    if changed != len(raised):
        raise NotEnoughCredits("A span moved while grams were being handed out; nothing has moved.")


def end_offset(offset: DeviceOffset, *, reason: str, now: datetime) -> list[Span]:
    """End a live offset and give its grams back: to the stock, and when covered, as surplus in new spans.

    Returns the spans of the freed intervals; [] when it was not covered or had ended already. A reversal
    keeps the history: the allocations stay, each named by the span that reverses it.
    """
    _require_transaction()
    changed = DeviceOffset.objects.filter(pk=offset.pk, ended_at=None).update(
        ended_at=now, ended_reason=reason
    )
    if not changed:
        return []
    offset.refresh_from_db()
    spans = [
        Span(
            retirement_id=allocation.span.retirement_id,
            reverses=allocation,
            from_g=allocation.from_g,
            to_g=allocation.to_g,
            next_g=allocation.from_g,
            created_at=now,
        )
        for allocation in offset.allocations.select_related("span").order_by("pk")
    ]
    Span.objects.bulk_create(spans)
    uncommit_g(project_id=offset.project_id, livemode=offset.livemode, amount_g=offset.amount_g)
    name_changed(offset)
    return spans


def cover_exactly(offset: DeviceOffset, spans: Sequence[Span], *, now: datetime) -> None:
    """Give an uncovered offset exactly these untouched spans: the same grams move to another device."""
    _require_transaction()
    _hand_out(list(spans), [_Wanting(offset.pk, offset.amount_g, offset.beneficiary)], now=now)
    DeviceOffset.objects.filter(pk=offset.pk, covered_at=None, ended_at=None).update(covered_at=now)
    name_changed(offset)
