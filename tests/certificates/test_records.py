"""The public record: what it says in each state, and what it keeps to itself."""

from datetime import timedelta

import pytest

from certificates import services, tasks
from certificates.publiclog import certificate_json
from certificates.records import record_of
from certificates.selectors import UnknownCode, Withdrawn, certificate_by_code
from offsets import services as ledger
from tests.factories.certificates import ISSUED, make_certificate

pytestmark = pytest.mark.django_db

LATER = ISSUED + timedelta(days=3)


def test_a_code_is_found_however_it_was_typed() -> None:
    certificate = make_certificate()
    for typed in (certificate.code, certificate.code.lower(), certificate.code.replace("-", " ")):
        assert certificate_by_code(typed) == certificate


@pytest.mark.parametrize(
    "code", ["", "0000-0000-0000-0000", "nonsense", "7Q2M", "A" * 500, "7Q2M-K4VX-09AB-DJ3\x00"]
)
def test_a_wrong_code_and_a_malformed_one_answer_alike(code: str) -> None:
    make_certificate()
    with pytest.raises(UnknownCode) as wrong:
        certificate_by_code(code)
    with pytest.raises(UnknownCode) as other:
        certificate_by_code("1111-1111-1111-1111")
    assert wrong.value.message == other.value.message


def test_a_valid_record_leads_from_the_device_to_the_registry() -> None:
    certificate = make_certificate(beneficiary="Alice & Bob AB")
    record = record_of(certificate_by_code(certificate.code))
    assert record.state_label == "Retired and recorded"
    assert record.title == "0.386 t of carbon credits were retired for one ThinkPad T490"
    assert [step.key for step in record.steps] == ["device", "amount", "grams", "credits", "registry", "log"]
    assert record.proves.endswith("add up to no more than 1 t.")
    assert record.demo == "Demonstration: not a real retirement."
    assert record.digest == certificate.digest
    assert record.changes == ["Electricity of Sweden instead of EU: our estimate −35 kg (Test grid)"]
    assert (record.note, record.successor, record.predecessor) == ("", None, None)
    assert "PF1X1234" not in str(record.steps)


def test_a_reversed_record_says_so_and_since_when() -> None:
    certificate = make_certificate()
    ledger.reverse_offset(certificate.offset, reason="returned", actor="staff:5", now=LATER)
    tasks.issue_certificates()
    record = record_of(certificate_by_code(certificate.code))
    assert record.state_label == "Reversed"
    assert record.title == "Reversed: 0.386 t of carbon credits no longer count for this ThinkPad T490"
    assert record.note.startswith("Reversed on 27 November 2026:")


def test_a_moved_record_and_its_successor_name_each_other() -> None:
    old = make_certificate()
    ledger.move_to_replacement(old.offset, device_serial="PF9", reason="x", actor="staff:5", now=LATER)
    tasks.issue_certificates()
    before = record_of(certificate_by_code(old.code))
    assert before.state_label == "Moved to a replacement device"
    assert before.successor is not None
    after = record_of(certificate_by_code(before.successor.code))
    assert after.predecessor == old


def test_a_record_issued_again_names_the_one_that_stands() -> None:
    old = make_certificate()
    new = services.issue_again(old, reason="x", actor="staff:5", now=LATER)
    record = record_of(certificate_by_code(old.code))
    assert (record.state_label, record.successor) == ("Issued again", new)
    assert record.note == f"Issued again as {new.code}, for the same device and the same grams."


def test_a_withdrawn_record_keeps_its_digest_and_nothing_else() -> None:
    certificate = make_certificate(beneficiary="Alice & Bob AB")
    services.withdraw(certificate, reason="asked", actor="staff:5", now=LATER)
    found = certificate_by_code(certificate.code)
    record = record_of(found)
    assert record.title == "This record was withdrawn at its holder's request"
    assert (record.steps, record.digest) == ([], certificate.digest)
    for secret in ("T490", "PF1X1234", "Alice"):
        assert secret not in f"{record.title} {record.intro} {record.note} {record.steps}"
    with pytest.raises(Withdrawn):
        certificate_json(found)
