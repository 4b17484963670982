"""What every way of paying tells the shop, and which ways an order may take."""

from dataclasses import dataclass

from django.conf import settings

from checkout.models import Order


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A payment as its provider reports it. Nothing in it is believed before it was compared with the
    order.
    """

    order_number: str
    method: str
    reference: str  # the provider's own, the same for the same money
    amount_minor: int
    currency: str
    livemode: bool


def methods_offered() -> list[Order.PaymentMethod]:
    """The ways of paying that this shop offers: the sandbox card only where no real credits are retired."""
    if settings.LIVEMODE:
        return [Order.PaymentMethod.INVOICE]
    return [Order.PaymentMethod.CARD, Order.PaymentMethod.INVOICE]
