"""The money for credits goes back: recorded on the device, its promise or reservation ended."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from checkout import events as kinds
from checkout.errors import OrderClosed
from checkout.models import Order, OrderedDevice
from common import events
from offsets.services import cancel_offset, release


def refund_credits(*, device: OrderedDevice, reason: str, actor: str, now: datetime) -> bool:
    """Record that the buyer got the money for this device's credits back; False: it was recorded before.

    An uncovered promise is cancelled, a reservation released. Raises OrderClosed when credits were retired
    already (reverse the claim first), or when the device was sold without credits. Sending the money is the
    bank's work, and done by whoever records it.
    """
    device = OrderedDevice.objects.select_related("offset").get(pk=device.pk)
    offset = device.offset
    if not device.with_offset:
        raise OrderClosed(_("This device was sold without credits."))
    if offset is not None and offset.covered_at and not offset.ended_at:
        raise OrderClosed(_("Credits were retired for this device. Reverse its claim first."))
    if device.refunded_at is None and offset is not None and offset.ended_at is None:
        cancel_offset(offset, reason=reason, actor=actor, now=now)
    return _record(device, reason=reason, actor=actor, now=now)


@transaction.atomic(durable=True)
def _record(device: OrderedDevice, *, reason: str, actor: str, now: datetime) -> bool:
    order = Order.objects.select_for_update().get(lines__devices=device)
    changed = OrderedDevice.objects.filter(pk=device.pk, refunded_at=None, offset_id=device.offset_id).update(
        refunded_at=now, problem=""
    )
    if changed:
        if device.offset_id is None:
            release([device.holder])
        data = {"device": device.pk, "reason": reason[:200]}
        events.record(kinds.CREDITS_REFUNDED, order, actor=actor, data=data)
    return bool(changed)
