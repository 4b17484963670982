"""Buyers who wait for a project that cannot deliver are told, once an order and cause.

The notice stands in the order's history, committed before the mail goes out; a mail that the server refuses
is noted too, so the next round tries again.
"""

from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.template.loader import render_to_string

from checkout import events as kinds
from checkout.links import order_url
from checkout.mailing import deliver
from checkout.models import Order, OrderedDevice
from claims.wording import say, wording_by_id
from common import events
from common.models import Event
from offsets.delays import Cause, causes

ACTOR = "sweep:notices"
BATCH = 50


def send_notices(now: datetime) -> int:
    """Tell the buyers of up to 50 orders a cause that their project cannot deliver; returns how many went
    out.
    """
    return sum(_send(order, cause) for cause in causes(now=now) for order in orders_to_tell(cause)[:BATCH])


def waiting_devices(cause: Cause) -> QuerySet[OrderedDevice]:
    """Devices that wait for credits of this project: ordered, or promised and not covered."""
    ordered = Q(offset=None, line__offset_line__project=cause.project)
    promised = Q(offset__project=cause.project, offset__covered_at=None, offset__ended_at=None)
    return OrderedDevice.objects.filter(
        ordered | promised, with_offset=True, refunded_at=None, line__order__cancelled_at=None
    )


def orders_to_tell(cause: Cause) -> QuerySet[Order]:
    """Orders with such a device whose buyers were not told of this cause, oldest first."""
    waiting = waiting_devices(cause).order_by().values("line__order")
    told = [pk for pk, count in _told(cause).items() if count > 0]
    return Order.objects.filter(pk__in=waiting).exclude(pk__in=told).order_by("pk")


def _told(cause: Cause, order: Order | None = None) -> dict[int, int]:
    """Mails that went out of this cause, by order: those sent less those refused."""
    found = Event.objects.filter(
        kind__in=(kinds.NOTICE_SENT, kinds.NOTICE_REFUSED),
        data__cause=cause.code,
        data__project=cause.project.pk,
    )
    if order is not None:
        found = found.filter(subject=events.subject_of(order))
    counts: dict[int, int] = {}
    for row in found.order_by().values("subject", "kind").annotate(n=Count("pk")):
        pk = int(row["subject"].partition(":")[2])
        counts[pk] = counts.get(pk, 0) + (row["n"] if row["kind"] == kinds.NOTICE_SENT else -row["n"])
    return counts


def _send(order: Order, cause: Cause) -> bool:
    message = notice_mail(order, cause)
    if not _record_sent(order, cause):
        return False  # another worker tells them
    if deliver(message, what=f"order={order.number}"):
        return True
    _record(kinds.NOTICE_REFUSED, order, cause)
    return False


@transaction.atomic(durable=True)
def _record_sent(order: Order, cause: Cause) -> bool:
    Order.objects.select_for_update().get(pk=order.pk)
    if _told(cause, order).get(order.pk, 0) > 0:
        return False
    _record_in(kinds.NOTICE_SENT, order, cause)
    return True


@transaction.atomic(durable=True)
def _record(kind: str, order: Order, cause: Cause) -> None:
    Order.objects.select_for_update().get(pk=order.pk)
    _record_in(kind, order, cause)


def _record_in(kind: str, order: Order, cause: Cause) -> None:
    data = {"cause": cause.code, "project": cause.project.pk}
    events.record(kind, order, actor=ACTOR, data=data)


def notice_mail(order: Order, cause: Cause) -> EmailMessage:
    """What keeps the devices waiting, and what the buyer may choose."""
    wording = wording_by_id(order.wording)
    name = cause.project.short_name
    if cause.paused:
        what = say("notice_paused", wording=wording, project=name)
    else:
        registry = cause.project.registry.name
        what = say("notice_closed", wording=wording, registry=registry, project=name)
    body = render_to_string(
        "checkout/mail/notice.txt",
        {
            "order": order,
            "wording": wording,
            "what": what,
            "demo": "" if order.livemode else say("demo_prices", wording=wording),
            "waiting": waiting_devices(cause).filter(line__order=order).count(),
            "choice": say("project_substitution", wording=wording, project=name),
            "url": order_url(order),
            "site": settings.SITE_NAME,
        },
    )
    subject = say("notice_subject", wording=wording, order=order.number, project=name)
    return EmailMessage(subject=subject, body=body, to=[order.email])
