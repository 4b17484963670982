"""Staff act on orders through named pages; nothing of an order can be edited."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from checkout.models import Order, OrderedDevice, Payment, Shipment
from common.models import Event
from offsets.models import Reservation
from projects.models import Project
from tests.factories.checkout import add, make_basket, make_order, pay, place, ship, units
from tests.factories.offsets import promise, wish


@pytest.fixture
def order(wind: Project) -> Order:
    """Two laptops with credits and one with more memory without, by invoice."""
    basket = make_basket()
    add(basket, quantity=2, project=wind)
    add(basket, memory="32")
    return place(basket, method="invoice")


def page(order: Order, rest: str) -> str:
    return f"/admin/checkout/order/{order.pk}/{rest}"


def text(response: object) -> str:
    return response.content.decode()  # type: ignore[attr-defined]


def test_serials_are_pasted_line_by_line(client: Client, order: Order, dana: User) -> None:
    client.force_login(dana)
    pay(order)
    assert "2 devices wait" in text(client.get(page(order, "ship/")))
    form = {"serials_1": "PF-1\r\nPF-2\r\n", "serials_2": "PF-3", "carrier": "DHL", "tracking": "T-1"}
    for _click in range(2):
        answer = client.post(page(order, "ship/"), form)
    assert [device.device_serial for device in units(order)] == ["PF-1", "PF-2", "PF-3"]
    shipment = Shipment.objects.get()
    assert (shipment.actor, shipment.carrier, shipment.tracking) == (f"staff:{dana.pk}", "DHL", "T-1")
    assert answer.status_code == 422  # the second click finds no device that waits


def test_serials_come_from_a_file_that_was_downloaded(client: Client, order: Order, dana: User) -> None:
    client.force_login(dana)
    pay(order)
    template = client.get(page(order, "ship/serials.csv"))
    assert text(template) == "line,unit,device_serial\r\n1,1,\r\n1,2,\r\n2,1,\r\n"
    data = b"line,unit,device_serial\r\n1,1,PF-1\r\n1,2,PF-2\r\n2,1,PF-3\r\n"
    client.post(page(order, "ship/"), {"file": SimpleUploadedFile("serials.csv", data)})
    assert [device.device_serial for device in units(order)] == ["PF-1", "PF-2", "PF-3"]


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({}, "at least one device"),
        ({"serials_1": "PF-1\nPF-1"}, "stands 2 times"),
        ({"serials_1": "PF-1\nPF-2\nPF-3"}, "3 serial numbers for 2 devices"),
        ({"serials_1": "PF-1\nPF 2"}, "holds a blank"),
        ({"serials_1": "PF-9"}, "covered already"),
        ({"file": SimpleUploadedFile("serials.csv", b"a,b\n1,2\n")}, "first row must be"),
        ({"serials_1": "PF-1", "carrier": "x" * 61}, "at most 60"),
    ],
)
def test_a_bad_list_is_named_and_nothing_ships(
    client: Client, order: Order, wind: Project, dana: User, form: dict[str, object], message: str
) -> None:
    client.force_login(dana)
    pay(order)
    promise(wish(wind, "PF-9", 100_000), key="elsewhere")
    answer = client.post(page(order, "ship/"), form)
    assert answer.status_code == 422
    assert message in text(answer)
    assert Shipment.objects.count() == 0


def test_what_was_pasted_is_kept_beside_the_error(client: Client, order: Order, dana: User) -> None:
    client.force_login(dana)
    pay(order)
    answer = client.post(page(order, "ship/"), {"serials_1": "PF-1\nPF-1"})
    assert ">PF-1\nPF-1</textarea>" in text(answer)
    assert "Line 1, unit 1 (PF-1)" in text(answer)


def test_an_unpaid_order_does_not_ship(client: Client, order: Order, dana: User) -> None:
    client.force_login(dana)
    answer = client.post(page(order, "ship/"), {"serials_1": "PF-1"})
    assert answer.status_code == 422
    assert "Record the payment or approve terms" in text(answer)


def test_a_transfer_is_recorded_with_its_reference(client: Client, order: Order, dana: User) -> None:
    client.force_login(dana)
    amount = f"{order.gross_minor // 100}.{order.gross_minor % 100:02d}"
    for _click in range(2):
        client.post(page(order, "payment/"), {"reference": "B-17", "amount": amount, "currency": "sek"})
    payment = Payment.objects.get()
    assert (payment.reference, payment.amount_minor, payment.actor) == (
        "transfer-B-17",
        order.gross_minor,
        f"staff:{dana.pk}",
    )
    order.refresh_from_db()
    assert order.paid_at is not None


def test_a_transfer_of_another_amount_is_refused(client: Client, order: Order, dana: User) -> None:
    client.force_login(dana)
    answer = client.post(page(order, "payment/"), {"reference": "B-17", "amount": "1.00", "currency": "SEK"})
    assert answer.status_code == 422
    assert "The order costs" in text(answer)
    assert Payment.objects.count() == 0


def test_terms_and_cancelling_need_a_reason_which_stays(client: Client, order: Order, dana: User) -> None:
    client.force_login(dana)
    assert client.post(page(order, "terms/"), {"reason": " "}).status_code == 422
    client.post(page(order, "terms/"), {"reason": "known for years"})
    order.refresh_from_db()
    assert order.on_terms
    assert Event.objects.get(kind="order.terms_approved").data == {"reason": "known for years"}
    client.post(page(order, "cancel/"), {"reason": "not wanted"})
    order.refresh_from_db()
    assert order.cancel_reason == "not wanted"
    assert Event.objects.get(kind="order.cancelled").actor == f"staff:{dana.pk}"
    assert Reservation.objects.count() == 0


@pytest.mark.parametrize("rest", ["payment/", "terms/", "cancel/"])
def test_sales_ship_and_nothing_else(client: Client, order: Order, sales_person: User, rest: str) -> None:
    client.force_login(sales_person)
    form = {"reason": "because", "reference": "B", "amount": "1", "currency": "SEK"}
    assert client.post(page(order, rest), form).status_code == 403
    order.refresh_from_db()
    assert (order.on_terms, order.paid_at, order.cancelled_at) == (False, None, None)
    pay(order)
    client.post(page(order, "ship/"), {"serials_1": "PF-1"})
    assert Shipment.objects.count() == 1


@pytest.mark.parametrize("rest", ["ship/", "ship/serials.csv", "payment/", "terms/", "cancel/", "change/"])
def test_buyers_and_visitors_do_not_get_in(client: Client, order: Order, alice: User, rest: str) -> None:
    for user in (None, alice):
        if user:
            client.force_login(user)
        answer = client.post(page(order, rest), {"reason": "because", "serials_1": "PF-1"})
        assert answer.status_code == 302
        assert answer["Location"].startswith("/admin/login/")
    assert Shipment.objects.count() == 0


def test_a_get_changes_nothing(client: Client, order: Order, dana: User) -> None:
    client.force_login(dana)
    for rest in ("ship/", "payment/", "terms/", "cancel/"):
        assert client.get(page(order, f"{rest}?reason=x&serials_1=PF-1")).status_code == 200
    assert not Event.objects.exclude(kind="order.placed").filter(subject=f"order:{order.pk}").exists()


def test_the_order_shows_only_what_can_be_done_now(client: Client, order: Order, dana: User) -> None:
    client.force_login(dana)
    before = text(client.get(page(order, "change/")))
    assert "Record a payment" in before
    assert "Ship devices" not in before
    pay(order)
    after = text(client.get(page(order, "change/")))
    assert "Ship devices" in after
    assert "Cancel the order" not in after


@pytest.mark.parametrize("model", ["order", "ordereddevice", "shipment", "payment", "offsetline", "basket"])
def test_rows_are_looked_at_and_never_edited(
    client: Client, order: Order, admin_user: User, model: str
) -> None:
    client.force_login(admin_user)
    pay(order)
    ship(order)
    assert client.get(f"/admin/checkout/{model}/").status_code == 200
    assert client.get(f"/admin/checkout/{model}/add/").status_code == 403
    for pk in Order.objects.values_list("pk", flat=True):
        assert client.post(f"/admin/checkout/{model}/{pk}/delete/", {"post": "yes"}).status_code in (403, 302)
        assert client.post(f"/admin/checkout/{model}/{pk}/change/", {"number": "X"}).status_code in (403, 302)
    order.refresh_from_db()
    assert order.number != "X"
    assert Order.objects.count() == 1


def test_lists_are_searched_and_filtered(client: Client, order: Order, dana: User) -> None:
    client.force_login(dana)
    other = make_order()
    pay(other)
    ship(other, "PF-77")
    assert order.number not in text(client.get("/admin/checkout/order/?q=pf-77"))
    for stand, numbers in (("to-pay", {order.number}), ("to-ship", set()), ("shipped", {other.number})):
        found = text(client.get(f"/admin/checkout/order/?stand={stand}"))
        assert {number for number in (order.number, other.number) if number in found} == numbers


def test_a_device_is_put_right_with_a_reason(client: Client, order: Order, dana: User) -> None:
    client.force_login(dana)
    device = units(order)[0]
    OrderedDevice.objects.filter(pk=device.pk).update(problem="covered already")
    form = {"action": "put_right", "_selected_action": [device.pk], "reason": ""}
    client.post("/admin/checkout/ordereddevice/", form)
    assert OrderedDevice.objects.exclude(problem="").count() == 1
    client.post("/admin/checkout/ordereddevice/", {**form, "reason": "the other one was a mistake"})
    assert OrderedDevice.objects.exclude(problem="").count() == 0
    assert Event.objects.get(kind="ordered_device.problem_cleared").actor == f"staff:{dana.pk}"
