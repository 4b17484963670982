"""A stranger drops a certificate on /verify/: the browser checks it, and nothing leaves the browser."""

import base64
import io
import json
import subprocess
import sys
import zlib
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from certificates.commitment import commit
from certificates.translog.checkpoints import Signer
from certificates.translog.entries import Alloc
from tests.browser.shop import ROOT, Shop
from tests.browser.test_pages import assert_fits_and_is_accessible
from tests.certificates.test_verifying import ALTERATIONS, refused
from tests.factories.translog import (
    FACTS,
    KEY,
    NONCE,
    ORIGIN,
    PREFIX,
    Log,
    make_certificate,
    make_vector,
)

THIRTEEN = {
    "serial": "Entry 2 is not in the log: it or the facts were altered.",
    "grams": "Entry 2 is not in the log: it or the facts were altered.",
    "interval": "Entry 2 is not in the log: it or the facts were altered.",
    "negative": "The grams from -1 up to 2,008,000 do not lie inside the retirement.",
    "float": "Grams are whole numbers, and here they are not.",
    "bool": "Grams are whole numbers, and here they are not.",
    "block size": "The retirement's range of credits and their number differ.",
    "nonce": "Entry 2 is not in the log: it or the facts were altered.",
    "doubled part": "The parts add up to 1,016,000 g, and the certificate states 508,000 g.",
    "no part": "There is no part that gives grams to this certificate.",
    "signature": "The key has not signed the checkpoint.",
    "size": "The key has not signed the checkpoint.",
    "index": "A proof is too short for the checkpoint's size.",
}
DROP = """([name, content, length]) => {
  const bytes = content === null
    ? new Uint8Array(length)
    : Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name));
  const dropped = new DragEvent("drop", {dataTransfer: transfer, bubbles: true, cancelable: true});
  document.querySelector("#check-file-help").dispatchEvent(dropped);
}"""


@pytest.fixture
def verify_page(shop: Shop, page: Page) -> Iterator[Page]:
    """The page, loaded; whatever it asks of a network afterwards fails the test."""
    asked: list[str] = []
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(f"{shop.url}/verify/", wait_until="networkidle")

    def note(request: Request) -> None:
        asked.append(request.url)

    page.on("request", note)
    yield page
    assert asked == []
    assert complaints == []


def drop(page: Page, content: bytes | None, *, name: str = "certificate.json", length: int = 0) -> None:
    """Let a file go over the page; without content it is `length` zeros."""
    encoded = None if content is None else base64.b64encode(content).decode()
    page.evaluate(DROP, [name, encoded, length])


def type_key(page: Page, key: str) -> None:
    page.get_by_text("Use a key that you have from elsewhere").click()
    page.get_by_label("Key of the log").fill(key)


def vector() -> dict[str, Any]:
    return make_certificate(make_vector(), 2)


def dump(certificate: Any) -> bytes:
    return json.dumps(certificate, ensure_ascii=False).encode()


def expect_refused(page: Page, title: str, reason: str) -> None:
    """Refused in so many words, where a screen reader announces it, and with nothing beside it."""
    status = page.get_by_role("status")
    expect(status.get_by_role("heading", name=title, exact=True)).to_be_focused()
    assert status.inner_text().split("\n\n") == ["Refused", title, reason]


# What the shop hands out


@pytest.mark.parametrize("kind", ["pdf", "json"])
def test_a_real_certificate_that_is_dropped_is_valid(shop: Shop, verify_page: Page, kind: str) -> None:
    verify_page.context.set_offline(True)
    drop(verify_page, Path(shop.purchase[kind]).read_bytes(), name=f"certificate.{kind}")
    status = verify_page.get_by_role("status")
    code = shop.purchase["certificate_code"]
    expect(status.get_by_role("heading", name=f"Certificate {code} is valid")).to_be_focused()
    certificate = json.loads(Path(shop.purchase["json"]).read_bytes())
    facts, part = certificate["facts"], certificate["parts"][0]
    size, root = part["alloc_proof"].split("\n\n")[1].split("\n")[1:3]
    answer = status.inner_text()
    assert facts["device_serial"] in answer
    assert f"{facts['amount_g']:,} g" in answer
    assert f"Entries\n{int(size):,}\n" in answer
    assert root in answer
    assert "The key of the sandbox log, whose credits are not real, as this page has it." in answer
    assert "That this page is honest" in answer
    command = [sys.executable, "-I", str(ROOT / "tools" / "verify_certificate.py")]
    said = subprocess.run(
        [*command, shop.purchase[kind], shop.purchase["log_key"]],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    credits_line = next(line for line in said.splitlines() if line.startswith("  credits "))
    assert credits_line.removeprefix("  credits ").split(", retired")[0] in answer


def test_a_file_is_chosen_with_the_keyboard(shop: Shop, verify_page: Page) -> None:
    verify_page.get_by_label("Code").focus()
    for _button_or_link in range(4):
        verify_page.keyboard.press("Tab")
    assert verify_page.evaluate("document.activeElement.id") == "check-file"
    assert verify_page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    with verify_page.expect_file_chooser() as chooser:
        verify_page.keyboard.press("Space")
    chooser.value.set_files(shop.purchase["pdf"])
    expect(verify_page.get_by_role("heading", name="is valid")).to_be_focused()


def test_the_answer_fits_every_screen_and_is_accessible(shop: Shop, verify_page: Page) -> None:
    drop(verify_page, Path(shop.purchase["pdf"]).read_bytes(), name="a.pdf")
    verify_page.get_by_text("Every fact that was committed to").click()
    expect(verify_page.locator("[data-facts] dt").get_by_text("device_serial")).to_be_visible()
    assert_fits_and_is_accessible(verify_page)
    drop(verify_page, b"{}", name="x" * 200 + ".json")
    expect(verify_page.get_by_text("Refused")).to_be_visible()
    assert_fits_and_is_accessible(verify_page)


def packed(pdf: bytes, **options: Any) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as document:
        document.save(out, **options)
    return out.getvalue()


def test_a_certificate_is_found_in_a_pdf_however_it_is_packed(shop: Shop, verify_page: Page) -> None:
    pdf = Path(shop.purchase["pdf"]).read_bytes()
    uncompressed = {"compress_streams": False, "stream_decode_level": pikepdf.StreamDecodeLevel.generalized}
    ways = {
        "object-streams": packed(pdf, object_stream_mode=pikepdf.ObjectStreamMode.generate),
        "no-object-streams": packed(pdf, object_stream_mode=pikepdf.ObjectStreamMode.disable),
        "linear": packed(pdf, linearize=True),
        "uncompressed": packed(pdf, **uncompressed),
        "qdf": packed(pdf, qdf=True, **uncompressed),  # its lengths stand in objects of their own
    }
    for way, content in ways.items():
        drop(verify_page, content, name=f"{way}.pdf")
        expect(verify_page.get_by_role("heading", name="is valid")).to_be_focused()
        drop(verify_page, b"", name=f"{way}.pdf")
        expect_refused(
            verify_page,
            f"{way}.pdf was not checked",
            "The file is neither a PDF nor a certificate.json. Choose one of these two.",
        )


# The design's vector, under the key that a visitor brings


def test_the_vector_is_valid_under_the_key_that_was_typed(verify_page: Page) -> None:
    type_key(verify_page, f" {KEY} ")
    drop(verify_page, dump(vector()))
    status = verify_page.get_by_role("status")
    expect(status.get_by_role("heading", name="Certificate DEMO-7Q2M is valid")).to_be_focused()
    answer = status.inner_text()
    for line in (
        "Lenovo ThinkPad X1 Carbon Gen 9",
        "DEMOPF3X1234",
        "508,000 g",
        "Grams 1,500,000 up to, not including, 2,008,000 of the retirement in entry 0; entry 2 gives them.",
        f"CAR {PREFIX}978279 to 978280",
        f"CAR {PREFIX}978278 to 980783, retired on 2026-02-05; number of credits: 2,506.",
        ORIGIN,
        "1ghJBZlQ63juHwNaVirMSV2RNGv8kDIx/Gef2tsJDWg=",
        "The key that you typed in.",
    ):
        assert line in answer, line
    assert "That this page is honest" not in answer


@pytest.mark.parametrize("way", THIRTEEN)
def test_an_altered_certificate_is_refused_by_the_page_and_by_the_tool(verify_page: Page, way: str) -> None:
    certificate = vector()
    ALTERATIONS[way](certificate)
    refused(deepcopy(certificate))
    type_key(verify_page, KEY)
    drop(verify_page, dump(certificate))
    expect_refused(verify_page, "certificate.json is not valid", THIRTEEN[way])


def test_another_key_of_the_same_log_is_refused_and_the_right_one_is_not(verify_page: Page) -> None:
    type_key(verify_page, str(Signer(ORIGIN, bytes(32)).key))
    drop(verify_page, dump(vector()))
    expect_refused(verify_page, "certificate.json is not valid", "The key has not signed the checkpoint.")
    verify_page.get_by_label("Key of the log").fill(KEY)
    verify_page.get_by_role("button", name="Check with this key").click()
    expect(verify_page.get_by_role("heading", name="Certificate DEMO-7Q2M is valid")).to_be_focused()
    verify_page.get_by_label("Key of the log").fill(KEY.replace("d0ab4ba6", "d0ab4ba7"))
    verify_page.get_by_label("Key of the log").press("Enter")
    expect_refused(
        verify_page,
        "certificate.json was not checked",
        "The key does not read. It is written origin+id+key, as /log/key shows it.",
    )


def test_a_certificate_of_a_log_that_the_page_does_not_know_is_refused(shop: Shop, verify_page: Page) -> None:
    elsewhere = Log(make_vector().entries, signer=Signer("log.elsewhere.example/1", bytes(32)))
    drop(verify_page, dump(make_certificate(elsewhere, 2)))
    live, sandbox = ORIGIN, shop.purchase["log_key"].split("+")[0]
    expect_refused(
        verify_page,
        "certificate.json is not valid",
        f"The checkpoint is of the log “log.elsewhere.example/1”; the key is of {live}, {sandbox}.",
    )


# Files that are none


NEITHER = "The file is neither a PDF nor a certificate.json. Choose one of these two."
CARRIES = "A certificate's PDF carries one file, certificate.json; this one carries {}."
DOES_NOT_READ = "The file attached to this PDF does not read as certificate.json."
TOO_LONG = "The file is longer than any certificate: the limit is 20 MB."
OBJECT = b"%PDF 1 0 obj <</Type /EmbeddedFile"


@pytest.mark.parametrize(
    ("name", "content", "length", "reason"),
    [
        ("picture.png", b"\x89PNG\r\n\x1a\n", 0, NEITHER),
        ("text.txt", b"hello", 0, NEITHER),
        ("long.pdf", None, 20_000_001, TOO_LONG),
        ("letter.pdf", b"%PDF-1.7 a letter", 0, CARRIES.format(0)),
        ("two.pdf", b"%PDF /EmbeddedFile /EmbeddedFile", 0, CARRIES.format(2)),
        ("deflated.pdf", OBJECT + b" /Filter /FlateDecode>> stream\nx\nendstream", 0, DOES_NOT_READ),
        ("open.pdf", OBJECT + b">> stream\nx", 0, DOES_NOT_READ),
        ("cut.pdf", OBJECT + b">>", 0, DOES_NOT_READ),
    ],
)
def test_a_file_that_is_no_certificate_is_told_so(
    verify_page: Page, name: str, content: bytes | None, length: int, reason: str
) -> None:
    drop(verify_page, content, name=name, length=length)
    expect_refused(verify_page, f"{name} was not checked", reason)


def test_an_attachment_that_unpacks_without_end_is_given_up(verify_page: Page) -> None:
    packed_zeros = zlib.compress(bytes(30_000_000))
    pdf = b"%%PDF 1 0 obj <</Type /EmbeddedFile /Filter /FlateDecode /Length %d>> stream\n%s\nendstream"
    drop(verify_page, pdf % (len(packed_zeros), packed_zeros), name="bomb.pdf")
    expect_refused(
        verify_page,
        "bomb.pdf was not checked",
        "The file is longer than any certificate: the limit is 20 MB.",
    )


def test_two_files_at_once_and_none_are_told_so(verify_page: Page) -> None:
    files = [{"name": name, "mimeType": "application/json", "buffer": b"{}"} for name in ("a.json", "b.json")]
    verify_page.evaluate("document.querySelector('#check-file').multiple = true")
    verify_page.set_input_files("#check-file", files)  # type: ignore[arg-type]
    reason = "Choose one file: the certificate's PDF, or its certificate.json."
    expect_refused(verify_page, "One file at a time", reason)
    verify_page.set_input_files("#check-file", [])
    type_key(verify_page, KEY)
    verify_page.get_by_role("button", name="Check with this key").click()
    expect_refused(verify_page, "No file was chosen", reason)


def test_facts_cannot_pass_for_the_pages_own_words(verify_page: Page) -> None:
    facts = {**FACTS, "product": "<b>x</b>\n\u202evalid", "title": "Fake", "root": "Fake", "key": "Fake"}
    log = Log([make_vector().entries[0], Alloc(0, 0, 508_000, commit(facts, NONCE))])
    type_key(verify_page, KEY)
    drop(verify_page, dump(make_certificate(log, 1, facts=facts)))
    expect(verify_page.get_by_role("heading", name="Certificate DEMO-7Q2M is valid")).to_be_focused()
    assert verify_page.locator("#check-result b").count() == 0
    pairs = verify_page.locator("#check-result dl.pairs:not([data-facts])")
    shown = " ".join(pairs.all_inner_texts())
    assert "Lenovo <b>x</b>??valid" in shown
    assert "Fake" not in shown


# Where it cannot run


@pytest.fixture
def plain(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(java_script_enabled=False)
    yield context
    context.close()


def test_without_javascript_the_page_shows_the_tools_command(shop: Shop, plain: BrowserContext) -> None:
    page = plain.new_page()
    page.goto(f"{shop.url}/verify/")
    expect(
        page.get_by_text(f"python3 -I verify_certificate.py CERTIFICATE.pdf '{shop.purchase['log_key']}'")
    ).to_be_visible()
    expect(page.get_by_text("This needs JavaScript.")).to_be_visible()
    expect(page.locator("#check-file")).to_be_hidden()


def test_a_page_that_did_not_come_by_https_says_what_to_do(shop: Shop, page: Page) -> None:
    page.add_init_script("Object.defineProperty(crypto, 'subtle', {value: undefined})")
    page.goto(f"{shop.url}/verify/")
    drop(page, dump(vector()))
    reason = "This browser computes SHA-256 only on pages that came by https. Use the tool below."
    expect_refused(page, "certificate.json was not checked", reason)
