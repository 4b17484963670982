"""Consumers in the EU may withdraw within 14 days of delivery; a retirement cannot be undone.

So the credits of such an order are not asked for before those days have passed, unless the buyer consented to
the earlier retirement. The day of delivery is not known to us: a shipment counts as delivered after
`DELIVERY_DAYS` at the latest.
"""

from datetime import datetime, timedelta

from checkout.models import Order
from claims.registers import Audience, Register
from claims.wording import Wording, wording_by_id

WITHDRAWAL_DAYS = 14
DELIVERY_DAYS = 7


def may_withdraw(*, audience: str, wording: Wording) -> bool:
    """Whether the buyer has the EU consumer's right: register A, and not a company that reads it too
    (Germany).
    """
    return audience == Audience.CONSUMER and wording.register == Register.A


def offsets_not_before(order: Order, *, shipped_at: datetime) -> datetime:
    """When the credits of a shipment may be asked for: at once, or after the withdrawal period."""
    if order.early_retirement_consent_at or not may_withdraw(
        audience=order.audience, wording=wording_by_id(order.wording)
    ):
        return shipped_at
    return shipped_at + timedelta(days=DELIVERY_DAYS + WITHDRAWAL_DAYS)
