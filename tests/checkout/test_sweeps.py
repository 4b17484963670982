"""The sweeps of orders: argument-free, under the names that the clock and the wake-ups know, harmless
twice.
"""

from datetime import timedelta

import pytest
from celery import current_app
from django.conf import LazySettings
from django.core import mail
from django.urls import resolve
from django.utils import timezone

from checkout import links, services, tasks
from checkout.models import Order, OrderedDevice
from config.wakeups import SWEEPS
from offsets.models import DeviceOffset, Reservation
from projects.models import Project
from tests.factories.checkout import add, certify, make_basket, make_buyer, pay


def order_now(project: Project) -> Order:
    """An order of this very minute: the sweeps read the clock."""
    basket = make_basket()
    add(basket, quantity=2, project=project, now=timezone.now())
    return services.place_order(
        basket=basket,
        buyer=make_buyer(early_retirement_consent=True),
        payment_method="card",
        user=None,
        owner=None,
        actor="guest",
        now=timezone.now(),
    )


def test_every_sweep_of_orders_is_a_task_of_that_name() -> None:
    names = [name for name in SWEEPS if name.startswith("checkout.")]
    assert len(names) == 7
    assert set(names) <= set(current_app.tasks)


def test_one_round_after_another_brings_an_order_to_its_promise(
    wind: Project, settings: LazySettings
) -> None:
    settings.DEMO_WAREHOUSE_DELAY_S = 0
    order = order_now(wind)
    pay(order, now=timezone.now())
    for _round in range(2):
        tasks.expire_orders()
        tasks.ship_demo_orders()
        tasks.request_offsets()
        tasks.email_orders()
        tasks.email_certificates()
    assert DeviceOffset.objects.count() == 2
    assert Reservation.objects.count() == 0
    assert len(mail.outbox) == 1
    certify(order)
    for _round in range(2):
        tasks.email_certificates()
    assert len(mail.outbox) == 2


def test_a_broken_order_does_not_stop_the_demo_warehouse(
    wind: Project, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DEMO_WAREHOUSE_DELAY_S = 0
    bad, good = order_now(wind), order_now(wind)
    for order in (bad, good):
        pay(order, now=timezone.now())
    numbers = services.demo_serials
    monkeypatch.setattr(
        services,
        "demo_serials",
        lambda devices: {
            pk: "" if devices[0].line.order_id == bad.pk else serial
            for pk, serial in numbers(devices).items()
        },
    )
    assert tasks.ship_demo_orders() == 1
    assert OrderedDevice.objects.filter(line__order=good, shipment__isnull=False).count() == 2
    assert OrderedDevice.objects.filter(line__order=bad, shipment=None).count() == 2


def test_an_order_of_yesterday_that_nobody_paid_is_gone_today(wind: Project) -> None:
    order = order_now(wind)
    Order.objects.filter(pk=order.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert tasks.expire_orders() == 1
    assert Reservation.objects.count() == 0


def test_addresses_in_mails_open(wind: Project, settings: LazySettings) -> None:
    order = order_now(wind)
    for address, name in (
        (links.order_url(order), "order"),
        (links.record_url("7Q2M-K4VX-09AB-DJ3T"), "record"),
    ):
        assert address.startswith(settings.SITE_URL)
        assert resolve(address.removeprefix(settings.SITE_URL)).url_name == name
