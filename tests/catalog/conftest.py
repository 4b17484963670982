"""The cast and the four markets, for this folder."""

import pytest

from accounts.models import Market
from accounts.seed import load_markets
from tests.factories.cast import (  # noqa: F401 fixtures
    alice,
    alices_company,
    dana,
    sales_person,
)


@pytest.fixture
def markets(db: None) -> dict[str, Market]:
    """Nordics, EMEA, Asia Pacific and North America, by code."""
    return {market.code: market for market in load_markets()}
