"""What a registry may answer, and what the ledger makes of it."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from common import events
from common.errors import Conflict
from offsets import events as kinds
from offsets import registries, retiring, selectors, services
from offsets.errors import ReceiptDiffers, StockStopped
from offsets.models import AttemptOutcome, Credit, ProjectStock, Retirement, Span
from offsets.registries.base import Confirmed, Intent, Outcome, Receipt, Refused, Unknown
from offsets.serials import InvalidCreditSerials
from offsets.verify import violations
from tests.factories.offsets import NOON, make_project, open_retirements, promise, stock, wish

pytestmark = pytest.mark.django_db


class Scripted:
    """A registry that answers what it is told to, and counts how often it is asked to retire."""

    unattended = True
    idempotent_on_request_id = False

    def __init__(self, answer: Outcome, later: Outcome | None = None) -> None:
        self.answer, self.later, self.retire_calls = answer, later, 0

    def retire(self, intent: Intent) -> Outcome:
        self.retire_calls += 1
        return self.answer

    def find(self, intent: Intent) -> Outcome:
        return self.later or self.answer


def opened() -> Retirement:
    project = make_project()
    stock(project, credits=2)
    promise(wish(project, "PF-1", 600_000))
    [retirement] = open_retirements(project)
    return retirement


def receipt_for(retirement: Retirement) -> Receipt:
    intent = services.intent_of(retirement)
    return Receipt(
        registry_reference="VC-1",
        project=intent.project,
        credit_serials=intent.credit_serials,
        credits=intent.credits,
        retired_on=date(2026, 11, 24),
    )


def settle(retirement: Retirement, registry: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registries.ADAPTERS, "sandbox", registry)
    services.settle(retirement, now=NOON)
    retirement.refresh_from_db()


def test_a_time_out_is_not_a_refusal_and_we_only_look_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    retirement = opened()
    registry = Scripted(Unknown("timed out"), later=Confirmed(receipt_for(retirement)))
    settle(retirement, registry, monkeypatch)
    assert (retirement.state, retirement.looks) == ("open", 1)
    assert Credit.objects.filter(retirement=None).count() == 1  # still set aside: it may have happened
    settle(retirement, registry, monkeypatch)
    assert retirement.state == "confirmed"
    assert registry.retire_calls == 1


def test_after_ten_fruitless_looks_a_person_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    retirement = opened()
    registry = Scripted(Unknown("no answer"))
    for _ in range(services.MAX_LOOKS):
        settle(retirement, registry, monkeypatch)
    assert retirement.state == "needs_person"
    assert "no answer" in retirement.problem
    assert registry.retire_calls == 1
    assert Span.objects.count() == 0
    assert open_retirements(retirement.project) == []  # what may have happened is not retired again


@pytest.mark.parametrize(
    "lie",
    [
        {"credits": 2},
        {"credit_serials": "DEMO-CDM-CL-CER-2-2 to 2"},
        {"project": "PH-7980"},
        {"registry_reference": " "},
    ],
)
def test_a_receipt_that_differs_is_never_confirmed(
    monkeypatch: pytest.MonkeyPatch, lie: dict[str, str | int]
) -> None:
    retirement = opened()
    settle(retirement, Scripted(Confirmed(replace(receipt_for(retirement), **lie))), monkeypatch)  # type: ignore[arg-type]
    assert retirement.state == "needs_person"
    assert AttemptOutcome.objects.get().kind == "differs"
    assert Span.objects.count() == 0
    assert list(violations()) == []


def test_a_refused_retirement_waits_for_a_person_who_frees_its_credits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    retirement = opened()
    settle(retirement, Scripted(Refused("account closed")), monkeypatch)
    assert retirement.state == "needs_person"
    services.void_retirement(retirement, reason="other account", actor="staff:1", now=NOON)
    retirement.refresh_from_db()
    assert retirement.state == "void"
    assert Credit.objects.filter(retirement=None).count() == 2
    [again] = open_retirements(retirement.project)
    assert again.reference != retirement.reference
    assert list(violations()) == []


def test_a_retirement_that_may_have_happened_cannot_be_voided(monkeypatch: pytest.MonkeyPatch) -> None:
    retirement = opened()
    settle(retirement, Scripted(Unknown("timed out")), monkeypatch)
    with pytest.raises(Conflict, match="may have happened"):
        services.void_retirement(retirement, reason="hurry", actor="staff:1", now=NOON)
    assert Credit.objects.filter(retirement=None).count() == 1


class Idempotent(Scripted):
    """Retires a request once however often it is sent; each call has its own answer."""

    idempotent_on_request_id = True

    def __init__(self, *answers: Outcome) -> None:
        super().__init__(answers[0])
        self.answers = list(answers)

    def retire(self, intent: Intent) -> Outcome:
        super().retire(intent)
        return self.answers.pop(0)


def refused_the_second_time(monkeypatch: pytest.MonkeyPatch) -> Retirement:
    """Asked twice: the first call may still be under way, or be done later; the second was refused."""
    retirement = opened()
    registry = Idempotent(Unknown("202 accepted"), Refused("closed for the night"))
    settle(retirement, registry, monkeypatch)
    settle(retirement, registry, monkeypatch)
    assert registry.retire_calls == 2
    assert retirement.state == "needs_person"
    return retirement


def test_one_refusal_of_two_calls_does_not_say_that_nothing_happened(monkeypatch: pytest.MonkeyPatch) -> None:
    retirement = refused_the_second_time(monkeypatch)
    with pytest.raises(Conflict, match="not refused for certain"):
        services.void_retirement(retirement, reason="refused", actor="staff:1", now=NOON)
    assert Credit.objects.filter(retirement=None).count() == 1
    said = {"evidence": "their support says so", "now": NOON}
    assert not services.free_unconfirmed(retirement, actor="staff:1", **said)
    assert services.free_unconfirmed(retirement, actor="staff:2", **said)
    retirement.refresh_from_db()
    assert retirement.state == "void"
    assert list(violations()) == []


def test_freed_by_one_person_after_one_of_two_calls_was_refused_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    retirement = refused_the_second_time(monkeypatch)
    monkeypatch.setattr(retiring, "certainly_refused", lambda retirement: True)
    services.void_retirement(retirement, reason="refused", actor="staff:1", now=NOON)
    assert [found.check for found in violations()] == ["freed_retirements_did_not_happen"]


def test_the_call_that_was_done_may_be_entered_though_another_was_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    retirement = refused_the_second_time(monkeypatch)
    receipt = receipt_for(retirement)
    assert services.confirm_by_person(
        retirement,
        registry_reference=receipt.registry_reference,
        credit_serials=receipt.credit_serials,
        retired_on=receipt.retired_on,
        actor="staff:1",
        now=NOON,
    )
    assert list(violations()) == []


def record(retirement: Retirement, outcome: Outcome) -> None:
    intent = services.intent_of(retirement)
    services.record_outcome(retirement, outcome, intent=intent, actor="sweep", now=NOON)
    retirement.refresh_from_db()


def test_two_calls_may_both_be_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    retirement = refused_the_second_time(monkeypatch)
    record(retirement, Refused("closed for the night"))
    assert [row.kind for row in AttemptOutcome.objects.all()] == ["again", "refused", "refused"]
    assert list(violations()) == []


def test_a_registry_that_refuses_and_confirms_contradicts_itself_and_a_person_looks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    retirement = opened()
    settle(retirement, Scripted(Refused("account closed")), monkeypatch)
    record(retirement, Confirmed(receipt_for(retirement)))
    assert retirement.state == "needs_person"
    assert AttemptOutcome.objects.last().kind == "differs"
    assert Span.objects.count() == 0
    with pytest.raises(Conflict, match="may have happened"):
        services.void_retirement(retirement, reason="refused", actor="staff:1", now=NOON)


def test_credits_that_were_freed_and_are_retired_after_all_stop_their_project(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    retirement = opened()
    settle(retirement, Scripted(Refused("account closed")), monkeypatch)
    services.void_retirement(retirement, reason="refused", actor="staff:1", now=NOON)
    record(retirement, Confirmed(receipt_for(retirement)))
    assert retirement.state == "void"
    stopped = ProjectStock.objects.get()
    assert retirement.reference in stopped.alarm
    assert events.history(stopped)[0].kind == kinds.STOCK_ALARMED
    with pytest.raises(StockStopped, match="after its credits were freed"):
        open_retirements(retirement.project)


def test_what_has_ended_is_not_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    retirement = opened()
    before = Retirement.objects.get(pk=retirement.pk)
    settle(retirement, Scripted(Refused("account closed")), monkeypatch)
    registry = Idempotent(Confirmed(receipt_for(retirement)))
    settle(before, registry, monkeypatch)
    assert registry.retire_calls == 0


def test_the_sandbox_registry_retires_a_request_once_however_often_it_is_sent() -> None:
    intent = services.intent_of(opened())
    sandbox = registries.ADAPTERS["sandbox"]
    first, second = sandbox.retire(intent), sandbox.retire(intent)
    assert isinstance(first, Confirmed)
    assert first == second == sandbox.find(intent)
    other = replace(intent, request_id="another")
    assert isinstance(sandbox.retire(other), Refused)  # the same credits, another request
    assert isinstance(sandbox.find(other), Unknown)


def test_the_sandbox_registry_refuses_real_credits() -> None:
    intent = services.intent_of(opened())
    real = replace(intent, credit_serials=intent.credit_serials.removeprefix("DEMO-"))
    assert isinstance(registries.ADAPTERS["sandbox"].retire(real), Refused)
    assert isinstance(registries.ADAPTERS["sandbox"].retire(replace(intent, livemode=True)), Refused)


def manual() -> Retirement:
    project = make_project(adapter="manual")
    stock(project, credits=3)
    promise(wish(project, "PF-1", 1_600_000))
    [retirement] = open_retirements(project)
    return retirement


def enter(retirement: Retirement, **entry: object) -> None:
    right = {
        "registry_reference": "VC18834/2026",
        "credit_serials": "DEMO-CDM-CL-CER-2-1 to 2",
        "retired_on": date(2026, 11, 24),
    }
    services.confirm_by_person(retirement, **{**right, **entry}, actor="staff:1", now=NOON)  # type: ignore[arg-type]


def test_a_manual_retirement_waits_for_staff_and_no_sweep_touches_it() -> None:
    retirement = manual()
    assert list(selectors.retirements_to_settle(now=NOON)) == []
    assert list(selectors.retirements_to_file()) == [retirement]
    enter(retirement)
    retirement.refresh_from_db()
    assert (retirement.state, retirement.registry_reference) == ("confirmed", "VC18834/2026")
    assert list(violations()) == []
    with pytest.raises(Conflict):
        enter(retirement)
    assert Span.objects.count() == 1


@pytest.mark.parametrize(
    "slip",
    [
        {"credit_serials": "DEMO-CDM-CL-CER-2-1 to 3"},
        {"credit_serials": "DEMO-CDM-CL-CER-1-1 to 2"},
        {"registry_reference": "  "},
        {"retired_on": NOON.date() + timedelta(days=1)},
    ],
)
def test_a_slip_of_staff_is_refused_like_a_receipt_that_differs(slip: dict[str, object]) -> None:
    retirement = manual()
    with pytest.raises(ReceiptDiffers):
        enter(retirement, **slip)
    retirement.refresh_from_db()
    assert (retirement.state, retirement.attempted_at) == ("open", None)


def test_serials_that_do_not_read_are_refused() -> None:
    retirement = manual()
    with pytest.raises(InvalidCreditSerials):
        enter(retirement, credit_serials="1 to 2")
    assert AttemptOutcome.objects.count() == 0


def test_staff_cannot_enter_what_a_registry_answers_by_itself() -> None:
    retirement = opened()
    with pytest.raises(Conflict, match="nobody enters it by hand"):
        enter(retirement, credit_serials="DEMO-CDM-CL-CER-2-1 to 1")
