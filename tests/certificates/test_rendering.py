"""One page, the same bytes every time, nothing fetched, and a failure that stops nobody else."""

import io
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from catalog.pcf.footprint import Adjustment
from certificates import document, rendering, rendering_pool, services, tasks
from certificates.commitment import commit
from certificates.events import CERTIFICATE_NEEDS_PERSON, CERTIFICATE_RENDERED
from certificates.models import Certificate
from certificates.rendering_pool import Renderer, RendererUnavailable, RenderingFailed
from claims.formats import day_text
from common import events
from offsets import services as ledger
from tests.factories.certificates import (
    ACTOR,
    ISSUED,
    cover,
    enter_log,
    issue,
    make_certificate,
    make_footprint,
    make_wish,
)
from tests.factories.offsets import make_project, stock

pytestmark = pytest.mark.django_db

LATER = ISSUED + timedelta(minutes=1)
needs_poppler = pytest.mark.skipif(not shutil.which("pdftotext"), reason="needs poppler-utils")


@pytest.fixture(scope="module", autouse=True)
def one_renderer() -> Iterator[None]:
    yield
    rendering_pool.renderer.close()


def rendered(certificate: Certificate) -> bytes:
    assert services.render_certificate(certificate, now=LATER, actor=ACTOR)
    certificate.refresh_from_db()
    with certificate.pdf.open("rb") as file:
        content: bytes = file.read()
    return content


def text_of(content: bytes) -> str:
    """The PDF's text as poppler reads it, blanks and line breaks collapsed."""
    answer = subprocess.run(
        ["pdftotext", "-layout", "-", "-"], input=content, capture_output=True, check=True
    )
    return " ".join(answer.stdout.decode().split())


@needs_poppler
def test_the_page_shows_every_fact_of_the_certificate() -> None:
    certificate = make_certificate(beneficiary="Zoë & Søn AB")
    text = text_of(rendered(certificate))
    facts = certificate.facts or {}
    retired_on = day_text(str(facts["retired_on"]), language="en")  # the sandbox registry's own day
    for shown in (
        certificate.code,
        "Record of carbon-credit retirement",
        "386 kg of carbon credits were permanently retired for one device.",
        "Demonstration: not a real retirement.",
        "Lenovo ThinkPad T490 · serial PF1X1234",
        "16 GB, 512 GB SSD · used in Sweden",
        "421 kg CO2e, the maker's estimate (mean, sheet of February 2019)",
        "Electricity of Sweden instead of EU: our estimate, −35 kg.",
        "378.9 kg",
        "Five years of use in Sweden 7.1 kg (our estimate). Together 386 kg.",
        "[0, 386\u202f000) g of ".replace("\u202f", " "),
        str(facts["retirement"]),
        "DEMO-CDM-CL-CER-2-1 to 1 (part of one credit)",
        "CL-4449 Wind Farm Project · Chile · CDM CL-4449 · ACM0002 · monitoring period 2021",
        f"Voluntary cancellation {facts['registry_reference']} of {retired_on}",
        "Clean Development Mechanism. Retired in the name of Zoë & Søn AB.",
        "Boundary of the estimate: manufacture, shipping, five years of estimated use and end of life.",
        "https://sheets.example/t490.pdf (ODbL 1.0)",
        f"127.0.0.1:8000/c/{certificate.code}",
        certificate.digest,
        "Issued 24 November 2026. Wording eu-consumer-en-1.",
    ):
        assert shown in text, shown


def test_it_is_one_sound_a4_page_with_its_facts_attached(tmp_path: Path) -> None:
    certificate = make_certificate()
    content = rendered(certificate)
    path = tmp_path / "certificate.pdf"
    path.write_bytes(content)
    with pikepdf.open(path) as pdf:
        [page] = pdf.pages
        assert [round(float(side)) for side in page.mediabox] == [0, 0, 595, 842]
        assert list(pdf.attachments) == ["certificate.json"]
        body = json.loads(pdf.attachments["certificate.json"].get_file().read_bytes())
        with pdf.open_metadata() as xmp:
            assert (xmp["pdfaid:part"], xmp["pdfaid:conformance"]) == ("3", "A")
        fonts = [
            font for font in pdf.objects if isinstance(font, pikepdf.Dictionary) and "/FontFile3" in font
        ]
        assert fonts
        assert pdf.Root.MarkInfo.Marked
        assert str(pdf.Root.Lang) == "en"
    assert body["facts"] == certificate.facts
    assert commit(body["facts"], bytes.fromhex(body["nonce"])).hex() == certificate.digest
    assert len(content) <= 40 * 1024
    if shutil.which("qpdf"):
        assert subprocess.run(["qpdf", "--check", path], capture_output=True).returncode == 0


def test_two_processes_give_the_same_bytes() -> None:
    request = rendering_pool.request_for(make_certificate())
    first, second = Renderer(), Renderer()
    try:
        assert first.render(request) == second.render(request) == first.render(request)
    finally:
        first.close()
        second.close()


def test_the_row_keeps_the_digest_of_the_file_and_the_sweep_renders_once(media: Path) -> None:
    certificate = make_certificate()
    assert tasks.render_certificates() == 1
    assert tasks.render_certificates() == 0
    certificate.refresh_from_db()
    path = media / "certificates" / f"{certificate.code}.pdf"
    assert Path(certificate.pdf.path) == path
    assert certificate.pdf_sha256 == services.hashlib.sha256(path.read_bytes()).hexdigest()
    assert [event.kind for event in events.history(certificate)][1:] == [CERTIFICATE_RENDERED]
    assert os.listdir(path.parent) == [path.name]


def test_a_file_that_a_crash_left_half_written_is_replaced(media: Path) -> None:
    certificate = make_certificate()
    path = media / "certificates" / f"{certificate.code}.pdf"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"%PDF-1.7 half")
    assert rendered(certificate).endswith(b"%%EOF\n")
    assert os.listdir(path.parent) == [path.name]


def test_a_full_disk_names_no_file_and_is_not_held_against_the_certificate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    certificate = make_certificate()

    def full(*_: Any, **__: Any) -> str:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(services.default_storage, "save", full)
        for _round in range(4):
            assert tasks.render_certificates() == 0
    certificate.refresh_from_db()
    assert (certificate.rendered_at, certificate.render_attempts, certificate.problem) == (None, 0, "")
    assert tasks.render_certificates() == 1


def test_one_that_cannot_be_rendered_needs_a_person_and_the_others_go_on() -> None:
    project = make_project()
    stock(project, credits=5)
    sick_at = 4
    cover(*(make_wish(project, f"PF-{n}", product="机械革命" if n == sick_at else "T490") for n in range(10)))
    issue()
    enter_log()
    assert [tasks.render_certificates() for _round in range(4)] == [9, 0, 0, 0]
    [sick] = Certificate.objects.filter(rendered_at=None)
    assert (sick.offset.device_serial, sick.render_attempts) == (f"PF-{sick_at}", 3)
    assert sick.needs_person_at is not None
    assert sick.problem == "The certificate's font has no glyph for '命机械革'."
    assert [event.kind for event in events.history(sick)][1:] == [CERTIFICATE_NEEDS_PERSON]

    services.try_again(sick, reason="font installed", actor="staff:5")
    sick.refresh_from_db()
    assert (sick.render_attempts, sick.problem, sick.needs_person_at) == (0, "", None)


def test_a_renderer_that_does_not_start_is_nobodys_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = make_certificate()
    renderer = Renderer()
    monkeypatch.setattr(rendering_pool, "renderer", renderer)
    with monkeypatch.context() as patch:
        patch.setattr(rendering_pool.sys, "executable", shutil.which("false"))
        with pytest.raises(RendererUnavailable):
            services.render_certificate(certificate, now=LATER, actor=ACTOR)
        assert tasks.render_certificates() == 0
    certificate.refresh_from_db()
    assert certificate.render_attempts == 0
    assert tasks.render_certificates() == 1
    renderer.close()


def test_a_renderer_that_hangs_or_dies_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    request = rendering_pool.request_for(make_certificate())
    renderer = Renderer()
    try:
        with pytest.raises(RenderingFailed, match="took longer"):
            renderer.render(request, time_limit_s=0.0001)
        assert renderer.render(request)
        assert renderer._child is not None
        renderer._child.kill()
        renderer._child.wait()
        assert renderer.render(request)
    finally:
        renderer.close()


def test_a_renderer_that_does_not_read_is_replaced() -> None:
    request = rendering_pool.request_for(make_certificate())
    longer_than_a_pipe = request | {"more": "x" * 1_000_000}
    renderer = Renderer()
    try:
        assert renderer.render(longer_than_a_pipe)
        assert renderer._child is not None
        renderer._child.send_signal(signal.SIGSTOP)
        with pytest.raises(RenderingFailed, match="took longer"):
            renderer.render(longer_than_a_pipe, time_limit_s=0.5)
        assert renderer.render(request)
    finally:
        renderer.close()


def test_the_rendering_process_is_given_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "canary")
    monkeypatch.setenv("DATABASE_URL", "postgres://canary")
    renderer = Renderer()
    try:
        child = renderer._start()
        environment = Path(f"/proc/{child.pid}/environ").read_bytes()
        rendering_pool._end(child)
    finally:
        renderer.close()
    assert b"canary" not in environment
    assert b"PATH=" in environment


@pytest.fixture
def canary() -> Iterator[tuple[str, list[bytes]]]:
    """A loopback server that nobody may call, and the calls that it got."""
    calls: list[bytes] = []
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.2)
    stopped = threading.Event()

    def listen() -> None:
        while not stopped.is_set():
            try:
                connection, _address = server.accept()
            except TimeoutError:
                continue
            calls.append(connection.recv(100))
            connection.close()

    thread = threading.Thread(target=listen)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}/", calls
    stopped.set()
    thread.join()
    server.close()


@needs_poppler
def test_markup_in_a_name_is_printed_as_typed_and_fetches_nothing(
    canary: tuple[str, list[bytes]], tmp_path: Path
) -> None:
    address, calls = canary
    secret = tmp_path / "secret.txt"
    secret.write_text("SECRETCANARY")
    project = make_project()
    stock(project, credits=9)
    names = [
        f'<img src="{address}">',
        f"<link rel=attachment href=file://{secret}>",
        f"</style><style>@import '{address}'",
        f"<iframe src=file://{secret}>",
        "{{ facts }}{% include 'x' %}",
        "&lt;b&gt; &amp; <b>",
        "}*{content:url(x)}",
    ]
    cover(*(make_wish(project, f"PF-{n}", beneficiary=name) for n, name in enumerate(names)))
    issue()
    enter_log()
    for certificate in Certificate.objects.order_by("pk"):
        content = rendered(certificate)
        typed = str((certificate.facts or {})["beneficiary"])
        assert "".join(typed.split()) in "".join(text_of(content).split())
        with pikepdf.open(io.BytesIO(content)) as pdf:
            assert list(pdf.attachments) == ["certificate.json"]
        assert b"SECRETCANARY" not in content
    assert calls == []


@pytest.mark.parametrize(
    "markup",
    [
        '<img src="{address}">',
        '<img src="file:///etc/hostname">',
        '<img src="data:image/png;base64,AAAA">',
        '<link rel="attachment" href="file:///etc/hostname">',
        '<link rel="stylesheet" href="{address}">',
        "<style>@import url({address})</style>",
        '<p style="background:url({address})">x</p>',
        '<object data="{address}"></object>',
        '<svg><image href="{address}"/></svg>',
    ],
)
def test_even_a_page_that_asks_for_an_address_is_refused(
    canary: tuple[str, list[bytes]], markup: str
) -> None:
    address, calls = canary
    page = f"<html><head><title>x</title></head><body>{markup.format(address=address)}</body></html>"
    with pytest.raises(rendering.CannotRender, match="fetches nothing"):
        rendering.render_pdf(pages=[page], certificate_json=b"{}", issued_at=ISSUED, identifier=b"x" * 16)
    assert calls == []


@needs_poppler
@pytest.mark.parametrize("length", [60, 160])
def test_long_names_wrap_and_the_page_stays_one(length: int) -> None:
    long_name = ("ThinkPad Workstation Extreme " * 10)[:length].strip()
    unbroken = "W" * 120
    certificate = make_certificate(
        product=long_name,
        configuration="64 GB, 4 TB SSD, " * 11,
        beneficiary=unbroken,
        footprint=make_footprint(source="https://sheets.example/" + "a/" * 140, licence="ODbL 1.0 " * 40),
    )
    content = rendered(certificate)
    with pikepdf.open(io.BytesIO(content)) as pdf:
        assert len(pdf.pages) == 1
    text = "".join(text_of(content).split())
    assert "".join(long_name.split()) in text
    assert unbroken in text


@needs_poppler
def test_many_intervals_and_changes_still_fit_one_page() -> None:
    project = make_project()
    stock(project, credits=40)
    changes = tuple(
        Adjustment(key, f"{key} changed from what the maker assessed: our estimate", Decimal("1.5"), "Source")
        for key in ("memory", "storage", "country", "years")
    )
    for number in range(8):  # each leaves a remainder, which the last one takes first
        made = cover(make_wish(project, f"PF-{number}", 999_000), key=f"order-{number}")
        ledger.reverse_offset(made[0], reason="returned", actor="staff:1", now=LATER)
    [offset] = cover(
        make_wish(project, "PF-BIG", 12_345_678, footprint=make_footprint(adjustments=changes)), key="big"
    )
    assert offset.allocations.count() >= 8
    issue()
    enter_log()
    certificate = Certificate.objects.get(offset=offset)
    content = rendered(certificate)
    with pikepdf.open(io.BytesIO(content)) as pdf:
        assert len(pdf.pages) == 1
    text = text_of(content)
    for interval in str((certificate.facts or {})["intervals"]).split("; "):
        assert interval.split(" of ")[1] in text


def test_what_fits_no_page_is_refused_and_not_cut() -> None:
    pages = ["<html><body>" + "<p>line</p>" * 400 + "</body></html>"]
    with pytest.raises(rendering.CannotRender, match="does not fit"):
        rendering.render_pdf(pages=pages, certificate_json=b"{}", issued_at=ISSUED, identifier=b"x" * 16)


@needs_poppler
def test_the_title_follows_the_state() -> None:
    certificate = make_certificate()
    before = rendered(certificate)
    ledger.reverse_offset(certificate.offset, reason="returned", actor="staff:5", now=LATER)
    tasks.issue_certificates()
    certificate.refresh_from_db()
    assert certificate.rendered_at is None
    after = rendered(certificate)
    assert "Reversed: record of carbon-credit retirement" in text_of(after)
    assert "Reversed on 24 November 2026" in text_of(after)
    assert "Reversed" not in text_of(before)
    assert certificate.pdf_sha256 == services.hashlib.sha256(after).hexdigest()


@needs_poppler
def test_a_certificate_that_was_issued_again_says_which_one_stands() -> None:
    old = make_certificate()
    new = services.issue_again(old, reason="x", actor="staff:5", now=LATER)
    enter_log()
    assert tasks.render_certificates() == 2
    old.refresh_from_db()
    with old.pdf.open("rb") as file:
        assert f"Issued again as {new.code}" in text_of(file.read())


def test_withdrawal_deletes_the_file_even_when_a_crash_came_between(media: Path) -> None:
    certificate = make_certificate()
    rendered(certificate)
    services.withdraw(
        certificate, reason="asked", actor="staff:5", now=LATER
    )  # its on_commit never runs here
    path = media / "certificates" / f"{certificate.code}.pdf"
    assert path.exists()
    tasks.render_certificates()
    certificate.refresh_from_db()
    assert not path.exists()
    assert (certificate.pdf.name, certificate.rendered_at is not None) == ("", True)


def test_one_withdrawn_while_its_page_was_made_keeps_no_file(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = make_certificate()
    content = rendering_pool.render(certificate)

    def withdraw_meanwhile(row: Certificate) -> bytes:
        services.withdraw(row, reason="asked", actor="staff:5", now=LATER)
        return content

    monkeypatch.setattr(services, "render", withdraw_meanwhile)
    assert not services.render_certificate(certificate, now=LATER, actor=ACTOR)
    assert not (media / "certificates" / f"{certificate.code}.pdf").exists()
    certificate.refresh_from_db()
    assert certificate.rendered_at is None


def test_every_register_has_its_own_title_on_the_page() -> None:
    titles = {}
    for wording in ("eu-consumer-en-1", "eu-company-en-1", "international-en-1", "uk-qualified-en-1"):
        certificate = make_certificate(f"PF-{wording}", wording=wording)
        context = document.page(
            certificate.facts or {}, state="valid", note="", record_url="http://x/", digest=certificate.digest
        )
        titles[wording] = context["title"]
    assert titles == {
        "eu-consumer-en-1": "Record of carbon-credit retirement",
        "eu-company-en-1": "Certificate of CO2 offset",
        "international-en-1": "Certificate of carbon offset",
        "uk-qualified-en-1": "Certificate of offset by carbon-credit retirement",
    }
