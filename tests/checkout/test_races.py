"""Two at once: every step of an order has one effect, on real transactions in threads."""

import threading
from collections.abc import Callable

import pytest
from django.core import mail
from django.db import close_old_connections, connection

from checkout import mailing, services
from checkout.models import Basket, Order, OrderedDevice, Payment, Shipment
from checkout.shipping import demo_serials
from common.models import Event
from offsets.models import DeviceOffset, OffsetRequest, Reservation
from projects.models import Project
from tests.factories.checkout import (
    NOON,
    add,
    certify,
    make_basket,
    make_order,
    make_shop,
    pay,
    place,
    ship,
    units,
)

pytestmark = pytest.mark.django_db(transaction=True)
WORKERS = 4


@pytest.fixture
def wind(transactional_db: None) -> Project:
    return make_shop()


def at_once(act: Callable[[], object]) -> list[object]:
    """What each of four threads got, or the error that it raised."""
    barrier = threading.Barrier(WORKERS)
    answers: list[object] = []

    def run() -> None:
        close_old_connections()
        barrier.wait(timeout=30)
        try:
            answers.append(act())
        except Exception as error:  # noqa: BLE001 the test looks at every error
            answers.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _number in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(answers) == WORKERS
    return answers


def test_four_clicks_on_order_make_one(wind: Project) -> None:
    basket = make_basket()
    add(basket, quantity=3, project=wind)
    answers = at_once(lambda: place(basket))
    assert answers == [Order.objects.get()] * WORKERS
    assert Reservation.objects.count() == OrderedDevice.objects.count() == 3
    assert Basket.objects.count() == 0
    assert Event.objects.filter(kind="order.placed").count() == 1


def test_four_clicks_on_pay_pay_once(wind: Project) -> None:
    order = make_order(project=wind)
    answers = at_once(lambda: pay(order))
    assert answers == [Payment.objects.get()] * WORKERS
    assert Event.objects.filter(kind="order.paid").count() == 1


def test_four_different_payments_pay_once_and_the_rest_is_kept_apart(wind: Project) -> None:
    order = make_order(project=wind)
    at_once(lambda: pay(order, reference=threading.current_thread().name))
    assert Payment.objects.count() == WORKERS
    assert Event.objects.filter(kind="order.paid").count() == 1
    assert Event.objects.filter(kind="order.paid_again").count() == WORKERS - 1


def test_payment_and_expiry_never_both_win(wind: Project) -> None:
    order = make_order(project=wind)
    late = order.placed_at.replace(year=2099)

    def either() -> object:
        if threading.current_thread().name.endswith(("1", "3", "5", "7", "9")):
            return pay(order)
        return services.expire_orders(late)

    at_once(either)
    order.refresh_from_db()
    assert (order.paid_at is None) != (order.cancelled_at is None)
    assert Reservation.objects.count() == (1 if order.paid_at else 0)


def test_four_warehouses_ship_once(wind: Project) -> None:
    order = make_order(quantity=2, project=wind)
    pay(order)
    serials = demo_serials(units(order))
    answers = at_once(lambda: services.ship_devices(order=order, serials=serials, actor="demo", now=NOON))
    assert answers == [Shipment.objects.get()] * WORKERS


def test_four_sweeps_promise_once(wind: Project) -> None:
    order = make_order(quantity=3, project=wind)
    pay(order)
    ship(order)
    at_once(lambda: services.request_offsets_for_shipped(NOON))
    services.request_offsets_for_shipped(NOON)
    assert OffsetRequest.objects.count() == 1
    assert DeviceOffset.objects.count() == 3
    assert {device.problem for device in units(order)} == {""}
    assert all(device.offset_id for device in units(order))
    assert Reservation.objects.count() == 0


def test_four_sweeps_send_each_mail_once(wind: Project) -> None:
    order = make_order(quantity=3, project=wind)
    pay(order)
    ship(order)
    services.request_offsets_for_shipped(NOON)
    certify(order)
    at_once(lambda: mailing.send_order_mails(NOON) + mailing.send_certificate_mails(NOON))
    assert len(mail.outbox) == 2
    assert Event.objects.filter(kind__in=["order.mailed", "order.certificates_mailed"]).count() == 2
