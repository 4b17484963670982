"""Money arrives: the right money once, the wrong money never."""

from datetime import timedelta

import pytest

from checkout import services
from checkout.errors import OrderClosed, PaymentRefused
from checkout.models import Order, Payment
from checkout.payments import invoice, sandbox
from common.models import Event
from offsets.models import DeviceOffset, Reservation
from offsets.selectors import available_g
from projects.models import Project
from tests.factories.checkout import NOON, make_order, pay, ship


def kinds_of(order: Order) -> list[str]:
    return list(
        Event.objects.filter(subject=f"order:{order.pk}").order_by("sequence").values_list("kind", flat=True)
    )


def test_a_payment_marks_the_order_paid_and_stops_its_clock(wind: Project) -> None:
    order = make_order()
    payment = pay(order)
    order.refresh_from_db()
    assert (order.paid_at, order.expires_at) == (NOON, None)
    assert (payment.amount_minor, payment.currency, payment.livemode) == (1_250_000, "SEK", False)
    assert kinds_of(order) == ["order.placed", "order.paid"]


def test_the_same_payment_twice_counts_once(wind: Project) -> None:
    order = make_order()
    assert pay(order) == pay(order)
    assert Payment.objects.count() == 1
    assert kinds_of(order) == ["order.placed", "order.paid"]


def test_a_second_payment_is_kept_to_be_given_back_and_changes_nothing(wind: Project) -> None:
    order = make_order()
    pay(order)
    pay(order, reference="another", now=NOON + timedelta(days=1))
    order.refresh_from_db()
    assert order.paid_at == NOON
    assert Payment.objects.count() == 2
    assert kinds_of(order) == ["order.placed", "order.paid", "order.paid_again"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount_minor": 1_249_999},
        {"amount_minor": 1_250_001},
        {"amount_minor": -1_250_000},
        {"currency": "EUR"},
        {"livemode": True},
        {"reference": "  "},
    ],
)
def test_a_payment_that_differs_is_refused_and_recorded(wind: Project, wrong: dict[str, object]) -> None:
    order = make_order()
    with pytest.raises(PaymentRefused):
        pay(order, **wrong)
    order.refresh_from_db()
    assert order.paid_at is None
    assert Payment.objects.count() == 0
    assert kinds_of(order) == ["order.placed", "order.payment_refused"]


def test_a_payment_of_another_order_is_refused(wind: Project) -> None:
    first, second = make_order(), make_order()
    pay(first, reference="one")
    with pytest.raises(PaymentRefused, match="another order"):
        pay(second, reference="one")
    second.refresh_from_db()
    assert second.paid_at is None


def test_money_for_a_cancelled_order_is_refused(wind: Project) -> None:
    order = make_order(project=wind)
    services.cancel_order(order=order, reason="changed my mind", actor="guest", now=NOON)
    with pytest.raises(PaymentRefused, match="cancelled"):
        pay(order)
    assert Payment.objects.count() == Reservation.objects.count() == 0


def test_the_sandbox_reports_the_same_reference_however_often_it_is_pressed(wind: Project) -> None:
    order = make_order()
    first, second = sandbox.notice_for(order), sandbox.notice_for(order)
    assert first == second
    assert (first.amount_minor, first.currency, first.livemode) == (order.gross_minor, "SEK", False)
    assert (
        invoice.notice_for(order, reference=" B-17 ", amount_minor=5, currency="sek").reference
        == "transfer-B-17"
    )


def test_a_declined_card_leaves_the_order_open(wind: Project) -> None:
    order = make_order()
    services.decline_payment(order=order, actor="guest")
    order.refresh_from_db()
    assert (order.paid_at, order.cancelled_at) == (None, None)
    assert kinds_of(order) == ["order.placed", "order.payment_declined"]
    pay(order)
    order.refresh_from_db()
    assert order.paid_at == NOON


def test_an_order_that_nobody_paid_expires_and_frees_its_grams(wind: Project) -> None:
    order = make_order(quantity=2, project=wind)
    other = make_order(project=wind, method="invoice")
    assert services.expire_orders(NOON + timedelta(hours=24) - timedelta(seconds=1)) == 0
    assert services.expire_orders(NOON + timedelta(hours=24)) == 1
    order.refresh_from_db()
    assert order.cancelled_at == NOON + timedelta(hours=24)
    assert available_g(project=wind, livemode=False) == 5_000_000 - 310_000  # the other order keeps its own
    assert kinds_of(order)[-1] == "order.expired"
    assert services.expire_orders(NOON + timedelta(hours=25)) == 0
    other.refresh_from_db()
    assert other.cancelled_at is None


def test_a_paid_order_never_expires(wind: Project) -> None:
    order = make_order(project=wind)
    pay(order)
    assert services.expire_orders(NOON + timedelta(days=400)) == 0
    assert Reservation.objects.count() == 1


def test_cancelling_frees_the_grams_once(wind: Project) -> None:
    order = make_order(project=wind)
    assert services.cancel_order(order=order, reason="not wanted", actor="staff:1", now=NOON) is True
    assert services.cancel_order(order=order, reason="not wanted", actor="staff:1", now=NOON) is False
    assert available_g(project=wind, livemode=False) == 5_000_000
    assert kinds_of(order) == ["order.placed", "order.cancelled"]


def test_a_paid_or_shipped_order_is_not_cancelled(wind: Project) -> None:
    paid = make_order(project=wind)
    pay(paid)
    with pytest.raises(OrderClosed, match="paid"):
        services.cancel_order(order=paid, reason="late", actor="staff:1", now=NOON)
    shipped = make_order(project=wind, method="invoice")
    services.approve_terms(order=shipped, reason="known", actor="staff:1", now=NOON)
    ship(shipped)
    with pytest.raises(OrderClosed, match="shipped"):
        services.cancel_order(order=shipped, reason="late", actor="staff:1", now=NOON)
    assert Reservation.objects.count() == 2
    assert DeviceOffset.objects.count() == 0


def test_terms_are_approved_once_and_stop_the_clock(wind: Project) -> None:
    order = make_order(method="invoice")
    assert services.approve_terms(order=order, reason="known for years", actor="staff:1", now=NOON) is True
    assert services.approve_terms(order=order, reason="known for years", actor="staff:1", now=NOON) is False
    order.refresh_from_db()
    assert (order.on_terms, order.expires_at, order.paid_at) == (True, None, None)
    assert services.expire_orders(NOON + timedelta(days=400)) == 0
