"""The basket's page: every change is a POST, harmless twice, and wrong input says what to do."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from checkout.models import Basket, BasketLine
from claims.wording import current_wording, say
from projects.models import Project
from tests.factories.checkout import LAPTOP, MONITOR, make_shop, make_sold_project

FORM = {"product": LAPTOP.lower(), "memory": "16", "country": "SE", "years": "5", "quantity": "2"}
WORDS = current_wording(register="A", language="en")


@pytest.fixture
def wind(db: None) -> Project:
    return make_shop()


def text(response: object) -> str:
    return response.content.decode()  # type: ignore[attr-defined]


def test_an_empty_basket_says_what_would_be_here(client: Client, wind: Project) -> None:
    page = client.get("/basket/")
    assert page.status_code == 200
    assert "Your basket is empty" in text(page)
    assert Basket.objects.count() == 0


def test_a_device_is_added_without_credits_unless_their_button_was_pressed(
    client: Client, wind: Project
) -> None:
    answer = client.post("/basket/add/", {**FORM, "project": wind.reference})
    assert (answer.status_code, answer["Location"]) == (302, "/basket/")
    line = BasketLine.objects.get()
    assert (line.quantity, line.offset_project, line.offset_units) == (2, None, 0)
    page = text(client.get("/basket/"))
    assert "25\u202f000\u00a0kr" in page  # with VAT, for a consumer
    assert say("offer_button_many", wording=WORDS, kg="310", count=2, devices="laptops") in page
    assert "checked" not in page


def test_one_click_adds_the_credits(client: Client, wind: Project) -> None:
    client.post("/basket/add/", {**FORM, "project": wind.reference, "offset": "1"})
    line = BasketLine.objects.get()
    assert (line.offset_project, line.offset_units) == (wind, 2)
    page = text(client.get("/basket/"))
    assert say("basket_line", wording=WORDS, kg="310", project=wind.name) in page
    assert "116.25\u00a0kr" in page  # 2 x 46.50 and VAT


def test_a_double_click_on_add_adds_once(client: Client, wind: Project) -> None:
    client.post("/basket/add/", FORM)
    client.post("/basket/add/", FORM)
    assert BasketLine.objects.get().quantity == 2


@pytest.mark.parametrize(
    ("changes", "status", "message"),
    [
        ({"product": "no-such-thing"}, 404, "No product"),
        ({"product": "\x00"}, 404, "No product"),
        ({"memory": "48"}, 422, "Choose one of: 16, 32"),
        ({"country": "XX"}, 422, "two letters"),
        ({"quantity": "0"}, 422, "1 to 10000"),
        ({"quantity": "10001"}, 422, "1 to 10000"),
        ({"quantity": "two"}, 422, "not a whole number"),
        ({"quantity": "1e3"}, 422, "not a whole number"),
        ({"years": "6"}, 422, "one to five"),
        ({"offset": "1", "project": "XX-1"}, 404, "no project"),
        (
            {"product": MONITOR.lower(), "memory": "", "offset": "1", "project": "CL-4449"},
            422,
            "No footprint",
        ),
    ],
)
def test_wrong_input_is_named_and_nothing_is_added(
    client: Client, wind: Project, changes: dict[str, str], status: int, message: str
) -> None:
    answer = client.post("/basket/add/", {**FORM, **changes})
    assert answer.status_code == status
    assert message in text(answer)
    assert BasketLine.objects.count() == 0


def test_prices_and_grams_of_a_form_are_ignored(client: Client, wind: Project) -> None:
    client.post(
        "/basket/add/", {**FORM, "price_minor": "1", "unit_net_minor": "1", "amount_g": "1", "net": "1"}
    )
    assert "25\u202f000\u00a0kr" in text(client.get("/basket/"))


def test_credits_are_added_changed_and_taken_out_per_line(client: Client, wind: Project) -> None:
    other = make_sold_project("MX-4634", first=10_000)
    client.post("/basket/add/", FORM)
    line = BasketLine.objects.get()
    client.post(f"/basket/lines/{line.pk}/", {"offset": "1", "project": wind.reference})
    line.refresh_from_db()
    assert (line.offset_project, line.offset_units) == (wind, 2)
    client.post(f"/basket/lines/{line.pk}/", {"project": other.reference, "units": "1"})
    line.refresh_from_db()
    assert (line.offset_project, line.offset_units) == (other, 1)
    page = text(client.get("/basket/"))
    assert say("offer_remove", wording=WORDS, kg="310") in page
    for _click in range(2):
        client.post(f"/basket/lines/{line.pk}/credits-out/")
    line.refresh_from_db()
    assert (line.offset_project, line.offset_units, line.quantity) == (None, 0, 2)


def test_a_project_in_a_quantity_form_adds_no_credits(client: Client, wind: Project) -> None:
    client.post("/basket/add/", FORM)
    line = BasketLine.objects.get()
    client.post(f"/basket/lines/{line.pk}/", {"quantity": "3", "project": wind.reference})
    line.refresh_from_db()
    assert (line.quantity, line.offset_project) == (3, None)


def test_a_quantity_is_changed_or_refused_with_its_reason(client: Client, wind: Project) -> None:
    client.post("/basket/add/", FORM)
    line = BasketLine.objects.get()
    assert client.post(f"/basket/lines/{line.pk}/", {"quantity": "5"}).status_code == 302
    answer = client.post(f"/basket/lines/{line.pk}/", {"quantity": "-1"})
    assert answer.status_code == 422
    assert "not a whole number" in text(answer)
    line.refresh_from_db()
    assert line.quantity == 5


def test_a_line_is_taken_out_and_a_second_click_is_harmless(client: Client, wind: Project) -> None:
    client.post("/basket/add/", FORM)
    line = BasketLine.objects.get()
    for _click in range(2):
        assert client.post(f"/basket/lines/{line.pk}/remove/").status_code == 302
    assert BasketLine.objects.count() == 0


def test_another_visitor_changes_nothing_of_it(client: Client, wind: Project) -> None:
    client.post("/basket/add/", FORM)
    line = BasketLine.objects.get()
    charlie = Client()
    charlie.post("/basket/add/", {**FORM, "memory": "32"})
    for path in ("", "remove/", "credits-out/"):
        charlie.post(f"/basket/lines/{line.pk}/{path}", {"quantity": "9"})
    line.refresh_from_db()
    assert line.quantity == 2
    assert Basket.objects.count() == 2


def test_nothing_changes_by_get(client: Client, wind: Project) -> None:
    client.post("/basket/add/", FORM)
    line = BasketLine.objects.get()
    for path in ("/basket/add/", f"/basket/lines/{line.pk}/", f"/basket/lines/{line.pk}/remove/"):
        assert client.get(path).status_code == 405
    assert BasketLine.objects.count() == 1


def test_an_expired_basket_says_so_once(client: Client, wind: Project) -> None:
    client.post("/basket/add/", FORM)
    Basket.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert "older than 24 hours" in text(client.get("/basket/"))
    assert "older than 24 hours" not in text(client.get("/basket/"))


def test_a_project_that_is_sold_out_is_not_offered(client: Client, wind: Project) -> None:
    client.post("/basket/add/", {**FORM, "quantity": "17", "offset": "1", "project": wind.reference})
    page = text(client.get("/basket/"))
    assert say("not_offered_sold_out", wording=WORDS, project=wind.name) in page


def test_a_device_without_lifetime_has_no_offer_and_says_why(client: Client, wind: Project) -> None:
    client.post("/basket/add/", {**FORM, "product": MONITOR.lower(), "memory": ""})
    page = text(client.get("/basket/"))
    assert say("not_offered", wording=WORDS, device="monitor") in page
    assert 'name="project"' not in page
