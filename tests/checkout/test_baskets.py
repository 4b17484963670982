"""What a visitor may put into a basket, and what it costs."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import MarketCountry
from catalog.errors import FootprintUnknown, NotPriced
from catalog.models import Product, ProductPrice
from checkout import baskets
from checkout.errors import BasketExpired, InvalidQuantity, UnknownCountryOfUse
from checkout.models import Basket, BasketLine
from checkout.priced import PricedBasket
from claims.wording import say
from projects.errors import NotSold
from projects.models import Project
from tests.factories.checkout import (
    LAPTOP_MINOR,
    MEMORY_MINOR,
    MONITOR,
    NOON,
    OFFSET_MINOR,
    PER_TONNE_MINOR,
    SWEDEN_G,
    WORDING,
    add,
    make_basket,
    make_sold_project,
)


def priced(basket: Basket) -> PricedBasket:
    return baskets.price_basket(basket, audience="consumer", wording=WORDING, now=NOON)


def test_a_basket_is_priced_net_with_the_countrys_vat_per_line(wind: Project) -> None:
    basket = make_basket()
    add(basket, quantity=2, project=wind, memory="32")
    [line] = priced(basket).lines
    assert (line.unit_net_minor, line.net_minor) == (LAPTOP_MINOR + MEMORY_MINOR, 2_160_000)
    assert line.tax_minor == 540_000
    assert line.configuration == "32 GB"
    offset = line.offset
    assert offset is not None
    assert offset.price_minor_per_tonne == PER_TONNE_MINOR
    assert (offset.unit_net_minor, offset.net_minor, offset.tax_minor) == (5_075, 10_150, 2_538)
    assert offset.unit_amount_g == line.footprint.amount_g == 338_287  # 310 kg and 16 GB more of memory
    basket_priced = priced(basket)
    assert basket_priced.net_minor == 2_160_000 + 10_150
    assert basket_priced.tax_minor == 540_000 + 2_538
    assert (basket_priced.currency, basket_priced.gross_minor) == ("SEK", 2_712_688)


def test_the_plain_laptop_is_310_kg_in_sweden(wind: Project) -> None:
    basket = make_basket()
    add(basket, project=wind)
    [line] = priced(basket).lines
    assert line.offset is not None
    assert (line.offset.unit_amount_g, line.offset.net_minor) == (SWEDEN_G, OFFSET_MINOR)
    assert line.offset.text == say("basket_line", wording=WORDING, kg="310", project=wind.name)


def test_the_same_configuration_joins_one_line(wind: Project) -> None:
    basket = make_basket()
    first = add(basket, quantity=2)
    second = add(basket, quantity=3, project=wind)
    assert first.pk == second.pk
    [line] = basket.lines.all()
    assert (line.quantity, line.offset_project, line.offset_units) == (5, wind, 3)


def test_other_options_years_country_or_project_make_another_line(wind: Project) -> None:
    other = make_sold_project("MX-4634", first=10_000)
    basket = make_basket()
    add(basket, project=wind)
    add(basket, memory="32")
    add(basket, years=3)
    add(basket, country="DK")
    add(basket, project=other)
    assert basket.lines.count() == 5


def test_a_double_click_adds_once(wind: Project) -> None:
    basket = make_basket()
    window = timedelta(seconds=5)
    add(basket, quantity=2, once_within=window)
    add(basket, quantity=2, once_within=window, now=NOON + timedelta(seconds=1))
    assert basket.lines.get().quantity == 2
    add(basket, quantity=2, once_within=window, now=NOON + timedelta(seconds=9))
    assert basket.lines.get().quantity == 4


def test_credits_can_be_changed_for_some_units_and_taken_out(wind: Project) -> None:
    other = make_sold_project("MX-4634", first=10_000)
    line = add(make_basket(), quantity=4)
    line = baskets.change_line(line=line, offset_project=wind)
    assert (line.offset_project, line.offset_units) == (wind, 4)
    line = baskets.change_line(line=line, offset_project=other, offset_units=2)
    assert (line.offset_project, line.offset_units) == (other, 2)
    line = baskets.change_line(line=line, quantity=1)
    assert (line.quantity, line.offset_units) == (1, 1)
    line = baskets.change_line(line=line, quantity=3)
    assert line.offset_units == 1  # nothing paid is added unasked
    line = baskets.change_line(line=line, offset_project=None)
    assert (line.offset_project, line.offset_units, line.quantity) == (None, 0, 3)


def test_no_units_with_credits_means_no_credits(wind: Project) -> None:
    line = add(make_basket(), quantity=2, project=wind)
    line = baskets.change_line(line=line, offset_units=0)
    assert (line.offset_project, line.offset_units) == (None, 0)


@pytest.mark.parametrize(("quantity", "units"), [(2, 3), (2, -1)])
def test_units_with_credits_stay_within_the_quantity(wind: Project, quantity: int, units: int) -> None:
    line = add(make_basket(), quantity=quantity, project=wind)
    with pytest.raises(InvalidQuantity, match="0 to 2"):
        baskets.change_line(line=line, offset_units=units)
    assert BasketLine.objects.get().offset_units == 2


@pytest.mark.parametrize("quantity", [0, -1, 10_001])
def test_a_quantity_is_one_to_the_limit_of_an_order(wind: Project, quantity: int) -> None:
    with pytest.raises(InvalidQuantity, match="1 to 10000"):
        add(make_basket(), quantity=quantity)
    assert BasketLine.objects.count() == 0


def test_the_limit_counts_the_whole_basket(wind: Project) -> None:
    basket = make_basket()
    add(basket, quantity=9_999)
    line = add(basket, quantity=1, memory="32")
    with pytest.raises(InvalidQuantity):
        add(basket, quantity=1, memory="32")
    with pytest.raises(InvalidQuantity):
        baskets.change_line(line=line, quantity=2)
    assert priced(basket).devices == 10_000


def test_a_device_without_lifetime_is_sold_without_an_offer(wind: Project) -> None:
    basket = make_basket()
    add(basket, sku=MONITOR)
    [line] = priced(basket).lines
    assert line.footprint is None
    assert not line.problem
    with pytest.raises(FootprintUnknown):
        add(basket, sku=MONITOR, project=wind)
    with pytest.raises(FootprintUnknown):
        baskets.change_line(line=basket.lines.get(), offset_project=wind)
    assert basket.lines.get().offset_project is None


def test_a_paused_project_is_not_added_and_stops_a_basket_that_has_it(wind: Project) -> None:
    basket = make_basket()
    add(basket, project=wind)
    Project.objects.update(paused_at=NOON)
    with pytest.raises(NotSold):
        add(basket, project=wind, memory="32")
    [problem] = priced(basket).problems
    assert "Choose another project" in problem["problem"]


def test_a_product_without_a_price_in_the_market_is_refused(wind: Project) -> None:
    basket = make_basket()
    add(basket)
    ProductPrice.objects.all().delete()
    with pytest.raises(NotPriced):
        add(basket, memory="32")
    assert len(priced(basket).problems) == 1
    Product.objects.update(published=False)
    assert "not sold any more" in priced(basket).problems[0]["problem"]


def test_an_unknown_country_of_use_is_refused(wind: Project) -> None:
    with pytest.raises(UnknownCountryOfUse, match="two letters"):
        add(make_basket(), country="XX")


def test_an_expired_basket_says_so_and_a_missing_one_is_none(wind: Project) -> None:
    basket = make_basket()
    late = NOON + timedelta(hours=24)
    assert baskets.get_basket(basket.pk, now=late - timedelta(seconds=1)) == basket
    with pytest.raises(BasketExpired, match="24 hours"):
        baskets.get_basket(basket.pk, now=late)
    assert baskets.get_basket(uuid4()) is None
    assert baskets.get_basket(None) is None


def test_a_change_makes_a_basket_last_longer(wind: Project) -> None:
    basket = make_basket()
    add(basket, now=NOON + timedelta(hours=20))
    basket.refresh_from_db()
    assert basket.expires_at == NOON + timedelta(hours=44)
    assert basket.expires_at > timezone.now() - timedelta(days=36_500)


def test_another_country_brings_its_currency_and_vat(wind: Project) -> None:
    basket = make_basket()
    add(basket)
    germany = MarketCountry.objects.select_related("market").get(country="DE")
    baskets.change_country(basket=basket, market_country=germany)
    found = priced(basket)
    assert (found.currency, found.tax_minor) == ("EUR", LAPTOP_MINOR * 19 // 100)


def test_a_line_can_be_removed_twice(wind: Project) -> None:
    line = add(make_basket())
    baskets.remove_line(line)
    baskets.remove_line(line)
    assert BasketLine.objects.count() == 0
