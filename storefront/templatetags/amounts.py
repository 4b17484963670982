"""Money, kilograms and rates in templates, written as everywhere else (checkout/formatting.py)."""

from django import template

from checkout.formatting import kg_text, money_text, percent_text

register = template.Library()


@register.filter
def money(minor: int, currency: str) -> str:
    """Minor units with their currency."""
    return money_text(minor, currency)


@register.filter
def kg(amount_g: int) -> str:
    """Grams as kilograms, without the unit."""
    return kg_text(amount_g)


@register.filter
def rate(basis_points: int) -> str:
    """Hundredths of a per cent as per cent, without the sign."""
    return percent_text(basis_points)
