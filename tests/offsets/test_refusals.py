"""What the ledger's use cases refuse or pass over: each goes red when that one guard is gone."""

from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from common.errors import Conflict
from offsets import ledger, selectors, services
from offsets.errors import AlreadyCovered
from offsets.models import (
    AttemptOutcome,
    Credit,
    DeviceOffset,
    OffsetRequest,
    ProjectStock,
    Reservation,
    Retirement,
    Span,
)
from offsets.registries.base import Confirmed, Receipt, Refused, Unknown
from offsets.verify import violations
from projects.models import Project
from tests.factories.offsets import NOON, SHOP, allocate, make_project, open_retirements, promise, stock, wish

pytestmark = pytest.mark.django_db


@pytest.fixture
def wind() -> Project:
    """Four free credits."""
    project = make_project()
    stock(project, credits=4)
    return project


@pytest.fixture
def opened(wind: Project) -> Retirement:
    """Credit 1 is set aside for a device of 600 kg; nobody has asked the registry."""
    promise(wish(wind, "PF-1", 600_000))
    [retirement] = open_retirements(wind)
    return retirement


@pytest.fixture
def covered(opened: Retirement) -> DeviceOffset:
    services.settle(opened, now=NOON)
    allocate(opened.project)
    return DeviceOffset.objects.get()


def confirm(retirement: Retirement, reference: str = "VC-1") -> Span | None:
    return ledger.confirm(retirement, registry_reference=reference, retired_on=NOON.date(), now=NOON)


# --- Retirements --------------------------------------------------------------------------------------------


def test_a_second_confirmation_is_an_answer_and_changes_nothing(opened: Retirement) -> None:
    assert confirm(opened) is not None
    assert confirm(opened, "VC-2") is None
    assert Retirement.objects.get().registry_reference == "VC-1"
    assert Span.objects.count() == 1


def test_a_void_retirement_is_not_confirmed_and_a_confirmed_one_not_freed(opened: Retirement) -> None:
    [other] = open_retirements(opened.project, ahead_credits=1)
    assert ledger.void(opened, problem="refused")
    assert confirm(opened) is None
    assert confirm(other) is not None
    assert not ledger.void(other, problem="refused")
    assert Credit.objects.exclude(retirement=None).count() == 1


def test_a_late_answer_does_not_touch_what_has_ended(opened: Retirement) -> None:
    intent = services.intent_of(opened)
    receipt = Receipt(
        registry_reference="VC-LATE",
        project=intent.project,
        credit_serials=intent.credit_serials,
        credits=intent.credits,
        retired_on=date(2026, 11, 24),
    )
    services.settle(opened, now=NOON)
    for late in (Unknown("timed out"), Refused("no such block"), Confirmed(receipt)):
        services.record_outcome(opened, late, intent=intent, actor=SHOP, now=NOON)
    opened.refresh_from_db()
    assert (opened.state, opened.problem, opened.looks) == ("confirmed", "", 0)
    assert [row.kind for row in AttemptOutcome.objects.all()] == ["confirmed"]
    assert list(violations()) == []


def refuse(retirement: Retirement) -> None:
    intent = services.intent_of(retirement)
    services.begin_attempt(retirement, intent, actor=SHOP, now=NOON)
    services.record_outcome(retirement, Refused("account closed"), intent=intent, actor=SHOP, now=NOON)


IN_ITS_LIST: dict[str, Any] = {
    "registry_reference": "VC-1",
    "credit_serials": "DEMO-CDM-CL-CER-2-1 to 1",
    "retired_on": NOON.date(),
    "now": NOON,
}


def test_what_the_registry_refused_and_did_all_the_same_two_persons_confirm(opened: Retirement) -> None:
    refuse(opened)
    assert not services.confirm_by_person(opened, actor="staff:1", **IN_ITS_LIST)
    assert Span.objects.count() == 0
    with pytest.raises(Conflict, match="staff:1 entered that .* was done"):
        services.void_retirement(opened, reason="refused", actor="staff:2", now=NOON)
    assert services.confirm_by_person(opened, actor="staff:2", **IN_ITS_LIST)
    assert Retirement.objects.get().state == "confirmed"
    assert list(violations()) == []


def test_whoever_entered_it_by_mistake_may_free_it(opened: Retirement) -> None:
    refuse(opened)
    services.confirm_by_person(opened, actor="staff:1", **IN_ITS_LIST)
    opened.refresh_from_db()
    services.void_retirement(opened, reason="another one's row", actor="staff:1", now=NOON)
    assert Retirement.objects.get().state == "void"
    assert list(violations()) == []


def test_who_looked_before_the_registry_was_asked_must_look_again(opened: Retirement) -> None:
    as_seen = Retirement.objects.get()
    refuse(opened)
    with pytest.raises(Conflict, match="since you looked"):
        services.void_retirement(as_seen, reason="not in its list", actor="staff:1", now=NOON)
    assert Credit.objects.exclude(retirement=None).count() == 1
    as_seen.refresh_from_db()
    services.void_retirement(as_seen, reason="not in its list", actor="staff:1", now=NOON)
    assert Retirement.objects.get().state == "void"


def test_a_manual_retirement_that_was_entered_is_neither_freed_nor_entered_again() -> None:
    project = make_project(adapter="manual")
    stock(project, credits=1)
    [retirement] = open_retirements(project, ahead_credits=1)
    entry: dict[str, Any] = {
        "registry_reference": "VC-1",
        "credit_serials": "DEMO-CDM-CL-CER-2-1 to 1",
        "retired_on": NOON.date(),
        "actor": "staff:1",
        "now": NOON,
    }
    services.confirm_by_person(retirement, **entry)
    with pytest.raises(Conflict):
        services.confirm_by_person(retirement, **entry)
    with pytest.raises(Conflict):
        services.void_retirement(retirement, reason="a slip", actor="staff:1", now=NOON)
    assert Credit.objects.exclude(retirement=None).count() == 1


def test_a_second_click_on_retire_ahead_retires_nothing(wind: Project) -> None:
    seen = selectors.newest_retirement(project_id=wind.pk, livemode=False)

    def click() -> list[Retirement]:
        return services.open_retirements(
            project=wind, livemode=False, ahead_credits=2, seen=seen, actor="staff:1", now=NOON
        )

    assert len(click()) == 1
    with pytest.raises(Conflict, match="look again"):
        click()
    assert Credit.objects.exclude(retirement=None).count() == 2


@pytest.mark.parametrize("column", ["retirement_id", "reverses_id", "from_g", "to_g"])
def test_a_span_keeps_what_it_is_of(covered: DeviceOffset, column: str) -> None:
    open_retirements(covered.project, ahead_credits=1)
    services.reverse_offset(covered, reason="returned", actor=SHOP, now=NOON)
    promise(wish(covered.project, "PF-2", 1_000), key="b")
    allocate(covered.project)
    other = {
        "retirement_id": Retirement.objects.latest("pk").pk,
        "reverses_id": DeviceOffset.objects.get(device_serial="PF-2").allocations.get().pk,
        "from_g": 5,
        "to_g": 600_001,
    }
    span = Span.objects.exclude(reverses=None).get()
    statement = f"UPDATE offsets_span SET {column} = %s, next_g = to_g WHERE id = %s"  # noqa: S608
    with (
        pytest.raises(IntegrityError, match="nothing else changes"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, [other[column], span.pk])


# --- Promises -----------------------------------------------------------------------------------------------


def test_a_reservation_of_the_sandbox_is_not_consumed_by_a_live_promise(wind: Project) -> None:
    services.hold([services.Hold(project=wind, livemode=False, holder="unit:1", amount_g=300_000)])
    with pytest.raises(Conflict, match="other mode"):
        services.request_offsets(
            [wish(wind, "PF-1", 300_000, holder="unit:1")],
            owner=None,
            livemode=True,
            actor=SHOP,
            scope="shop",
            key="k",
            now=NOON,
        )
    assert (Reservation.objects.count(), OffsetRequest.objects.count()) == (1, 0)
    assert ProjectStock.objects.get(livemode=False).committed_g == 300_000


@pytest.mark.parametrize(("held_g", "promised_g"), [(500_000, 300_000), (300_000, 500_000)])
def test_a_reservation_of_another_size_commits_exactly_what_is_promised(
    wind: Project, held_g: int, promised_g: int
) -> None:
    services.hold([services.Hold(project=wind, livemode=False, holder="unit:1", amount_g=held_g)])
    promise(wish(wind, "PF-1", promised_g, holder="unit:1"))
    assert ProjectStock.objects.get().committed_g == promised_g
    assert list(violations()) == []


def test_a_reservation_in_another_project_gives_its_grams_back(wind: Project) -> None:
    sun = make_project("IN-1254", country="IN")
    stock(sun, credits=1)
    services.hold([services.Hold(project=sun, livemode=False, holder="unit:1", amount_g=400_000)])
    promise(wish(wind, "PF-1", 300_000, holder="unit:1"))
    committed = dict(ProjectStock.objects.values_list("project__reference", "committed_g"))
    assert committed == {"CL-4449": 300_000, "IN-1254": 0}
    assert list(violations()) == []


# --- Corrections --------------------------------------------------------------------------------------------


def test_a_promise_that_nothing_covers_is_cancelled_and_not_reversed_or_moved(opened: Retirement) -> None:
    offset = DeviceOffset.objects.get()
    with pytest.raises(Conflict):
        services.reverse_offset(offset, reason="returned", actor=SHOP, now=NOON)
    with pytest.raises(Conflict):
        services.move_to_replacement(offset, device_serial="PF-9", reason="repair", actor=SHOP, now=NOON)
    assert [row.ended_reason for row in DeviceOffset.objects.all()] == [""]


def test_a_reversed_claim_is_not_reversed_or_moved_again(covered: DeviceOffset) -> None:
    services.reverse_offset(covered, reason="returned", actor=SHOP, now=NOON)
    with pytest.raises(Conflict):
        services.reverse_offset(covered, reason="returned", actor=SHOP, now=NOON)
    with pytest.raises(Conflict):
        services.move_to_replacement(covered, device_serial="PF-9", reason="repair", actor=SHOP, now=NOON)
    assert DeviceOffset.objects.count() == 1


def test_a_claim_does_not_move_to_a_device_that_has_one_for_whatever_period(covered: DeviceOffset) -> None:
    promise(wish(covered.project, "PF-2", 1_000, period="years-3"), key="b")
    with pytest.raises(AlreadyCovered):
        services.move_to_replacement(covered, device_serial="pf-2 ", reason="repair", actor=SHOP, now=NOON)
    covered.refresh_from_db()
    assert covered.ended_at is None
    assert DeviceOffset.objects.count() == 2


def test_a_serial_typed_with_room_around_it_is_kept_as_typed_and_still_verifies(wind: Project) -> None:
    promise(wish(wind, f"{' ' * 90}pf-1{' ' * 90}", 1_000))
    assert DeviceOffset.objects.get().device_serial_typed == "pf-1"
    assert list(violations()) == []
