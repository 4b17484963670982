"""The visitor chooses a country: prices, words and the basket follow."""

from datetime import date

import pytest
from django.test import Client

from accounts.models import Market
from checkout.models import Basket, BasketLine
from projects.models import Project
from tests.factories.checkout import LAPTOP, make_shop
from tests.storefront.pages import choose_country, delivers_to, text, words


@pytest.fixture
def wind(db: None) -> Project:
    return make_shop()


def test_a_visitor_of_whom_nothing_is_known_is_delivered_to_in_sweden(client: Client, wind: Project) -> None:
    assert delivers_to(client) == ("SE", "SEK")


def test_the_choice_stays_and_leads_back_to_the_page(client: Client, wind: Project) -> None:
    answer = client.post("/market/", {"country": "DE", "next": "/projects/"})
    assert (answer.status_code, answer["Location"]) == (302, "/projects/")
    assert delivers_to(client) == ("DE", "EUR")


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", ""]
)
def test_the_choice_leads_nowhere_outside_the_shop(client: Client, wind: Project, target: str) -> None:
    assert client.post("/market/", {"country": "DE", "next": target})["Location"] == "/"


@pytest.mark.parametrize("country", ["", "XX", "CN", "<script>", "\x00\x00"])
def test_a_country_where_nothing_is_sold_changes_nothing(client: Client, wind: Project, country: str) -> None:
    choose_country(client, "DE")
    answer = client.post("/market/", {"country": country, "next": "/"})
    assert answer.status_code == 302
    assert delivers_to(client) == ("DE", "EUR")


def test_a_country_whose_market_has_not_opened_cannot_be_chosen(client: Client, wind: Project) -> None:
    Market.objects.filter(code="north-america").update(opened_on=date(2999, 1, 1))
    client.post("/market/", {"country": "US", "next": "/"})
    page = client.get("/")
    assert delivers_to(client) == ("SE", "SEK")
    assert 'value="US"' not in text(page)


def test_the_basket_follows_the_country(client: Client, wind: Project) -> None:
    client.post("/basket/add/", {"product": LAPTOP.lower(), "memory": "16", "quantity": "2"})
    choose_country(client, "DE")
    assert str(Basket.objects.get().country) == "DE"
    assert BasketLine.objects.get().quantity == 2
    page = client.get("/basket/")
    assert "€" in text(page)
    assert "kr" not in words(page)
    assert "Basket (2)" in words(page)


def test_the_menu_marks_what_is_open(client: Client, wind: Project) -> None:
    page = text(client.get("/products/?kind=laptop"))
    assert '<a href="/products/?kind=laptop" aria-current="page">' in page
    assert page.count('aria-current="page"') == 1


def test_looking_around_writes_nothing(client: Client, wind: Project) -> None:
    for path in ("/", "/products/", "/products/laptop-1/", "/basket/", "/projects/"):
        client.get(path)
    assert Basket.objects.count() == 0
    assert "sessionid" not in client.cookies


def test_changing_the_country_is_a_post(client: Client, wind: Project) -> None:
    assert client.get("/market/?country=DE").status_code == 405
