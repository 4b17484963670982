"""The documents of an order beside the single certificates: what they list, and what they say is missing."""

import csv
import html
import io
import json
import re
import shutil
import subprocess
import zipfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pikepdf
import pytest
import segno
from PIL import Image

from certificates import archive as archives
from certificates import bundles, collective, drawing, labels, services
from certificates.archive import archive
from certificates.bundles import Bundle, NothingYet, certified, devices
from certificates.collective import collective_pdf
from certificates.drawing import CannotDraw
from certificates.labels import labels_pdf, parts_of
from certificates.models import Certificate
from claims.guard import Quotation, check
from claims.wording import all_wordings, say, wording_by_id
from common.counting import TooMany
from offsets import services as ledger
from tests.factories.bundles import GROUP, bundle_of, draw_all, make_bundle
from tests.factories.certificates import ISSUED, cover, enter_log, issue, make_wish
from tests.factories.offsets import make_project, promise, stock

pytestmark = pytest.mark.django_db

DPI = 300
LEAST_MODULE_MM = 0.4
LATER = ISSUED + timedelta(hours=2)
needs_poppler = pytest.mark.skipif(not shutil.which("pdftotext"), reason="needs poppler-utils")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What would be drawn, without the seconds that drawing takes."""
    asked: list[dict[str, Any]] = []

    def note(page: str, **more: Any) -> bytes:
        asked.append({"page": page, **more})
        return b"%PDF-1.7 drawn"

    monkeypatch.setattr(collective, "draw", note)
    monkeypatch.setattr(labels, "draw", note)
    return asked


def read_csv(content: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content, newline="")))


def opened(bundle: Bundle) -> zipfile.ZipFile:
    packed = zipfile.ZipFile(io.BytesIO(b"".join(archive(bundle))))
    assert packed.testzip() is None
    return packed


def listed(packed: zipfile.ZipFile) -> dict[str, dict[str, str]]:
    """The archive's list, by state: for bundles whose devices are all in different ones."""
    return {row["state"]: row for row in read_csv(packed.read("devices.csv").decode())}


def text_of(pdf: bytes) -> str:
    answer = subprocess.run(["pdftotext", "-layout", "-", "-"], input=pdf, capture_output=True, check=True)
    return " ".join(answer.stdout.decode().split())


def make_mixed() -> Bundle:
    """One device in each state that a device with a promise can have."""
    project = make_project()
    stock(project, credits=9)
    names = ("certified", "reversed", "withdrawn", "sick", "retired")
    offsets = cover(*(make_wish(project, f"PF-{name.upper()}", group=GROUP) for name in names), key="covered")
    issue()
    enter_log()
    bundle = bundle_of()
    one = {name: Certificate.objects.get(offset=offset) for name, offset in zip(names, offsets, strict=True)}
    Certificate.objects.filter(pk=one["sick"].pk).update(needs_person_at=ISSUED, problem="no glyph")
    Certificate.objects.filter(pk=one["retired"].pk).update(render_attempts=1)
    ledger.reverse_offset(offsets[1], reason="returned", actor="staff:1", now=LATER)
    services.end_certificates(actor="sweep:test")
    enter_log()
    draw_all(replace(bundle, offsets=bundle.offsets.exclude(device_serial__in=["PF-SICK", "PF-RETIRED"])))
    services.withdraw(one["withdrawn"], reason="asked", actor="staff:1", now=LATER)
    services.delete_file(one["withdrawn"])
    promise(make_wish(project, "PF-PROMISED", group=GROUP), key="promised")
    return bundle


# --- what a bundle is


def test_each_device_has_one_state_and_those_that_count_are_asked_for_alike() -> None:
    bundle = make_mixed()
    states = {device.offset.device_serial: device.state for device in devices(bundle)}
    assert states == {
        "PF-CERTIFIED": "certified",
        "PF-REVERSED": "reversed",
        "PF-WITHDRAWN": "withdrawn",
        "PF-SICK": "needs_person",
        "PF-RETIRED": "retired",
        "PF-PROMISED": "promised",
    }
    counted = [device.certificate for device in devices(bundle) if device.state == "certified"]
    assert list(certified(bundle)) == counted
    assert set(states.values()) | {"cancelled", "moved"} == bundles.NOTES.keys()


def test_a_claim_that_ended_before_the_sweep_said_so_counts_no_more() -> None:
    bundle = make_bundle(1)
    ledger.reverse_offset(bundle.offsets.get(), reason="returned", actor="staff:1", now=LATER)
    assert Certificate.objects.get().state == "valid"
    assert [device.state for device in devices(bundle)] == ["reversed"]
    assert not certified(bundle).exists()


def test_a_certificate_that_was_issued_again_is_listed_once_by_its_new_code() -> None:
    bundle = make_bundle(1)
    new = services.issue_again(Certificate.objects.get(), reason="x", actor="staff:1", now=LATER)
    enter_log()
    draw_all(bundle)
    assert [device.certificate for device in devices(bundle)] == [new]
    assert [certificate.code for certificate in certified(bundle)] == [new.code]


def test_statements_grow_by_batches_and_not_by_devices(
    django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles, "BATCH", 3)
    bundle = make_bundle(7)
    with django_assert_num_queries(7):  # 3 + 3 + 1 devices, each with certificates, and the end
        assert len(list(devices(bundle))) == 7


def test_each_file_is_made_so_many_times_in_ten_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "DOWNLOADS", dict.fromkeys(bundles.DOWNLOADS, 2))
    bundle = bundle_of()
    for name in bundles.DOWNLOADS:
        bundles.count_download(bundle, name)
        bundles.count_download(bundle, name)
        with pytest.raises(TooMany):
            bundles.count_download(bundle, name)
        bundles.count_download(replace(bundle, reference="10046"), name)


def test_a_device_and_the_one_that_replaces_it_are_both_listed() -> None:
    bundle = make_bundle(1)
    ledger.move_to_replacement(
        bundle.offsets.get(), device_serial="PF-9", reason="broken", actor="staff:1", now=LATER
    )
    services.end_certificates(actor="sweep:test")
    issue()
    enter_log()
    draw_all(bundle)
    states = [(device.offset.device_serial, device.state) for device in devices(bundle)]
    assert states == [("PF000000", "moved"), ("PF-9", "certified")]
    assert [row.offset.device_serial for row in certified(bundle)] == ["PF-9"]


# --- the collective document


@needs_poppler
def test_the_collective_document_sums_up_and_says_that_it_is_not_in_the_log() -> None:
    bundle = make_bundle(3, beneficiary="Zoë & Søn AB")
    text = text_of(collective_pdf(bundle))
    codes = list(certified(bundle).values_list("code", flat=True))
    for shown in (
        "Collective record of carbon-credit retirement",
        "1\u202f158 kg of carbon credits were permanently retired for the devices listed here.".replace(
            "\u202f", " "
        ),
        "It does not change the devices' own footprint.",
        "Demonstration: not a real retirement.",
        "As of 24 November 2026. Devices: 3.",
        "has no entry of its own in the public log",
        "CL-4449 Wind Farm Project",
        "Credits · DEMO-CDM-CL-CER-2-1 to 2",
        "Retired in the name of Zoë & Søn AB.",
        "Together 1 158 kg. 1 158 000",
        "10045 · eu-consumer-en-1",
        *(f"ThinkPad T490 PF00000{n} 386 000 127.0.0.1:8000/c/{codes[n]}" for n in range(3)),
    ):
        assert shown in text, shown
    assert "Not counted here" not in text


def test_it_is_declared_pdf_a_3a_tagged_and_sound(tmp_path: Path) -> None:
    path = tmp_path / "collective.pdf"
    path.write_bytes(collective_pdf(make_bundle(40, wording="eu-company-de-1")))
    with pikepdf.open(path) as pdf:
        assert len(pdf.pages) == 2
        assert all([round(float(x)) for x in page.mediabox] == [0, 0, 595, 842] for page in pdf.pages)
        assert pdf.Root.MarkInfo.Marked
        assert str(pdf.Root.Lang) == "de"
        assert list(pdf.attachments) == []
        kinds = {str(each.S) for each in pdf.objects if isinstance(each, pikepdf.Dictionary) and "/S" in each}
        assert {"/Table", "/TH", "/TD", "/H1"} <= kinds
        with pdf.open_metadata() as xmp:
            assert (xmp["pdfaid:part"], xmp["pdfaid:conformance"]) == ("3", "A")
            assert xmp["dc:title"] == "Sammelbescheinigung über CO2-Kompensation 10045"
    if shutil.which("qpdf"):
        assert subprocess.run(["qpdf", "--check", path], capture_output=True).returncode == 0


def test_two_of_one_day_are_the_same_bytes() -> None:
    bundle = make_bundle(2)
    first = collective_pdf(bundle)
    assert collective_pdf(replace(bundle, as_of=bundle.as_of + timedelta(hours=3))) == first


def test_above_the_limit_the_list_is_attached_and_formulas_in_it_are_quoted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(collective, "LISTED", 3)
    bundle = make_bundle(4, product="=HYPERLINK(1)")
    content = collective_pdf(bundle)
    with pikepdf.open(io.BytesIO(content)) as pdf:
        assert list(pdf.attachments) == ["devices.csv"]
        attached = pdf.attachments["devices.csv"]
        assert str(attached.obj.AFRelationship) == "/Data"
        rows = read_csv(attached.get_file().read_bytes().decode())
    assert [row["device_serial"] for row in rows] == [f"PF{n:06d}" for n in range(4)]
    assert {row["product"] for row in rows} == {"'=HYPERLINK(1)"}
    assert rows[0]["credit_serials"] == "DEMO-CDM-CL-CER-2-1 to 1"
    assert rows[0]["intervals"].startswith("[0, 386000) of ")


def test_at_the_limit_every_device_stands_on_the_sheets(
    monkeypatch: pytest.MonkeyPatch, drawn: list[dict[str, Any]]
) -> None:
    monkeypatch.setattr(collective, "LISTED", 3)
    collective_pdf(make_bundle(3))
    [asked] = drawn
    assert asked["attached"] is None
    assert asked["page"].count('<td class="code">PF') == 3


def test_what_does_not_count_is_said_by_state_and_not_summed(drawn: list[dict[str, Any]]) -> None:
    bundle = make_mixed()
    collective_pdf(bundle)
    page = drawn[0]["page"]
    assert "386 kg of carbon credits were permanently retired" in page
    assert "Devices: 1." in page
    _counted, _heading, rest = page.partition("Not counted here")
    for state in ("reversed", "withdrawn", "retired", "promised", "needs_person"):
        assert f"{say(f'state_{state}', wording=bundle.wording)} · 1 · " in rest
    assert "PF-PROMISED" in rest
    assert "PF-WITHDRAWN" not in page
    assert Certificate.objects.get(state="withdrawn").code in rest


def test_markup_in_a_name_is_shown_as_typed(drawn: list[dict[str, Any]]) -> None:
    bundle = make_bundle(1, product="<img src=x>", beneficiary="</style><b>{{ facts }}")
    collective_pdf(bundle)
    labels_pdf(bundle)
    for page in (asked["page"] for asked in drawn):
        assert "&lt;img src=x&gt;" in page
        assert "<img" not in page
    assert "&lt;/style&gt;&lt;b&gt;{{ facts }}" in drawn[0]["page"]


def test_without_a_certificate_that_counts_there_is_none(drawn: list[dict[str, Any]]) -> None:
    with pytest.raises(NothingYet):
        collective_pdf(make_bundle(2, drawn=False))
    assert drawn == []


def test_grams_that_do_not_add_up_are_not_printed(
    drawn: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = make_bundle(1)
    monkeypatch.setattr(collective, "intervals_of", lambda facts: [(facts["retirement"], 0, 385_999)])
    with pytest.raises(CannotDraw, match="do not add up"):
        collective_pdf(bundle)
    assert drawn == []


def test_credits_of_neighbouring_intervals_are_one_run() -> None:
    bundle = make_bundle(9)
    tally = collective.tally_of(bundle)
    [used] = tally.used.values()
    retirement = collective.Retirement.objects.select_related("block").get()
    assert used.grams == 9 * 386_000
    assert collective.credit_runs(retirement, used.intervals) == ["DEMO-CDM-CL-CER-2-1 to 4"]
    far = [(0, 1), (2_000_000, 2_000_001)]
    assert collective.credit_runs(retirement, far) == [
        "DEMO-CDM-CL-CER-2-1 to 1",
        "DEMO-CDM-CL-CER-2-3 to 3",
    ]


@pytest.mark.parametrize("wording", [wording.id for wording in all_wordings()])
def test_each_wording_speaks_one_language_and_keeps_to_its_register(
    wording: str, drawn: list[dict[str, Any]]
) -> None:
    bundle = make_bundle(1, wording=wording)
    collective_pdf(bundle)
    labels_pdf(bundle)
    collective_page, label_page = (asked["page"] for asked in drawn)
    spoken = wording_by_id(wording)
    for page, title in (
        (collective_page, say("collective_title", wording=spoken)),
        (label_page, say("labels_title", wording=spoken, order="10045")),
    ):
        assert f'<html lang="{spoken.language}">' in page
        assert f"<title>{title}" in page
    text = re.sub(r"<style>.*?</style>|<[^>]+>", " ", collective_page, flags=re.DOTALL)
    text = " ".join(html.unescape(text).split())
    assert " ".join(say("collective_not_logged", wording=spoken).split()) in text
    quoted = [
        Quotation("CL-4449 Wind Farm Project", "the registry"),
        Quotation("Clean Development Mechanism", "its name"),
    ]
    assert check(text, register=spoken.register, quotations=quoted) == []


# --- one at a time, and in its time


def test_whoever_comes_meanwhile_is_told_to_try_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "WAIT_S", 0.01)
    with drawing._drawing, pytest.raises(CannotDraw, match="Try again"):
        drawing.draw("<p>x</p>", created=ISSUED.isoformat())


def test_what_takes_too_long_is_given_up_and_leaves_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    start = drawing.Renderer._start

    def noted(renderer: Any) -> Any:
        started.append(start(renderer))
        return started[-1]

    monkeypatch.setattr(drawing.Renderer, "_start", noted)
    monkeypatch.setattr(drawing, "TIME_LIMIT_S", 0.001)
    with pytest.raises(CannotDraw, match="cannot be drawn now"):
        drawing.draw("<p>x</p>", created=ISSUED.isoformat())
    [child] = started
    assert child.poll() is not None
    assert not drawing._drawing.locked()


# --- labels


def test_labels_are_in_parts_and_only_of_what_counts(
    monkeypatch: pytest.MonkeyPatch, drawn: list[dict[str, Any]]
) -> None:
    monkeypatch.setattr(labels, "PER_FILE", 2)
    bundle = make_bundle(3)
    assert parts_of(bundle) == 2
    labels_pdf(bundle)
    labels_pdf(bundle, part=2)
    assert [asked["page"].count("<li>") for asked in drawn] == [2, 1]
    assert "PF000002" in drawn[1]["page"]
    for part in (0, -1, 3):
        with pytest.raises(NothingYet):
            labels_pdf(bundle, part=part)


def test_with_the_longest_host_name_a_telephone_still_reads_it(settings: Any) -> None:
    settings.SITE_URL = f"https://{'a' * 253}"
    facts = {"product": "T490", "device_serial": "PF-1"}
    certificate = Certificate(code="7Q2M-K4VX-09AB-DJ3T", facts=facts)
    label = labels.label_of(certificate, wording_by_id("eu-consumer-en-1"))
    assert labels.CODE_MM / int(label["box"].split()[-1]) >= LEAST_MODULE_MM


@needs_poppler
def test_a_label_on_paper_is_the_code_of_its_records_address(tmp_path: Path) -> None:
    """Read back from the printed page: each module's middle, and a quiet zone of four around them."""
    bundle = make_bundle(25)
    path = tmp_path / "labels.pdf"
    path.write_bytes(labels_pdf(bundle))
    if shutil.which("qpdf"):
        assert subprocess.run(["qpdf", "--check", path], capture_output=True).returncode == 0
    subprocess.run(["pdftoppm", "-r", str(DPI), "-gray", "-png", path, tmp_path / "page"], check=True)
    sheets = [Image.open(picture).convert("L") for picture in sorted(tmp_path.glob("page-*.png"))]
    assert len(sheets) == 2
    for number, code in enumerate(certified(bundle).values_list("code", flat=True)):
        url = f"http://127.0.0.1:8000/c/{code}/"
        modules = segno.make(url, error="m", mask=3, boost_error=False, micro=False).matrix_iter(border=4)
        place = number % labels.PER_PAGE
        corner = (70 * (place % 3) + 3.5, 37 * (place // 3) + 4)
        read = modules_at(sheets[number // labels.PER_PAGE], corner, count=33 + 2 * labels.QUIET_MODULES)
        assert read == [[bool(module) for module in row] for row in modules]


def modules_at(sheet: Image.Image, corner: tuple[float, float], *, count: int) -> list[list[bool]]:
    """The middles of count x count modules of a printed code: dark or not."""
    pixels, module = DPI / 25.4, labels.CODE_MM / count
    assert module >= LEAST_MODULE_MM

    def dark(x: int, y: int) -> bool:
        across, down = (
            (place + (n + 0.5) * module) * pixels for place, n in zip(corner, (x, y), strict=True)
        )
        return int(sheet.getpixel((round(across), round(down)))) < 128  # type: ignore[arg-type]

    return [[dark(x, y) for x in range(count)] for y in range(count)]


# --- the archive


def test_the_archive_holds_each_file_and_the_list_names_it() -> None:
    bundle = make_bundle(2, real=True)
    packed = opened(bundle)
    rows = read_csv(packed.read("devices.csv").decode())
    names = [name for row in rows for name in row["files"].split()]
    assert packed.namelist() == ["collective.pdf", *names, "devices.csv"]
    for certificate in certified(bundle):
        inside = f"certificates/{certificate.code}"
        with certificate.pdf.open("rb") as file:
            assert packed.read(f"{inside}.pdf") == file.read()
        assert json.loads(packed.read(f"{inside}.json"))["facts"] == certificate.facts
    assert packed.read("collective.pdf").startswith(b"%PDF")
    assert {row["note"] for row in rows} == {""}


def test_a_device_without_a_file_is_in_the_list_with_the_reason(drawn: list[dict[str, Any]]) -> None:
    packed = opened(make_mixed())
    rows = listed(packed)
    assert len(rows) == 6
    for state, row in rows.items():
        assert row["note"] == bundles.NOTES[state]
        assert bool(row["files"]) == (state in {"certified", "reversed"})
    assert rows["withdrawn"]["device_serial"] == rows["withdrawn"]["intervals"] == ""
    assert rows["promised"]["device_serial"] == "PF-PROMISED"
    assert len(packed.namelist()) == 2 + 2 * 2
    assert b"PF-WITHDRAWN" not in b"".join(packed.read(name) for name in packed.namelist())


def test_a_pdf_that_is_gone_from_the_disk_is_said_to_be_and_stops_no_other(
    drawn: list[dict[str, Any]],
) -> None:
    bundle = make_bundle(2)
    lost = certified(bundle)[0]
    Path(lost.pdf.path).unlink()
    packed = opened(bundle)
    rows = {row["code"]: row for row in read_csv(packed.read("devices.csv").decode())}
    assert rows[lost.code]["note"] == archives.UNREADABLE
    assert rows[lost.code]["files"] == f"certificates/{lost.code}.json"
    assert sum(name.endswith(".pdf") for name in packed.namelist()) == 2


def test_an_order_without_a_certificate_has_an_archive_that_says_so(drawn: list[dict[str, Any]]) -> None:
    packed = opened(make_bundle(2, drawn=False))
    assert packed.namelist() == ["devices.csv"]
    assert {row["note"] for row in read_csv(packed.read("devices.csv").decode())} == {
        bundles.NOTES["retired"]
    }


def test_what_hinders_the_collective_document_is_said_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def cannot(*_: Any, **__: Any) -> bytes:
        raise CannotDraw("no")

    monkeypatch.setattr(collective, "draw", cannot)
    with pytest.raises(CannotDraw):
        archive(make_bundle(1))


def test_the_same_state_and_day_give_the_same_archive(drawn: list[dict[str, Any]]) -> None:
    bundle = make_bundle(3)
    assert b"".join(archive(bundle)) == b"".join(archive(replace(bundle, as_of=LATER)))


def test_one_certificate_at_a_time_is_in_memory(
    drawn: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each piece that is sent holds the files of one device: twenty of 1 MB never come together."""
    monkeypatch.setattr(archives, "_pdf", lambda _certificate: b"x" * 1_000_000)
    pieces = [len(piece) for piece in archive(make_bundle(20))]
    assert len(pieces) == 21
    assert max(pieces) < 1_100_000
