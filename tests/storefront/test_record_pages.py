"""The public record of a certificate: who sees what, and what nobody sees."""

import json
from collections.abc import Callable

import pytest
from django.core.files.base import ContentFile
from django.test import Client

from accounts.models import Account, User
from accounts.seed import load_markets
from certificates import services
from certificates.commitment import commit
from certificates.models import Certificate
from offsets.models import DeviceOffset
from offsets.services import request_offsets, settle
from tests.factories.certificates import ISSUED, enter_log, issue, make_covered, make_wish
from tests.factories.offsets import NOON, SHOP, allocate, make_project, open_retirements, stock
from tests.storefront.pages import text, words

SERIAL = "PF1X1234"
PDF = b"%PDF-1.7 of a test"


@pytest.fixture
def certificate(db: None, alices_company: Account) -> Certificate:
    """Alice's company holds the record of one ThinkPad; its PDF is there."""
    load_markets()
    project = make_project()
    stock(project, credits=5)
    request_offsets(
        [make_wish(project, SERIAL)],
        owner=alices_company,
        livemode=False,
        actor=SHOP,
        scope="shop",
        key="order-1",
        now=NOON,
    )
    for retirement in open_retirements(project):
        settle(retirement, now=NOON)
    allocate(project)
    issue()
    enter_log()
    made = Certificate.objects.get(offset=DeviceOffset.objects.get())
    made.pdf.save("record.pdf", ContentFile(PDF))
    return made


def address(certificate: Certificate, rest: str = "") -> str:
    return f"/c/{certificate.code}/{rest}"


@pytest.fixture
def withdraw(certificate: Certificate) -> Callable[[], None]:
    return lambda: services.withdraw(certificate, reason="asked for", actor="staff:1", now=ISSUED)


def test_whoever_has_the_code_reads_the_line_from_device_to_registry(
    client: Client, certificate: Certificate
) -> None:
    page = client.get(address(certificate))
    assert page.status_code == 200
    shown = words(page)
    for fact in (
        "0.386 t of carbon credits were retired for one ThinkPad T490",
        "Device serial ends in 1234.",
        "Demonstration: not a real retirement.",
        "DEMO-CDM-CL-CER-2-1",
        "What this proves",
        "What it does not prove",
        certificate.code,
        certificate.digest,
    ):
        assert fact in shown, fact


def test_neither_the_whole_serial_nor_the_owner_stands_on_the_page_or_the_badge(
    client: Client, certificate: Certificate, alices_company: Account
) -> None:
    for rest in ("", "badge.svg"):
        page = text(client.get(address(certificate, rest)))
        assert SERIAL not in page
        assert alices_company.name not in page
        assert "Alice" not in page


def test_a_record_is_in_no_cache_and_no_search_engine(client: Client, certificate: Certificate) -> None:
    page = client.get(address(certificate))
    assert page["X-Robots-Tag"] == "noindex"
    assert page["Cache-Control"] == "private, no-store"
    assert page["Referrer-Policy"] == "same-origin"


def test_a_code_may_be_typed_in_any_way_and_leads_to_its_one_address(
    client: Client, certificate: Certificate
) -> None:
    typed = certificate.code.lower().replace("-", "")
    for path in (f"/c/{typed}/", f"/verify/?code=+{typed}+"):
        answer = client.get(path)
        assert (answer.status_code, answer["Location"]) == (302, address(certificate))


def test_a_wrong_code_and_a_malformed_one_answer_alike(client: Client, certificate: Certificate) -> None:
    wrong = "0000-0000-0000-0000" if certificate.code[0] != "0" else "1111-1111-1111-1111"
    for rest in ("", "badge.svg", "certificate.pdf", "certificate.json"):
        answers = [client.get(f"/c/{code}/{rest}") for code in (wrong, "x", "%00", "A" * 200)]
        assert {answer.status_code for answer in answers} == {404}
        assert {answer.context["message"] for answer in answers} == {
            "No record has this code. Copy it from the certificate: four groups of four characters."
        }
        assert 'href="/verify/"' in text(answers[0])
    assert client.post(f"/c/{wrong}/certificate.pdf", {"serial": SERIAL}).status_code == 404


def test_a_code_that_no_record_has_is_told_what_to_do(client: Client, certificate: Certificate) -> None:
    page = client.get("/verify/", {"code": '"><b>x'})
    assert page.status_code == 404
    assert "Copy it from the certificate: four groups of four characters." in words(page)
    assert "<b>x" not in text(page)


@pytest.mark.parametrize("name", ["certificate.pdf", "certificate.json"])
def test_files_are_for_the_holder_and_the_members_of_the_company(
    client: Client, certificate: Certificate, alice: User, bob: User, charlie: User, dana: User, name: str
) -> None:
    for user in (alice, bob):
        client.force_login(user)
        answer = client.get(address(certificate, name))
        assert answer.status_code == 200
        assert f'filename="{certificate.code}-{name}"' in answer["Content-Disposition"]
        assert answer["Cache-Control"] == "private, no-store"
    for user in (charlie, dana):
        client.force_login(user)
        refused = client.get(address(certificate, name))
        assert refused.status_code == 403
        assert SERIAL not in text(refused)
    client.logout()
    assert client.get(address(certificate, name)).status_code == 403


def test_the_files_hold_what_was_frozen(client: Client, certificate: Certificate, alice: User) -> None:
    client.force_login(alice)
    pdf = client.get(address(certificate, "certificate.pdf"))
    assert b"".join(pdf) == PDF  # type: ignore[call-overload]
    assert pdf["Content-Type"] == "application/pdf"
    document = json.loads(client.get(address(certificate, "certificate.json")).content)
    assert document["facts"]["device_serial"] == SERIAL
    assert commit(document["facts"], bytes.fromhex(document["nonce"])).hex() == certificate.digest


@pytest.mark.parametrize("typed", [SERIAL, f" {SERIAL.lower()} ", "ＰＦ1X1234"])
def test_whoever_types_the_whole_serial_gets_the_file(
    client: Client, certificate: Certificate, typed: str
) -> None:
    answer = client.post(address(certificate, "certificate.pdf"), {"serial": typed})
    assert answer.status_code == 200
    assert b"".join(answer) == PDF  # type: ignore[call-overload]


@pytest.mark.parametrize("typed", ["", "1234", "PF1X1235", "PF1X1234X", "%", "x" * 5000, "PF1X\x001234", "ß"])
def test_a_wrong_serial_opens_nothing(client: Client, certificate: Certificate, typed: str) -> None:
    for name in ("certificate.pdf", "certificate.json"):
        answer = client.post(address(certificate, name), {"serial": typed})
        assert answer.status_code == 422
        assert "This is not the device's serial number. Type it as it stands on the device." in words(answer)
        assert SERIAL not in text(answer)


def test_the_serial_is_never_read_from_the_address(client: Client, certificate: Certificate) -> None:
    assert client.get(address(certificate, f"certificate.pdf?serial={SERIAL}")).status_code == 403


def test_a_pdf_that_is_not_written_yet_says_so(client: Client, certificate: Certificate, alice: User) -> None:
    Certificate.objects.update(pdf="")
    client.force_login(alice)
    page = client.get(address(certificate, "certificate.pdf"))
    assert page.status_code == 404
    assert "The PDF is not written yet" in words(page)


def test_a_record_that_is_not_in_the_log_yet_has_a_page_and_no_json(
    client: Client, certificate: Certificate
) -> None:
    make_covered("PF-2")
    issue()
    newest = Certificate.objects.get(offset__device_serial="PF-2")
    assert client.get(address(newest)).status_code == 200
    answer = client.post(address(newest, "certificate.json"), {"serial": "PF-2"})
    assert answer.status_code == 409
    assert "not" in answer.context["message"]


def test_a_withdrawn_record_answers_410_and_its_facts_are_gone(
    client: Client, certificate: Certificate, alice: User, withdraw: Callable[[], None]
) -> None:
    withdraw()
    page = client.get(address(certificate))
    assert page.status_code == 410
    assert "This record was withdrawn at its holder's request" in words(page)
    assert "ThinkPad" not in words(page).partition("Look up a record")[0]
    client.force_login(alice)
    for rest in ("badge.svg", "certificate.pdf", "certificate.json"):
        answer = client.get(address(certificate, rest))
        assert answer.status_code == 410
        assert "withdrawn" in words(answer)
    assert client.post(address(certificate, "certificate.pdf"), {"serial": SERIAL}).status_code == 410


def test_a_record_that_was_issued_again_leads_to_its_successor(
    client: Client, certificate: Certificate
) -> None:
    again = services.issue_again(certificate, reason="the name was wrong", actor="staff:1", now=ISSUED)
    old, new = client.get(address(certificate)), client.get(address(again))
    assert old.status_code == new.status_code == 200
    assert f'href="/c/{again.code}/"' in text(old)
    assert f'href="/c/{certificate.code}/"' in text(new)
    assert "the name was wrong" not in words(old)  # a reason is staff's


def test_the_badge_is_a_drawing_that_can_do_nothing(client: Client, certificate: Certificate) -> None:
    badge = client.get(address(certificate, "badge.svg"))
    assert badge["Content-Type"] == "image/svg+xml"
    assert badge["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    assert badge["X-Content-Type-Options"] == "nosniff"
    assert badge["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "386 kg of credits retired" in text(badge)
    assert "…1234" in text(badge)
    dark = client.get(address(certificate, "badge.svg?theme=dark"))
    odd = client.get(address(certificate, "badge.svg?theme=<x>"))
    assert text(dark) != text(badge) == text(odd)


def test_other_methods_are_refused(client: Client, certificate: Certificate) -> None:
    assert client.post(address(certificate)).status_code == 405
    assert client.put(address(certificate, "certificate.pdf")).status_code == 405
    assert client.head(address(certificate)).status_code == 200
