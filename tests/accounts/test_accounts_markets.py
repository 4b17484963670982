"""Markets: where we sell, since when, in which words."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Market, MarketCountry
from accounts.seed import load_markets
from accounts.selectors import (
    NoOpenMarket,
    default_market_country,
    market_for_country,
    open_markets,
    register_for,
)
from accounts.services import audience_for
from accounts.vat import EU_COUNTRIES
from claims.registers import Register
from tests.factories.accounts import CompanyFactory, MarketCountryFactory

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 24)
EU = sorted(EU_COUNTRIES)


def test_markets_open_in_the_order_of_the_plan() -> None:
    load_markets()
    assert [(m.code, m.currency, m.opened_on) for m in Market.objects.all()] == [
        ("nordics", "SEK", date(2026, 1, 12)),
        ("emea", "EUR", date(2026, 3, 2)),
        ("asia-pacific", "SGD", date(2026, 5, 4)),
        ("north-america", "USD", date(2026, 8, 3)),
    ]
    assert all("invented" in market.note for market in Market.objects.all())


def test_a_market_sells_from_its_day_of_opening_and_not_before() -> None:
    load_markets()
    assert market_for_country("DE", on=date(2026, 3, 1)) is None
    germany = market_for_country("de", on=date(2026, 3, 2))
    assert germany is not None
    assert germany.market.code == "emea"
    assert [m.code for m in open_markets(on=date(2026, 5, 3))] == ["nordics", "emea"]
    assert market_for_country("BR", on=TODAY) is None


def test_a_visitor_of_whom_nothing_is_known_reads_as_in_sweden() -> None:
    load_markets()
    assert default_market_country(on=TODAY).country.code == "SE"


def test_without_an_open_market_nothing_is_guessed() -> None:
    load_markets()
    with pytest.raises(NoOpenMarket):
        default_market_country(on=date(2026, 1, 11))


def test_loading_markets_again_changes_nothing_and_keeps_what_staff_set() -> None:
    load_markets()
    Market.objects.filter(code="emea").update(opened_on=date(2027, 1, 1))
    MarketCountry.objects.filter(country="SE").update(vat_basis_points=1200)
    before = list(MarketCountry.objects.order_by("id").values())
    load_markets()
    assert list(MarketCountry.objects.order_by("id").values()) == before
    assert Market.objects.get(code="emea").opened_on == date(2027, 1, 1)
    assert Market.objects.count() == 4


def test_the_eu_has_27_members_and_we_sell_in_each() -> None:
    load_markets()
    assert len(EU) == 27
    assert set(EU) <= {row.country.code for row in MarketCountry.objects.all()}


@pytest.mark.parametrize("country", [*EU, "NO", "IS", "LI"])
def test_an_anonymous_visitor_of_the_eu_and_eea_reads_register_a(country: str) -> None:
    load_markets()
    row = market_for_country(country, on=TODAY)
    assert row is not None
    assert register_for(row, audience_for(None)) is Register.A


@pytest.mark.parametrize(
    ("country", "consumer", "company"),
    [
        ("SE", Register.A, Register.B),
        ("NO", Register.A, Register.B),
        ("DE", Register.A, Register.A),
        ("GB", Register.C_QUALIFIED, Register.C_QUALIFIED),
        ("CH", Register.C_QUALIFIED, Register.C_QUALIFIED),
        ("US", Register.C, Register.C),
        ("SG", Register.C, Register.C),
        ("ZA", Register.C, Register.C),
    ],
)
def test_a_country_and_an_audience_choose_the_words(
    country: str, consumer: Register, company: Register
) -> None:
    load_markets()
    row = market_for_country(country, on=TODAY)
    assert row is not None
    assert register_for(row, audience_for(None)) is consumer
    assert register_for(row, audience_for(CompanyFactory())) is company


def test_every_country_names_a_dated_source_for_its_registers() -> None:
    load_markets()
    assert MarketCountry.objects.count() == 56
    assert not MarketCountry.objects.exclude(register_source__contains="2026").exists()
    assert set(MarketCountry.objects.filter(is_default=True).values_list("country", flat=True)) == {
        "SE", "DE", "SG", "US",
    }  # fmt: skip


def test_a_price_without_tax_says_so() -> None:
    load_markets()
    untaxed = MarketCountry.objects.filter(vat_basis_points=0)
    assert set(untaxed.values_list("country", flat=True)) == {"US", "HK", "MY"}
    assert not untaxed.filter(tax_note="").exists()


@pytest.mark.parametrize("change", [{"consumer_register": "B"}, {"company_register": "D"}])
def test_the_database_refuses_register_b_for_consumers_and_unknown_registers(change: dict[str, str]) -> None:
    row = MarketCountryFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        MarketCountry.objects.filter(pk=row.pk).update(**change)
    row.refresh_from_db()
    assert (row.consumer_register, row.company_register) == ("A", "B")
