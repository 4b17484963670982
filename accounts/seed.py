"""The markets that a new shop starts with, from accounts/data/markets.toml."""

import tomllib
from pathlib import Path
from typing import Any

from django.db import transaction

from accounts.models import Market, MarketCountry

MARKETS = Path(__file__).parent / "data" / "markets.toml"


@transaction.atomic
def load_markets() -> list[Market]:
    """Add the markets and countries that are missing, in the order of their opening; all or nothing.

    A row that exists stays as staff set it, so a second call changes nothing.
    """
    data = tomllib.loads(MARKETS.read_text(encoding="utf-8"))
    return [
        _load_market(position=position, market=market, rules=data["rules"])
        for position, market in enumerate(data["markets"], start=1)
    ]


def _load_market(*, position: int, market: dict[str, Any], rules: dict[str, dict[str, str]]) -> Market:
    row, _created = Market.objects.get_or_create(
        code=market["code"],
        defaults={
            "name": market["name"],
            "currency": market["currency"],
            "language": market["language"],
            "opened_on": market["opened_on"],
            "note": market["note"],
            "position": position,
        },
    )
    known = set(MarketCountry.objects.values_list("country", flat=True))
    MarketCountry.objects.bulk_create(
        MarketCountry(
            market=row,
            country=entry["country"],
            vat_basis_points=entry["vat"],
            tax_note=entry.get("tax_note", ""),
            consumer_register=rules[entry["rule"]]["consumer"],
            company_register=rules[entry["rule"]]["company"],
            register_source=rules[entry["rule"]]["source"],
            is_default=entry["country"] == market["default"],
        )
        for entry in market["countries"]
        if entry["country"] not in known
    )
    return row
