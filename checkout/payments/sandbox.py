"""A card provider for demonstrations: its page is ours, has two buttons, and no card number is ever asked
for.
"""

from checkout.models import Order
from checkout.payments.base import Notice


def notice_for(order: Order) -> Notice:
    """What the provider reports when the buyer presses "Pay": the same reference however often it is
    pressed.
    """
    return Notice(
        order_number=order.number,
        method=Order.PaymentMethod.CARD,
        reference=f"sandbox-card-{order.number}",
        amount_minor=order.gross_minor,
        currency=order.currency,
        livemode=False,
    )
