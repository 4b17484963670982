"""Companies: who is one is decided on the server."""

from datetime import UTC, datetime

import pytest

from accounts import vat
from accounts.errors import VatIdDoesNotCheck
from accounts.events import COMPANY_VERIFICATION_WITHDRAWN, COMPANY_VERIFIED
from accounts.models import Account, User
from accounts.reasons import ReasonMissing
from accounts.selectors import accounts_of
from accounts.services import (
    audience_for,
    open_personal_account,
    verify_company,
    vouch_for_company,
    withdraw_verification,
)
from claims.registers import Audience
from common.events import history
from tests.factories.accounts import AccountFactory, CompanyFactory

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "country", "kept"),
    [
        ("SE556012579001", "SE", "SE556012579001"),
        ("556012579001", "SE", "SE556012579001"),
        ("se 5560 1257 9001", "se", "SE556012579001"),
        ("DE 136 695 976", "DE", "DE136695976"),
        ("094259216", "GR", "EL094259216"),
        ("EL 094259216", "GR", "EL094259216"),
        ("GB980780684", "GB", "GB980780684"),
        ("NO 974760673 MVA", "NO", "NO974760673MVA"),
        ("CHE-107.787.577 IVA", "CH", "CHE-107.787.577 IVA"),
        ("CHE107787577MWST", "LI", "CHE-107.787.577 MWST"),
    ],
)
def test_a_vat_id_is_kept_in_one_spelling(typed: str, country: str, kept: str) -> None:
    assert vat.normalise_vat_id(vat_id=typed, country=country) == kept
    assert len(kept) <= Account._meta.get_field("vat_id").max_length


@pytest.mark.parametrize(
    ("typed", "country"),
    [
        ("SE556012579002", "SE"),  # a wrong check digit
        ("DE136695976", "SE"),  # another country's number
        ("", "SE"),
        ("SE", "SE"),
        ("NO974760674MVA", "NO"),
        ("974760673", "NO"),  # an organisation, not registered for VAT
        ("CHE-107.787.578 IVA", "CH"),
        ("GB123456789", "GB"),
        ("<script>", "DE"),
        ("\u0661\u0662\u0663", "DE"),
    ],
)
def test_a_vat_id_that_does_not_check_gets_a_message_that_helps(typed: str, country: str) -> None:
    with pytest.raises(VatIdDoesNotCheck, match="Compare it with your papers") as caught:
        vat.normalise_vat_id(vat_id=typed, country=country)
    assert caught.value.code == "vat_id_does_not_check"
    assert not vat.vat_id_checks(vat_id=typed, country=country)


@pytest.mark.parametrize("country", sorted(vat.EXAMPLES))
def test_the_example_in_the_message_checks_itself(country: str) -> None:
    assert vat.vat_id_checks(vat_id=vat.EXAMPLES[country], country=country)


def test_a_country_without_a_check_sends_the_buyer_to_a_person() -> None:
    with pytest.raises(VatIdDoesNotCheck, match="a person will look"):
        vat.normalise_vat_id(vat_id="12-3456789", country="US")


@pytest.mark.django_db
def test_a_vat_id_that_checks_makes_a_verified_company() -> None:
    account = AccountFactory()
    assert audience_for(account) is Audience.CONSUMER
    assert verify_company(account=account, vat_id="556012579001", country="SE", actor="user:1", now=NOON)
    assert (account.kind, account.vat_id, account.company_verified_at) == ("company", "SE556012579001", NOON)
    assert audience_for(account) is Audience.COMPANY
    [event] = history(account)
    assert (event.kind, event.actor) == (COMPANY_VERIFIED, "user:1")
    assert event.data == {"by": "vat_id", "country": "SE"}


@pytest.mark.django_db
def test_a_vat_id_that_does_not_check_changes_nothing() -> None:
    account = AccountFactory()
    before = Account.objects.values().get(pk=account.pk)
    assert not verify_company(account=account, vat_id="SE1", country="SE", actor="user:1", now=NOON)
    assert Account.objects.values().get(pk=account.pk) == before
    assert not history(account).exists()


@pytest.mark.django_db
def test_verifying_again_keeps_the_date_and_the_history() -> None:
    account = AccountFactory()
    verify_company(account=account, vat_id="SE556012579001", country="SE", actor="user:1", now=NOON)
    later = NOON.replace(hour=15)
    assert verify_company(account=account, vat_id="SE556012579001", country="SE", actor="user:1", now=later)
    assert account.company_verified_at == NOON
    assert history(account).count() == 1


@pytest.mark.django_db
def test_calling_oneself_a_company_is_not_enough() -> None:
    assert audience_for(CompanyFactory(company_verified_at=None)) is Audience.CONSUMER
    assert audience_for(AccountFactory(company_verified_at=NOON)) is Audience.CONSUMER
    assert audience_for(None) is Audience.CONSUMER


@pytest.mark.django_db
def test_staff_vouch_for_a_company_and_say_why() -> None:
    account = AccountFactory()
    with pytest.raises(ReasonMissing):
        vouch_for_company(account=account, reason="  ", actor="staff:5", now=NOON)
    assert audience_for(account) is Audience.CONSUMER
    assert vouch_for_company(account=account, reason="register extract seen", actor="staff:5", now=NOON)
    assert audience_for(account) is Audience.COMPANY
    assert not vouch_for_company(account=account, reason="again", actor="staff:5", now=NOON)
    [event] = history(account)
    assert event.data == {"by": "staff", "reason": "register extract seen"}


@pytest.mark.django_db
def test_a_withdrawn_verification_makes_a_consumer_again() -> None:
    account = CompanyFactory()
    assert withdraw_verification(account=account, reason="dissolved", actor="staff:5")
    assert audience_for(account) is Audience.CONSUMER
    assert not withdraw_verification(account=account, reason="dissolved", actor="staff:5")
    assert [event.kind for event in history(account)] == [COMPANY_VERIFICATION_WITHDRAWN]


@pytest.mark.django_db
def test_a_person_has_one_personal_account_however_often_it_is_asked_for(alice: User) -> None:
    first = open_personal_account(user=alice)
    assert open_personal_account(user=alice) == first
    assert first.kind == Account.Kind.PERSON
    assert first.name == "Alice"


def test_a_person_acts_for_the_company_first_and_never_for_a_stranger(
    alice: User, bob: User, charlie: User, alices_company: Account
) -> None:
    own = open_personal_account(user=alice)
    assert accounts_of(alice) == [alices_company, own]
    assert accounts_of(bob) == [alices_company]
    assert alices_company not in accounts_of(charlie)
