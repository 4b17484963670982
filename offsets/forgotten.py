"""Grams that the public log has given to devices which a restored database has forgotten. See services.py.

They stay taken: each interval becomes a claim of a device that nobody here knows any more, under the maker
FORGOTTEN. So every rule of the ledger counts them, staff see them, and only staff can reverse one. Until a
person has settled it, their projects are stopped.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F

from common import events
from common.codes import random_code
from common.errors import Conflict
from offsets import events as kinds
from offsets import ledger
from offsets.correcting import promise_again
from offsets.errors import SoldOut
from offsets.models import (
    Allocation,
    Boundary,
    CreditBlock,
    DeviceOffset,
    OffsetRequest,
    Period,
    ProjectStock,
    Retirement,
    Span,
)

MAKER = "FORGOTTEN"
ALARM = "The public log has given out grams that this database has forgotten; ./run manage settle_log"


@dataclass(frozen=True)
class LoggedGrams:
    """Grams [from_g, to_g) of a retirement that entry `index` of the log gave out."""

    index: int
    retirement: Retirement
    from_g: int
    to_g: int


@transaction.atomic(durable=True)
def stop_projects(series: Collection[str], *, livemode: bool, actor: str) -> int:
    """Nothing more of the projects with credits of these series is sold, retired or given out until the log
    is settled; returns how many were stopped now.
    """
    projects = set(
        CreditBlock.objects.filter(series__in=series, livemode=livemode).values_list("project", flat=True)
    )
    stopped = 0
    for project_id in sorted(projects):
        if not ledger.lock(project_id=project_id, livemode=livemode).alarm:
            stock = ledger.raise_alarm(project_id=project_id, livemode=livemode, detail=ALARM)
            events.record(kinds.STOCK_ALARMED, stock, actor=actor, data={"detail": ALARM})
            stopped += 1
    return stopped


def resume_projects(*, livemode: bool, reason: str, actor: str) -> None:
    """In the caller's transaction: what `stop_projects` stopped goes on. Another alarm stays."""
    stopped = list(ProjectStock.objects.filter(livemode=livemode, alarm=ALARM).order_by("project_id"))
    ProjectStock.objects.filter(pk__in=[stock.pk for stock in stopped], alarm=ALARM).update(alarm="")
    data = {stock.pk: {"reason": reason[:300]} for stock in stopped}
    events.record_all(kinds.STOCK_CLEARED, stopped, actor=actor, data=data)


def keep_taken(
    logged: Sequence[LoggedGrams], *, livemode: bool, reason: str, actor: str, now: datetime
) -> tuple[dict[int, Allocation], list[DeviceOffset]]:
    """In the caller's transaction: claims for these grams, by an interval of each under its index of the
    log; and the promises of those who had such grams here: their claims are reversed, and get others.

    Raises Conflict, and says what to do, when there is not enough stock for both, or the grams are not free.
    """
    if not logged:
        return {}, []
    for project_id in sorted({row.retirement.project_id for row in logged}):
        ledger.lock(project_id=project_id, livemode=livemode)
    request = _request(livemode=livemode, actor=actor, now=now)
    try:
        promised = [
            promise_again(offset, reason=reason, actor=actor, now=now) for offset in _holders_of(logged)
        ]
        found = {
            row.index: _take(row, request, reason=reason, actor=actor, now=now)
            for row in sorted(logged, key=lambda row: (row.retirement.pk, row.from_g))
        }
    except SoldOut as error:
        raise Conflict(
            f"The stock does not suffice for what the log gave out and for what was promised here:"
            f" {error.message} Import credits of that project first, then settle again. Nothing has changed."
        ) from error
    return found, promised


def reverse_all(offsets: Collection[DeviceOffset], *, reason: str, actor: str, now: datetime) -> int:
    """In the caller's transaction: end these claims, as the log says that they have; returns how many."""
    for project_id, livemode in sorted({(row.project_id, row.livemode) for row in offsets}):
        ledger.lock(project_id=project_id, livemode=livemode)
    ended = [row for row in offsets if ledger.end_offset(row, reason=DeviceOffset.Ended.REVERSED, now=now)]
    data = {row.pk: {"reason": reason[:300]} for row in ended}
    events.record_all(kinds.OFFSET_REVERSED, ended, actor=actor, data=data)
    return len(ended)


def _holders_of(logged: Sequence[LoggedGrams]) -> list[DeviceOffset]:
    """Live claims here on any of these grams."""
    found: dict[int, DeviceOffset] = {}
    for row in logged:
        shared = Allocation.objects.filter(
            span__retirement=row.retirement, reversal=None, from_g__lt=row.to_g, to_g__gt=row.from_g
        )
        found |= {allocation.offset_id: allocation.offset for allocation in shared.select_related("offset")}
    return [found[pk] for pk in sorted(found)]


def _request(*, livemode: bool, actor: str, now: datetime) -> OffsetRequest:
    """The request under which these claims stand."""
    key = random_code(groups=4)
    return OffsetRequest.objects.create(
        public_id=f"ofr_{key.replace('-', '')}",
        scope="log",
        key=key,
        body_digest="",
        livemode=livemode,
        actor=actor[:60],
        created_at=now,
    )


def _take(row: LoggedGrams, request: OffsetRequest, *, reason: str, actor: str, now: datetime) -> Allocation:
    """Give exactly these grams, which lie free in one span or in several, to a claim of their own."""
    spans = list(
        Span.objects.filter(
            retirement=row.retirement, next_g__lt=F("to_g"), from_g__lt=row.to_g, to_g__gt=row.from_g
        )
        .filter(next_g__lt=row.to_g)
        .order_by("next_g")
    )
    place = row.from_g
    for span in spans:
        if span.next_g > place:
            break
        place = min(span.to_g, row.to_g)
    if place != row.to_g:
        raise Conflict(
            f"Entry {row.index} of the log gives out grams of {row.retirement.reference} that are not free"
            " here. Run verify_ledger; nothing has changed."
        )
    if spans[0].next_g < row.from_g:
        _leave_free(row, spans[0], request, reason=reason, actor=actor, now=now)
    claim = _claim(row, request, serial=f"LOG-{row.index}", amount_g=row.to_g - row.from_g, now=now)
    events.record(kinds.OFFSETS_REQUESTED, claim, actor=actor, data={"reason": reason[:300]})
    ledger.cover_exactly(claim, spans, now=now)
    events.record(kinds.OFFSET_COVERED, claim, actor=actor)
    return claim.allocations.select_related("span").order_by("pk")[0]


def _leave_free(
    row: LoggedGrams, span: Span, request: OffsetRequest, *, reason: str, actor: str, now: datetime
) -> None:
    """A span hands its grams out from its start: those before the logged ones are taken and given back."""
    gap = _claim(row, request, serial=f"BEFORE-LOG-{row.index}", amount_g=row.from_g - span.next_g, now=now)
    events.record(kinds.OFFSETS_REQUESTED, gap, actor=actor, data={"reason": reason[:300]})
    ledger.cover_exactly(gap, [span], now=now)
    events.record(kinds.OFFSET_COVERED, gap, actor=actor)
    reverse_all([gap], reason=reason, actor=actor, now=now)
    span.refresh_from_db()


def _claim(
    row: LoggedGrams, request: OffsetRequest, *, serial: str, amount_g: int, now: datetime
) -> DeviceOffset:
    """A promise of so many grams to a device that nobody knows, in the name that the grams stand in."""
    claim = DeviceOffset.objects.create(
        request=request,
        livemode=request.livemode,
        project_id=row.retirement.project_id,
        manufacturer=MAKER,
        device_serial=serial,
        manufacturer_typed=MAKER,
        device_serial_typed=serial,
        product=f"Forgotten device of entry {row.index} of the public log",
        amount_g=amount_g,
        footprint={},
        boundary=Boundary.MANUFACTURE_TRANSPORT_USE,
        period=Period.YEARS_5,
        beneficiary=row.retirement.beneficiary,
        created_at=now,
        certified_at=now,  # it has a certificate, which nobody here knows: no other is issued
    )
    ledger.name_changed(claim)
    ledger.commit_g(project_id=claim.project_id, livemode=claim.livemode, amount_g=amount_g)
    return claim
