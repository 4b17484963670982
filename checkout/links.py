"""Addresses that mails carry: absolute, on the shop's own site. A test holds that each one opens."""

from django.conf import settings

from checkout.models import Order


def order_url(order: Order) -> str:
    """The order's page for whoever holds this address."""
    return f"{settings.SITE_URL}/orders/{order.number}/{order.token}/"


def record_url(code: str) -> str:
    """The public record page of a certificate."""
    return f"{settings.SITE_URL}/c/{code}/"
