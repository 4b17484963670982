"""What can be done with an order. Each function is one durable transaction.

Placing, shipping and promising have modules of their own; this one is the door to all of them.
"""

import logging
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from checkout import events as kinds
from checkout.errors import OrderClosed, PaymentRefused
from checkout.formatting import money_text
from checkout.models import Order, OrderedDevice, Payment, Shipment
from checkout.placing import Buyer, place_order
from checkout.promising import clear_problem, request_offsets_for_shipped
from checkout.refunding import refund_credits
from checkout.shipping import demo_delay_s, demo_serials, released, ship_devices
from common import events, faults
from common.errors import DomainError
from offsets.services import release

__all__ = [
    "Buyer",
    "approve_terms",
    "cancel_order",
    "clear_problem",
    "demo_serials",
    "decline_payment",
    "expire_orders",
    "pay_order",
    "place_order",
    "refund_credits",
    "released",
    "request_offsets_for_shipped",
    "ship_demo_orders",
    "ship_devices",
]

log = logging.getLogger(__name__)
EXPIRE_BATCH = 200
DEMO_BATCH = 20


def pay_order(
    *,
    order: Order,
    method: str,
    reference: str,
    amount_minor: int,
    currency: str,
    livemode: bool,
    actor: str,
    now: datetime,
) -> Payment:
    """Record money received for an order. The same reference counts once, however often it is reported.

    Amount, currency and mode must be the order's, and the order must be open; else PaymentRefused, and the
    refusal stays in the order's history. Money that arrives for a paid order is kept as a second payment, to
    be given back by a person; nothing else happens twice.
    """
    try:
        payment, problem = _take_payment(
            order=order,
            method=method,
            reference=reference.strip(),
            amount_minor=amount_minor,
            currency=currency,
            livemode=livemode,
            actor=actor,
            now=now,
        )
    except IntegrityError:  # the reference was used for another order at the same moment
        payment, problem = None, _("This payment was recorded for another order.")
    if payment is None:
        raise PaymentRefused(problem)
    faults.reach("order-paid")
    return payment


@transaction.atomic(durable=True)
def _take_payment(
    *,
    order: Order,
    method: str,
    reference: str,
    amount_minor: int,
    currency: str,
    livemode: bool,
    actor: str,
    now: datetime,
) -> tuple[Payment | None, str]:
    order = Order.objects.select_for_update().get(pk=order.pk)
    known = Payment.objects.filter(reference=reference).first()
    problem = _payment_problem(order, known, amount_minor=amount_minor, currency=currency, livemode=livemode)
    if not reference:
        problem = _("Give the reference of the payment.")
    if problem:
        data = {"amount_minor": amount_minor, "currency": currency[:3], "livemode": livemode}
        events.record(kinds.PAYMENT_REFUSED, order, actor=actor, data=data)
        return None, problem
    if known is not None:
        return known, ""
    payment = Payment.objects.create(
        order=order,
        method=method,
        reference=reference,
        amount_minor=amount_minor,
        currency=currency,
        livemode=livemode,
        received_at=now,
        actor=actor,
    )
    first = Order.objects.filter(pk=order.pk, paid_at=None, cancelled_at=None).update(
        paid_at=now, expires_at=None
    )
    kind = kinds.ORDER_PAID if first else kinds.ORDER_PAID_AGAIN
    events.record(kind, order, actor=actor, data={"payment": payment.pk, "amount_minor": amount_minor})
    return payment, ""


def _payment_problem(
    order: Order, known: Payment | None, *, amount_minor: int, currency: str, livemode: bool
) -> str:
    """Why this payment is not this order's; empty if it is."""
    if known is not None and known.order_id != order.pk:
        return _("This payment was recorded for another order.")
    if livemode != order.livemode:
        return _("Demonstration and real money are kept apart: this payment is of the other kind.")
    if currency != order.currency or amount_minor != order.gross_minor:
        return _(
            "The order costs %(expected)s, the payment is %(received)s. Nothing was recorded as paid."
        ) % {
            "expected": money_text(order.gross_minor, order.currency),
            "received": money_text(amount_minor, currency),
        }
    if known is None and order.cancelled_at is not None:
        return _("Order %(number)s is cancelled. Order again; money that was sent goes back.") % {
            "number": order.number
        }
    return ""


@transaction.atomic(durable=True)
def decline_payment(*, order: Order, actor: str) -> None:
    """The provider refused the card: nothing was charged, the order stays open."""
    events.record(kinds.PAYMENT_DECLINED, order, actor=actor)


@transaction.atomic(durable=True)
def approve_terms(*, order: Order, reason: str, actor: str, now: datetime) -> bool:
    """Let an order ship before it is paid; its shipment then releases the retirement. False: it was approved
    before.
    """
    order = Order.objects.select_for_update().get(pk=order.pk)
    if order.cancelled_at:
        raise OrderClosed(_("Order %(number)s is cancelled.") % {"number": order.number})
    if order.on_terms or order.paid_at:
        return False
    Order.objects.filter(pk=order.pk).update(on_terms=True, expires_at=None)
    events.record(kinds.TERMS_APPROVED, order, actor=actor, data={"reason": reason[:200]})
    return True


@transaction.atomic(durable=True)
def cancel_order(*, order: Order, reason: str, actor: str, now: datetime) -> bool:
    """Cancel an order that is neither paid nor shipped and free its grams. False: it was cancelled before."""
    order = Order.objects.select_for_update().get(pk=order.pk)
    if order.cancelled_at:
        return False
    if order.paid_at:
        raise OrderClosed(
            _("Order %(number)s is paid; give the money back before anything else.")
            % {"number": order.number}
        )
    if Shipment.objects.filter(order=order).exists():
        raise OrderClosed(
            _("Devices of order %(number)s have shipped; take them back first.") % {"number": order.number}
        )
    _end(order, reason=reason, now=now)
    events.record(kinds.ORDER_CANCELLED, order, actor=actor, data={"reason": reason[:120]})
    return True


def expire_orders(now: datetime) -> int:
    """Cancel up to 200 orders that nobody paid in time and free their grams; each by itself. Returns how
    many.
    """
    due = Order.objects.filter(paid_at=None, cancelled_at=None, expires_at__lte=now).order_by("expires_at")
    return sum(_expire(order, now=now) for order in due[:EXPIRE_BATCH])


@transaction.atomic(durable=True)
def _expire(order: Order, *, now: datetime) -> bool:
    locked = Order.objects.select_for_update().get(pk=order.pk)
    if locked.paid_at or locked.cancelled_at or locked.expires_at is None or locked.expires_at > now:
        return False
    _end(locked, reason=_("Not paid in time"), now=now)
    events.record(kinds.ORDER_EXPIRED, locked, actor="sweep:expire_orders")
    return True


def _end(order: Order, *, reason: str, now: datetime) -> None:
    """Cancelled, and its reservations released; the caller holds the order's lock."""
    Order.objects.filter(pk=order.pk).update(cancelled_at=now, cancel_reason=reason[:120], expires_at=None)
    devices = OrderedDevice.objects.filter(line__order=order, with_offset=True)
    release([device.holder for device in devices])


def ship_demo_orders(now: datetime) -> int:
    """The demonstration's warehouse: ship what was paid, or ordered on terms, a few seconds ago. Returns how
    many orders.
    """
    delay_s = demo_delay_s()
    if delay_s is None:
        return 0
    before = now - timedelta(seconds=delay_s)
    unshipped = OrderedDevice.objects.filter(line__order=OuterRef("pk"), shipment=None)
    orders = Order.objects.filter(
        Q(paid_at__lte=before) | Q(on_terms=True, placed_at__lte=before),
        Exists(unshipped),
        livemode=False,
        cancelled_at=None,
    ).order_by("pk")
    shipped = 0
    for order in orders[:DEMO_BATCH]:
        devices = list(OrderedDevice.objects.filter(line__order=order, shipment=None))
        if not devices:
            continue  # another worker shipped them since
        try:
            ship_devices(
                order=order,
                serials=demo_serials(devices),
                carrier="Demo Freight",
                tracking=f"DEMO-{order.number}",
                actor="demo",
                now=now,
            )
        except DomainError as error:  # one order that cannot ship must not stop the others
            log.error("demo order not shipped order=%s code=%s", order.number, error.code)
        else:
            shipped += 1
    return shipped
