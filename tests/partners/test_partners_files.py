"""The files of a whole request: its partner gets them, nobody else does."""

import io
import zipfile
from typing import Any

import pytest
from django.utils import timezone

from certificates import bundles, collective, labels
from certificates.drawing import CannotDraw
from certificates.models import Certificate
from offsets.models import OffsetRequest
from partners import selectors
from partners.keys import revoke_key
from partners.models import Partner
from tests.factories.bundles import draw_all
from tests.factories.certificates import cover_promised, enter_log, issue
from tests.factories.offsets import make_project
from tests.factories.partners import OFFSETS, Caller, body_for, make_caller

pytestmark = pytest.mark.usefixtures("shop", "dealt_in_order")

FILES = {"collective.pdf": "application/pdf", "certificates.zip": "application/zip"}
FILES |= {"labels.pdf": "application/pdf"}


@pytest.fixture(autouse=True)
def drawn(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Any) -> list[str]:
    """Pages that would be drawn: who may not have a file must not make us draw it either."""
    pages: list[str] = []

    def note(page: str, **_more: Any) -> bytes:
        pages.append(page)
        return b"%PDF-1.7 drawn"

    monkeypatch.setattr(collective, "draw", note)
    monkeypatch.setattr(labels, "draw", note)
    settings.MEDIA_ROOT = tmp_path / "media"
    return pages


def certify(public_id: str) -> None:
    cover_promised(make_project())
    issue()
    enter_log()
    request = OffsetRequest.objects.get(public_id=public_id)
    draw_all(selectors.bundle_of(request, now=timezone.now()))


@pytest.fixture
def asked(shop: None, writer: Caller) -> str:
    """Address of a request of two devices that are certified."""
    public_id = writer.order(body_for("PF-1", "PF-2"), key="k-1").json()["id"]
    certify(public_id)
    return f"{OFFSETS}{public_id}/"


def content(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


@pytest.mark.parametrize("name", FILES)
def test_the_partner_gets_them_with_either_key(
    asked: str, writer: Caller, reader: Caller, drawn: list[str], name: str
) -> None:
    for caller in (writer, reader):
        answer = caller.get(f"{asked}{name}")
        assert (answer.status_code, answer["Content-Type"]) == (200, FILES[name])
        assert answer["Cache-Control"] == "private, no-store"
        assert content(answer)[:4] in (b"%PDF", b"PK\x03\x04")
    assert all("PF-1" in page and "PF-2" in page for page in drawn)


@pytest.mark.parametrize("name", FILES)
def test_nobody_else_gets_them(
    asked: str, rival: Caller, partner: Partner, drawn: list[str], name: str
) -> None:
    revoked = make_caller(partner)
    assert revoked.key is not None
    revoke_key(revoked.key, actor="staff:1", reason="test", now=timezone.now())
    for stranger in (Caller(), revoked):
        answer = stranger.get(f"{asked}{name}")
        assert answer.status_code == 401
        assert b"PF-1" not in answer.content
    foreign, missing = rival.get(f"{asked}{name}"), rival.get(f"{OFFSETS}ofr_0000000000000000/{name}")
    assert (foreign.status_code, foreign.content) == (404, missing.content)
    assert drawn == []


@pytest.mark.parametrize("name", FILES)
def test_a_key_of_the_other_mode_finds_nothing(
    asked: str, partner: Partner, settings: Any, drawn: list[str], name: str
) -> None:
    settings.LIVEMODE = True
    live = make_caller(partner, livemode=True)
    assert live.get(f"{asked}{name}").status_code == 404
    assert drawn == []


def test_the_archive_holds_the_requests_devices_and_no_others(asked: str, writer: Caller) -> None:
    certify(writer.order(body_for("PF-9"), key="k-2").json()["id"])
    packed = zipfile.ZipFile(io.BytesIO(content(writer.get(f"{asked}certificates.zip"))))
    codes = Certificate.objects.exclude(offset__device_serial="PF-9").values_list("code", flat=True)
    files = {f"certificates/{code}.{kind}" for code in codes for kind in ("pdf", "json")}
    assert set(packed.namelist()) == {"collective.pdf", "devices.csv", *files}


def test_before_the_first_certificate_a_document_is_409_and_the_archive_says_why(writer: Caller) -> None:
    early = f"{OFFSETS}{writer.order(body_for('PF-1'), key='k-1').json()['id']}/"
    for name in ("collective.pdf", "labels.pdf"):
        answer = writer.get(f"{early}{name}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_drawn_yet")
    packed = zipfile.ZipFile(io.BytesIO(content(writer.get(f"{early}certificates.zip"))))
    assert bundles.NOTES["promised"] in packed.read("devices.csv").decode()


def test_a_part_that_is_no_number_or_not_there_is_refused(asked: str, writer: Caller) -> None:
    assert writer.get(f"{asked}labels.pdf?part=2").status_code == 409
    for wrong in ("0", "x", "-1"):
        assert writer.get(f"{asked}labels.pdf?part={wrong}").status_code == 422


def test_busy_and_too_often_are_said(asked: str, writer: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: Any, **__: Any) -> bytes:
        raise CannotDraw("Another document is being drawn.")

    monkeypatch.setattr(collective, "draw", busy)
    monkeypatch.setitem(bundles.DOWNLOADS, "certificates.zip", 1)
    answer = writer.get(f"{asked}certificates.zip")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "cannot_draw")
    again = writer.get(f"{asked}certificates.zip")
    assert (again.status_code, again.json()["error"]["code"]) == (429, "too_many")
    assert 0 < int(again["Retry-After"]) <= bundles.DOWNLOADS_S
