"""The life of a gram: promised, retired, allocated, reversed, moved."""

import pytest
from django.db import IntegrityError, transaction

from common.errors import Conflict
from offsets import ledger, selectors, services
from offsets.errors import (
    AlreadyCovered,
    IdempotencyConflict,
    NotEnoughCredits,
    OutsideTransaction,
    SoldOut,
)
from offsets.ledger import Hold
from offsets.models import (
    Allocation,
    Attempt,
    Credit,
    DeviceOffset,
    OffsetRequest,
    ProjectStock,
    Reservation,
    Retirement,
    Span,
)
from offsets.serials import InvalidDeviceSerial
from offsets.verify import violations
from projects.models import Project
from tests.factories.offsets import (
    NOON,
    SHOP,
    allocate,
    intervals,
    make_project,
    open_retirements,
    promise,
    stock,
    wish,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def monte_redondo() -> Project:
    return make_project("CL-4449")


def surplus_g(project: Project) -> int:
    return selectors.surplus_g(project_id=project.pk, livemode=False)


def test_two_laptops_share_one_tonne_and_the_rest_is_surplus(
    monte_redondo: Project, dealt_in_order: None
) -> None:
    stock(monte_redondo, credits=3)
    promise(wish(monte_redondo, "PF-1", 509_000), wish(monte_redondo, "PF-2", 411_000))
    [retirement] = open_retirements(monte_redondo)
    assert Allocation.objects.count() == 0  # nothing is handed out before the registry says so
    assert open_retirements(monte_redondo) == []  # a second sweep opens nothing
    services.settle(retirement, now=NOON)
    assert allocate(monte_redondo) == 2
    assert intervals(retirement) == [("PF-1", 0, 509_000), ("PF-2", 509_000, 920_000)]
    assert surplus_g(monte_redondo) == 80_000
    assert list(violations()) == []


def test_surplus_is_used_before_another_credit_is_retired(monte_redondo: Project) -> None:
    stock(monte_redondo, credits=3)
    promise(wish(monte_redondo, "PF-1", 400_000), key="a")
    [first] = open_retirements(monte_redondo)
    services.settle(first, now=NOON)
    allocate(monte_redondo)
    promise(wish(monte_redondo, "PF-2", 600_000), key="b")
    assert open_retirements(monte_redondo) == []
    assert allocate(monte_redondo) == 1
    assert intervals(first) == [("PF-1", 0, 400_000), ("PF-2", 400_000, 1_000_000)]
    assert Retirement.objects.count() == 1


def test_a_claim_may_take_the_surplus_and_part_of_a_new_retirement(monte_redondo: Project) -> None:
    stock(monte_redondo, credits=3)
    promise(wish(monte_redondo, "PF-1", 900_000), key="a")
    [first] = open_retirements(monte_redondo)
    services.settle(first, now=NOON)
    allocate(monte_redondo)
    promise(wish(monte_redondo, "PF-2", 500_000), key="b")
    [second] = open_retirements(monte_redondo)
    assert second.credits == 1
    assert allocate(monte_redondo) == 0  # whole or not at all: the surplus alone is too small
    services.settle(second, now=NOON)
    assert allocate(monte_redondo) == 1
    assert intervals(first)[-1] == ("PF-2", 900_000, 1_000_000)
    assert intervals(second) == [("PF-2", 0, 400_000)]
    offset = DeviceOffset.objects.get(device_serial="PF-2")
    assert [part.credit_serials for part in selectors.retirement_trail(offset)] == [
        "DEMO-CDM-CL-CER-2-1 to 1",
        "DEMO-CDM-CL-CER-2-2 to 2",
    ]


def test_an_interval_names_the_very_credits_it_falls_on(monte_redondo: Project, dealt_in_order: None) -> None:
    stock(monte_redondo, credits=5, first=978_278)
    promise(wish(monte_redondo, "PF-1", 1_500_000), wish(monte_redondo, "PF-2", 508_000))
    [retirement] = open_retirements(monte_redondo)
    services.settle(retirement, now=NOON)
    allocate(monte_redondo)
    [part] = selectors.retirement_trail(DeviceOffset.objects.get(device_serial="PF-2"))
    assert (part.from_g, part.to_g) == (1_500_000, 2_008_000)
    assert (part.first_number, part.last_number) == (978_279, 978_280)


def test_the_oldest_vintage_goes_first_and_each_run_is_its_own_retirement(monte_redondo: Project) -> None:
    stock(monte_redondo, credits=2, first=100, vintage=2021)
    stock(monte_redondo, credits=1, first=50, vintage=2019)
    promise(wish(monte_redondo, "PF-1", 2_500_000))
    older, newer = open_retirements(monte_redondo)
    assert (older.block.vintage, older.first_number, older.last_number) == (2019, 50, 50)
    assert (newer.block.vintage, newer.first_number, newer.last_number) == (2021, 100, 101)


def test_staff_can_retire_ahead_and_the_next_devices_use_it(monte_redondo: Project) -> None:
    stock(monte_redondo, credits=10)
    [retirement] = open_retirements(monte_redondo, ahead_credits=4)
    assert retirement.credits == 4
    services.settle(retirement, now=NOON)
    assert surplus_g(monte_redondo) == 4_000_000
    promise(wish(monte_redondo, "PF-1", 700_000))
    assert open_retirements(monte_redondo) == []
    assert allocate(monte_redondo) == 1


def test_more_than_the_stock_is_refused_and_nothing_moves(monte_redondo: Project) -> None:
    stock(monte_redondo, credits=1)
    promise(wish(monte_redondo, "PF-1", 600_000), key="a")
    with pytest.raises(SoldOut, match="400 kg of credits left"):
        promise(wish(monte_redondo, "PF-2", 500_000), key="b")
    assert DeviceOffset.objects.count() == 1
    assert OffsetRequest.objects.filter(key="b").count() == 0
    assert ProjectStock.objects.get().committed_g == 600_000
    promise(wish(monte_redondo, "PF-3", 400_000), key="c")  # what still fits is sold
    assert selectors.available_g(project=monte_redondo, livemode=False) == 0


def test_the_database_itself_refuses_to_sell_more_than_the_stock(monte_redondo: Project) -> None:
    stock(monte_redondo, credits=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        ProjectStock.objects.update(committed_g=1_000_001)


def test_retire_ahead_beyond_the_stock_moves_nothing(monte_redondo: Project) -> None:
    stock(monte_redondo, credits=2)
    with pytest.raises(NotEnoughCredits):
        open_retirements(monte_redondo, ahead_credits=3)
    assert Retirement.objects.count() == 0
    assert Credit.objects.exclude(retirement=None).count() == 0


def test_a_reservation_is_consumed_by_its_wish_and_not_counted_twice(monte_redondo: Project) -> None:
    stock(monte_redondo, credits=1)
    held = Hold(project=monte_redondo, livemode=False, holder="order-unit:1", amount_g=1_000_000)
    services.hold([held])
    promise(wish(monte_redondo, "PF-1", 1_000_000, holder="order-unit:1"))
    assert Reservation.objects.count() == 0
    assert ProjectStock.objects.get().committed_g == 1_000_000
    assert list(violations()) == []


def test_two_buyers_never_hold_the_same_gram(monte_redondo: Project) -> None:
    stock(monte_redondo, credits=1)
    services.hold([Hold(project=monte_redondo, livemode=False, holder="order-unit:1", amount_g=700_000)])
    with pytest.raises(SoldOut), transaction.atomic():
        services.hold([Hold(project=monte_redondo, livemode=False, holder="order-unit:2", amount_g=400_000)])
    assert [row.holder for row in Reservation.objects.all()] == ["order-unit:1"]
    assert services.release(["order-unit:1", "order-unit:9"]) == 1
    assert ProjectStock.objects.get().committed_g == 0


def test_an_expired_reservation_gives_its_grams_back(monte_redondo: Project) -> None:
    stock(monte_redondo, credits=1)
    hold = {"project": monte_redondo, "livemode": False, "amount_g": 300_000}
    services.hold([Hold(**hold, holder="basket:1", expires_at=NOON), Hold(**hold, holder="order-unit:2")])
    assert services.expire_reservations(now=NOON) == 1
    assert [row.holder for row in Reservation.objects.all()] == ["order-unit:2"]
    assert ProjectStock.objects.get().committed_g == 300_000


def test_the_same_key_and_body_give_the_same_request(monte_redondo: Project) -> None:
    stock(monte_redondo, credits=1)
    first = promise(wish(monte_redondo, "PF-1", 300_000))
    again = promise(wish(monte_redondo, "pf-1 ", 300_000))  # the same serial, typed otherwise
    assert (first.pk, first.replayed) == (again.pk, False)
    assert again.replayed
    assert DeviceOffset.objects.count() == 1
    with pytest.raises(IdempotencyConflict):
        promise(wish(monte_redondo, "PF-2", 300_000))
    assert ProjectStock.objects.get().committed_g == 300_000


def test_a_device_is_covered_once_and_a_top_up_is_another_supplement(monte_redondo: Project) -> None:
    stock(monte_redondo, credits=2)
    promise(wish(monte_redondo, "PF-1", 300_000), key="a")
    with pytest.raises(AlreadyCovered, match="PF-1 is covered already") as refused:
        promise(wish(monte_redondo, " pf-1", 300_000), wish(monte_redondo, "PF-2", 300_000), key="b")
    assert refused.value.details == [{"manufacturer": "LENOVO", "device_serial": "PF-1"}]
    assert DeviceOffset.objects.count() == 1
    promise(wish(monte_redondo, "PF-1", 20_000, supplement=1), key="c")
    assert DeviceOffset.objects.count() == 2


def test_a_device_named_twice_in_one_request_is_refused(monte_redondo: Project) -> None:
    stock(monte_redondo, credits=2)
    with pytest.raises(AlreadyCovered, match="PF-1 is named twice"):
        promise(wish(monte_redondo, "PF-1"), wish(monte_redondo, "pf-1"))
    assert DeviceOffset.objects.count() == 0


@pytest.mark.parametrize("serial", ["", "   ", "X" * 65, "PF\u200b1", "PF\x001", "PF 1"])
def test_a_device_serial_that_is_none_is_refused(monte_redondo: Project, serial: str) -> None:
    stock(monte_redondo, credits=1)
    with pytest.raises(InvalidDeviceSerial):
        promise(wish(monte_redondo, serial))
    assert OffsetRequest.objects.count() == 0


def test_a_promise_can_be_cancelled_before_its_grams_are_retired(monte_redondo: Project) -> None:
    stock(monte_redondo, credits=1)
    promise(wish(monte_redondo, "PF-1", 600_000))
    offset = DeviceOffset.objects.get()
    services.cancel_offset(offset, reason="returned", actor=SHOP, now=NOON)
    assert ProjectStock.objects.get().committed_g == 0
    assert open_retirements(monte_redondo) == []
    with pytest.raises(Conflict):
        services.cancel_offset(offset, reason="again", actor=SHOP, now=NOON)
    promise(wish(monte_redondo, "PF-1", 600_000), key="again")  # the device may be covered anew
    assert list(violations()) == []


def test_a_reversal_gives_the_grams_back_as_surplus_and_keeps_the_history(monte_redondo: Project) -> None:
    stock(monte_redondo, credits=1)
    promise(wish(monte_redondo, "PF-1", 600_000))
    [retirement] = open_retirements(monte_redondo)
    services.settle(retirement, now=NOON)
    allocate(monte_redondo)
    offset = DeviceOffset.objects.get()
    with pytest.raises(Conflict):
        services.cancel_offset(offset, reason="too late", actor=SHOP, now=NOON)
    [span] = services.reverse_offset(offset, reason="returned", actor=SHOP, now=NOON)
    assert (span.from_g, span.to_g, span.next_g) == (0, 600_000, 0)
    assert surplus_g(monte_redondo) == 1_000_000
    assert Allocation.objects.count() == 1  # the old row stays
    promise(wish(monte_redondo, "PF-2", 1_000_000), key="b")
    assert open_retirements(monte_redondo) == []
    assert allocate(monte_redondo) == 1
    assert Credit.objects.exclude(retirement=None).count() == 1  # nothing was retired again
    assert list(violations()) == []


def test_a_claim_moves_to_a_replacement_device_with_the_very_same_grams(monte_redondo: Project) -> None:
    stock(monte_redondo, credits=2)
    promise(wish(monte_redondo, "PF-1", 600_000))
    [retirement] = open_retirements(monte_redondo)
    services.settle(retirement, now=NOON)
    allocate(monte_redondo)
    old = DeviceOffset.objects.get()
    new = services.move_to_replacement(old, device_serial="PF-9", reason="repair", actor=SHOP, now=NOON)
    assert intervals(retirement) == [("PF-1", 0, 600_000), ("PF-9", 0, 600_000)]
    assert new.replaces_id == old.pk
    assert selectors.state_of(DeviceOffset.objects.get(pk=old.pk)) == "moved"
    assert selectors.state_of(DeviceOffset.objects.get(pk=new.pk)) == "retired"
    assert ProjectStock.objects.get().committed_g == 600_000
    assert list(violations()) == []


def test_the_ledger_refuses_to_move_grams_outside_a_transaction(
    monte_redondo: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock(monte_redondo, credits=1)
    monkeypatch.setattr(transaction.get_connection(), "in_atomic_block", False)
    with pytest.raises(OutsideTransaction):
        ledger.commit_g(project_id=monte_redondo.pk, livemode=False, amount_g=1)
    with pytest.raises(OutsideTransaction):
        ledger.hold([])


def test_a_demonstration_promise_never_touches_live_credits(monte_redondo: Project) -> None:
    stock(monte_redondo, credits=1)
    with pytest.raises(SoldOut):
        services.request_offsets(
            [wish(monte_redondo, "PF-1", 1)],
            owner=None,
            livemode=True,
            actor=SHOP,
            scope="shop",
            key="live",
            now=NOON,
        )
    assert DeviceOffset.objects.count() == 0


def test_the_attempt_is_written_before_the_registry_is_called(monte_redondo: Project) -> None:
    stock(monte_redondo, credits=1)
    promise(wish(monte_redondo, "PF-1"))
    [retirement] = open_retirements(monte_redondo)
    intent = services.intent_of(retirement)
    assert services.begin_attempt(retirement, intent, actor=SHOP, now=NOON)
    assert not services.begin_attempt(retirement, intent, actor=SHOP, now=NOON)  # only one caller ever wins
    assert Attempt.objects.get().intent["credit_serials"] == "DEMO-CDM-CL-CER-2-1 to 1"
    assert Span.objects.count() == 0
