"""The public record of a certificate: who sees what, and what nobody sees."""

import json
import re
from collections.abc import Callable
from html import unescape

import pytest
from django.core.files.base import ContentFile
from django.test import Client

from accounts.models import Account, User
from accounts.seed import load_markets
from certificates import services
from certificates.commitment import commit
from certificates.models import Certificate
from claims.guard import Quotation, assert_clean
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
    for rest in ("", "badge.svg", "badge.png", "card.png", "certificate.pdf", "certificate.json"):
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


def metas(page: str) -> dict[str, str]:
    """The page's meta tags, by property or name."""
    found = re.findall(r'<meta (?:property|name)="([^"]+)" content="([^"]*)">', page)
    return {name: unescape(content) for name, content in found}


def test_another_site_that_shows_a_link_gets_whole_addresses_and_frozen_words(
    client: Client, certificate: Certificate
) -> None:
    found = metas(text(client.get(address(certificate))))
    here = f"http://testserver{address(certificate)}"
    said = (
        "Demonstration: not a real retirement. 386 kg of carbon credits retired for one ThinkPad T490. "
        "The record shows the line from the device to the registry."
    )
    title = "0.386 t of carbon credits were retired for one ThinkPad T490"
    assert found["og:title"] == found["twitter:title"] == title
    assert found["description"] == found["og:description"] == found["twitter:description"] == said
    assert found["og:image"] == found["twitter:image"] == f"{here}card.png"
    assert (found["og:image:width"], found["og:image:height"]) == ("1200", "630")
    assert found["og:url"] == here
    assert found["twitter:card"] == "summary_large_image"
    assert found["og:image:alt"].startswith("386 kg of carbon credits retired for one ThinkPad T490, serial")
    assert found["robots"] == "noindex"
    assert SERIAL not in str(found)
    assert "Alice" not in str(found)


def test_the_tags_of_a_record_that_is_not_valid_any_more_claim_nothing(
    client: Client, certificate: Certificate
) -> None:
    again = services.issue_again(certificate, reason="the name was wrong", actor="staff:1", now=ISSUED)
    found = metas(text(client.get(address(certificate))))
    assert found["og:description"] == (
        "Demonstration: not a real retirement. "
        f"Issued again as {again.code}, for the same device and the same grams."
    )
    assert found["og:image:alt"].startswith("Issued again.")


def test_a_withdrawn_record_has_no_picture(
    client: Client, certificate: Certificate, withdraw: Callable[[], None]
) -> None:
    withdraw()
    assert "og:image" not in metas(text(client.get(address(certificate))))
    for rest in ("badge.png", "badge.svg", "card.png"):
        assert client.get(address(certificate, rest)).status_code == 410


@pytest.mark.parametrize("language", ["en", "de", "sv", "fr", "es"])
def test_the_words_of_the_tags_hold_in_every_language(
    client: Client, certificate: Certificate, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    found = Certificate.objects.get(pk=certificate.pk)
    found.wording = f"eu-consumer-{language}-1"
    found.facts = {**(found.facts or {}), "wording": found.wording}
    monkeypatch.setattr("storefront.views.records.certificate_by_code", lambda code: found)
    said = metas(text(client.get(address(certificate))))
    titles = " ".join(said[name] for name in ("og:title", "og:description", "description", "og:image:alt"))
    quoted = [Quotation(str(found.facts["project_title"]), "registry")]
    assert_clean(titles, register="A", language=language, quotations=quoted)


def test_pictures_may_be_shown_anywhere_kept_a_while_and_are_in_no_search_engine(
    client: Client, certificate: Certificate
) -> None:
    made = {}
    for rest in ("badge.png", "badge.png?theme=dark", "badge.png?scale=2", "card.png"):
        picture = client.get(address(certificate, rest))
        made[rest] = picture.content
        assert picture.content.startswith(b"\x89PNG")
        assert picture["Content-Type"] == "image/png"
        assert picture["Cache-Control"] == "public, max-age=300"
        assert picture["X-Content-Type-Options"] == "nosniff"
        assert picture["Content-Security-Policy"].endswith("sandbox")
        assert picture["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert picture["X-Robots-Tag"] == "noindex"
        assert "Set-Cookie" not in picture
        held = client.get(address(certificate, rest), headers={"If-None-Match": picture["ETag"]})
        assert (held.status_code, held.content) == (304, b"")
    assert len(set(made.values())) == 4
    for odd in ("badge.png?scale=3", "badge.png?theme=<x>&scale=1e9"):
        assert client.get(address(certificate, odd)).content == made["badge.png"]


def test_the_markup_to_copy_links_to_the_record_and_can_hold_any_product(
    client: Client, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Certificate.objects.get(pk=certificate.pk)
    found.facts = {**(found.facts or {}), "product": '14" <b>&co'}
    monkeypatch.setattr("storefront.views.records.certificate_by_code", lambda code: found)
    page = text(client.get(address(certificate)))
    copied = [unescape(one) for one in re.findall(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)]
    here = f"http://testserver{address(certificate)}"
    assert [one.partition(" width")[0] for one in copied] == [
        f'<a href="{here}"><img src="{here}badge.svg"',
        f'<a href="{here}"><img src="{here}badge.png" srcset="{here}badge.png?scale=2 2x"',
    ]
    for one in copied:
        assert 'alt="386 kg of carbon credits retired for one 14&quot; &lt;b&gt;&amp;co, serial' in one
        assert one.endswith('"></a>')


def test_other_methods_are_refused(client: Client, certificate: Certificate) -> None:
    assert client.post(address(certificate)).status_code == 405
    assert client.put(address(certificate, "certificate.pdf")).status_code == 405
    assert client.head(address(certificate)).status_code == 200
