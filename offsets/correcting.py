"""A claim ends before its grams are retired, or after it: cancelled, reversed, or moved. See services.py."""

from datetime import datetime

from django.db import IntegrityError, transaction

from common import events
from common.errors import Conflict
from offsets import events as kinds
from offsets import ledger, selectors
from offsets.errors import AlreadyCovered
from offsets.models import DeviceOffset, Span
from offsets.serials import normalise_device


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
    spans = ledger.end_offset(offset, reason=DeviceOffset.Ended.MOVED, now=now)
    ledger.commit_g(project_id=offset.project_id, livemode=offset.livemode, amount_g=offset.amount_g)
    moved = DeviceOffset.objects.get(pk=offset.pk)
    moved.pk, moved.replaces_id = None, offset.pk
    moved.device_serial, moved.device_serial_typed = serial, device_serial.strip()
    moved.created_at, moved.covered_at, moved.certified_at = now, None, None
    moved.ended_at, moved.ended_reason = None, ""
    moved.save(force_insert=True)
    ledger.cover_exactly(moved, spans, now=now)
    events.record(kinds.OFFSET_MOVED, offset, actor=actor, data={"reason": reason, "to": moved.pk})
    events.record(kinds.OFFSET_COVERED, moved, actor=actor)
    return moved
