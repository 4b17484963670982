"""Mails of an order, in its own words and language: its confirmation, and its certificates once the registry
has confirmed.

A mail is marked as sent, and committed, before it goes out: a worker that dies in between loses this one
mail, which the order page makes good, and nobody ever gets two. A server that refuses it takes the mark back,
so the next round tries again.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.template.loader import render_to_string

from certificates.models import Certificate
from checkout import events as kinds
from checkout.formatting import kg_text, money_text
from checkout.groups import group_devices
from checkout.links import order_url, record_url
from checkout.models import Order, OrderedDevice, OrderLine, Shipment
from checkout.selectors import device_states
from claims.wording import say, wording_by_id
from common import events

log = logging.getLogger(__name__)
BATCH = 50
MAX_ATTACHED = 10
MAX_LISTED = 100


def send_order_mails(now: datetime) -> int:
    """Confirm up to 50 orders that were not confirmed yet; returns how many mails went out."""
    orders = Order.objects.filter(mailed_at=None).select_related("market").order_by("pk")
    return sum(_send_order_mail(order, now=now) for order in orders[:BATCH])


def _send_order_mail(order: Order, *, now: datetime) -> bool:
    message = order_mail(order)
    if not Order.objects.filter(pk=order.pk, mailed_at=None).update(mailed_at=now):
        return False
    if not deliver(message, what=f"order={order.number}"):
        Order.objects.filter(pk=order.pk, mailed_at=now).update(mailed_at=None)
        return False
    _record(kinds.ORDER_MAILED, order)
    return True


def send_certificate_mails(now: datetime) -> int:
    """Send the certificates of up to 50 shipments whose devices all have one (or need a person); returns how
    many went.
    """
    return sum(_send_certificate_mail(shipment, now=now) for shipment in shipments_to_mail()[:BATCH])


def shipments_to_mail() -> QuerySet[Shipment]:
    """Shipments with a certificate that nobody was sent, and without a device that will still get one."""
    of_shipment = OrderedDevice.objects.filter(shipment=OuterRef("pk"))
    return (
        Shipment.objects.filter(Exists(_ready(of_shipment)), ~Exists(_awaiting(of_shipment)))
        .select_related("order")
        .order_by("pk")
    )


def _rendered() -> Exists:
    return Exists(
        Certificate.objects.filter(
            offset=OuterRef("offset"), state=Certificate.State.VALID, rendered_at__isnull=False
        )
    )


def _ready(devices: QuerySet[OrderedDevice]) -> QuerySet[OrderedDevice]:
    return devices.filter(_rendered(), offset__isnull=False, certificate_mailed_at=None)


def _awaiting(devices: QuerySet[OrderedDevice]) -> QuerySet[OrderedDevice]:
    """Devices whose certificate is still to come by itself."""
    stopped = Certificate.objects.filter(offset=OuterRef("offset")).filter(
        Q(needs_person_at__isnull=False) | Q(withdrawn_at__isnull=False)
    )
    return devices.filter(
        Q(offset=None) | Q(offset__problem="", offset__ended_at=None),
        ~_rendered(),
        ~Exists(stopped),
        with_offset=True,
        problem="",
        refunded_at=None,
    )


def _send_certificate_mail(shipment: Shipment, *, now: datetime) -> bool:
    devices = _ready(OrderedDevice.objects.filter(shipment=shipment))
    certificates = list(
        Certificate.objects.filter(
            offset__ordered_device__in=devices, state=Certificate.State.VALID, rendered_at__isnull=False
        )
        .select_related("offset__ordered_device")
        .order_by("offset__ordered_device__pk")
    )
    if not certificates:
        return False  # another worker has sent them since this shipment was chosen
    try:
        message = certificates_mail(shipment.order, certificates)
    except OSError as error:  # a file is not readable now; the next round tries again
        log.error("certificates not mailed shipment=%s error=%s", shipment.pk, error)
        return False
    chosen = OrderedDevice.objects.filter(
        pk__in=[certificate.offset.ordered_device.pk for certificate in certificates]
    )
    if chosen.filter(certificate_mailed_at=None).update(certificate_mailed_at=now) != len(certificates):
        return False  # another worker sends them
    if not deliver(message, what=f"shipment={shipment.pk}"):
        chosen.filter(certificate_mailed_at=now).update(certificate_mailed_at=None)
        return False
    _record(kinds.CERTIFICATES_MAILED, shipment.order)
    return True


def order_mail(order: Order) -> EmailMessage:
    """The confirmation: what was ordered, what it costs, where each device stands."""
    wording = wording_by_id(order.wording)
    lines = list(order.lines.select_related("offset_line__project"))
    total_g = sum(
        line.offset_line.units * line.offset_line.unit_amount_g for line in lines if _has_offset(line)
    )
    slot = "mail_order_intro" if total_g else "mail_order_intro_plain"
    return _message(
        order,
        subject=say("mail_order_subject", wording=wording, order=order.number),
        template="checkout/mail/order.txt",
        context={
            "intro": say(slot, wording=wording, order=order.number, total_kg=kg_text(total_g)),
            "lines": [_line_text(order, line) for line in lines],
            "net": money_text(order.net_minor, order.currency),
            "tax": money_text(order.tax_minor, order.currency),
            "gross": money_text(order.gross_minor, order.currency),
            "groups": group_devices(device_states(order)),
        },
    )


def certificates_mail(order: Order, certificates: Sequence[Certificate]) -> EmailMessage:
    """The certificates of a shipment: as files up to ten, as addresses beyond. Raises OSError for a missing
    file.
    """
    wording = wording_by_id(order.wording)
    total_g = sum(certificate.offset.amount_g for certificate in certificates)
    message = _message(
        order,
        subject=say("mail_certificates_subject", wording=wording, order=order.number),
        template="checkout/mail/certificates.txt",
        context={
            "intro": say(
                "mail_certificates_intro", wording=wording, order=order.number, total_kg=kg_text(total_g)
            ),
            "records": [
                {
                    "serial": certificate.offset.ordered_device.device_serial,
                    "product": certificate.offset.product,
                    "code": certificate.code,
                    "url": record_url(certificate.code),
                }
                for certificate in certificates[:MAX_LISTED]
            ],
            "more": max(0, len(certificates) - MAX_LISTED),
            "attached": len(certificates) <= MAX_ATTACHED,
        },
    )
    if len(certificates) <= MAX_ATTACHED:
        for certificate in certificates:
            with certificate.pdf.open("rb") as file:
                message.attach(f"{certificate.code}.pdf", file.read(), "application/pdf")
    return message


def _message(order: Order, *, subject: str, template: str, context: dict[str, object]) -> EmailMessage:
    """A mail in the words that the order was placed in."""
    wording = wording_by_id(order.wording)
    facts = {
        "order": order,
        "wording": wording,
        "url": order_url(order),
        "site": settings.SITE_NAME,
        "demo": "" if order.livemode else say("demo_prices", wording=wording),
    }
    body = render_to_string(template, {**facts, **context})
    return EmailMessage(subject=subject, body=body, to=[order.email])


def _has_offset(line: OrderLine) -> bool:
    return hasattr(line, "offset_line")


def _line_text(order: Order, line: OrderLine) -> dict[str, str | int]:
    offset = line.offset_line if _has_offset(line) else None
    return {
        "quantity": line.quantity,
        "name": line.name,
        "configuration": line.configuration,
        "net": money_text(line.net_minor, order.currency),
        "offset_units": offset.units if offset else 0,
        "offset_text": offset.text if offset else "",
        "offset_net": money_text(offset.net_minor, order.currency) if offset else "",
    }


def deliver(message: EmailMessage, *, what: str) -> bool:
    """Hand the mail to the server. False when it was refused; no address or content goes into the log."""
    try:
        message.send()
    except (SMTPException, OSError) as error:
        log.error("mail not sent %s error=%s", what, type(error).__name__)
        return False
    return True


@transaction.atomic(durable=True)
def _record(kind: str, order: Order) -> None:
    Order.objects.select_for_update().get(pk=order.pk)
    events.record(kind, order, actor="sweep:mails")
