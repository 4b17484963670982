"""Sweeps run beside themselves: credits are set aside once, retired once, and no gram goes to two devices."""

import threading
import time
from datetime import date

import pytest

from common.errors import Conflict, DomainError
from offsets import covering, named, registries, retiring, selectors, services, tasks
from offsets.errors import NotEnoughCredits
from offsets.ledger import dealing
from offsets.models import (
    Allocation,
    Attempt,
    AttemptOutcome,
    Credit,
    DeviceOffset,
    ProjectStock,
    Retirement,
    Span,
)
from offsets.registries.base import Confirmed, Intent, Outcome, Receipt, Unknown
from offsets.verify import violations
from projects.models import Project
from tests.concurrency.together import needs_two_writers, together
from tests.factories.ledger import replace_in_ledger
from tests.factories.offsets import NOON, allocate, make_project, open_retirements, promise, stock, wish

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def wind() -> Project:
    project = make_project()
    stock(project, credits=20)
    return project


class SlowRegistry:
    """Takes its time, is not idempotent, and counts how often it retires."""

    unattended = True
    idempotent_on_request_id = False

    def __init__(self) -> None:
        self.retired: list[str] = []

    def retire(self, intent: Intent) -> Outcome:
        time.sleep(0.05)
        self.retired.append(intent.credit_serials)
        return Confirmed(receipt_for(intent, f"VC-{len(self.retired)}"))

    def find(self, intent: Intent) -> Outcome:
        return Unknown("no such request yet")


def receipt_for(intent: Intent, reference: str) -> Receipt:
    return Receipt(
        registry_reference=reference,
        project=intent.project,
        credit_serials=intent.credit_serials,
        credits=intent.credits,
        retired_on=date(2026, 11, 24),
    )


# --- Setting aside ------------------------------------------------------------------------------------------


def test_sweeps_that_open_retirements_at_once_open_them_once(wind: Project) -> None:
    promise(*[wish(wind, f"PF-{number}", 700_000) for number in range(5)])
    opened = together(6, lambda _number: open_retirements(wind))
    assert sum(len(rows) for rows in opened if isinstance(rows, list)) == 1
    assert [row.credits for row in Retirement.objects.all()] == [4]
    assert Credit.objects.exclude(retirement=None).count() == 4
    assert list(violations()) == []


@needs_two_writers
def test_control_without_the_lock_both_sweeps_open(wind: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    promise(wish(wind, "PF-1", 700_000))
    both_have_counted = threading.Barrier(2)
    needed_g, turn = named.needed_g, iter([0.0, 0.5])

    def count_and_wait(*, project_id: int, livemode: bool) -> int:
        needed = needed_g(project_id=project_id, livemode=livemode)
        both_have_counted.wait(timeout=10)
        time.sleep(next(turn))
        return needed

    def look(*, project_id: int, livemode: bool) -> ProjectStock:
        return ProjectStock.objects.get(project_id=project_id, livemode=livemode)

    replace_in_ledger(monkeypatch.setattr, "lock", look)
    replace_in_ledger(monkeypatch.setattr, "lock_running", look)
    monkeypatch.setattr(named, "needed_g", count_and_wait)
    together(2, lambda _number: open_retirements(wind))
    assert Retirement.objects.count() == 2


def test_a_second_click_on_retire_ahead_retires_nothing(wind: Project) -> None:
    def click(_number: int) -> list[Retirement]:
        return services.open_retirements(
            project=wind, livemode=False, ahead_credits=3, seen=0, actor="staff:1", reason="autumn", now=NOON
        )

    answers = together(5, click)
    assert [type(answer) for answer in answers if isinstance(answer, DomainError)] == [Conflict] * 4
    assert [row.credits for row in Retirement.objects.all()] == [3]


# --- Asking the registry ------------------------------------------------------------------------------------


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> SlowRegistry:
    slow = SlowRegistry()
    monkeypatch.setitem(registries.ADAPTERS, "sandbox", slow)
    return slow


def test_workers_that_settle_the_same_retirement_call_the_registry_once(
    wind: Project, registry: SlowRegistry
) -> None:
    promise(wish(wind, "PF-1", 700_000))
    [retirement] = open_retirements(wind)
    together(5, lambda _number: services.settle(retirement, now=NOON))
    assert registry.retired == ["DEMO-CDM-CL-CER-2-1 to 1"]
    assert (Attempt.objects.count(), Span.objects.count()) == (1, 1)
    retirement.refresh_from_db()
    assert (retirement.state, retirement.registry_reference) == ("confirmed", "VC-1")
    assert list(violations()) == []


def test_whole_sweeps_beside_each_other_call_once_for_each_retirement(
    wind: Project, registry: SlowRegistry
) -> None:
    for number in range(3):
        promise(wish(wind, f"PF-{number}", 1_000_000), key=f"k-{number}")
        open_retirements(wind)
    together(4, lambda _number: tasks.retire_credits())
    assert sorted(registry.retired) == [f"DEMO-CDM-CL-CER-2-{n} to {n}" for n in (1, 2, 3)]
    assert list(violations()) == []


def test_control_when_everybody_may_begin_the_registry_retires_more_than_once(
    wind: Project, registry: SlowRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    promise(wish(wind, "PF-1", 700_000))
    [retirement] = open_retirements(wind)
    begin = retiring.begin_attempt

    def begin_whoever_asks(retirement: Retirement, intent: Intent, *, actor: str, now: object) -> bool:
        begin(retirement, intent, actor=actor, now=NOON)
        return True

    monkeypatch.setattr(retiring, "begin_attempt", begin_whoever_asks)
    together(3, lambda _number: services.settle(retirement, now=NOON))
    assert len(registry.retired) == 3


def test_two_persons_who_enter_the_same_confirmation_make_one_span() -> None:
    project = make_project(adapter="manual")
    stock(project, credits=2)
    promise(wish(project, "PF-1", 600_000))
    [retirement] = open_retirements(project)

    def enter(number: int) -> None:
        services.confirm_by_person(
            Retirement.objects.select_related("block", "project__registry").get(pk=retirement.pk),
            registry_reference=f"VC-{number}",
            credit_serials="DEMO-CDM-CL-CER-2-1 to 1",
            retired_on=NOON.date(),
            actor=f"staff:{number}",
            now=NOON,
        )

    answers = together(4, enter)
    assert [type(answer) for answer in answers if answer is not None] == [Conflict] * 3
    assert (Span.objects.count(), AttemptOutcome.objects.count()) == (1, 1)
    assert list(violations()) == []


def test_a_retirement_is_confirmed_or_freed_and_never_both() -> None:
    project = make_project(adapter="manual")
    stock(project, credits=2)
    promise(wish(project, "PF-1", 600_000))
    [retirement] = open_retirements(project)

    def act(number: int) -> None:
        row = Retirement.objects.select_related("block", "project__registry").get(pk=retirement.pk)
        if number % 2:
            services.void_retirement(row, reason="never filed", actor="staff:1", now=NOON)
        else:
            services.confirm_by_person(
                row,
                registry_reference="VC-1",
                credit_serials="DEMO-CDM-CL-CER-2-1 to 1",
                retired_on=NOON.date(),
                actor="staff:2",
                now=NOON,
            )

    together(4, act)
    retirement.refresh_from_db()
    spans = 1 if retirement.state == "confirmed" else 0
    assert retirement.state in {"confirmed", "void"}
    assert Span.objects.count() == spans
    assert Credit.objects.exclude(retirement=None).count() == spans
    assert [violation.as_json() for violation in violations()] == []


# --- Handing out grams --------------------------------------------------------------------------------------


@pytest.fixture
def retired(wind: Project) -> Project:
    """Forty devices wait; their credits are confirmed."""
    promise(*[wish(wind, f"PF-{number}", 330_000 + number) for number in range(40)])
    for retirement in open_retirements(wind):
        services.settle(retirement, now=NOON)
    return wind


def test_sweeps_that_allocate_at_once_give_no_gram_twice(
    retired: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(covering, "ALLOCATION_BATCH", 7)
    answers = together(8, lambda _number: allocate(retired))
    assert sum(answer for answer in answers if isinstance(answer, int)) == 40
    assert DeviceOffset.objects.filter(covered_at=None).count() == 0
    assert sum(part.to_g - part.from_g for part in Allocation.objects.all()) == sum(
        330_000 + number for number in range(40)
    )
    assert list(violations()) == []


@needs_two_writers
def test_without_the_lock_the_spans_own_guard_gives_no_gram_twice(
    retired: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two sweeps read the same spans; the second finds one moved or an interval taken, and moves nothing."""
    both_have_read = threading.Barrier(2)
    hand_out = dealing._hand_out

    def wait_and_hand_out(*args: object, **kwargs: object) -> None:
        both_have_read.wait(timeout=10)
        hand_out(*args, **kwargs)  # type: ignore[arg-type]

    def look(*, project_id: int, livemode: bool) -> ProjectStock:
        return ProjectStock.objects.get(project_id=project_id, livemode=livemode)

    replace_in_ledger(monkeypatch.setattr, "lock", look)
    replace_in_ledger(monkeypatch.setattr, "lock_running", look)
    monkeypatch.setattr(dealing, "_hand_out", wait_and_hand_out)

    def allocate_or_lose(_number: int) -> int | str:
        try:
            return allocate(retired)
        except NotEnoughCredits:
            return "lost"

    answers = together(2, allocate_or_lose)
    assert sorted(map(str, answers)) in (["0", "40"], ["40", "lost"])
    assert [violation.as_json() for violation in violations()] == []


def test_a_claim_is_cancelled_or_covered_and_never_both(retired: Project) -> None:
    target = DeviceOffset.objects.earliest("pk")

    def act(number: int) -> object:
        if number % 2:
            return allocate(retired)
        return services.cancel_offset(
            DeviceOffset.objects.get(pk=target.pk), reason="returned", actor="staff:1", now=NOON
        )

    together(6, act)
    allocate(retired)
    target.refresh_from_db()
    assert (target.covered_at is None) == (target.ended_reason == "cancelled")
    assert list(violations()) == []


def test_a_claim_that_two_persons_reverse_gives_its_grams_back_once(retired: Project) -> None:
    allocate(retired)
    target = DeviceOffset.objects.earliest("pk")
    before = selectors.surplus_g(project_id=retired.pk, livemode=False)

    def reverse(_number: int) -> object:
        return services.reverse_offset(
            DeviceOffset.objects.get(pk=target.pk), reason="returned", actor="staff:1", now=NOON
        )

    answers = together(4, reverse)
    assert [type(answer) for answer in answers if isinstance(answer, DomainError)] == [Conflict] * 3
    assert selectors.surplus_g(project_id=retired.pk, livemode=False) == before + target.amount_g
    assert list(violations()) == []
