"""Grams of confirmed retirements go to devices, and come back when a claim ends."""

import json
import secrets
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from django.db import connection
from django.db.models import F, QuerySet

from common.rows import insert_values
from offsets.errors import NotEnoughCredits
from offsets.ledger.stock import name_changed, require_transaction, uncommit_g
from offsets.models import Allocation, DeviceOffset, Span

# Intervals of one batch are dealt in random order: neighbours learn nothing.
deal_order = secrets.SystemRandom()


class _Wanting(NamedTuple):
    """Of an uncovered offset what dealing grams needs; thousands are dealt at a time."""

    pk: int
    amount_g: int
    beneficiary: str


def allocate(*, project_id: int, livemode: bool, limit: int, now: datetime) -> list[int]:
    """Cover uncovered offsets, oldest first, with grams of confirmed retirements; returns the keys of those
    now covered.

    The caller holds the project's lock. An offset is covered whole (of several intervals if need be) or not
    at all. Grams retired in somebody's name go to offsets of that beneficiary only, and to those first.
    """
    require_transaction()
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
    require_transaction()
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
    require_transaction()
    _hand_out(list(spans), [_Wanting(offset.pk, offset.amount_g, offset.beneficiary)], now=now)
    DeviceOffset.objects.filter(pk=offset.pk, covered_at=None, ended_at=None).update(covered_at=now)
    name_changed(offset)
