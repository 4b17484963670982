"""Home and the list of devices: search, kinds, order, pages; how many statements they take."""

from decimal import Decimal

import pytest
from django.test import Client

from accounts.models import Market
from accounts.seed import load_markets
from catalog.models import Product, ProductPrice
from projects.models import Project
from tests.factories.catalog import PcfSheetFactory, ProductFactory, make_grid
from tests.factories.checkout import make_shop
from tests.storefront.pages import choose_country, counted, text, words


@pytest.fixture
def wind(db: None) -> Project:
    return make_shop()


def make_devices(count: int, *, first: int = 0, form_factor: str = "laptop") -> list[Product]:
    """Devices of 100, 101, ... kg that cost 900, 899, ... kr net."""
    market = Market.objects.get(code="nordics")
    made = []
    for number in range(first, first + count):
        sheet = PcfSheetFactory(total_kg=Decimal(100 + number), use_kg=Decimal(10))
        product = ProductFactory(name=f"Device {number:03d}", sheet=sheet, form_factor=form_factor)
        ProductPrice.objects.create(product=product, market=market, price_minor=(900 - number) * 100)
        made.append(product)
    return made


def names(client: Client, query: str) -> list[str]:
    return [card.product.name for card in client.get(f"/products/?{query}").context["cards"]]


def test_home_says_what_the_shop_is_and_counts_nothing_that_is_not_confirmed(
    client: Client, wind: Project
) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert "One line from your device to the registry" in words(page)
    assert "0 t confirmed by registries" in words(page)
    assert "1 project on 1 continent" in words(page)
    assert "ThinkPad LAPTOP-1" in words(page)


def test_a_card_shows_price_with_vat_configuration_and_footprint_with_its_statistic(
    client: Client, wind: Project
) -> None:
    card = next(c for c in client.get("/products/").context["cards"] if c.product.sku == "LAPTOP-1")
    assert (card.price, card.configuration, card.kg) == ("12\u202f500\u00a0kr", "16 GB", "310")
    page = words(client.get("/products/"))
    assert "310 kg CO2e five years of use, statistic not stated" in page


def test_a_device_without_a_lifetime_shows_its_sheet_and_says_so(client: Client, wind: Project) -> None:
    page = words(client.get("/products/?q=MONITOR"))
    assert "400 kg CO2e lifetime not stated" in page
    assert "five years" not in page


def test_search_finds_every_word_in_any_case_and_in_any_field(client: Client, wind: Project) -> None:
    assert names(client, "q=laptop-1+lenovo") == ["ThinkPad LAPTOP-1"]
    assert names(client, "q=LENOVO") == ["ThinkPad LAPTOP-1", "ThinkPad MONITOR-1"]
    assert names(client, "q=laptop-1+dell") == []


def test_a_search_without_result_says_what_to_try(client: Client, wind: Project) -> None:
    page = client.get("/products/?q=%3Cb%3Ezzz")
    assert page.status_code == 200
    assert "No device matches “<b>zzz”" in words(page)
    assert "<b>zzz" not in text(page)  # what was typed is no markup


def test_kinds_filter_and_an_unknown_kind_filters_nothing(client: Client, wind: Project) -> None:
    assert names(client, "kind=monitor") == ["ThinkPad MONITOR-1"]
    assert len(names(client, "kind=spaceship")) == 2


def test_order_by_price_and_by_footprint_puts_what_is_unknown_last(client: Client, wind: Project) -> None:
    assert names(client, "order=price") == ["ThinkPad MONITOR-1", "ThinkPad LAPTOP-1"]
    assert names(client, "order=footprint") == ["ThinkPad LAPTOP-1", "ThinkPad MONITOR-1"]
    ProductPrice.objects.filter(product__sku="MONITOR-1").delete()
    assert names(client, "order=price") == ["ThinkPad LAPTOP-1", "ThinkPad MONITOR-1"]


def test_pages_keep_search_kind_and_order(client: Client, wind: Project) -> None:
    make_devices(20)
    first = client.get("/products/?q=device&kind=laptop&order=price")
    assert len(first.context["cards"]) == 12
    assert "page=2&amp;q=device&amp;kind=laptop&amp;order=price" in text(first)
    second = names(client, "page=2&q=device&kind=laptop&order=price")
    assert second == [f"Device {number:03d}" for number in range(7, -1, -1)]
    assert names(client, "page=99&q=device") == names(client, "page=2&q=device")  # the last page there is
    assert names(client, "page=x&q=device") == names(client, "page=1&q=device")


@pytest.mark.parametrize("query", ["", "?order=price", "?order=footprint", "?q=device"])
def test_the_list_takes_as_many_statements_for_30_devices_as_for_3(
    client: Client, db: None, query: str
) -> None:
    load_markets()
    make_grid()
    make_devices(3)
    client.get("/products/")  # the session and the caches of the process are there
    with counted() as few:
        client.get(f"/products/{query}")
    make_devices(27, first=3)
    with counted() as many:
        client.get(f"/products/{query}")
    assert len(many) == len(few) <= 12


def test_a_product_that_is_not_published_is_not_listed_and_not_found(client: Client, wind: Project) -> None:
    Product.objects.filter(sku="LAPTOP-1").update(published=False)
    assert names(client, "") == ["ThinkPad MONITOR-1"]
    assert client.get("/products/laptop-1/").status_code == 404


def test_prices_follow_the_market(client: Client, wind: Project) -> None:
    choose_country(client, "US")
    [laptop] = [c for c in client.get("/products/").context["cards"] if c.product.sku == "LAPTOP-1"]
    assert laptop.price == "$10\u202f000.00"
