"""Checkout in the browser: guest or signed in, private or business, card or invoice; once, however
often clicked.
"""

import pytest
from django.test import Client

from accounts.models import Account, User
from checkout.models import Order, Payment
from common.models import Event
from offsets.models import Reservation
from projects.models import Project
from tests.factories.checkout import LAPTOP, make_shop

ADD = {"product": LAPTOP.lower(), "memory": "16", "country": "SE", "years": "5", "quantity": "1"}
GUEST = {
    "email": "guest@example.com",
    "name": "Guest",
    "address": "Storgatan 1\r\n111 22 Stockholm",
    "kind": "private",
    "payment_method": "card",
    "seen_gross_minor": "1250000",
}
WITH_CREDITS = {**GUEST, "seen_gross_minor": "1255813"}  # 46.50 kr and 11.63 kr of VAT more


@pytest.fixture
def wind(db: None) -> Project:
    return make_shop()


def fill(client: Client, project: Project | None = None, **changes: str) -> None:
    credits = {"offset": "1", "project": project.reference} if project else {}
    assert client.post("/basket/add/", {**ADD, **credits, **changes}).status_code == 302


def text(response: object) -> str:
    return response.content.decode()  # type: ignore[attr-defined]


def test_a_guest_orders_by_card_and_pays(client: Client, wind: Project) -> None:
    fill(client, wind)
    page = text(client.get("/checkout/"))
    assert 'name="seen_gross_minor" value="1255813"' in page
    answer = client.post("/checkout/", {**WITH_CREDITS, "consent": "on"})
    order = Order.objects.get()
    address = f"/orders/{order.number}/{order.token}/"
    assert (answer.status_code, answer["Location"]) == (302, f"{address}pay/")
    assert (order.user, order.owner, order.gross_minor, order.address) == (
        None,
        None,
        1_255_813,
        "Storgatan 1\n111 22 Stockholm",
    )
    assert order.early_retirement_consent_at is not None
    assert "no card number" in text(client.get(f"{address}pay/"))
    for _click in range(2):
        assert client.post(f"{address}pay/", {"decision": "pay"})["Location"] == address
    assert Payment.objects.count() == Event.objects.filter(kind="order.paid").count() == 1
    assert client.get(address).status_code == 200


def test_two_clicks_on_order_make_one_order(client: Client, wind: Project) -> None:
    fill(client, wind)
    first = client.post("/checkout/", WITH_CREDITS)
    second = client.post("/checkout/", WITH_CREDITS)
    assert first["Location"] == second["Location"]
    assert Order.objects.count() == Reservation.objects.count() == 1


def test_consent_is_asked_for_and_never_ticked_beforehand(client: Client, wind: Project) -> None:
    fill(client, wind)
    page = text(client.get("/checkout/"))
    assert '<input type="checkbox" name="consent" id="id_consent">' in page
    client.post("/checkout/", WITH_CREDITS)
    assert Order.objects.get().early_retirement_consent_at is None


def test_without_credits_there_is_nothing_to_consent_to(client: Client, wind: Project) -> None:
    fill(client)
    assert 'name="consent"' not in text(client.get("/checkout/"))


def test_an_invoice_says_what_to_transfer(client: Client, wind: Project) -> None:
    fill(client)
    answer = client.post("/checkout/", {**GUEST, "payment_method": "invoice"})
    order = Order.objects.get()
    assert answer["Location"] == f"/orders/{order.number}/{order.token}/"
    page = text(client.get(answer["Location"]))
    assert f"give {order.number} as reference" in page
    assert (
        client.get(f"/orders/{order.number}/{order.token}/pay/").status_code == 302
    )  # nothing to pay by card


def test_a_declined_card_leaves_the_order_open(client: Client, wind: Project) -> None:
    fill(client)
    pay = client.post("/checkout/", GUEST)["Location"]
    answer = client.post(pay, {"decision": "decline"}, follow=True)
    assert "Nothing was charged" in text(answer)
    assert Payment.objects.count() == 0
    assert Order.objects.get().paid_at is None


def test_a_business_guest_with_a_vat_id_that_checks_reads_as_a_company(client: Client, wind: Project) -> None:
    fill(client, wind)
    business = {"kind": "business", "company": "Guest AB", "vat_id": "SE556012579001", "po_number": "PO-7"}
    client.post("/checkout/", {**WITH_CREDITS, **business, "cost_centre": "IT"})
    order = Order.objects.get()
    assert (order.audience, order.company, order.po_number, order.cost_centre) == (
        "company",
        "Guest AB",
        "PO-7",
        "IT",
    )
    page = text(client.get(f"/orders/{order.number}/{order.token}/invoice/"))
    assert "PO-7" in page
    assert "SE556012579001" in page


def test_a_radio_button_is_not_enough_to_be_a_company(client: Client, wind: Project) -> None:
    fill(client, wind)
    client.post("/checkout/", {**WITH_CREDITS, "kind": "business", "company": "Guest AB"})
    assert Order.objects.get().audience == "consumer"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"email": "nobody"}, "valid email"),
        ({"name": ""}, "required"),
        ({"address": ""}, "required"),
        ({"name": "x" * 121}, "at most 120"),
        ({"kind": "alien"}, "valid choice"),
        ({"kind": "business"}, "Name the company"),
        ({"kind": "business", "company": "Guest AB", "vat_id": "SE12"}, "VAT id does not check"),
        ({"payment_method": "shells"}, "valid choice"),
        ({"seen_gross_minor": "free"}, "cannot be taken"),
        ({"name": "\x00"}, "Null characters"),
    ],
)
def test_wrong_input_is_named_and_orders_nothing(
    client: Client, wind: Project, changes: dict[str, str], message: str
) -> None:
    fill(client)
    answer = client.post("/checkout/", {**GUEST, **changes})
    assert answer.status_code == 422
    assert message in text(answer)
    assert Order.objects.count() == 0
    assert Account.objects.count() == 0


def test_another_total_than_the_buyer_saw_is_not_ordered(client: Client, wind: Project) -> None:
    fill(client)
    answer = client.post("/checkout/", {**GUEST, "seen_gross_minor": "1"})
    assert answer.status_code == 409
    assert "Prices have changed" in text(answer)
    assert Order.objects.count() == 0


def test_sold_out_at_the_last_moment_is_said_and_nothing_is_ordered(client: Client, wind: Project) -> None:
    fill(client, wind, quantity="17")
    page = client.get("/checkout/")
    total = str(page.context["basket"].gross_minor)
    answer = client.post("/checkout/", {**GUEST, "seen_gross_minor": total})
    assert answer.status_code == 409
    assert "Choose another project or fewer devices" in text(answer)
    assert Order.objects.count() == Reservation.objects.count() == 0


def test_control_characters_reach_no_order(client: Client, wind: Project) -> None:
    fill(client)
    client.post("/checkout/", {**GUEST, "name": "Gu\u202eest \u2066X", "address": "A\x1b[31m 1\nB"})
    order = Order.objects.get()
    assert (order.name, order.address) == ("Gu est X", "A [31m 1\nB")


def test_mass_assignment_changes_nothing(client: Client, wind: Project) -> None:
    fill(client)
    sneaky = {
        "gross_minor": "1",
        "on_terms": "on",
        "paid_at": "2026-01-01",
        "audience": "company",
        "livemode": "on",
    }
    client.post("/checkout/", {**GUEST, **sneaky})
    order = Order.objects.get()
    assert (order.gross_minor, order.on_terms, order.paid_at) == (1_250_000, False, None)
    assert (order.audience, order.livemode) == ("consumer", False)


def test_an_empty_basket_leads_back_to_it(client: Client, wind: Project) -> None:
    assert client.get("/checkout/")["Location"] == "/basket/"
    assert client.post("/checkout/", GUEST)["Location"] == "/basket/"
    assert Order.objects.count() == 0


def test_a_member_orders_for_the_company(
    client: Client, wind: Project, alice: User, alices_company: Account
) -> None:
    client.force_login(alice)
    fill(client, wind)
    page = text(client.get("/checkout/"))
    assert "Alice &amp; Bob AB" in page
    assert 'name="consent"' not in page  # a company has no right to withdraw
    client.post("/checkout/", {**WITH_CREDITS, "kind": "business", "account": str(alices_company.pk)})
    order = Order.objects.get()
    assert (order.user, order.owner, order.audience, order.company) == (
        alice,
        alices_company,
        "company",
        "Alice & Bob AB",
    )


def test_nobody_orders_for_a_company_of_others(
    client: Client, wind: Project, bob: User, charlie: User, alices_company: Account
) -> None:
    for outsider in (bob, charlie):  # Bob may look, not buy
        client.force_login(outsider)
        fill(client)
        business = {"kind": "business", "account": str(alices_company.pk), "company": "Alice & Bob AB"}
        client.post("/checkout/", {**GUEST, **business})
    assert Order.objects.filter(owner=alices_company).count() == 0
    assert Order.objects.filter(audience="company").count() == 0


@pytest.mark.parametrize(
    ("typed", "field"), [({"company": "Other AB"}, "company"), ({"vat_id": "DE136695976"}, "vat_id")]
)
def test_another_company_than_the_one_that_was_chosen_is_not_passed_over(
    client: Client, wind: Project, alice: User, alices_company: Account, typed: dict[str, str], field: str
) -> None:
    client.force_login(alice)
    fill(client, wind)
    chosen = {"kind": "business", "account": str(alices_company.pk)}
    answer = client.post("/checkout/", {**WITH_CREDITS, **chosen, **typed})
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert "You have chosen Alice &amp; Bob AB." in text(answer)
    assert Order.objects.count() == 0
