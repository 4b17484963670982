"""Staff read the shop as somebody else; nobody else can."""

import pytest
from django.test import Client

from accounts.models import Account, User
from checkout.models import Basket, Order
from projects.models import Project
from tests.factories.checkout import LAPTOP, make_shop
from tests.storefront.pages import delivers_to, text, words

PAGE = f"/products/{LAPTOP.lower()}/"
GERMAN = {"country": "DE", "audience": "consumer", "next": PAGE}
AMERICAN = {"country": "US", "audience": "company"}
SWEDISH = {"country": "SE", "audience": "company"}


@pytest.fixture
def wind(db: None) -> Project:
    return make_shop()


def test_staff_read_a_page_as_each_reader(client: Client, wind: Project, dana: User) -> None:
    client.force_login(dana)
    answer = client.post("/preview/", GERMAN)
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    page = words(client.get(PAGE))
    assert "Preview: you read this as a consumer in Germany." in page
    assert "of carbon credits with this laptop" in page
    assert "incl. VAT" in page
    client.post("/preview/", AMERICAN)
    page = words(client.get(PAGE))
    assert "as a verified company in United States of America." in page
    assert "Offset " in page
    assert "$10 000.00" in page
    client.post("/preview/", SWEDISH)
    page = words(client.get(PAGE))
    assert "CO2 Offset Service: 310 kg" in page
    assert "10 000 kr excl. VAT, each" in page


def test_leaving_it_brings_back_the_country_that_was_chosen_before(
    client: Client, wind: Project, dana: User
) -> None:
    client.force_login(dana)
    client.post("/market/", {"country": "NO", "next": "/"})
    client.post("/preview/", GERMAN)
    client.post("/preview/", AMERICAN)
    assert delivers_to(client) == ("US", "USD")
    answer = client.post("/preview/", {"leave": "1", "next": "/projects/"})
    assert (answer.status_code, answer["Location"]) == (302, "/projects/")
    assert delivers_to(client)[0] == "NO"
    assert "Preview:" not in words(client.get("/"))


def test_nobody_but_staff_can_open_it(client: Client, wind: Project, alice: User, charlie: User) -> None:
    for user in (None, alice, charlie):
        if user:
            client.force_login(user)
        for form in (SWEDISH, {"leave": "1"}):
            assert client.post("/preview/", form).status_code == 403
        assert "Preview:" not in words(client.get(PAGE))
    assert "Offset" not in words(client.get(PAGE))  # Charlie reads as a consumer


def test_a_preview_ends_with_the_right_to_it(client: Client, wind: Project, dana: User) -> None:
    client.force_login(dana)
    client.post("/preview/", SWEDISH)
    User.objects.filter(pk=dana.pk).update(is_staff=False)
    page = words(client.get(PAGE))
    assert "Preview:" not in page
    assert "incl. VAT" in page
    assert "Offset" not in page


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"country": "SE"},
        {"country": "SE", "audience": "staff"},
        {"country": "XX", "audience": "company"},
        {"audience": "company"},
    ],
)
def test_an_unknown_reader_is_named_and_changes_nothing(
    client: Client, wind: Project, dana: User, form: dict[str, str]
) -> None:
    client.force_login(dana)
    client.post("/preview/", form)
    page = words(client.get(PAGE))
    assert "There is no such reader" in page
    assert "Preview:" not in page


def test_the_basket_follows_and_nothing_can_be_ordered(
    client: Client, wind: Project, dana: User, alices_company: Account
) -> None:
    client.force_login(dana)
    client.post("/basket/add/", {"product": LAPTOP.lower(), "memory": "16", "quantity": "1"})
    client.post("/preview/", GERMAN)
    assert str(Basket.objects.get().country) == "DE"
    page = client.get("/checkout/")
    form = {
        "email": "dana@example.com",
        "name": "Dana",
        "address": "Somewhere 1",
        "kind": "private",
        "payment_method": "card",
        "seen_gross_minor": str(page.context["total_minor"]),
    }
    refused = client.post("/checkout/", form)
    assert refused.status_code == 409
    assert "nothing can be ordered in it" in words(refused)
    assert Order.objects.count() == 0
    client.post("/preview/", {"leave": "1"})
    assert str(Basket.objects.get().country) == "SE"


def test_it_leads_nowhere_outside_the_shop(client: Client, wind: Project, dana: User) -> None:
    client.force_login(dana)
    answer = client.post("/preview/", {**SWEDISH, "next": "https://evil.example/"})
    assert answer["Location"] == "/"
    assert client.get("/preview/").status_code == 405


def test_the_admin_offers_each_reader_as_a_button(client: Client, wind: Project, dana: User) -> None:
    client.force_login(dana)
    for path in ("/admin/", "/admin/certificates/certificate/preview/"):
        page = text(client.get(path))
        assert page.count('action="/preview/"') == 4
        assert "a company in Sweden" in page
