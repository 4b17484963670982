"""Who sees an order, and what its page says of each device."""

import pytest
from django.test import Client

from accounts.models import Account, User
from checkout import services
from checkout.models import Order
from claims.wording import say, wording_by_id
from projects.models import Project
from tests.factories.checkout import NOON, certify, make_order, make_shop, pay, ship
from tests.factories.offsets import promise, wish


@pytest.fixture
def wind(db: None) -> Project:
    return make_shop()


@pytest.fixture
def order(wind: Project, alice: User, alices_company: Account) -> Order:
    """Alice ordered two laptops with credits for her company."""
    return make_order(quantity=2, project=wind, user=alice, owner=alices_company, po_number="=PO")


def address(order: Order, rest: str = "") -> str:
    return f"/orders/{order.number}/{order.token}/{rest}"


def text(response: object) -> str:
    return response.content.decode()  # type: ignore[attr-defined]


def test_the_company_sees_its_order_and_an_outsider_does_not(
    client: Client, order: Order, alice: User, bob: User, charlie: User
) -> None:
    page = f"/orders/{order.number}/"
    for member in (alice, bob):
        client.force_login(member)
        assert order.number in text(client.get(page))
    client.force_login(charlie)
    refused, missing = client.get(page), client.get("/orders/ZZZZ-ZZZZ/")
    assert refused.status_code == missing.status_code == 404
    assert order.email not in text(refused)
    client.logout()
    assert client.get(page)["Location"].startswith("/account/login/")


def test_the_account_page_lists_what_one_may_see(
    client: Client, order: Order, wind: Project, alice: User, bob: User, charlie: User
) -> None:
    private = make_order(user=alice)
    for user, seen, hidden in (
        (bob, {order}, {private}),
        (alice, {order, private}, set()),
        (charlie, set(), {order}),
    ):
        client.force_login(user)
        page = text(client.get("/account/"))
        assert all(each.number in page for each in seen)
        assert not any(each.number in page for each in hidden)
    client.logout()
    assert client.get("/account/")["Location"].startswith("/account/login/")


@pytest.mark.parametrize("rest", ["", "pay/", "invoice/", "devices.csv"])
def test_an_address_that_is_wrong_in_any_part_does_not_exist(client: Client, order: Order, rest: str) -> None:
    other = make_order()
    assert client.get(address(order, rest)).status_code in (200, 302)
    assert client.get(f"/orders/{order.number}/{other.token}/{rest}").status_code == 404
    assert client.get(f"/orders/{order.number}/{order.token[:-1]}/{rest}").status_code == 404
    assert client.get(f"/orders/{other.number}/{order.token}/{rest}").status_code == 404


def test_order_pages_are_kept_by_no_cache(client: Client, order: Order) -> None:
    for rest in ("", "invoice/", "devices.csv"):
        assert "no-store" in client.get(address(order, rest))["Cache-Control"]


def test_the_page_always_says_where_a_device_stands_and_what_happens_next(
    client: Client, order: Order
) -> None:
    wording = wording_by_id(order.wording)

    def says(state: str) -> bool:
        page = text(client.get(address(order)))
        return (
            say(f"state_{state}", wording=wording) in page and say(f"next_{state}", wording=wording) in page
        )

    assert says("ordered")
    pay(order)
    assert says("paid")
    ship(order, "PF-1", "PF-2")
    assert says("shipped")
    services.request_offsets_for_shipped(NOON)
    assert says("promised")
    assert "PF-1" in text(client.get(address(order)))


def test_a_device_that_needs_a_person_stands_apart(client: Client, order: Order, wind: Project) -> None:
    pay(order)
    ship(order, "PF-1", "PF-2")
    promise(wish(wind, "PF-2", 310_000), key="elsewhere")
    services.request_offsets_for_shipped(NOON)
    groups = client.get(address(order)).context["groups"]
    assert [(view.group.state, view.group.count) for view in groups] == [("promised", 1), ("needs_person", 1)]


def test_a_consumer_who_did_not_consent_reads_until_when_the_credits_wait(
    client: Client, wind: Project
) -> None:
    waiting = make_order(project=wind, early_retirement_consent=False)
    pay(waiting)
    ship(waiting, now=waiting.placed_at.replace(year=2099))
    page = text(client.get(address(waiting)))
    assert say("withdrawal_wait", wording=wording_by_id(waiting.wording)) in page
    assert "15 December 2099" in page


def test_devices_without_credits_end_at_the_door(client: Client, wind: Project) -> None:
    plain = make_order()
    pay(plain)
    ship(plain, "PF-1")
    [view] = client.get(address(plain)).context["groups"]
    assert [step.key for step in view.group.steps] == ["ordered", "paid", "shipped"]
    assert view.group.what_next == "It is on its way. Nothing else follows."


def test_htmx_gets_the_progress_alone(client: Client, order: Order) -> None:
    fragment = text(client.get(address(order), headers={"HX-Request": "true"}))
    assert fragment.strip().startswith('<section id="progress"')
    assert "<html" not in fragment


def test_the_list_of_devices_quotes_formulas(client: Client, order: Order) -> None:
    pay(order)
    ship(order, "=PF-1", "PF-2", tracking="+1")
    answer = client.get(address(order, "devices.csv"))
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    rows = text(answer).split("\r\n")
    assert rows[0].startswith("line,unit,device_serial,name,configuration,state,since,carrier,tracking,code")
    assert rows[1] == "1,1,'=PF-1,ThinkPad LAPTOP-1,16 GB,shipped,2026-11-24,,'+1,"


def test_the_history_is_dated(client: Client, order: Order) -> None:
    pay(order)
    ship(order, "PF-1", "PF-2")
    page = client.get(address(order))
    texts = [entry.text for entry in page.context["history"]]
    assert texts == ["Order placed", "Payment received", "Shipped: 2 devices"]


def test_a_cancelled_order_says_so_and_cannot_be_paid(client: Client, order: Order) -> None:
    services.cancel_order(order=order, reason="changed my mind", actor="guest", now=NOON)
    assert "This order is cancelled." in text(client.get(address(order)))
    assert client.post(address(order, "pay/"), {"decision": "pay"}).status_code == 302
    order.refresh_from_db()
    assert order.paid_at is None


def test_a_guest_finds_an_order_by_number_and_address(client: Client, wind: Project) -> None:
    order = make_order()
    answer = client.post("/orders/find/", {"number": order.number.lower(), "email": "GUEST@example.com"})
    assert answer["Location"] == address(order)


def test_whichever_is_wrong_the_answer_is_the_same(client: Client, wind: Project) -> None:
    order = make_order()
    wrong_mail = client.post("/orders/find/", {"number": order.number, "email": "other@example.com"})
    wrong_number = client.post("/orders/find/", {"number": "ZZZZ-ZZZZ", "email": order.email})
    assert wrong_mail.status_code == wrong_number.status_code == 422
    message = "There is no such order, or it is not yours."
    assert message in text(wrong_mail)
    assert message in text(wrong_number)
    assert order.token not in text(wrong_mail)


def test_guessing_is_slowed_down_whatever_the_client_says_of_itself(client: Client, wind: Project) -> None:
    order = make_order()
    for attempt in range(10):
        headers = {"X-Forwarded-For": f"10.0.0.{attempt}"}
        client.post("/orders/find/", {"number": f"ZZZZ-000{attempt}", "email": order.email}, headers=headers)
    answer = client.post("/orders/find/", {"number": order.number, "email": order.email})
    assert answer.status_code == 429
    assert "Too many tries" in text(answer)


def test_documents_are_for_whoever_holds_the_orders_address(
    client: Client, order: Order, wind: Project
) -> None:
    pay(order)
    ship(order, "PF-1", "PF-2")
    services.request_offsets_for_shipped(NOON)
    certificate = certify(order)[0]
    path = address(order, f"{certificate.code}.pdf")
    assert path in text(client.get(address(order)))
    answer = client.get(path)
    assert (answer["Content-Type"], b"".join(answer.streaming_content)) == (
        "application/pdf",
        b"%PDF-1.7 test",
    )
    other = make_order(project=wind)
    assert client.get(address(other, f"{certificate.code}.pdf")).status_code == 404
    assert client.get(f"/orders/{order.number}/{other.token}/{certificate.code}.pdf").status_code == 404
    assert client.get(address(order, "AAAA-AAAA-AAAA-AAAA.pdf")).status_code == 404
