"""Every state of the vocabulary, read from the rows."""

from datetime import timedelta

import pytest

from certificates.models import Certificate
from checkout import services
from checkout.durations import duration_text, usual_duration
from checkout.groups import group_devices
from checkout.models import Order, OrderedDevice
from checkout.selectors import device_states, order_history
from claims.slots import SLOTS
from offsets.models import DeviceOffset
from projects.models import Project
from tests.factories.checkout import NOON, certify, make_order, pay, ship

STATES = [
    "ordered",
    "paid",
    "shipped",
    "promised",
    "retired",
    "certified",
    "reversed",
    "moved",
    "withdrawn",
    "refunded",
    "needs_person",
]


def state(order: Order) -> str:
    order.refresh_from_db()
    [found] = device_states(order)
    assert found.what_next
    assert found.label
    return found.state


def test_the_vocabulary_is_complete() -> None:
    for name in STATES:
        assert f"state_{name}" in SLOTS
        assert f"next_{name}" in SLOTS


def test_a_device_walks_the_line(wind: Project) -> None:
    order = make_order(project=wind)
    walked = [state(order)]
    pay(order)
    walked.append(state(order))
    ship(order)
    walked.append(state(order))
    services.request_offsets_for_shipped(NOON)
    walked.append(state(order))
    DeviceOffset.objects.update(covered_at=NOON)
    walked.append(state(order))
    [certificate] = certify(order)
    walked.append(state(order))
    assert walked == STATES[:6]
    [found] = device_states(order)
    assert found.certificate == certificate
    assert all(step.at for step in found.steps)


@pytest.mark.parametrize("reason", ["reversed", "moved"])
def test_an_offset_that_ended_says_how(wind: Project, reason: str) -> None:
    order = make_order(project=wind)
    pay(order)
    ship(order)
    services.request_offsets_for_shipped(NOON)
    certify(order)
    DeviceOffset.objects.update(ended_at=NOON, ended_reason=reason)
    assert state(order) == reason


def test_the_other_ways_to_leave_the_line(wind: Project) -> None:
    order = make_order(project=wind)
    pay(order)
    ship(order)
    services.request_offsets_for_shipped(NOON)
    certify(order)
    Certificate.objects.update(withdrawn_at=NOON)
    assert state(order) == "withdrawn"
    Certificate.objects.update(withdrawn_at=None, needs_person_at=NOON)
    assert state(order) == "needs_person"
    DeviceOffset.objects.update(problem="differs")
    Certificate.objects.update(needs_person_at=None)
    assert state(order) == "needs_person"
    OrderedDevice.objects.update(refunded_at=NOON)
    assert state(order) == "refunded"


def test_a_cancelled_order_owes_nothing(wind: Project) -> None:
    order = make_order(project=wind)
    services.cancel_order(order=order, reason="no", actor="guest", now=NOON)
    assert state(order) == "cancelled"


def test_devices_that_stand_at_the_same_place_are_one_group(wind: Project) -> None:
    order = make_order(quantity=3, project=wind)
    pay(order)
    ship(order, "PF-1")
    groups = group_devices(device_states(order))
    assert [(group.state, group.count) for group in groups] == [("shipped", 1), ("ordered", 2)]
    order.refresh_from_db()
    groups = group_devices(device_states(order))
    assert [(group.state, group.count) for group in groups] == [("shipped", 1), ("paid", 2)]


def test_the_history_tells_credits_by_the_day(wind: Project) -> None:
    order = make_order(quantity=2, project=wind)
    pay(order, now=NOON + timedelta(minutes=1))
    ship(order, now=NOON + timedelta(minutes=2))
    services.request_offsets_for_shipped(NOON + timedelta(minutes=3))
    texts = [entry.text for entry in order_history(order)]
    assert "Order placed" in texts
    assert "Promised, pending retirement: 2 devices" in texts


def test_how_long_a_step_took_is_the_median_of_the_newest(wind: Project) -> None:
    assert usual_duration("promised", livemode=False) is None
    for minutes in (1, 5, 60):
        order = make_order(project=wind)
        pay(order)
        ship(order, now=NOON + timedelta(minutes=minutes))
    assert usual_duration("paid", livemode=False) == timedelta(minutes=5)
    assert usual_duration("paid", livemode=True) is None
    assert usual_duration("ordered", livemode=False) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (5, "less than a minute"),
        (60, "1 minute"),
        (3_599, "59 minutes"),
        (3_600, "1 hour"),
        (172_799, "47 hours"),
        (518_400, "6 days"),
    ],
)
def test_durations_in_words(seconds: int, text: str) -> None:
    assert duration_text(timedelta(seconds=seconds)) == text
