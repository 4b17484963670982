"""Payment releases the retirement; on approved terms shipment does; a consumer's right to withdraw
comes first.
"""

from datetime import timedelta

import pytest

from accounts.models import Account
from checkout import promising, services
from checkout.models import Order, OrderedDevice
from checkout.selectors import device_states
from common.models import Event
from offsets.models import DeviceOffset, OffsetRequest, Reservation
from offsets.selectors import available_g
from projects.models import Project
from tests.factories.checkout import NOON, SWEDEN_G, make_order, make_sold_project, pay, ship, units
from tests.factories.offsets import promise, wish


def sweep(days: int = 0) -> int:
    return services.request_offsets_for_shipped(NOON + timedelta(days=days))


def states(order: Order) -> list[str]:
    order.refresh_from_db()
    return [state.state for state in device_states(order)]


def test_a_shipped_and_paid_device_is_promised_its_grams_once(wind: Project) -> None:
    order = make_order(quantity=2, project=wind, po_number="PO-7")
    assert sweep() == 0  # neither paid nor shipped
    pay(order)
    assert sweep() == 0  # paid, no serial number yet
    ship(order, "PF-1", "PF-2")
    assert Reservation.objects.count() == 2
    assert sweep() == 2
    assert sweep() == 0
    offsets = list(DeviceOffset.objects.order_by("pk"))
    assert [device.offset for device in units(order)] == offsets
    first = offsets[0]
    assert (first.manufacturer, first.device_serial, first.amount_g) == ("LENOVO", "PF-1", SWEDEN_G)
    assert (first.period, first.boundary, str(first.country)) == (
        "years-5",
        "manufacture-transport-use-eol",
        "SE",
    )
    assert (first.group, first.wording, first.audience) == (
        f"order:{order.number}",
        order.wording,
        "consumer",
    )
    assert (first.beneficiary, first.livemode) == ("", False)
    assert first.footprint["amount_g"] == SWEDEN_G
    assert Reservation.objects.count() == 0
    assert available_g(project=wind, livemode=False) == 5_000_000 - 2 * SWEDEN_G  # held once, not twice
    assert states(order) == ["promised", "promised"]


def test_only_units_with_credits_are_asked_for(wind: Project) -> None:
    order = make_order(quantity=1, project=None)
    pay(order)
    ship(order, "PF-1")
    assert sweep() == 0
    assert OffsetRequest.objects.count() == 0


def test_an_order_is_one_request_per_shipment_whatever_the_projects(wind: Project) -> None:
    from tests.factories.checkout import add, make_basket, place  # noqa: PLC0415 only here

    other = make_sold_project("MX-4634", first=10_000)
    basket = make_basket()
    add(basket, quantity=2, project=wind)
    add(basket, quantity=1, project=other)
    order = place(basket)
    pay(order)
    shipment = ship(order)
    assert sweep() == 3
    request = OffsetRequest.objects.get()
    assert request.scope == "shop"
    assert request.key == f"order-{order.number}-{shipment.pk}-{units(order)[0].pk}"
    assert DeviceOffset.objects.filter(project=other).count() == 1


def test_on_approved_terms_shipment_releases_it_without_payment(
    wind: Project, alices_company: Account
) -> None:
    order = make_order(project=wind, method="invoice", owner=alices_company)
    services.approve_terms(order=order, reason="known", actor="staff:1", now=NOON)
    ship(order)
    assert sweep() == 1
    order.refresh_from_db()
    assert order.paid_at is None
    assert DeviceOffset.objects.get().owner == alices_company


def test_without_consent_an_eu_consumers_credits_wait_for_the_withdrawal_period(wind: Project) -> None:
    order = make_order(project=wind, early_retirement_consent=False)
    pay(order)
    shipment = ship(order)
    assert shipment.offsets_not_before == NOON + timedelta(
        days=21
    )  # 14 days from delivery, at the latest 7 after
    assert sweep() == 0
    assert sweep(20) == 0
    assert DeviceOffset.objects.count() == 0
    assert Reservation.objects.count() == 1  # its grams wait too
    [state] = device_states(order)
    assert state.state == "shipped"
    assert sweep(21) == 1


def test_a_company_has_no_right_to_withdraw(wind: Project, alices_company: Account) -> None:
    order = make_order(project=wind, owner=alices_company, early_retirement_consent=False)
    pay(order)
    assert ship(order).offsets_not_before == NOON
    assert sweep() == 1


def test_one_covered_device_does_not_stop_the_others(wind: Project) -> None:
    order = make_order(quantity=3, project=wind)
    pay(order)
    ship(order, "PF-1", "PF-2", "PF-3")
    promise(wish(wind, "PF-2", SWEDEN_G), key="somebody was faster")
    assert sweep() == 2
    assert states(order) == ["promised", "needs_person", "promised"]
    bad = units(order)[1]
    assert "covered" in bad.problem
    assert bad.offset is None
    assert (
        Event.objects.filter(kind="ordered_device.needs_person", subject=f"ordereddevice:{bad.pk}").count()
        == 1
    )
    assert sweep() == 0  # it waits for a person
    assert Reservation.objects.get().holder == bad.holder


def test_a_device_that_was_put_right_is_promised_after_all(wind: Project) -> None:
    order = make_order(quantity=2, project=wind)
    pay(order)
    ship(order, "PF-1", "PF-2")
    promise(wish(wind, "PF-1", SWEDEN_G), key="by mistake")
    assert sweep() == 1
    DeviceOffset.objects.filter(request__key="by mistake").update(ended_at=NOON, ended_reason="cancelled")
    bad = units(order)[0]
    assert services.clear_problem(device=bad, reason="the other one was a mistake", actor="staff:1") is True
    assert services.clear_problem(device=bad, reason="again", actor="staff:1") is False
    assert sweep() == 1
    assert states(order) == ["promised", "promised"]


def test_a_worker_that_died_before_the_link_is_caught_up(
    wind: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = make_order(quantity=2, project=wind)
    pay(order)
    ship(order)

    class Died(Exception):
        pass

    def die(name: str) -> None:
        if name == "offsets-requested":
            raise Died

    with monkeypatch.context() as patched:
        patched.setattr("common.faults.reach", die)
        with pytest.raises(Died):
            sweep()
    assert DeviceOffset.objects.count() == 2
    assert OrderedDevice.objects.filter(offset=None).count() == 2
    assert sweep() == 2
    assert DeviceOffset.objects.count() == 2
    assert OffsetRequest.objects.count() == 1


def test_credits_that_were_ended_before_the_link_need_a_person(
    wind: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = make_order(project=wind)
    pay(order)
    ship(order)
    with monkeypatch.context() as patched:
        patched.setattr(promising, "fill_devices", lambda _column, _values: 0)
        patched.setattr(promising, "_refuse_unlinked", lambda _devices: None)
        sweep()
    DeviceOffset.objects.update(ended_at=NOON, ended_reason="cancelled")
    assert sweep() == 0
    assert states(order) == ["needs_person"]
    assert sweep() == 0
