"""Shipped, released devices ask the ledger for their grams: the sweep `checkout.tasks.request_offsets`.

State is the queue: a device with credits that has shipped, has no offset yet and no problem. A worker that
dies after the ledger's answer and before it is linked here finds the offsets again by their group and links
them first.
"""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import DatabaseError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Account
from accounts.services import audience_for
from checkout import events as kinds
from checkout.models import OrderedDevice, Shipment
from checkout.rows import fill_devices
from claims.registers import Audience
from common import events, faults
from common.errors import DomainError
from offsets.errors import AlreadyCovered, IdempotencyConflict
from offsets.models import DeviceOffset
from offsets.serials import normalise_device
from offsets.services import OffsetWish, request_offsets

log = logging.getLogger(__name__)
SCOPE = "shop"
ACTOR = "sweep:request_offsets"
BATCH = 50


def request_offsets_for_shipped(now: datetime) -> int:
    """Ask for the offsets of up to 50 shipments; returns how many devices were promised grams.

    One call per shipment, however many devices. A device that is covered already gets a problem and needs a
    person; the others go on. A shipment that fails otherwise is tried again next time.
    """
    promised = 0
    for shipment in shipments_to_promise(now=now)[:BATCH]:
        try:
            promised += _request_for(shipment, now=now)
        except DatabaseError as error:
            log.error("offsets not requested shipment=%s error=%s", shipment.pk, type(error).__name__)
    return promised


def shipments_to_promise(*, now: datetime) -> QuerySet[Shipment]:
    """Shipments of released orders whose withdrawal period is over and that have devices without their
    offset.
    """
    waiting = _waiting().filter(shipment=OuterRef("pk"))
    return (
        Shipment.objects.filter(
            Exists(waiting),
            Q(order__paid_at__isnull=False) | Q(order__on_terms=True),
            order__cancelled_at=None,
            offsets_not_before__lte=now,
        )
        .select_related("order__owner")
        .order_by("pk")
    )


def _waiting() -> QuerySet[OrderedDevice]:
    return OrderedDevice.objects.filter(
        with_offset=True, offset=None, shipment__isnull=False, problem="", refunded_at=None
    )


def _request_for(shipment: Shipment, *, now: datetime) -> int:
    linked = _link(shipment)
    devices = list(
        _waiting().filter(shipment=shipment).select_related("line__offset_line__project").order_by("pk")
    )
    while devices:
        try:
            request_offsets(
                [_wish(device, shipment) for device in devices],
                owner=shipment.order.owner,
                livemode=shipment.order.livemode,
                actor=ACTOR,
                scope=SCOPE,
                key=f"order-{shipment.order.number}-{shipment.pk}-{devices[0].pk}",
                now=now,
            )
        except AlreadyCovered as error:
            if not (covered := _named(devices, error)):
                break  # covered at the same moment: the next round learns which
            _needs_person(covered, problem=error.message)
            devices = [device for device in devices if device not in covered]
        except IdempotencyConflict:
            break  # a second worker asked for part of them: the next round links those and asks for the rest
        except DomainError as error:
            _needs_person(devices, problem=error.message)
            break
        else:
            faults.reach("offsets-requested")
            linked += _link(shipment)
            _refuse_unlinked(devices)
            break
    return linked


def _named(devices: Sequence[OrderedDevice], error: AlreadyCovered) -> list[OrderedDevice]:
    """The devices that the ledger named."""
    named = {(detail.get("manufacturer"), detail.get("device_serial")) for detail in error.details}
    return [device for device in devices if _identity(device) in named]


def _refuse_unlinked(devices: Sequence[OrderedDevice]) -> None:
    """Asked for and not there: somebody has ended the offset between the answer and the link."""
    left = list(_waiting().filter(pk__in=[device.pk for device in devices]))
    if left:
        _needs_person(left, problem="The credits of this device were ended before they reached the order.")


def _identity(device: OrderedDevice) -> tuple[str, str]:
    return normalise_device(device.line.manufacturer, device.device_serial or "")


def _wish(device: OrderedDevice, shipment: Shipment) -> OffsetWish:
    order, line = shipment.order, device.line
    offset_line = line.offset_line
    footprint = line.footprint or {}
    return OffsetWish(
        project=offset_line.project,
        manufacturer=line.manufacturer,
        device_serial=device.device_serial or "",
        product=line.name,
        sku=line.sku,
        configuration=line.configuration,
        amount_g=offset_line.unit_amount_g,
        footprint=footprint,
        boundary=footprint["boundary"],
        period=f"years-{line.years}",
        country=str(line.country_of_use),
        audience=order.audience,
        language=order.language,
        wording=order.wording,
        beneficiary=_beneficiary(order.owner),
        buyer_reference=order.po_number,
        group=group_of(shipment),
        holder=device.holder,
    )


def _beneficiary(owner: Account | None) -> str:
    """The name of a verified company that asked to be named in registries; nobody otherwise."""
    if owner is None or not owner.named_in_registries or audience_for(owner) is not Audience.COMPANY:
        return ""
    return owner.name


def group_of(shipment: Shipment) -> str:
    """Under which name the ledger keeps the offsets of an order."""
    return f"order:{shipment.order.number}"


@transaction.atomic(durable=True)
def _link(shipment: Shipment) -> int:
    """Name each device's offset on its row, found by maker and serial within the order's group; returns how
    many.
    """
    devices = {
        _identity(device): device.pk for device in _waiting().filter(shipment=shipment).select_related("line")
    }
    if not devices:
        return 0
    offsets = DeviceOffset.objects.filter(
        group=group_of(shipment), request__scope=SCOPE, ended_at=None, ordered_device=None
    ).values_list("manufacturer", "device_serial", "pk")
    found = {devices[maker, serial]: pk for maker, serial, pk in offsets if (maker, serial) in devices}
    return fill_devices("offset_id", found) if found else 0


@transaction.atomic(durable=True)
def _needs_person(devices: Sequence[OrderedDevice], *, problem: str) -> None:
    """Take the devices out of the queue and say why; their grams stay reserved until a person has decided."""
    OrderedDevice.objects.filter(pk__in=[device.pk for device in devices], problem="").update(
        problem=problem[:300]
    )
    events.record_all(kinds.DEVICE_NEEDS_PERSON, devices, actor=ACTOR)


@transaction.atomic(durable=True)
def clear_problem(*, device: OrderedDevice, reason: str, actor: str) -> bool:
    """A person has put it right: the device goes back into the queue. False: it had no problem."""
    changed = OrderedDevice.objects.filter(pk=device.pk).exclude(problem="").update(problem="")
    if changed:
        events.record(kinds.DEVICE_PROBLEM_CLEARED, device, actor=actor, data={"reason": reason[:200]})
    return bool(changed)
