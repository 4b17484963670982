"""The product page: what follows from the choice, what is offered, and what bad input is told."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account, MarketCountry, User
from catalog.models import Option, OptionPrice, PcfSheet, Product, ProductPrice
from projects.models import Project
from tests.factories.checkout import LAPTOP, make_shop, make_sold_project
from tests.storefront.pages import choose_country, counted, text, words

PAGE = f"/products/{LAPTOP.lower()}/"


@pytest.fixture
def wind(db: None) -> Project:
    return make_shop()


def give_sheet(**figures: Any) -> None:
    """The laptop's maker publishes another sheet of 400 kg, 100 kg of it use, with these figures too."""
    facts = {"manufacturer": "Lenovo", "name": "Another sheet", "lineage": "another", "source": "test sheet"}
    sheet = PcfSheet.objects.create(
        **facts, total_kg=Decimal(400), use_kg=Decimal(100), lifetime_years=5, **figures
    )
    Product.objects.filter(sku=LAPTOP).update(sheet=sheet)


def test_the_first_screen_says_in_one_sentence_what_the_device_emits(client: Client, wind: Project) -> None:
    page = words(client.get(PAGE))
    assert "What this laptop emits" in page
    assert "for five years causes about 310 kg CO2e, most of it before you switch it on." in page
    assert "300 kg Manufacture, shipping, end of life (the maker does not part them)" in page
    assert "10 kg Five years of use in Sweden (our estimate)" in page
    assert "12 500 kr" in page
    assert "incl. VAT, each" in page


def test_price_and_footprint_follow_the_choice(client: Client, wind: Project) -> None:
    page = client.get(PAGE, {"memory": "32", "country": "US", "years": "2", "quantity": "3"})
    assert page.status_code == 200
    shown = words(page)
    # 300 + 28.3 kg for 16 GB more, and two of five years at the world's grid: 40 kg
    assert "for two years causes about 368 kg CO2e" in shown
    assert "40 kg Two years of use in United States of America (our estimate)" in shown
    assert "13 500 kr" in shown
    assert "with each of 3 laptops" in shown
    chosen = re.findall(r'value="([^"]+)" selected', text(page))
    assert {"32", "US", "2"} <= set(chosen)


def test_a_change_is_named_with_its_source_as_our_estimate(client: Client, wind: Project) -> None:
    page = words(client.get(PAGE, {"memory": "32"}))
    assert "What we changed of the sheet’s figure" in page
    assert "+28.3 kg" in page
    assert "−90.0 kg" in page  # used in Sweden, not at the world's grid


def test_htmx_gets_the_fragment_of_the_same_address(client: Client, wind: Project) -> None:
    fragment = client.get(PAGE, {"years": "1"}, headers={"HX-Request": "true"})
    assert fragment.status_code == 200
    assert text(fragment).lstrip().startswith('<div id="configurator">')
    assert "<html" not in text(fragment)
    assert "for one year causes about 302 kg" in words(fragment)
    assert '<p id="news" hx-swap-oob="innerHTML">' in text(fragment)  # screen readers are told
    assert "HX-Request" in fragment["Vary"]


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({"memory": "64"}, "ThinkPad LAPTOP-1 has no memory “64”. Choose one of: 16, 32."),
        ({"colour": "red", "storage": "512"}, "ThinkPad LAPTOP-1 has no choice of storage; leave it out."),
        ({"years": "6"}, "Years of use are a whole number from one to five."),
        ({"years": "²"}, "Years of use are a whole number from one to five."),
        ({"quantity": "0"}, "The quantity is a whole number from 1 to 10 000."),
        ({"quantity": "1e3"}, "The quantity is a whole number from 1 to 10 000."),
        ({"country": "XX"}, "“XX” is no country code. Choose a country from the list."),
    ],
)
@pytest.mark.parametrize("htmx", [False, True])
def test_bad_input_is_named_and_the_page_shows_what_is_valid(
    client: Client, wind: Project, query: dict[str, str], problem: str, htmx: bool
) -> None:
    page = client.get(PAGE, query, headers={"HX-Request": "true"} if htmx else {})
    assert page.status_code == 422
    assert problem in words(page)
    assert "causes about 310 kg CO2e" in words(page)
    assert ("<html" in text(page)) is not htmx


def test_every_problem_is_named_at_once(client: Client, wind: Project) -> None:
    page = client.get(PAGE, {"memory": "1", "years": "0", "quantity": "-1", "country": "<i>"})
    assert text(page).count("</p>", text(page).index('role="alert"'), text(page).index("picture")) == 4
    assert "<i>" not in text(page)


def test_nothing_is_ticked_and_the_credits_are_a_button_of_their_own(client: Client, wind: Project) -> None:
    page = text(client.get(PAGE))
    assert "checked" not in page
    assert 'type="checkbox"' not in page
    assert 'type="radio"' not in page
    offer, plain = re.findall(r'<button class="button[^"]*"[^>]*formaction="([^"]+)"', page)
    assert (offer, plain) == (
        f"/basket/add/?product={LAPTOP.lower()}&amp;offset=1",
        f"/basket/add/?product={LAPTOP.lower()}",
    )
    assert "primary" not in page[page.index(offer) - 120 : page.index(offer)]


def test_enter_in_a_field_shows_and_never_buys(client: Client, wind: Project) -> None:
    page = text(client.get(PAGE))
    form = page[page.index('<form id="config" method="get"') :]
    first = re.search(r"<button[^>]*>", form)
    assert first is not None
    assert 'type="submit"' in first.group()
    assert "formaction" not in first.group()


def test_the_offer_names_kilograms_price_and_project_in_the_words_of_register_a(
    client: Client, wind: Project
) -> None:
    page = words(client.get(PAGE))
    assert "Retire 310 kg of carbon credits with this laptop" in page
    assert (
        "+ 58.13 kr. Supports CL-4449 Wind Farm Project. It does not change the laptop's own footprint."
        in page
    )
    assert "310 000 g of a pool" in page


def test_a_project_can_be_chosen_by_its_address_and_only_what_is_in_stock_is_offered(
    client: Client, wind: Project
) -> None:
    make_sold_project("MX-4634", credits=1, first=100)
    page = client.get(PAGE, {"project": "MX-4634"})
    assert page.context["offer"]["project"].reference == "MX-4634"
    many = client.get(PAGE, {"project": "MX-4634", "quantity": "4"})  # 1.24 t
    assert many.context["offer"]["project"].reference == wind.reference
    assert "MX-4634" not in text(many)
    none = client.get(PAGE, {"quantity": "17"})  # 5.27 t of 5 t
    assert "offer" not in none.context
    assert "Choose another project or a smaller number." in words(none)


def test_a_device_without_a_lifetime_has_a_price_and_no_offer(client: Client, wind: Project) -> None:
    page = client.get("/products/monitor-1/")
    assert page.status_code == 200
    assert "offset=1" not in text(page)
    assert "<svg" not in text(page)[text(page).index('class="emits"') :]
    assert "The source states no lifetime for this monitor" in words(page)
    assert "400 kg CO2e" in words(page)
    assert "Add to basket" in words(page)


def test_a_device_that_has_no_price_in_a_market_cannot_be_put_into_the_basket(
    client: Client, wind: Project
) -> None:
    ProductPrice.objects.filter(product__sku=LAPTOP, market__code="nordics").delete()
    page = client.get(PAGE)
    assert page.status_code == 200
    assert "/basket/add/" not in text(page)
    assert "causes about 310 kg CO2e" in words(page)


def test_a_sheet_that_parts_its_stages_shows_them_and_leaves_end_of_life_out(
    client: Client, wind: Project
) -> None:
    give_sheet(manufacturing_kg=Decimal(280), transport_kg=Decimal(15), eol_kg=Decimal(5))
    page = words(client.get(PAGE))
    assert "280 kg Manufacture" in page
    assert "15 kg Shipping" in page
    assert "The bar as a table: manufacture, shipping and five years of estimated use" in page
    assert "about 305 kg CO2e" in page


def test_the_bar_is_to_scale_and_brackets_the_error(client: Client, wind: Project) -> None:
    assert 'class="bracket"' not in text(client.get(PAGE))
    give_sheet(error_ratio=Decimal("0.25"), statistic="mean")
    page = client.get(PAGE)
    assert 'class="bracket"' in text(page)
    # 310 kg of the 410 kg that the bracket's end stands for; the sheet's 400 kg ± 25 %
    widths = [float(width) for width in re.findall(r'<rect x="[0-9.]+%" width="([0-9.]+)%"', text(page))]
    assert widths == pytest.approx([300 / 410 * 100, 10 / 410 * 100], abs=0.01)
    assert "210 to 410 kg" in words(page)
    assert "± 25 %" in words(page)
    assert "mean" in words(page)


def test_a_verified_company_reads_net_prices_and_the_words_of_register_b(
    client: Client, wind: Project, alice: User, alices_company: Account, charlie: User
) -> None:
    client.force_login(alice)
    page = words(client.get(PAGE))
    assert "10 000 kr excl. VAT, each" in page
    assert "CO2 Offset Service: 310 kg" in page
    client.force_login(charlie)
    page = words(client.get(PAGE))
    assert "Offset" not in page
    assert "incl. VAT" in page


def test_country_of_use_is_the_country_of_delivery_unless_it_is_chosen(client: Client, wind: Project) -> None:
    choose_country(client, "US")
    assert "Five years of use in United States of America" in words(client.get(PAGE))
    assert "Five years of use in Sweden" in words(client.get(PAGE, {"country": "SE"}))


def test_a_note_on_tax_takes_the_place_of_the_words_on_vat(client: Client, wind: Project) -> None:
    MarketCountry.objects.filter(country="SE").update(tax_note="Sales tax is not included.")
    page = words(client.get(PAGE))
    assert "Sales tax is not included." in page
    assert "incl. VAT" not in page


def test_an_unknown_product_is_a_page_that_helps(client: Client, wind: Project) -> None:
    page = client.get("/products/thinkpad-zzz/")
    assert page.status_code == 404
    assert "No product “thinkpad-zzz” is for sale." in words(page)
    assert 'href="/products/"' in text(page)


def test_the_page_takes_as_many_statements_with_30_options_as_with_2(client: Client, wind: Project) -> None:
    client.get(PAGE)
    with counted() as few:
        client.get(PAGE)
    product = Product.objects.get(sku=LAPTOP)
    for size in range(64, 92):
        option = Option.objects.create(
            product=product, kind="memory", value=str(size), label=f"{size} GB", gigabytes=size
        )
        for market in {price.market for price in product.prices.all()}:
            OptionPrice.objects.create(option=option, market=market, surcharge_minor=1)
    with counted() as many:
        client.get(PAGE)
    assert len(many) == len(few) <= 14
