"""What can be asked of the ledger. Each function is one durable transaction, or says that it takes part in
one.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Account
from common import events, faults
from common.codes import random_code
from common.errors import Conflict, InvalidInput
from offsets import events as kinds
from offsets import ledger, selectors
from offsets.errors import AlreadyCovered, IdempotencyConflict, ReceiptDiffers
from offsets.ledger import Hold
from offsets.models import (
    Attempt,
    AttemptOutcome,
    DeviceOffset,
    OffsetRequest,
    Reservation,
    Retirement,
    Span,
)
from offsets.registries import registry_for
from offsets.registries.base import Confirmed, Intent, Outcome, Receipt, Refused, Unknown
from offsets.serials import ceil_credits, format_credit_serials, normalise_device, parse_credit_serials
from projects.models import Project

MAX_LOOKS = 10
ALLOCATION_BATCH = 2_000

__all__ = ["Hold", "OffsetWish", "hold", "release", "request_offsets", "open_retirements", "settle"]


@dataclass(frozen=True, kw_only=True)
class OffsetWish:
    """One device's offset as asked for, with every fact that its certificate will need."""

    project: Project
    manufacturer: str
    device_serial: str
    product: str
    amount_g: int
    footprint: Mapping[str, Any]
    boundary: str
    period: str
    country: str
    audience: str
    language: str
    wording: str
    sku: str = ""
    configuration: str = ""
    supplement: int = 0
    beneficiary: str = ""
    buyer_reference: str = ""
    group: str = ""
    holder: str | None = None  # the reservation that it consumes
    replaces: DeviceOffset | None = field(default=None, compare=False)


def hold(holds: Sequence[Hold]) -> None:
    """Reserve grams, in the caller's transaction. Raises SoldOut; then the caller's transaction must roll
    back.
    """
    ledger.hold(holds)


def release(holders: Sequence[str]) -> int:
    """Give reserved grams back, in the caller's transaction; holders without any are passed over."""
    return ledger.release(Reservation.objects.filter(holder__in=holders))


@transaction.atomic(durable=True)
def expire_reservations(*, now: datetime, limit: int = 1_000) -> int:
    """Give back what expired holders kept; returns how many."""
    due = (
        Reservation.objects.filter(expires_at__lte=now)
        .order_by("expires_at")
        .values_list("pk", flat=True)[:limit]
    )
    return ledger.release(Reservation.objects.filter(pk__in=list(due)))


def body_digest_of(wishes: Sequence[OffsetWish]) -> str:
    """SHA-256 of what is asked for: the same wishes give the same digest."""
    body = [
        [
            wish.project.reference,
            *normalise_device(wish.manufacturer, wish.device_serial),
            wish.sku,
            wish.configuration,
            wish.amount_g,
            wish.boundary,
            wish.period,
            wish.supplement,
            wish.country,
            wish.beneficiary,
            wish.buyer_reference,
        ]
        for wish in wishes
    ]
    return hashlib.sha256(json.dumps(body, separators=(",", ":")).encode()).hexdigest()


def request_offsets(
    wishes: Sequence[OffsetWish],
    *,
    owner: Account | None,
    livemode: bool,
    actor: str,
    scope: str,
    key: str,
    now: datetime,
    body_digest: str | None = None,
) -> OffsetRequest:
    """Promise grams to devices, all or none, at most once per (scope, key).

    A wish with a `holder` consumes that reservation. Grams must be free otherwise. Raises
    InvalidDeviceSerial, AlreadyCovered (naming the devices), SoldOut, and IdempotencyConflict when the key
    came with another body before. Statements do not grow with the number of wishes (on SQLite: with each
    batch of inserts).
    """
    digest = body_digest or body_digest_of(wishes)
    try:
        return _request_offsets(
            wishes, owner=owner, livemode=livemode, actor=actor, scope=scope, key=key, digest=digest, now=now
        )
    except (
        IntegrityError
    ) as error:  # somebody covered one of the devices, or used the key, at the same moment
        if existing := OffsetRequest.objects.filter(scope=scope, key=key).first():
            return _same_request(existing, digest)
        _refuse_covered(_devices(wishes), wishes, livemode=livemode)
        raise AlreadyCovered(
            "A device was covered at the same moment; look it up before you ask again."
        ) from error


@transaction.atomic(durable=True)
def _request_offsets(
    wishes: Sequence[OffsetWish],
    *,
    owner: Account | None,
    livemode: bool,
    actor: str,
    scope: str,
    key: str,
    digest: str,
    now: datetime,
) -> OffsetRequest:
    if existing := OffsetRequest.objects.filter(scope=scope, key=key).first():
        return _same_request(existing, digest)
    if not wishes:
        raise InvalidInput("No device is named; list at least one.")
    devices = _devices(wishes)
    _refuse_covered(devices, wishes, livemode=livemode)
    request = OffsetRequest.objects.create(
        public_id=f"ofr_{random_code(groups=1, group_length=16)}",
        scope=scope,
        key=key,
        body_digest=digest,
        owner=owner,
        livemode=livemode,
        actor=actor,
        created_at=now,
    )
    offsets = DeviceOffset.objects.bulk_create(
        _offset(wish, device, request=request, owner=owner, livemode=livemode, now=now)
        for wish, device in zip(wishes, devices, strict=True)
    )
    holders = [wish.holder for wish in wishes if wish.holder]
    kept = ledger.consume(Reservation.objects.filter(holder__in=holders)) if holders else {}
    needed: dict[int, int] = defaultdict(int)
    for wish in wishes:
        needed[wish.project.pk] += wish.amount_g
    for (project_id, mode), (amount_g, _count) in kept.items():
        if mode != livemode:
            raise Conflict(
                "A reservation of the other mode was named; demonstration and real rows are kept apart."
            )
        needed[project_id] -= amount_g
    for project_id, amount_g in sorted(needed.items()):
        if amount_g < 0:
            ledger.uncommit_g(project_id=project_id, livemode=livemode, amount_g=-amount_g)
        else:
            ledger.commit_g(project_id=project_id, livemode=livemode, amount_g=amount_g)
    events.record_all(
        kinds.OFFSETS_REQUESTED,
        offsets,
        actor=actor,
        data={offset.pk: {"request": request.public_id, "amount_g": offset.amount_g} for offset in offsets},
    )
    return request


def _same_request(existing: OffsetRequest, digest: str) -> OffsetRequest:
    if existing.body_digest != digest:
        raise IdempotencyConflict(
            "This Idempotency-Key was used before with another body. Send the same body again, or a new key."
        )
    existing.replayed = True
    return existing


def _devices(wishes: Sequence[OffsetWish]) -> list[tuple[str, str]]:
    return [normalise_device(wish.manufacturer, wish.device_serial) for wish in wishes]


def _refuse_covered(devices: list[tuple[str, str]], wishes: Sequence[OffsetWish], *, livemode: bool) -> None:
    """Raise AlreadyCovered naming each device that has a live offset, or stands twice among the wishes."""
    wanted: set[tuple[str, str, str, str, int]] = set()
    doubled = []
    for (maker, serial), wish in zip(devices, wishes, strict=True):
        identity = (maker, serial, wish.boundary, wish.period, wish.supplement)
        if identity in wanted:
            doubled.append({"manufacturer": maker, "device_serial": serial})
        wanted.add(identity)
    if doubled:
        raise AlreadyCovered(f"{_name(doubled)} named twice; list each device once.", details=doubled)
    covered = [
        {"manufacturer": row.manufacturer, "device_serial": row.device_serial}
        for row in selectors.covered_devices(devices, livemode=livemode)
        if (row.manufacturer, row.device_serial, row.boundary, row.period, row.supplement) in wanted
    ]
    if covered:
        raise AlreadyCovered(
            f"{_name(covered)} covered already for the same boundary and period; leave it out.",
            details=covered,
        )


def _name(devices: list[dict[str, str]]) -> str:
    serials = ", ".join(device["device_serial"] for device in devices[:5])
    more = f" and {len(devices) - 5} more" if len(devices) > 5 else ""
    return f"{serials}{more} {'is' if len(devices) == 1 else 'are'}"


def _offset(
    wish: OffsetWish,
    device: tuple[str, str],
    *,
    request: OffsetRequest,
    owner: Account | None,
    livemode: bool,
    now: datetime,
) -> DeviceOffset:
    return DeviceOffset(
        request=request,
        owner=owner,
        livemode=livemode,
        project=wish.project,
        manufacturer=device[0],
        device_serial=device[1],
        device_serial_typed=wish.device_serial[:80],
        product=wish.product,
        sku=wish.sku,
        configuration=wish.configuration,
        amount_g=wish.amount_g,
        footprint=dict(wish.footprint),
        boundary=wish.boundary,
        period=wish.period,
        supplement=wish.supplement,
        country=wish.country,
        audience=wish.audience,
        language=wish.language,
        wording=wish.wording,
        beneficiary=wish.beneficiary,
        buyer_reference=wish.buyer_reference,
        group=wish.group,
        replaces=wish.replaces,
        created_at=now,
    )


@transaction.atomic(durable=True)
def open_retirements(
    *, project: Project, livemode: bool, now: datetime, actor: str, ahead_credits: int = 0
) -> list[Retirement]:
    """Set whole credits aside for the promises that neither surplus nor credits in flight will cover.

    One retirement per contiguous run, oldest vintage first; `ahead_credits` more fill the surplus. Returns []
    when nothing is needed. Raises NotEnoughCredits; then nothing has moved. The registry is called by
    `settle` only.
    """
    ledger.lock(project_id=project.pk, livemode=livemode)  # every later number is read under this lock
    rows = {"project_id": project.pk, "livemode": livemode}
    needed_g = selectors.uncovered_g(**rows) - selectors.surplus_g(**rows) - selectors.in_flight_g(**rows)
    credits = ceil_credits(needed_g) + ahead_credits
    if credits == 0:
        return []
    retirements = ledger.set_aside(
        project=project,
        livemode=livemode,
        credits=credits,
        adapter=project.registry.adapter,
        reason=f"Retired for devices sold in {now:%B %Y}, listed at the reference's public page",
        now=now,
    )
    events.record_all(kinds.RETIREMENT_OPENED, retirements, actor=actor)
    return retirements


def intent_of(retirement: Retirement) -> Intent:
    """Exactly what is asked of the registry for this retirement."""
    return Intent(
        request_id=str(retirement.request_id),
        reference=retirement.reference,
        registry=retirement.project.registry.code,
        project=retirement.project.reference,
        credit_serials=format_credit_serials(
            retirement.block.series, retirement.first_number, retirement.last_number
        ),
        credits=retirement.credits,
        beneficiary=retirement.beneficiary,
        reason=retirement.reason,
        livemode=retirement.livemode,
    )


def settle(retirement: Retirement, *, now: datetime, actor: str = "sweep:retire_credits") -> None:
    """Bring one open retirement one step nearer its end. Safe to run twice, late, or beside itself.

    The attempt is committed before the call. After it we only look, unless the adapter is idempotent on our
    request id.
    """
    registry = registry_for(retirement.adapter)
    intent = intent_of(retirement)
    if begin_attempt(retirement, intent, actor=actor, now=now) or registry.idempotent_on_request_id:
        faults.reach("attempt-committed")
        outcome = registry.retire(intent)  # no transaction is open while we wait
        faults.reach("registry-called")
    else:
        outcome = registry.find(intent)
    record_outcome(retirement, outcome, intent=intent, actor=actor, now=timezone.now())


@transaction.atomic(durable=True)
def begin_attempt(retirement: Retirement, intent: Intent, *, actor: str, now: datetime) -> bool:
    """Commit the decision to call the registry; only one caller ever gets True."""
    won = Retirement.objects.filter(pk=retirement.pk, state=Retirement.State.OPEN, attempted_at=None).update(
        attempted_at=now
    )
    if won:
        Attempt.objects.create(retirement=retirement, actor=actor, intent=vars(intent), created_at=now)
        events.record(kinds.RETIREMENT_ATTEMPTED, retirement, actor=actor)
    return bool(won)


@transaction.atomic(durable=True)
def record_outcome(
    retirement: Retirement, outcome: Outcome, *, intent: Intent, actor: str, now: datetime
) -> None:
    """Write down what the registry said and act on it; a receipt that differs needs a person."""
    locked = Retirement.objects.select_for_update().get(pk=retirement.pk)
    if locked.state in {Retirement.State.CONFIRMED, Retirement.State.VOID}:
        return
    match outcome:
        case Confirmed(receipt):
            if differences := receipt.differences(intent):
                _note(
                    locked, AttemptOutcome.Kind.DIFFERS, receipt, "; ".join(differences), actor=actor, now=now
                )
                _needs_person(locked, f"The receipt differs: {'; '.join(differences)}", actor=actor)
            else:
                _confirm(locked, receipt, actor=actor, now=now)
        case Refused(detail):
            _note(locked, AttemptOutcome.Kind.REFUSED, None, detail, actor=actor, now=now)
            _needs_person(locked, f"The registry refused: {detail}", actor=actor)
        case Unknown(detail):
            _look_later(locked, detail, actor=actor, now=now)


def _confirm(retirement: Retirement, receipt: Receipt, *, actor: str, now: datetime) -> None:
    _note(retirement, AttemptOutcome.Kind.CONFIRMED, receipt, "", actor=actor, now=now)
    ledger.confirm(
        retirement, registry_reference=receipt.registry_reference, retired_on=receipt.retired_on, now=now
    )
    events.record(
        kinds.RETIREMENT_CONFIRMED,
        retirement,
        actor=actor,
        data={"registry_reference": receipt.registry_reference, "retired_on": receipt.retired_on.isoformat()},
    )


def _note(
    retirement: Retirement, kind: str, receipt: Receipt | None, detail: str, *, actor: str, now: datetime
) -> None:
    AttemptOutcome.objects.create(
        attempt=Attempt.objects.get(retirement=retirement),
        kind=kind,
        receipt=receipt.as_json() if receipt else {},
        detail=detail[:300],
        actor=actor,
        created_at=now,
    )


def _needs_person(retirement: Retirement, problem: str, *, actor: str) -> None:
    Retirement.objects.filter(pk=retirement.pk, state=Retirement.State.OPEN).update(
        state=Retirement.State.NEEDS_PERSON, problem=problem[:300], not_before=None
    )
    events.record(kinds.RETIREMENT_NEEDS_PERSON, retirement, actor=actor)


def _look_later(retirement: Retirement, detail: str, *, actor: str, now: datetime) -> None:
    """Look again after 1, 2, 4, ... minutes; after MAX_LOOKS a person must."""
    looks = retirement.looks + 1
    if looks >= MAX_LOOKS:
        _note(retirement, AttemptOutcome.Kind.UNKNOWN, None, detail, actor=actor, now=now)
        _needs_person(retirement, f"Unknown after {looks} looks: {detail}", actor=actor)
        return
    Retirement.objects.filter(pk=retirement.pk, state=Retirement.State.OPEN).update(
        looks=looks, not_before=now + timedelta(minutes=2 ** min(looks - 1, 8)), problem=detail[:300]
    )


def confirm_by_person(
    retirement: Retirement,
    *,
    registry_reference: str,
    credit_serials: str,
    retired_on: date,
    actor: str,
    now: datetime,
) -> None:
    """Staff filed the retirement and enter what the registry says. It is checked like a receipt.

    Raises ReceiptDiffers or InvalidCreditSerials, naming each difference, and Conflict when it is not
    waiting; then nothing is confirmed.
    """
    if registry_for(retirement.adapter).unattended and retirement.state != Retirement.State.NEEDS_PERSON:
        raise Conflict(
            f"{retirement.reference} is retired through {retirement.adapter}; nobody enters it by hand."
        )
    intent = intent_of(retirement)
    entered = parse_credit_serials(credit_serials)
    receipt = Receipt(
        registry_reference=registry_reference.strip(),
        project=retirement.project.reference,
        credit_serials=str(entered),
        credits=entered.credits,
        retired_on=retired_on,
    )
    differences = receipt.differences(intent)
    if retired_on > now.date():
        differences.append("the date lies in the future")
    if differences:
        raise ReceiptDiffers(f"This is not what {retirement.reference} asks for: {'; '.join(differences)}.")
    begin_attempt(retirement, intent, actor=actor, now=now)
    with transaction.atomic(durable=True):
        locked = Retirement.objects.select_for_update().get(pk=retirement.pk)
        if locked.state not in {Retirement.State.OPEN, Retirement.State.NEEDS_PERSON}:
            raise Conflict(f"{retirement.reference} is {locked.get_state_display()} already.")
        _confirm(locked, receipt, actor=actor, now=now)


@transaction.atomic(durable=True)
def void_retirement(retirement: Retirement, *, reason: str, actor: str, now: datetime) -> None:
    """Free the credits of a retirement that certainly did not happen: refused, or never attempted.

    Raises Conflict when it may have happened, or has ended.
    """
    locked = Retirement.objects.select_for_update().get(pk=retirement.pk)
    refused = AttemptOutcome.objects.filter(
        attempt__retirement=locked, kind=AttemptOutcome.Kind.REFUSED
    ).exists()
    if locked.attempted_at and not refused:
        raise Conflict(f"{locked.reference} was asked of the registry and not refused; it may have happened.")
    if not ledger.void(locked, problem=reason[:300]):
        raise Conflict(f"{locked.reference} is {locked.get_state_display()} already.")
    events.record(kinds.RETIREMENT_VOID, locked, actor=actor, data={"reason": reason})


@transaction.atomic(durable=True)
def allocate_grams(*, project_id: int, livemode: bool, now: datetime, actor: str) -> int:
    """Cover waiting offsets of a project with confirmed grams; returns how many in this batch."""
    ledger.lock(project_id=project_id, livemode=livemode)
    covered = ledger.allocate(project_id=project_id, livemode=livemode, limit=ALLOCATION_BATCH, now=now)
    events.record_all(kinds.OFFSET_COVERED, covered, actor=actor)
    return len(covered)


@transaction.atomic(durable=True)
def cancel_offset(offset: DeviceOffset, *, reason: str, actor: str, now: datetime) -> None:
    """Take back a promise before its grams are covered. Raises Conflict when it is covered or has ended."""
    ledger.lock(project_id=offset.project_id, livemode=offset.livemode)
    offset.refresh_from_db()
    if offset.covered_at or offset.ended_at:
        raise Conflict("Credits were retired for this device already; reverse the claim or move it instead.")
    ledger.end_offset(offset, reason=DeviceOffset.Ended.CANCELLED, now=now)
    events.record(kinds.OFFSET_CANCELLED, offset, actor=actor, data={"reason": reason})


@transaction.atomic(durable=True)
def reverse_offset(offset: DeviceOffset, *, reason: str, actor: str, now: datetime) -> list[Span]:
    """End a covered claim: its grams return to the surplus, its history stays. Raises Conflict otherwise."""
    ledger.lock(project_id=offset.project_id, livemode=offset.livemode)
    offset.refresh_from_db()
    if not offset.covered_at or offset.ended_at:
        raise Conflict("Only a claim that credits were retired for can be reversed.")
    spans = ledger.end_offset(offset, reason=DeviceOffset.Ended.REVERSED, now=now)
    events.record(kinds.OFFSET_REVERSED, offset, actor=actor, data={"reason": reason})
    return spans


@transaction.atomic(durable=True)
def move_to_replacement(
    offset: DeviceOffset, *, device_serial: str, reason: str, actor: str, now: datetime
) -> DeviceOffset:
    """Move a covered claim to a replacement device of the same maker: the same grams, a new offset that names
    the old.

    Raises InvalidDeviceSerial, AlreadyCovered, and Conflict when the claim is not covered or has ended.
    """
    ledger.lock(project_id=offset.project_id, livemode=offset.livemode)
    offset.refresh_from_db()
    if not offset.covered_at or offset.ended_at:
        raise Conflict("Only a claim that credits were retired for can move to another device.")
    maker, serial = normalise_device(offset.manufacturer, device_serial)
    if selectors.offset_for_device(manufacturer=maker, device_serial=serial, livemode=offset.livemode):
        raise AlreadyCovered(f"{serial} is covered already; choose the device that has no credits yet.")
    spans = ledger.end_offset(offset, reason=DeviceOffset.Ended.MOVED, now=now)
    ledger.commit_g(project_id=offset.project_id, livemode=offset.livemode, amount_g=offset.amount_g)
    moved = DeviceOffset.objects.get(pk=offset.pk)
    moved.pk, moved.replaces_id = None, offset.pk
    moved.device_serial, moved.device_serial_typed = serial, device_serial[:80]
    moved.created_at, moved.covered_at, moved.ended_at, moved.ended_reason = now, None, None, ""
    moved.save(force_insert=True)
    ledger.cover_exactly(moved, spans, now=now)
    events.record(kinds.OFFSET_MOVED, offset, actor=actor, data={"reason": reason, "to": moved.pk})
    events.record(kinds.OFFSET_COVERED, moved, actor=actor)
    return moved
