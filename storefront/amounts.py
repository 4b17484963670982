"""How amounts are shown on pages: exact where credits are meant, rounded where a footprint is estimated."""

from decimal import ROUND_HALF_UP, Decimal

from django.conf import settings

from checkout.formatting import whole_text


def about_kg(kg: Decimal) -> str:
    """Whole kilograms of an estimate: 385.994 -> `386`."""
    return whole_text(int(kg.to_integral_value(ROUND_HALF_UP)))


def tonnes_text(amount_g: int) -> str:
    """Tonnes with what is behind the point only where there is something: 2506000000 -> `2 506`."""
    whole, rest = divmod(amount_g, 1_000_000)
    return whole_text(whole) + (f".{rest:06d}".rstrip("0") if rest else "")


def livemode() -> bool:
    """Whether this shop's orders retire real credits."""
    return bool(settings.LIVEMODE)
