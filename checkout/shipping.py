"""Devices leave: each gets its serial number, and only then can grams be promised to it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from checkout import events as kinds
from checkout.errors import NotReleased, OrderClosed, SerialsRefused
from checkout.models import Order, OrderedDevice, Shipment
from checkout.rows import fill_devices
from checkout.withdrawal import offsets_not_before
from common import events, faults
from common.printable import unprintable
from offsets.selectors import covered_devices
from offsets.serials import InvalidDeviceSerial, normalise_device

Device = tuple[str, str]  # maker and serial, normalised


def ship_devices(
    *,
    order: Order,
    serials: Mapping[int, str],
    actor: str,
    now: datetime,
    carrier: str = "",
    tracking: str = "",
) -> Shipment:
    """Ship these ordered devices (primary key -> serial number as typed), all or none.

    The same call again finds the same shipment. Raises NotReleased before payment or approved terms,
    OrderClosed, and SerialsRefused naming every serial that is empty, too long, unreadable, doubled, or on a
    device that is covered.
    """
    shipment = _ship_devices(
        order=order, serials=serials, actor=actor, now=now, carrier=carrier, tracking=tracking
    )
    faults.reach("devices-shipped")
    return shipment


@transaction.atomic(durable=True)
def _ship_devices(
    *, order: Order, serials: Mapping[int, str], actor: str, now: datetime, carrier: str, tracking: str
) -> Shipment:
    order = Order.objects.select_for_update().get(pk=order.pk)
    if order.cancelled_at:
        raise OrderClosed(_("Order %(number)s is cancelled; nothing ships.") % {"number": order.number})
    if not order.paid_at and not order.on_terms:
        raise NotReleased(
            _("Order %(number)s is not paid. Record the payment or approve terms, then ship.")
            % {"number": order.number}
        )
    if not serials:
        raise SerialsRefused(_("Enter the serial number of at least one device."))
    devices = list(
        OrderedDevice.objects.filter(line__order=order)
        .select_related("line")
        .order_by("line__position", "position")
    )
    chosen = [device for device in devices if device.pk in serials]
    if len(chosen) != len(serials):
        raise SerialsRefused(
            _("Some of these devices are not part of order %(number)s.") % {"number": order.number}
        )
    wanted = _normalised(chosen, serials)
    if repeated := _same_shipment(chosen, wanted):
        return repeated
    _refuse_unusable(chosen, wanted, order=order)
    shipment = Shipment.objects.create(
        order=order,
        shipped_at=now,
        offsets_not_before=offsets_not_before(order, shipped_at=now),
        carrier=carrier,
        tracking=tracking,
        actor=actor,
    )
    fill_devices("device_serial", {pk: serial for pk, (_maker, serial) in wanted.items()})
    shipped = OrderedDevice.objects.filter(
        line__order=order, shipment=None, device_serial__isnull=False
    ).update(shipment=shipment)
    if shipped != len(chosen):  # cannot happen under the order's lock; if it does, nothing ships
        raise OrderClosed(
            _("The devices of order %(number)s changed meanwhile; load the page again.")
            % {"number": order.number}
        )
    events.record(
        kinds.DEVICES_SHIPPED, order, actor=actor, data={"shipment": shipment.pk, "devices": len(chosen)}
    )
    return shipment


def demo_serials(devices: Sequence[OrderedDevice]) -> dict[int, str]:
    """Invented serial numbers, one per device and always the same, that cannot be taken for a maker's."""
    return {device.pk: f"DEMO-PF{device.pk:06d}" for device in devices}


def _normalised(devices: Sequence[OrderedDevice], serials: Mapping[int, str]) -> dict[int, Device]:
    """Each device's maker and serial as compared; a serial that does not read gives an empty one and is
    refused later.
    """
    wanted: dict[int, Device] = {}
    problems = []
    for device in devices:
        try:
            wanted[device.pk] = normalise_device(device.line.manufacturer, serials[device.pk])
        except InvalidDeviceSerial as error:
            problems.append(_problem(device, serials[device.pk], error.message))
            continue
        if strange := unprintable(wanted[device.pk][1]):
            text = _("A certificate cannot show these of its characters: %(characters)s.") % {
                "characters": strange
            }
            problems.append(_problem(device, serials[device.pk], text))
    _refuse(problems)
    return wanted


def _same_shipment(devices: Sequence[OrderedDevice], wanted: Mapping[int, Device]) -> Shipment | None:
    """The shipment in which exactly these devices left with exactly these serials: a double click."""
    shipments = {device.shipment_id for device in devices}
    if None in shipments or len(shipments) != 1:
        return None
    if any(device.device_serial != wanted[device.pk][1] for device in devices):
        return None
    return devices[0].shipment


def _refuse_unusable(devices: Sequence[OrderedDevice], wanted: Mapping[int, Device], *, order: Order) -> None:
    """Raise SerialsRefused naming each device that shipped before and each serial that is doubled or
    covered.
    """
    counts = Counter(wanted.values())
    covered = _covered(list(wanted.values()), livemode=order.livemode)
    awaiting = _awaiting(list(wanted.values()), livemode=order.livemode)
    problems = []
    for device in devices:
        identity = wanted[device.pk]
        if device.shipment_id:
            text = _("This device shipped already, with serial number %(serial)s.") % {
                "serial": device.device_serial
            }
        elif counts[identity] > 1:
            text = _("The serial number stands %(count)s times in this list.") % {"count": counts[identity]}
        elif device.with_offset and identity in covered:
            text = _(
                "This device is covered already. Check the number; if it is right, cancel the credits first."
            )
        elif identity in awaiting:
            text = _("A device with this serial number shipped already with order %(number)s.") % {
                "number": awaiting[identity]
            }
        else:
            continue
        problems.append(_problem(device, identity[1], text))
    _refuse(problems)


def _covered(devices: Sequence[Device], *, livemode: bool) -> set[Device]:
    rows = covered_devices(devices, livemode=livemode).values_list("manufacturer", "device_serial")
    return set(rows) & set(devices)


def _awaiting(devices: Sequence[Device], *, livemode: bool) -> dict[Device, str]:
    """Order number by device, of devices that shipped with credits and wait for their promise."""
    rows = OrderedDevice.objects.filter(
        device_serial__in=[serial for _maker, serial in devices],
        shipment__isnull=False,
        with_offset=True,
        offset=None,
        refunded_at=None,
        line__order__livemode=livemode,
    ).values_list("line__manufacturer", "device_serial", "line__order__number")
    return {normalise_device(maker, serial or ""): number for maker, serial, number in rows}


def _problem(device: OrderedDevice, serial: str, text: str) -> dict[str, str | int]:
    return {
        "device": device.pk,
        "line": device.line.position,
        "unit": device.position,
        "device_serial": serial[:80],
        "problem": text,
    }


def _refuse(problems: Sequence[Mapping[str, str | int]]) -> None:
    if not problems:
        return
    first = problems[0]
    raise SerialsRefused(
        ngettext(
            "%(count)s serial number cannot be used (line %(line)s, unit %(unit)s: %(problem)s) "
            "Nothing was shipped.",
            "%(count)s serial numbers cannot be used (first: line %(line)s, unit %(unit)s: %(problem)s) "
            "Nothing was shipped.",
            len(problems),
        )
        % {"count": len(problems), **first},
        details=list(problems),
    )


def released(order: Order) -> bool:
    """Whether devices of the order may ship: paid, or on approved terms, and not cancelled."""
    return order.cancelled_at is None and (order.paid_at is not None or order.on_terms)


def demo_delay_s() -> int | None:
    """Seconds after payment until the demonstration's warehouse ships; None: it does not exist here."""
    return None if settings.LIVEMODE else settings.DEMO_WAREHOUSE_DELAY_S
