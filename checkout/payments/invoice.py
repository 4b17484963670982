"""Payment by invoice: the buyer transfers the amount, a person of staff records it when it has arrived."""

from checkout.models import Order
from checkout.payments.base import Notice


def notice_for(order: Order, *, reference: str, amount_minor: int, currency: str) -> Notice:
    """A transfer as it stands on the bank statement; `reference` is the bank's."""
    return Notice(
        order_number=order.number,
        method=Order.PaymentMethod.INVOICE,
        reference=f"transfer-{reference.strip()}"[:80],
        amount_minor=amount_minor,
        currency=currency.strip().upper(),
        livemode=order.livemode,
    )
