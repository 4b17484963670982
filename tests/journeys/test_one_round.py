"""Wake-ups only save time: with every one of them off, one round of sweeps finishes an order."""

from datetime import UTC, datetime

import pytest
from celery import current_app
from django.conf import settings
from django.core.files.storage import default_storage

from accounts.models import MarketCountry
from certificates.models import Certificate
from checkout import baskets
from checkout.models import Order, OrderedDevice
from common import events
from config import wakeups
from config.management.commands.work import run_round
from offsets.models import Retirement
from offsets.verify import violations
from tests.factories import checkout as shop

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nobody_is_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    """No wake-up at all; the demonstration's warehouse ships what was paid a moment ago."""
    monkeypatch.setattr(events, "_wakers", [])
    monkeypatch.setattr(settings, "DEMO_WAREHOUSE_DELAY_S", 0)


def paid_order(*, quantity: int) -> Order:
    """Laptops with their credits, placed and paid a moment ago."""
    now = datetime.now(tz=UTC)
    project = shop.make_shop()
    sweden = MarketCountry.objects.select_related("market").get(country="SE")
    basket = baskets.create_basket(market_country=sweden, user=None, now=now)
    shop.add(basket, quantity=quantity, project=project, now=now)
    order = shop.place(basket, now=now)
    shop.pay(order, now=now)
    return order


def test_one_round_of_sweeps_finishes_an_order() -> None:
    order = paid_order(quantity=4)  # 1,240 kg: two credits
    run_round()
    devices = list(OrderedDevice.objects.filter(line__order=order).select_related("offset"))
    assert [device.device_serial is not None for device in devices] == [True] * 4
    assert [(row.state, row.credits) for row in Retirement.objects.all()] == [("confirmed", 2)]
    certificates = list(Certificate.objects.all())
    assert {row.offset_id for row in certificates} == {device.offset_id for device in devices}
    assert [row.rendered_at is not None for row in certificates] == [True] * 4
    for row in certificates:
        with default_storage.open(row.pdf.name) as file:
            assert file.read(5) == b"%PDF-"
    assert list(violations()) == []


def test_a_second_round_finds_nothing_to_do() -> None:
    paid_order(quantity=1)
    run_round()
    journal = settings.SANDBOX_JOURNAL.read_text()
    assert len(journal.splitlines()) == 1
    run_round()
    assert settings.SANDBOX_JOURNAL.read_text() == journal
    assert (Retirement.objects.count(), Certificate.objects.count()) == (1, 1)


def test_the_round_is_every_sweep_once_and_every_wake_up_names_one() -> None:
    assert len(set(wakeups.SWEEPS)) == len(wakeups.SWEEPS)
    assert {name for names in wakeups.WAKEUPS.values() for name in names} <= set(wakeups.SWEEPS)
    current_app.loader.import_default_modules()
    assert set(wakeups.SWEEPS) <= set(current_app.tasks)
    scheduled = {entry["task"] for entry in current_app.conf.beat_schedule.values()}
    assert scheduled == set(wakeups.SWEEPS)
