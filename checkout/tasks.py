"""Sweeps of orders. Each finds its own work, does a bounded batch, and may run twice, late, or beside
itself.
"""

from celery import shared_task
from django.utils import timezone

from checkout import following, mailing, notices, services


@shared_task(name="checkout.tasks.expire_orders")
def expire_orders() -> int:
    """Cancel orders that nobody paid in time and free their grams."""
    return services.expire_orders(timezone.now())


@shared_task(name="checkout.tasks.ship_demo_orders")
def ship_demo_orders() -> int:
    """The demonstration's warehouse ships by itself; elsewhere this finds nothing to do."""
    return services.ship_demo_orders(timezone.now())


@shared_task(name="checkout.tasks.request_offsets")
def request_offsets() -> int:
    """Ask the ledger for the grams of devices that have shipped and are paid or on approved terms."""
    return services.request_offsets_for_shipped(timezone.now())


@shared_task(name="checkout.tasks.email_orders")
def email_orders() -> int:
    """Confirm new orders by e-mail."""
    return mailing.send_order_mails(timezone.now())


@shared_task(name="checkout.tasks.email_certificates")
def email_certificates() -> int:
    """Send certificates by e-mail, once all that a shipment will get by itself are there."""
    return mailing.send_certificate_mails(timezone.now())


@shared_task(name="checkout.tasks.follow_offsets")
def follow_offsets() -> int:
    """Ordered devices point to the claims that took over from theirs."""
    return following.follow_offsets(timezone.now())


@shared_task(name="checkout.tasks.email_notices")
def email_notices() -> int:
    """Tell those who wait for a project that cannot deliver."""
    return notices.send_notices(timezone.now())
