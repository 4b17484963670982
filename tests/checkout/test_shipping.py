"""Devices leave with their serial numbers, all of a list or none."""

from datetime import timedelta

import pytest
from django.conf import LazySettings

from checkout import services
from checkout.errors import NotReleased, OrderClosed, SerialsRefused
from checkout.models import Order, OrderedDevice, Shipment
from common.models import Event
from offsets.models import Reservation
from projects.models import Project
from tests.factories.checkout import NOON, make_order, pay, ship, units
from tests.factories.offsets import promise, wish


@pytest.fixture
def paid(wind: Project) -> Order:
    """Three laptops with credits, paid."""
    order = make_order(quantity=3, project=wind)
    pay(order)
    return order


def nothing_shipped() -> bool:
    return (
        not Shipment.objects.exists()
        and not OrderedDevice.objects.filter(device_serial__isnull=False).exists()
    )


def test_serials_are_recorded_as_they_are_compared(paid: Order) -> None:
    shipment = ship(paid, " pf-1 ", "PF-2", "pf-3", carrier="DHL", tracking="T-1")
    assert [device.device_serial for device in units(paid)] == ["PF-1", "PF-2", "PF-3"]
    assert {device.shipment for device in units(paid)} == {shipment}
    assert (shipment.carrier, shipment.tracking, shipment.actor) == ("DHL", "T-1", "staff:1")
    assert Event.objects.get(kind="order.devices_shipped").data == {"shipment": shipment.pk, "devices": 3}
    assert Reservation.objects.count() == 3  # shipping alone asks for nothing


def test_an_order_may_ship_in_parts(paid: Order) -> None:
    first = ship(paid, "PF-1")
    second = ship(paid, "PF-2", "PF-3", now=NOON + timedelta(days=1))
    assert first != second
    assert [device.shipment for device in units(paid)] == [first, second, second]


def test_the_same_click_twice_ships_once(paid: Order) -> None:
    pairs = {device.pk: f"PF-{device.position}" for device in units(paid)}
    first = services.ship_devices(order=paid, serials=pairs, actor="staff:1", now=NOON)
    second = services.ship_devices(order=paid, serials=pairs, actor="staff:1", now=NOON)
    assert first == second
    assert Shipment.objects.count() == Event.objects.filter(kind="order.devices_shipped").count() == 1


def test_an_unpaid_order_does_not_ship_before_terms_are_approved(wind: Project) -> None:
    order = make_order(method="invoice")
    with pytest.raises(NotReleased, match="Record the payment or approve terms"):
        ship(order)
    assert nothing_shipped()
    services.approve_terms(order=order, reason="known", actor="staff:1", now=NOON)
    ship(order)
    assert Shipment.objects.count() == 1


def test_a_cancelled_order_does_not_ship(wind: Project) -> None:
    order = make_order()
    services.cancel_order(order=order, reason="no", actor="guest", now=NOON)
    with pytest.raises(OrderClosed):
        ship(order)
    assert nothing_shipped()


@pytest.mark.parametrize(
    ("serial", "problem"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("P" * 65, "longer than 64"),
        ("PF\x00-9", "control"),
        ("PF\u200b9", "control or invisible"),
        ("PF-東京", "cannot show these of its characters: 東京"),
        ("pf-1", "2 times"),
        ("ＰＦ-1", "2 times"),  # full-width letters read the same
    ],
)
def test_a_bad_serial_is_named_and_nothing_ships(paid: Order, serial: str, problem: str) -> None:
    with pytest.raises(SerialsRefused) as refused:
        ship(paid, "PF-1", "PF-2", serial)
    named = refused.value.details
    assert {detail["unit"] for detail in named} in ({3}, {1, 3})
    assert problem in named[-1]["problem"]
    assert nothing_shipped()


def test_every_bad_serial_is_named_at_once(paid: Order) -> None:
    with pytest.raises(SerialsRefused, match="2 serial numbers") as refused:
        ship(paid, "", "PF-2", "\t")
    assert [detail["unit"] for detail in refused.value.details] == [1, 3]


def test_a_device_that_is_covered_already_is_named(paid: Order, wind: Project) -> None:
    promise(wish(wind, "PF-2", 100_000), key="another way")
    with pytest.raises(SerialsRefused, match="covered already") as refused:
        ship(paid, "PF-1", "pf-2", "PF-3")
    assert [detail["device_serial"] for detail in refused.value.details] == ["PF-2"]
    assert nothing_shipped()


def test_a_covered_device_may_ship_without_credits(wind: Project) -> None:
    promise(wish(wind, "PF-2", 100_000), key="another way")
    order = make_order()
    pay(order)
    ship(order, "PF-2")
    assert units(order)[0].device_serial == "PF-2"


def test_a_serial_that_waits_for_its_promise_in_another_order_is_named(paid: Order, wind: Project) -> None:
    ship(paid, "PF-1", "PF-2", "PF-3")
    other = make_order(project=wind)
    pay(other)
    with pytest.raises(SerialsRefused, match=paid.number):
        ship(other, "PF-2")
    assert units(other)[0].shipment is None


def test_a_shipped_device_does_not_ship_again_under_another_number(paid: Order) -> None:
    ship(paid, "PF-1", "PF-2", "PF-3")
    with pytest.raises(SerialsRefused, match="shipped already"):
        services.ship_devices(order=paid, serials={units(paid)[0].pk: "PF-9"}, actor="staff:1", now=NOON)
    assert units(paid)[0].device_serial == "PF-1"


def test_a_device_of_another_order_is_refused(paid: Order, wind: Project) -> None:
    other = make_order()
    with pytest.raises(SerialsRefused, match="not part of order"):
        services.ship_devices(order=paid, serials={units(other)[0].pk: "PF-9"}, actor="staff:1", now=NOON)
    with pytest.raises(SerialsRefused, match="at least one"):
        services.ship_devices(order=paid, serials={}, actor="staff:1", now=NOON)
    assert nothing_shipped()


def test_the_demo_warehouse_ships_a_few_seconds_after_payment(paid: Order, settings: LazySettings) -> None:
    assert services.ship_demo_orders(NOON + timedelta(days=1)) == 0  # elsewhere it does not exist
    settings.DEMO_WAREHOUSE_DELAY_S = 3
    assert services.ship_demo_orders(NOON + timedelta(seconds=2)) == 0
    assert services.ship_demo_orders(NOON + timedelta(seconds=3)) == 1
    assert services.ship_demo_orders(NOON + timedelta(seconds=4)) == 0
    serials = [device.device_serial for device in units(paid)]
    assert all(serial and serial.startswith("DEMO-PF") for serial in serials)
    assert len(set(serials)) == 3


def test_the_demo_warehouse_leaves_unpaid_and_live_orders_alone(
    wind: Project, settings: LazySettings
) -> None:
    settings.DEMO_WAREHOUSE_DELAY_S = 0
    make_order()
    live = make_order()
    pay(live)
    Order.objects.filter(pk=live.pk).update(livemode=True)
    assert services.ship_demo_orders(NOON + timedelta(days=1)) == 0
    settings.LIVEMODE = True
    Order.objects.filter(pk=live.pk).update(livemode=False)
    assert services.ship_demo_orders(NOON + timedelta(days=1)) == 0
    assert nothing_shipped()
