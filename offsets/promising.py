"""Grams are held for buyers and promised to devices. See services.py, the door to the ledger's use cases."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from accounts.models import Account
from common import events
from common.codes import random_code
from common.errors import Conflict, InvalidInput
from common.rows import insert, insert_values
from offsets import events as kinds
from offsets import ledger, selectors
from offsets.errors import AlreadyCovered, IdempotencyConflict
from offsets.ledger import Hold
from offsets.models import DeviceOffset, OffsetRequest, Reservation
from offsets.serials import normalise_device
from projects.models import Project


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
    if not wishes:
        raise InvalidInput("No device is named; list at least one.")
    devices = _devices(wishes)
    # First of all: the same key at the same moment waits here, and then finds the answer, not its own device.
    request = OffsetRequest(
        public_id=f"ofr_{random_code(groups=1, group_length=16)}",
        scope=scope,
        key=key,
        body_digest=digest,
        owner=owner,
        livemode=livemode,
        actor=actor,
        created_at=now,
    )
    insert([request])
    rows = [
        _offset(wish, device, request=request, now=now) for wish, device in zip(wishes, devices, strict=True)
    ]
    keys = insert_values(DeviceOffset, tuple(rows[0]), [tuple(row.values()) for row in rows])
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
    in_names = {wish.project.pk for wish in wishes if wish.beneficiary}
    for project_id, amount_g in sorted(needed.items()):
        if project_id in in_names:  # what stands in the name already is theirs to take
            ledger.keep_for_names(project_id=project_id, livemode=livemode)
        if amount_g < 0:
            ledger.uncommit_g(project_id=project_id, livemode=livemode, amount_g=-amount_g)
        else:
            ledger.commit_g(project_id=project_id, livemode=livemode, amount_g=amount_g)
    events.record_keys(
        kinds.OFFSETS_REQUESTED,
        DeviceOffset,
        keys,
        actor=actor,
        data={
            key: {"request": request.public_id, "amount_g": wish.amount_g}
            for key, wish in zip(keys, wishes, strict=True)
        },
        first=True,
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
    now: datetime,
) -> dict[str, Any]:
    """Every column of a new claim but its key. An order has thousands: making model instances of them would
    be a quarter of what a request costs.
    """
    return {
        "request_id": request.pk,
        "owner_id": request.owner_id,
        "livemode": request.livemode,
        "project_id": wish.project.pk,
        "manufacturer": device[0],
        "device_serial": device[1],
        "manufacturer_typed": wish.manufacturer.strip(),
        "device_serial_typed": wish.device_serial.strip(),
        "product": wish.product,
        "sku": wish.sku,
        "configuration": wish.configuration,
        "amount_g": wish.amount_g,
        "footprint": dict(wish.footprint),
        "boundary": wish.boundary,
        "period": wish.period,
        "supplement": wish.supplement,
        "country": wish.country,
        "audience": wish.audience,
        "language": wish.language,
        "wording": wish.wording,
        "beneficiary": wish.beneficiary,
        "buyer_reference": wish.buyer_reference,
        "group": wish.group,
        "replaces_id": wish.replaces.pk if wish.replaces else None,
        "created_at": now,
        "covered_at": None,
        "certified_at": None,
        "ended_at": None,
        "ended_reason": "",
        "problem": "",
    }
