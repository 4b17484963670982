"""Questions to the catalogue, from a page or the API."""

from decimal import Decimal

import pytest

from accounts.models import Market
from catalog import selectors
from catalog.errors import (
    FootprintUnknown,
    InvalidYears,
    NotPriced,
    UnknownCountry,
    UnknownOption,
    UnknownProduct,
)
from catalog.models import GridFactor, Option, OptionPrice, Product
from tests.factories.accounts import MarketFactory
from tests.factories.catalog import (
    OptionFactory,
    PcfSheetFactory,
    ProductFactory,
    ProductPriceFactory,
    make_grid,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def t490() -> Product:
    """The T490 with memory, storage and keyboard to choose, priced in the Nordics."""
    product = ProductFactory(sku="20N2-CTO", slug="thinkpad-t490", series="ThinkPad T series")
    market = MarketFactory()
    ProductPriceFactory(product=product, market=market, price_minor=1_149_000)
    OptionFactory(product=product, gigabytes=16, is_default=True, position=1)
    bigger = OptionFactory(product=product, gigabytes=64, position=2)
    OptionPrice.objects.create(option=bigger, market=market, surcharge_minor=460_000)
    OptionFactory(
        product=product, kind="storage", gigabytes=512, label="512 GB SSD", is_default=True, position=3
    )
    OptionFactory(product=product, kind="storage", gigabytes=2048, label="2 TB SSD", position=4)
    OptionFactory(
        product=product, kind="keyboard", gigabytes=None, value="nordic", label="Nordic", is_default=True
    )
    return selectors.product_by_sku("20N2-CTO")


def test_every_word_of_a_search_must_occur_somewhere(t490):
    ProductFactory(name="ThinkPad X390", series="ThinkPad X series")
    found = selectors.published_products(q="t490 lenovo")
    assert [product.sku for product in found] == ["20N2-CTO"]
    assert selectors.published_products(q="thinkpad").count() == 2
    assert selectors.published_products(q="thinkpad zebra").count() == 0
    assert selectors.published_products(q="\x00").count() == 2
    assert selectors.published_products(form_factor="server").count() == 0


def test_an_unpublished_product_cannot_be_found_or_opened(t490):
    Product.objects.update(published=False)
    assert selectors.published_products().count() == 0
    with pytest.raises(UnknownProduct):
        selectors.product_by_slug("thinkpad-t490")


def test_an_unknown_address_is_named(t490):
    with pytest.raises(UnknownProduct, match="thinkpad-t999"):
        selectors.product_by_slug("thinkpad-t999")
    with pytest.raises(UnknownProduct):
        selectors.product_by_sku("20N2\x00-CTO-")


def test_a_choice_left_out_is_the_default(t490):
    chosen = selectors.choose_options(product=t490, values={"memory": "64"})
    assert [option.value for option in chosen] == ["64", "512", "nordic"]
    assert selectors.configuration_text(chosen) == "64 GB · 512 GB SSD · Nordic"


def test_an_unknown_choice_names_what_is_allowed(t490):
    with pytest.raises(UnknownOption) as refused:
        selectors.choose_options(product=t490, values={"memory": "17", "colour": "red"})
    assert "ThinkPad T490 has no memory “17”. Choose one of: 16, 64." in refused.value.message
    assert "no choice of colour" in refused.value.message
    assert refused.value.status == 422
    assert {detail["field"] for detail in refused.value.details} == {"memory", "colour"}


def test_the_price_of_a_configuration_is_base_plus_surcharges(t490):
    market = Market.objects.get()
    chosen = selectors.choose_options(product=t490, values={"memory": "64"})
    assert selectors.price_minor(product=t490, options=chosen, market=market) == 1_609_000


def test_a_choice_without_a_price_in_the_market_is_not_given_away(t490):
    market = Market.objects.get()
    chosen = selectors.choose_options(product=t490, values={"storage": "2048"})
    with pytest.raises(NotPriced, match="2 TB SSD"):
        selectors.price_minor(product=t490, options=chosen, market=market)
    with pytest.raises(NotPriced, match="EMEA"):
        selectors.price_minor(product=t490, options=[], market=MarketFactory(code="emea", name="EMEA"))


def test_the_t490_in_sweden_counts_the_swedish_grid(t490):
    make_grid(SE="0.02")
    chosen = selectors.choose_options(product=t490, values={})
    found = selectors.footprint_of(product=t490, options=chosen, country="se", years=5)
    assert (found.country, found.years, found.amount_g) == ("SE", 5, 383_110)
    assert found.sheet_id == t490.sheet_id
    assert found.sheet_version == 1


def test_memory_that_the_maker_does_not_state_is_counted_from_the_default(t490):
    make_grid(SE="0.02")
    chosen = selectors.choose_options(product=t490, values={"memory": "64"})
    change = selectors.footprint_of(product=t490, options=chosen, country="SE", years=5).adjustments[0]
    assert change.label.startswith("Memory 64 GB instead of 16 GB")
    assert "does not state" in change.label
    t490.base_memory_gb = 32
    change = selectors.footprint_of(product=t490, options=chosen, country="SE", years=5).adjustments[0]
    assert change.label == "Memory 64 GB instead of 32 GB: our estimate"


@pytest.mark.parametrize("country", ["", "XX", "Sweden", "S"])
def test_what_is_no_country_code_is_refused(t490, country):
    make_grid()
    with pytest.raises(UnknownCountry):
        selectors.footprint_of(product=t490, options=[], country=country, years=5)


def test_kosovo_and_namibia_are_countries(t490):
    make_grid(XK="0.9", NA="0.05")
    for country in ("XK", "NA"):
        found = selectors.footprint_of(product=t490, options=[], country=country, years=5)
        assert found.grid_note.startswith(country)


@pytest.mark.parametrize("years", [0, 6, -1])
def test_years_are_one_to_five(t490, years):
    with pytest.raises(InvalidYears):
        selectors.footprint_of(product=t490, options=[], country="SE", years=years)


@pytest.mark.parametrize(
    ("lacks", "why"),
    [
        ({"lifetime_years": None}, "it states no lifetime"),
        ({"use_kg": None, "tec_kwh_per_year": Decimal("18.4")}, "it states no use phase"),
        ({"use_kg": None, "lifetime_years": None}, "it states no use phase and no lifetime"),
    ],
)
def test_a_sheet_that_says_too_little_is_no_offer(lacks, why):
    make_grid(SE="0.02")
    product = ProductFactory(sheet=PcfSheetFactory(**lacks))
    assert not selectors.can_offer(product)
    assert selectors.why_unknown(product) == why
    assert selectors.stated_total_kg(product) == 421
    with pytest.raises(FootprintUnknown, match=why):
        selectors.footprint_of(product=product, options=[], country="SE", years=5)


def test_a_product_without_a_sheet_is_no_offer():
    product = ProductFactory(sheet=None)
    assert not selectors.can_offer(product)
    assert selectors.stated_total_kg(product) is None


def test_without_any_grid_factor_staff_are_told_what_to_run(t490):
    with pytest.raises(FootprintUnknown, match="import_grid_factors"):
        selectors.footprint_of(product=t490, options=[], country="SE", years=5)


def test_the_newest_factor_counts_and_of_one_year_the_one_added_last(t490):
    make_grid(SE="0.02")
    old = {"country": "SE", "name": "SE", "source": "Test grid", "licence": "none"}
    GridFactor.objects.create(**old, year=2023, kg_co2e_per_kwh="0.9")
    assert selectors.grids_for(["SE"]).countries["SE"].kg_per_kwh == Decimal("0.02")
    GridFactor.objects.create(**old, year=2024, kg_co2e_per_kwh="0.03")
    assert selectors.grids_for(["SE"]).countries["SE"].kg_per_kwh == Decimal("0.03")


def test_a_list_of_products_with_prices_and_footprints_takes_as_many_statements_for_thirty_as_for_one(
    t490, django_assert_num_queries
):
    make_grid(SE="0.02")
    market = Market.objects.get()

    def look_at_all() -> int:
        products = list(selectors.published_products())
        chosen = [(product, selectors.choose_options(product=product, values={})) for product in products]
        for product, options in chosen:
            selectors.price_minor(product=product, options=options, market=market)
        return len(selectors.footprints_of(chosen, country="SE", years=5))

    with django_assert_num_queries(5):
        assert look_at_all() == 1
    for _n in range(29):
        product = ProductFactory()
        ProductPriceFactory(product=product, market=market)
        OptionFactory(product=product, is_default=True)
    with django_assert_num_queries(5):
        assert look_at_all() == 30


def test_a_product_has_one_default_per_kind_whoever_writes_it(t490):
    from django.db import IntegrityError, transaction

    with pytest.raises(IntegrityError), transaction.atomic():
        OptionFactory(product=t490, gigabytes=8, is_default=True)
    assert Option.objects.filter(product=t490, kind="memory", is_default=True).count() == 1
