"""The demo shop: real figures with their source, invented prices that say so."""

from decimal import Decimal

import pytest

from accounts.models import Market
from catalog import selectors
from catalog.models import GridFactor, Option, OptionPrice, PcfSheet, Product, ProductPrice
from catalog.seed import load_catalogue

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(markets: dict[str, Market]) -> list[Product]:
    load_catalogue()
    return list(selectors.published_products())


def test_at_least_28_devices_of_which_16_thinkpads_each_with_a_real_sheet_and_its_source(shop):
    assert len(shop) == 41
    thinkpads = [product for product in shop if product.name.startswith("ThinkPad")]
    assert len(thinkpads) == 25
    assert len([product for product in thinkpads if selectors.can_offer(product)]) == 18
    assert {product.manufacturer for product in shop} == {"Lenovo", "Apple", "Dell", "HP", "Microsoft"}
    assert {product.form_factor for product in shop} == set(Product.FormFactor.values)
    for product in shop:
        sheet = product.sheet
        assert sheet is not None
        assert sheet.source
        assert sheet.source_kind
        assert sheet.licence
        assert product.price_note == "Price invented for the demonstration"
        if sheet.source_kind == "row of the Boavizta list":
            assert "Contains data from Boavizta environmental-footprint-data" in sheet.licence


def test_every_device_is_priced_in_all_four_markets(shop, markets):
    for product in shop:
        for market in markets.values():
            options = [
                option for options in selectors.options_by_kind(product).values() for option in options
            ]
            for option in options:
                assert selectors.price_minor(product=product, options=[option], market=market) > 0
            defaults = selectors.choose_options(product=product, values={})
            assert selectors.price_minor(product=product, options=defaults, market=market) > 0


def test_loading_twice_changes_nothing(shop):
    models = (GridFactor, PcfSheet, Product, ProductPrice, Option, OptionPrice)
    before = [list(model.objects.values()) for model in models]
    load_catalogue()
    assert [list(model.objects.values()) for model in models] == before


def test_the_t490_of_the_sketch_is_386_kg_in_sweden(shop):
    product = selectors.product_by_slug("thinkpad-t490")
    options = selectors.choose_options(product=product, values={})
    found = selectors.footprint_of(product=product, options=options, country="SE", years=5)
    assert [(stage.key, round(stage.kg, 1)) for stage in found.stages] == [
        ("not_parted", Decimal("378.9")),
        ("use", Decimal("7.1")),
    ]
    assert found.amount_g == 385_994
    assert selectors.price_minor(
        product=product, options=options, market=Market.objects.get(code="nordics")
    ) == (1_149_000)


def test_the_e41_45_publishes_its_split_and_is_offered(shop):
    product = selectors.product_by_slug("lenovo-e41-45")
    found = selectors.footprint_of(product=product, options=[], country="US", years=5)
    assert [(stage.key, stage.kg) for stage in found.stages] == [
        ("manufacture", Decimal("172.2")),
        ("transport", Decimal("18.0")),
        ("use", Decimal("66.8")),
    ]
    assert (found.boundary, found.statistic) == ("manufacture-transport-use", "mean")
    assert found.amount_g == 257_000


def test_the_newest_sheets_say_too_little_so_they_are_shown_and_not_offered(shop):
    stated_kg = {
        "thinkpad-x1-carbon-gen-9": 508,
        "thinkpad-t14-amd": 361,
        "thinkpad-x13": 313,
        "thinkpad-e14-gen-2": 349,
        "thinkpad-l14": 593,
        "thinkpad-p1-gen-3": 533,
        "dell-s2722qc": 638,
    }
    products = [selectors.product_by_slug(slug) for slug in stated_kg]
    assert [selectors.stated_total_kg(product) for product in products] == list(stated_kg.values())
    assert [product.slug for product in products if selectors.can_offer(product)] == []


def test_a_mean_is_claimed_only_where_the_makers_headline_confirms_it(shop):
    for sheet in PcfSheet.objects.filter(statistic="mean", use_kg__isnull=False, source__contains="lenovo"):
        assert sheet.std_kg is not None
        assert "95th percentile" in sheet.note
    assert PcfSheet.objects.get(lineage="lenovo-thinkpad-t490").statistic == "unknown"


def test_every_offered_device_has_a_footprint_in_every_country_of_every_market(shop):
    offered = [(product, ()) for product in shop if selectors.can_offer(product)]
    countries = {
        str(country.country) for market in Market.objects.all() for country in market.countries.all()
    }
    assert len(countries) > 30
    for country in sorted(countries):
        for found in selectors.footprints_of(offered, country=country, years=5):
            assert found is not None
            assert 10_000 < found.amount_g < 20_000_000
