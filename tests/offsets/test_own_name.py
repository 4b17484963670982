"""A verified company that names a beneficiary has its order's whole credits retired in that name."""

import pytest

from accounts.models import Account
from common import triggers
from common.errors import Conflict
from offsets import selectors, services
from offsets.errors import SoldOut
from offsets.models import Allocation, DeviceOffset, ProjectStock, Retirement
from offsets.verify import violations
from projects.models import Project
from tests.factories.accounts import AccountFactory
from tests.factories.offsets import (
    NOON,
    allocate,
    intervals,
    make_project,
    open_retirements,
    promise,
    stock,
    wish,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("dealt_in_order")]
ALICE = "Alice & Bob AB"


@pytest.fixture
def dealt_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("offsets.ledger.deal_order.shuffle", lambda _offsets: None)


@pytest.fixture
def wind() -> Project:
    project = make_project()
    stock(project, credits=20)
    return project


def named(project: Project, *devices: tuple[str, int], owner: Account | None, key: str = "order-1") -> None:
    promise(
        *(wish(project, serial, amount_g, beneficiary=ALICE) for serial, amount_g in devices),
        owner=owner,
        key=key,
    )


def settled(project: Project) -> list[tuple[str, int]]:
    """Open what is needed, confirm it, hand it out: (beneficiary, credits) of what was opened."""
    rows = open_retirements(project)
    for row in rows:
        services.settle(row, now=NOON)
    allocate(project)
    return [(row.beneficiary, row.credits) for row in rows]


def test_an_orders_whole_credits_stand_in_its_name_and_the_rest_comes_from_the_pool(
    wind: Project, alices_company: Account
) -> None:
    named(wind, ("PF-1", 900_000), ("PF-2", 900_000), ("PF-3", 600_000), owner=alices_company)
    assert settled(wind) == [(ALICE, 2), ("", 1)]
    own, pool = Retirement.objects.order_by("pk")
    assert intervals(own) == [
        ("PF-1", 0, 900_000),
        ("PF-2", 900_000, 1_800_000),
        ("PF-3", 1_800_000, 2_000_000),
    ]
    assert intervals(pool) == [("PF-3", 0, 400_000)]
    assert selectors.surplus_g(project_id=wind.pk, livemode=False) == 600_000
    assert open_retirements(wind) == []
    assert list(violations()) == []


def test_below_a_whole_credit_everything_comes_from_the_pool(wind: Project, alices_company: Account) -> None:
    named(wind, ("PF-1", 500_000), ("PF-2", 499_999), owner=alices_company)
    assert settled(wind) == [("", 1)]


def test_exactly_one_credit_is_one_credit_in_its_name(wind: Project, alices_company: Account) -> None:
    named(wind, ("PF-1", 500_000), ("PF-2", 500_000), owner=alices_company)
    assert settled(wind) == [(ALICE, 1)]


def test_two_small_orders_are_not_added_up(wind: Project, alices_company: Account) -> None:
    named(wind, ("PF-1", 700_000), owner=alices_company)
    named(wind, ("PF-2", 700_000), owner=alices_company, key="order-2")
    assert settled(wind) == [("", 2)]


def test_credits_of_two_projects_are_counted_apart(wind: Project, alices_company: Account) -> None:
    other = make_project("PH-7980", country="PH")
    stock(other, credits=2)
    promise(
        wish(wind, "PF-1", 700_000, beneficiary=ALICE),
        wish(other, "PF-2", 700_000, beneficiary=ALICE),
        owner=alices_company,
    )
    assert (settled(wind), settled(other)) == ([("", 1)], [("", 1)])


@pytest.mark.parametrize("kind", ["nobody", "person"])
def test_who_is_no_verified_company_is_named_nowhere(wind: Project, kind: str) -> None:
    named(wind, ("PF-1", 1_500_000), owner=None if kind == "nobody" else AccountFactory(name="Charlie"))
    assert settled(wind) == [("", 2)]


def test_a_company_that_named_nobody_uses_the_pool(wind: Project, alices_company: Account) -> None:
    promise(wish(wind, "PF-1", 1_500_000), owner=alices_company)
    assert settled(wind) == [("", 2)]


def test_nobody_else_gets_grams_that_stand_in_a_name(wind: Project, alices_company: Account) -> None:
    named(wind, ("PF-1", 1_000_000), owner=alices_company)
    assert settled(wind) == [(ALICE, 1)]
    services.reverse_offset(DeviceOffset.objects.get(), reason="returned", actor="staff:1", now=NOON)
    assert selectors.surplus_g(project_id=wind.pk, livemode=False) == 0
    promise(wish(wind, "PF-2", 300_000), key="order-2")
    assert settled(wind) == [("", 1)]
    own = Retirement.objects.get(beneficiary=ALICE)
    assert intervals(own) == [("PF-1", 0, 1_000_000)]
    assert list(violations()) == []


def test_what_was_given_back_in_a_name_is_sold_to_nobody_else(alices_company: Account) -> None:
    project = make_project()
    stock(project, credits=2)
    named(project, ("PF-1", 1_000_000), owner=alices_company)
    settled(project)
    assert selectors.available_g(project=project, livemode=False) == 1_000_000
    services.reverse_offset(DeviceOffset.objects.get(), reason="returned", actor="staff:1", now=NOON)
    assert ProjectStock.objects.get().kept_g == 1_000_000
    assert selectors.available_g(project=project, livemode=False) == 1_000_000
    with pytest.raises(SoldOut, match="1000 kg"):
        promise(wish(project, "PF-2", 1_000_001), key="order-2")
    assert not DeviceOffset.objects.filter(device_serial="PF-2").exists()
    named(project, ("PF-3", 600_000), ("PF-4", 700_000), owner=alices_company, key="order-3")
    assert ProjectStock.objects.get().kept_g == 0
    assert selectors.available_g(project=project, livemode=False) == 700_000
    assert settled(project) == [("", 1)]
    assert list(violations()) == []


def test_a_cancelled_promise_leaves_its_named_credit_in_flight_to_the_company(
    wind: Project, alices_company: Account
) -> None:
    named(wind, ("PF-1", 1_000_000), owner=alices_company)
    [retirement] = open_retirements(wind)
    services.cancel_offset(DeviceOffset.objects.get(), reason="returned", actor="staff:1", now=NOON)
    assert ProjectStock.objects.get().kept_g == 1_000_000
    services.void_retirement(retirement, reason="not wanted", actor="staff:1", now=NOON)
    assert ProjectStock.objects.get().kept_g == 0
    assert list(violations()) == []


def test_a_claim_in_a_name_moves_even_when_everything_else_is_sold(alices_company: Account) -> None:
    project = make_project()
    stock(project, credits=1)
    named(project, ("PF-1", 1_000_000), owner=alices_company)
    settled(project)
    services.move_to_replacement(
        DeviceOffset.objects.get(), device_serial="PF-9", reason="repair", actor="staff:1", now=NOON
    )
    assert ProjectStock.objects.get().kept_g == 0
    assert list(violations()) == []


def test_a_name_gets_no_credit_for_devices_that_the_pool_has_covered(
    wind: Project, alices_company: Account
) -> None:
    open_retirements(wind, ahead_credits=1)
    services.settle(Retirement.objects.get(), now=NOON)
    named(wind, ("PF-1", 600_000), ("PF-2", 600_000), owner=alices_company)
    allocate(wind)  # the surplus serves the first device before anything is set aside
    assert settled(wind) == [("", 1)]
    assert list(violations()) == []


def test_what_was_given_back_goes_to_the_companys_next_order_before_anything_is_retired(
    wind: Project, alices_company: Account
) -> None:
    named(wind, ("PF-1", 1_000_000), owner=alices_company)
    settled(wind)
    services.reverse_offset(DeviceOffset.objects.get(), reason="returned", actor="staff:1", now=NOON)
    named(wind, ("PF-2", 600_000), ("PF-3", 700_000), owner=alices_company, key="order-2")
    assert settled(wind) == [("", 1)]  # the one in its name is there already; 300 kg come from the pool
    own = Retirement.objects.get(beneficiary=ALICE)
    assert intervals(own) == [
        ("PF-1", 0, 1_000_000),
        ("PF-2", 0, 600_000),
        ("PF-3", 600_000, 1_000_000),
    ]
    assert list(violations()) == []


def test_a_second_sweep_opens_nothing_and_a_void_one_opens_again(
    wind: Project, alices_company: Account
) -> None:
    named(wind, ("PF-1", 1_400_000), owner=alices_company)
    first = open_retirements(wind)
    assert [(row.beneficiary, row.credits) for row in first] == [(ALICE, 1), ("", 1)]
    assert open_retirements(wind) == []
    services.void_retirement(first[0], reason="never filed", actor="staff:1", now=NOON)
    assert [(row.beneficiary, row.credits) for row in open_retirements(wind)] == [(ALICE, 1)]


def test_the_pools_surplus_serves_the_rest_of_a_named_order(wind: Project, alices_company: Account) -> None:
    open_retirements(wind, ahead_credits=1)
    services.settle(Retirement.objects.get(), now=NOON)
    named(wind, ("PF-1", 1_400_000), owner=alices_company)
    assert settled(wind) == [(ALICE, 1)]
    assert selectors.surplus_g(project_id=wind.pk, livemode=False) == 600_000
    assert DeviceOffset.objects.get().covered_at is not None


def test_a_device_of_the_pool_does_not_wait_for_a_name(wind: Project, alices_company: Account) -> None:
    promise(wish(wind, "PF-1", 300_000))
    named(wind, ("PF-2", 1_000_000), owner=alices_company, key="order-2")
    assert settled(wind) == [(ALICE, 1), ("", 1)]
    by_device = dict(Allocation.objects.values_list("offset__device_serial", "span__retirement__beneficiary"))
    assert by_device == {"PF-1": "", "PF-2": ALICE}


def test_a_claim_in_a_name_moves_with_its_very_grams(wind: Project, alices_company: Account) -> None:
    named(wind, ("PF-1", 1_300_000), owner=alices_company)
    settled(wind)
    offset = DeviceOffset.objects.get()
    services.move_to_replacement(offset, device_serial="PF-9", reason="repair", actor="staff:1", now=NOON)
    own = Retirement.objects.get(beneficiary=ALICE)
    assert intervals(own) == [("PF-1", 0, 1_000_000), ("PF-9", 0, 1_000_000)]
    assert open_retirements(wind) == []
    with pytest.raises(Conflict):
        services.reverse_offset(offset, reason="again", actor="staff:1", now=NOON)
    assert list(violations()) == []


def test_verify_names_grams_that_went_to_a_stranger(wind: Project, alices_company: Account) -> None:
    named(wind, ("PF-1", 1_000_000), owner=alices_company)
    settled(wind)
    with triggers.lifted():
        DeviceOffset.objects.update(beneficiary="Charlie GmbH")
    [found] = [row for row in violations() if row.check == "offsets_are_covered_whole"]
    assert found.detail == "gives grams that were retired in another's name"
