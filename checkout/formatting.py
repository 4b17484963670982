"""How amounts are written in sentences of orders and mails. Pure."""

from decimal import Decimal

NARROW_SPACE = "\u202f"
NO_BREAK_SPACE = "\u00a0"
GRAMS_PER_KG = 1000
SYMBOLS_BEFORE = {"EUR": "€", "GBP": "£", "USD": "$", "CAD": "CA$", "AUD": "A$", "SGD": "S$", "JPY": "¥"}
SYMBOLS_AFTER = {"SEK": "kr", "DKK": "kr", "NOK": "kr"}
WITHOUT_MINOR_UNIT = {"JPY", "KRW", "ISK"}


def whole_text(number: int) -> str:
    """12345 -> `12 345`, with narrow no-break spaces."""
    return f"{number:,}".replace(",", NARROW_SPACE)


def kg_text(amount_g: int) -> str:
    """Grams as kilograms, exact: 508000 -> `508`, 386412 -> `386.412`."""
    whole, rest = divmod(amount_g, GRAMS_PER_KG)
    return whole_text(whole) + (f".{rest:03d}".rstrip("0") if rest else "")


def money_text(minor: int, currency: str) -> str:
    """Minor units with their currency: 940 EUR -> `€9.40`, 1149000 SEK -> `11 490 kr`, 1149050 SEK -> `11
    490.50 kr`.
    """
    sign, minor = ("−", -minor) if minor < 0 else ("", minor)
    if currency in WITHOUT_MINOR_UNIT:
        number = whole_text(minor)
    else:
        whole, rest = divmod(minor, 100)
        number = whole_text(whole) + ("" if currency in SYMBOLS_AFTER and rest == 0 else f".{rest:02d}")
    if currency in SYMBOLS_BEFORE:
        return f"{sign}{SYMBOLS_BEFORE[currency]}{number}"
    return f"{sign}{number}{NO_BREAK_SPACE}{SYMBOLS_AFTER.get(currency, currency)}"


def percent_text(basis_points: int) -> str:
    """Hundredths of a per cent: 2500 -> `25`, 2550 -> `25.5`."""
    return f"{(Decimal(basis_points) / 100).normalize():f}"
