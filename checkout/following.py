"""Orders follow their claims: the sweep `checkout.tasks.follow_offsets`.

A claim that moved, was issued again on the right serial, or went to another project has a successor: the
ordered device points to it. The ledger's events are the queue, and a mark says that one was dealt with.
"""

import logging
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet

from checkout.models import OrderedDevice
from common.models import Event, EventMark
from offsets import events as offset_kinds
from offsets.models import DeviceOffset

log = logging.getLogger(__name__)
CONSUMER = "checkout.follow"
BATCH = 500
FOLLOWED = (
    offset_kinds.OFFSET_MOVED,
    offset_kinds.OFFSET_REVERSED,
    offset_kinds.OFFSET_SUBSTITUTED,
    offset_kinds.OFFSET_SERIAL_CHANGED,
)


def follow_offsets(now: datetime) -> int:
    """Point ordered devices to the claims that took over from theirs; returns how many changed."""
    return sum(_follow(event) for event in events_to_follow()[:BATCH])


def events_to_follow() -> QuerySet[Event]:
    """What happened to claims and was not dealt with here, oldest first."""
    done = EventMark.objects.filter(event=OuterRef("pk"), consumer=CONSUMER)
    return Event.objects.filter(~Exists(done), kind__in=FOLLOWED).order_by("pk")


def _follow(event: Event) -> bool:
    try:
        return _follow_once(event)
    except IntegrityError:  # another worker marked it first
        return False


@transaction.atomic(durable=True)
def _follow_once(event: Event) -> bool:
    EventMark.objects.create(event=event, consumer=CONSUMER)
    before = int(event.subject.partition(":")[2])
    device = OrderedDevice.objects.filter(offset_id=before)
    if event.kind == offset_kinds.OFFSET_SERIAL_CHANGED:
        offset = DeviceOffset.objects.get(pk=before)
        return bool(device.update(device_serial=offset.device_serial_typed))
    if "to" not in event.data:
        return False  # reversed for good
    offset = DeviceOffset.objects.get(pk=event.data["to"])
    return bool(
        device.update(offset=offset, device_serial=offset.device_serial_typed, certificate_mailed_at=None)
    )
