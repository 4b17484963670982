"""A claim is corrected, or ends: cancelled, reversed, moved, put on its right serial or on another project.

See services.py.
"""

from collections.abc import Mapping
from datetime import datetime

from django.db import IntegrityError, transaction

from common import events
from common.errors import Conflict, InvalidInput
from offsets import events as kinds
from offsets import ledger, selectors
from offsets.errors import AlreadyCovered
from offsets.models import DeviceOffset, Span
from offsets.serials import normalise_device
from projects.models import Project


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


def move_to_replacement(
    offset: DeviceOffset, *, device_serial: str, reason: str, actor: str, now: datetime
) -> DeviceOffset:
    """Move a covered claim to a replacement device of the same maker: the same grams, a new offset that names
    the old.

    Raises InvalidDeviceSerial, AlreadyCovered, and Conflict when the claim is not covered or has ended.
    """
    try:
        return _move_to_replacement(offset, device_serial=device_serial, reason=reason, actor=actor, now=now)
    except IntegrityError as error:
        raise AlreadyCovered(
            f"{device_serial} was covered at the same moment; look it up before you try again."
        ) from error


@transaction.atomic(durable=True)
def _move_to_replacement(
    offset: DeviceOffset, *, device_serial: str, reason: str, actor: str, now: datetime
) -> DeviceOffset:
    ledger.lock(project_id=offset.project_id, livemode=offset.livemode)
    offset.refresh_from_db()
    if not offset.covered_at or offset.ended_at:
        raise Conflict("Only a claim that credits were retired for can move to another device.")
    maker, serial = normalise_device(offset.manufacturer, device_serial)
    if selectors.offset_for_device(manufacturer=maker, device_serial=serial, livemode=offset.livemode):
        raise AlreadyCovered(f"{serial} is covered already; choose the device that has no credits yet.")
    return _hand_over(
        offset,
        device_serial,
        ended=DeviceOffset.Ended.MOVED,
        kind=kinds.OFFSET_MOVED,
        data={"reason": reason},
        actor=actor,
        now=now,
    )


def _hand_over(
    offset: DeviceOffset,
    device_serial: str,
    *,
    ended: str,
    kind: str,
    data: Mapping[str, object],
    actor: str,
    now: datetime,
) -> DeviceOffset:
    """End a covered claim and give its very grams to a new one for this device serial, which names it."""
    spans = ledger.end_offset(offset, reason=ended, now=now)
    new = _copy(offset, now=now)
    new.device_serial = normalise_device(offset.manufacturer, device_serial)[1]
    new.device_serial_typed = device_serial.strip()
    new.save(force_insert=True)
    ledger.name_changed(new)
    ledger.commit_g(project_id=offset.project_id, livemode=offset.livemode, amount_g=offset.amount_g)
    ledger.cover_exactly(new, spans, now=now)
    events.record(kind, offset, actor=actor, data={**data, "to": new.pk})
    events.record(kinds.OFFSET_COVERED, new, actor=actor)
    return new


def promise_again(offset: DeviceOffset, *, reason: str, actor: str, now: datetime) -> DeviceOffset:
    """In the caller's transaction, which has locked the project: end a covered claim and promise the same
    anew, to be covered by other grams; returns the new promise. Raises SoldOut and StockStopped.
    """
    ledger.end_offset(offset, reason=DeviceOffset.Ended.REVERSED, now=now)
    new = _copy(offset, now=now)
    new.save(force_insert=True)
    ledger.name_changed(new)
    ledger.commit_g(project_id=new.project_id, livemode=new.livemode, amount_g=new.amount_g)
    data = {"reason": reason[:300], "to": new.pk}
    events.record(kinds.OFFSET_REVERSED, offset, actor=actor, data=data)
    return new


def _copy(offset: DeviceOffset, *, now: datetime) -> DeviceOffset:
    """A promise like this one was, not stored yet, that names it."""
    new = DeviceOffset.objects.get(pk=offset.pk)
    new.pk, new.replaces_id = None, offset.pk
    new.created_at, new.covered_at, new.certified_at = now, None, None
    new.ended_at, new.ended_reason, new.problem = None, "", ""
    return new


def change_device_serial(
    offset: DeviceOffset, *, device_serial: str, reason: str, actor: str, now: datetime
) -> DeviceOffset:
    """Correct a mistyped device serial; returns the claim that holds it now.

    Before retirement the promise itself is corrected. After it the claim is reversed and issued again, with
    the very same grams, on the right serial. Raises InvalidDeviceSerial, AlreadyCovered when that serial
    has such a claim, and Conflict when the claim has ended or has this serial.
    """
    try:
        return _change_device_serial(offset, device_serial=device_serial, reason=reason, actor=actor, now=now)
    except IntegrityError as error:
        raise AlreadyCovered(
            f"{device_serial} was covered at the same moment; look it up before you try again."
        ) from error


@transaction.atomic(durable=True)
def _change_device_serial(
    offset: DeviceOffset, *, device_serial: str, reason: str, actor: str, now: datetime
) -> DeviceOffset:
    ledger.lock(project_id=offset.project_id, livemode=offset.livemode)
    offset.refresh_from_db()
    serial = normalise_device(offset.manufacturer, device_serial)[1]
    if offset.ended_at or serial == offset.device_serial:
        raise Conflict(f"This claim has ended, or has the serial {serial} already.")
    same = {name: getattr(offset, name) for name in ("manufacturer", "boundary", "period", "supplement")}
    covered = selectors.covered_devices([(offset.manufacturer, serial)], livemode=offset.livemode)
    if covered.filter(**same).exists():
        raise AlreadyCovered(f"{serial} is covered already; look at both devices before you try again.")
    if offset.covered_at:
        return _hand_over(
            offset,
            device_serial,
            ended=DeviceOffset.Ended.REVERSED,
            kind=kinds.OFFSET_REVERSED,
            data={"reason": reason, "mistyped": True},
            actor=actor,
            now=now,
        )
    DeviceOffset.objects.filter(pk=offset.pk, covered_at=None, ended_at=None).update(
        device_serial=serial, device_serial_typed=device_serial.strip()
    )
    events.record(kinds.OFFSET_SERIAL_CHANGED, offset, actor=actor, data={"reason": reason})
    offset.refresh_from_db()
    return offset


@transaction.atomic(durable=True)
def substitute_project(
    offset: DeviceOffset, *, project: Project, consent: str, actor: str, now: datetime
) -> DeviceOffset:
    """With the buyer's consent an uncovered promise moves to another project; returns the new promise.

    `consent` says how and when the buyer agreed. The price stays what was paid. Raises SoldOut, StockStopped,
    InvalidInput without consent, and Conflict when credits were retired already, it has ended, or the other
    project cannot deliver either; then nothing has moved.
    """
    if not consent.strip():
        raise InvalidInput("Say how and when the buyer agreed to the other project.")
    if project.pk == offset.project_id or project.paused_at or _registry_has_closed(project, now=now):
        raise Conflict(f"{project.short_name} is the same project, or cannot deliver either.")
    for project_id in sorted({offset.project_id, project.pk}):
        ledger.lock(project_id=project_id, livemode=offset.livemode)
    offset.refresh_from_db()
    if offset.covered_at or offset.ended_at:
        raise Conflict("Credits were retired for this device already, or its claim has ended.")
    ledger.end_offset(offset, reason=DeviceOffset.Ended.CANCELLED, now=now)
    new = _copy(offset, now=now)
    new.project = project
    new.save(force_insert=True)
    ledger.name_changed(new)
    ledger.commit_g(project_id=project.pk, livemode=offset.livemode, amount_g=offset.amount_g)
    data = {"reason": consent[:300], "to": new.pk, "project": project.pk}
    events.record(kinds.OFFSET_SUBSTITUTED, offset, actor=actor, data=data)
    return new


def _registry_has_closed(project: Project, *, now: datetime) -> bool:
    last = project.registry.last_retirement_on
    return last is not None and last <= now.date()
