"""What an amount of credits costs. Pure; the one place that rounds it."""

GRAMS_PER_TONNE = 1_000_000


def offset_price_minor(*, amount_g: int, price_minor_per_tonne: int) -> int:
    """Net price of an amount, in minor units of the price's currency, rounded up to the whole minor unit."""
    if amount_g < 0 or price_minor_per_tonne <= 0:
        raise ValueError("An amount is not negative, and a price per tonne is positive.")
    return -(-amount_g * price_minor_per_tonne // GRAMS_PER_TONNE)
