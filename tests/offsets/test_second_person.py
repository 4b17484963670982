"""Above a limit two persons must enter the same; what may have happened is freed by two persons only."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from accounts.models import User
from common.errors import Conflict, InvalidInput
from common.events import history
from offsets import events as kinds
from offsets import services
from offsets.errors import EntriesDiffer, ReceiptDiffers
from offsets.models import Credit, ProjectStock, Retirement, RetirementEntry, Span
from offsets.reconciling import reconcile
from offsets.registries.base import Confirmed, Receipt, Refused, Unknown
from offsets.verify import violations
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

pytestmark = pytest.mark.django_db
ELEVEN: dict[str, Any] = {
    "registry_reference": "VC18834/2026",
    "credit_serials": "DEMO-CDM-CL-CER-2-1 to 11",
    "retired_on": date(2026, 11, 24),
    "reason": "attestation VC18834",
    "now": NOON,
}


def waiting(credits: int = 11, *, held: int = 14) -> Retirement:
    """A manual retirement of this many credits, out of as many as are held."""
    project = make_project(adapter="manual")
    stock(project, credits=held)
    promise(wish(project, "PF-1", credits * 1_000_000))
    [retirement] = open_retirements(project)
    return retirement


def state_of(retirement: Retirement) -> str:
    return Retirement.objects.get(pk=retirement.pk).state


def test_ten_credits_are_confirmed_by_one_person_and_eleven_by_two() -> None:
    ten = waiting(10)
    entry = {**ELEVEN, "credit_serials": "DEMO-CDM-CL-CER-2-1 to 10"}
    assert services.confirm_by_person(ten, actor="staff:1", **entry) is True
    assert RetirementEntry.objects.count() == 0
    promise(wish(ten.project, "PF-2", 4_000_000), key="order-2")
    [four] = open_retirements(ten.project)
    assert services.confirm_by_person(
        four, actor="staff:1", **{**ELEVEN, "credit_serials": "DEMO-CDM-CL-CER-2-11 to 14"}
    )


def test_the_first_entry_waits_and_a_matching_one_of_another_person_acts() -> None:
    retirement = waiting()
    assert services.confirm_by_person(retirement, actor="staff:1", **ELEVEN) is False
    assert (state_of(retirement), Span.objects.count()) == ("open", 0)
    assert services.confirm_by_person(retirement, actor="staff:2", **{**ELEVEN, "reason": "account page"})
    assert state_of(retirement) == "confirmed"
    entries = RetirementEntry.objects.values_list("kind", "actor", "evidence")
    assert list(entries) == [
        ("confirm", "staff:1", "attestation VC18834"),
        ("confirm", "staff:2", "account page"),
    ]
    assert list(violations()) == []


def test_the_same_person_twice_does_nothing() -> None:
    retirement = waiting()
    for _again in range(3):
        assert services.confirm_by_person(retirement, actor="staff:1", **ELEVEN) is False
    assert RetirementEntry.objects.count() == 1
    assert (state_of(retirement), Retirement.objects.get().attempted_at) == ("open", None)


@pytest.mark.parametrize(
    ("slip", "named"),
    [
        ({"registry_reference": "VC18835/2026"}, "registry_reference"),
        ({"retired_on": date(2026, 11, 23)}, "retired_on"),
    ],
)
def test_a_second_entry_that_differs_is_refused_and_the_difference_named(
    slip: dict[str, Any], named: str
) -> None:
    retirement = waiting()
    services.confirm_by_person(retirement, actor="staff:1", **ELEVEN)
    with pytest.raises(EntriesDiffer, match=named) as caught:
        services.confirm_by_person(retirement, actor="staff:2", **{**ELEVEN, **slip})
    assert "VC18834" not in caught.value.message  # the second reads the registry, not the first one's entry
    assert RetirementEntry.objects.count() == 1
    assert state_of(retirement) == "open"


def test_whoever_slipped_enters_it_again_and_the_newest_counts() -> None:
    retirement = waiting()
    services.confirm_by_person(retirement, actor="staff:1", **{**ELEVEN, "registry_reference": "VC1"})
    assert services.confirm_by_person(retirement, actor="staff:1", **ELEVEN) is False
    with pytest.raises(EntriesDiffer):
        services.confirm_by_person(retirement, actor="staff:2", **{**ELEVEN, "registry_reference": "VC1"})
    assert services.confirm_by_person(retirement, actor="staff:2", **ELEVEN) is True
    assert Retirement.objects.get().registry_reference == "VC18834/2026"


def test_an_entry_of_someone_who_left_stops_counting_after_two_weeks() -> None:
    retirement = waiting()
    services.confirm_by_person(retirement, actor="staff:1", **{**ELEVEN, "registry_reference": "VC1"})
    later = {**ELEVEN, "now": NOON + timedelta(days=14)}
    assert (
        services.confirm_by_person(retirement, actor="staff:2", **later) is False
    )  # neither differs nor agrees
    assert services.confirm_by_person(retirement, actor="staff:3", **later) is True


def test_the_limit_is_a_setting(settings: LazySettings) -> None:
    settings.SECOND_PERSON_ABOVE_CREDITS = 11
    assert services.confirm_by_person(waiting(), actor="staff:1", **ELEVEN) is True


# --- What the registry did instead --------------------------------------------------------------------------


def differing(*, serials: str, credits: int, asked: int = 2) -> Retirement:
    """A retirement of credits 1 to `asked` of five, whose receipt says something else."""
    project = make_project(adapter="broker")
    stock(project, credits=5 if asked < 5 else 14)
    promise(wish(project, "PF-1", asked * 1_000_000 - 400_000))
    [retirement] = open_retirements(project)
    intent = services.intent_of(retirement)
    services.begin_attempt(retirement, intent, actor="test", now=NOON)
    receipt = Receipt(
        registry_reference="VC-9",
        project=intent.project,
        credit_serials=serials,
        credits=credits,
        retired_on=date(2026, 11, 24),
    )
    services.record_outcome(retirement, Confirmed(receipt), intent=intent, actor="test", now=NOON)
    retirement.refresh_from_db()
    assert retirement.state == "needs_person"
    return retirement


def adopt(retirement: Retirement, serials: str, *, actor: str = "staff:1") -> Retirement | None:
    return services.adopt_by_person(
        retirement,
        registry_reference="VC-9",
        credit_serials=serials,
        retired_on=date(2026, 11, 24),
        evidence="account page",
        actor=actor,
        now=NOON,
    )


def test_another_run_of_ours_is_adopted_and_the_run_that_was_asked_for_is_free_again() -> None:
    asked = differing(serials="DEMO-CDM-CL-CER-2-3 to 4", credits=2)
    real = adopt(asked, "DEMO-CDM-CL-CER-2-3 to 4")
    assert real is not None
    asked.refresh_from_db()
    assert (asked.state, real.replaces_id) == ("void", asked.pk)
    free_now = Credit.objects.filter(retirement=None).order_by("number")
    assert list(free_now.values_list("number", flat=True)) == [1, 2, 5]
    allocate(asked.project)
    assert intervals(real) == [("PF-1", 0, 1_600_000)]
    assert open_retirements(asked.project) == []  # nothing is retired twice for the device
    assert list(violations()) == []


def test_a_run_that_overlaps_the_one_asked_for_is_adopted_and_what_it_lacks_opens_anew() -> None:
    asked = differing(serials="DEMO-CDM-CL-CER-2-2 to 2", credits=1)
    real = adopt(asked, "DEMO-CDM-CL-CER-2-2 to 2")
    assert real is not None
    assert (real.first_number, real.last_number) == (2, 2)
    [missing] = open_retirements(asked.project)
    assert (missing.first_number, missing.last_number) == (1, 1)
    assert list(violations()) == []


def test_a_report_that_shows_the_adopted_run_under_the_first_reference_raises_no_alarm() -> None:
    asked = differing(serials="DEMO-CDM-CL-CER-2-3 to 4", credits=2)
    real = adopt(asked, "DEMO-CDM-CL-CER-2-3 to 4")
    assert real is not None
    assert real.reason.startswith(asked.reference)
    report = (
        b"Completion Date,Serial Range,Total,Project Identifier,Unit,CP (Commitment Period)\n"
        b"2026-11-24,3 - 4,2,DEMO-CL-4449,CER,2\n"
    )
    found, alarms = reconcile(
        report, name="r.csv", as_of=date(2026, 11, 25), livemode=False, actor="staff:1", now=NOON
    )
    assert [judgement.reference for judgement in found] == [real.reference]
    assert alarms == []
    assert ProjectStock.objects.get().alarm == ""


@pytest.mark.parametrize(
    "serials",
    [
        "DEMO-CDM-CL-CER-2-5 to 6",  # half of it beyond our block
        "DEMO-CDM-CL-CER-1-3 to 4",  # a series of others
        "DEMO-CDM-PH-CER-2-3 to 4",  # another project of ours
    ],
)
def test_what_cannot_be_ours_stays_and_the_evidence_is_kept(serials: str) -> None:
    other = make_project("PH-7980", country="PH")
    stock(other, credits=5)
    asked = differing(serials="DEMO-CDM-CL-CER-2-3 to 4", credits=2)
    with pytest.raises(ReceiptDiffers, match="evidence is kept"):
        adopt(asked, serials)
    assert state_of(asked) == "needs_person"
    kept = history(asked).filter(kind=kinds.RETIREMENT_EVIDENCE).get()
    assert (kept.data["credit_serials"], kept.data["evidence"]) == (serials, "account page")
    assert Span.objects.count() == 0
    assert list(violations()) == []


def test_credits_of_another_retirement_are_not_adopted() -> None:
    asked = differing(serials="DEMO-CDM-CL-CER-2-3 to 4", credits=2)
    open_retirements(asked.project, ahead_credits=3)  # takes 3, 4 and 5
    with pytest.raises(ReceiptDiffers):
        adopt(asked, "DEMO-CDM-CL-CER-2-3 to 4")
    assert state_of(asked) == "needs_person"


def test_what_was_asked_for_is_confirmed_and_not_adopted() -> None:
    asked = differing(serials="DEMO-CDM-CL-CER-2-3 to 4", credits=2)
    with pytest.raises(Conflict, match="enter it as its confirmation"):
        adopt(asked, "DEMO-CDM-CL-CER-2-1 to 2")
    assert state_of(asked) == "needs_person"


def test_only_a_receipt_that_differed_is_adopted() -> None:
    project = make_project(adapter="broker")
    stock(project, credits=5)
    promise(wish(project, "PF-1", 600_000))
    [retirement] = open_retirements(project)
    with pytest.raises(Conflict, match="needs no person"):
        adopt(retirement, "DEMO-CDM-CL-CER-2-3 to 3")
    intent = services.intent_of(retirement)
    services.begin_attempt(retirement, intent, actor="test", now=NOON)
    services.record_outcome(retirement, Refused("closed"), intent=intent, actor="test", now=NOON)
    with pytest.raises(Conflict, match="No receipt"):
        adopt(retirement, "DEMO-CDM-CL-CER-2-3 to 3")
    assert Span.objects.count() == 0


@pytest.mark.parametrize("wrong", [{"registry_reference": " "}, {"retired_on": date(2026, 11, 25)}])
def test_an_adoption_names_its_proof(wrong: dict[str, Any]) -> None:
    asked = differing(serials="DEMO-CDM-CL-CER-2-3 to 4", credits=2)
    entry: dict[str, Any] = {
        "registry_reference": "VC-9",
        "credit_serials": "DEMO-CDM-CL-CER-2-3 to 4",
        "retired_on": date(2026, 11, 24),
    }
    with pytest.raises(InvalidInput):
        services.adopt_by_person(asked, **{**entry, **wrong}, evidence="page", actor="staff:1", now=NOON)
    assert Span.objects.count() == 0


def test_a_large_adoption_needs_two_persons() -> None:
    asked = differing(serials="DEMO-CDM-CL-CER-2-4 to 14", credits=11, asked=11)
    assert adopt(asked, "DEMO-CDM-CL-CER-2-4 to 14") is None
    assert state_of(asked) == "needs_person"
    real = adopt(asked, "DEMO-CDM-CL-CER-2-4 to 14", actor="staff:2")
    assert real is not None
    assert real.state == "open"  # as it was made; the row says confirmed
    assert state_of(real) == "confirmed"
    assert list(violations()) == []


# --- It did not happen --------------------------------------------------------------------------------------


@pytest.fixture
def unknown() -> Retirement:
    """Asked for, and after ten looks nobody knows."""
    project = make_project(adapter="broker")
    stock(project, credits=2)
    promise(wish(project, "PF-1", 600_000))
    [retirement] = open_retirements(project)
    intent = services.intent_of(retirement)
    services.begin_attempt(retirement, intent, actor="test", now=NOON)
    Retirement.objects.update(looks=services.MAX_LOOKS)
    retirement.refresh_from_db()
    services.record_outcome(retirement, Unknown("no answer"), intent=intent, actor="test", now=NOON)
    retirement.refresh_from_db()
    return retirement


def free(retirement: Retirement, actor: str) -> bool:
    return services.free_unconfirmed(retirement, evidence="asked the broker", actor=actor, now=NOON)


def test_one_credit_that_may_have_been_retired_is_freed_by_two_persons(unknown: Retirement) -> None:
    assert free(unknown, "staff:1") is False
    assert free(unknown, "staff:1") is False
    assert (state_of(unknown), Credit.objects.filter(retirement=None).count()) == ("needs_person", 1)
    assert free(unknown, "staff:2") is True
    assert (state_of(unknown), Credit.objects.filter(retirement=None).count()) == ("void", 2)
    assert len(open_retirements(unknown.project)) == 1
    assert list(violations()) == []


def test_what_another_person_says_was_confirmed_is_not_freed() -> None:
    retirement = waiting()
    services.begin_attempt(retirement, services.intent_of(retirement), actor="test", now=NOON)
    Retirement.objects.update(state="needs_person")
    services.confirm_by_person(retirement, actor="staff:1", **ELEVEN)
    with pytest.raises(EntriesDiffer, match="kind"):
        free(retirement, "staff:2")
    assert state_of(retirement) == "needs_person"


def test_a_refused_retirement_or_one_without_evidence_goes_another_way(unknown: Retirement) -> None:
    with pytest.raises(InvalidInput, match="how you know"):
        services.free_unconfirmed(unknown, evidence=" ", actor="staff:1", now=NOON)
    intent = services.intent_of(unknown)
    services.record_outcome(unknown, Refused("closed"), intent=intent, actor="test", now=NOON)
    with pytest.raises(Conflict, match="certainly"):
        free(unknown, "staff:1")
    assert RetirementEntry.objects.count() == 0


def test_a_retirement_freed_by_nobody_is_named_by_verify(unknown: Retirement) -> None:
    free(unknown, "staff:1")
    Credit.objects.filter(retirement=unknown).update(retirement=None)
    Retirement.objects.filter(pk=unknown.pk).update(state="void")
    assert "freed_retirements_did_not_happen" in {found.check for found in violations()}


# --- Staff --------------------------------------------------------------------------------------------------


def test_two_persons_of_staff_enter_it_on_its_page(client: Client, dana: User, sales_person: User) -> None:
    retirement = waiting()
    url = reverse("admin:offsets_retirement_confirm", args=[retirement.pk])
    entry = {**{name: str(ELEVEN[name]) for name in ELEVEN if name != "now"}}
    client.force_login(sales_person)
    assert client.post(url, entry).status_code == 403
    client.force_login(dana)
    assert "second person" in client.post(url, entry, follow=True).content.decode()
    assert "second person" in client.post(url, entry, follow=True).content.decode()
    assert state_of(retirement) == "open"
    shown = client.get(url).content.decode()
    assert f"staff:{dana.pk}" in shown
    assert "VC18834/2026" not in shown
    other = User.objects.create_superuser("root@example.com", "a long enough passphrase")
    client.force_login(other)
    assert client.post(url, {**entry, "registry_reference": "VC1"}).status_code == 409
    assert client.post(url, entry).status_code == 302
    assert state_of(retirement) == "confirmed"
