"""Files that a registry gave as proof: what they are is read from their content, and staff alone see them."""

import hashlib
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import User
from common.events import history
from offsets.attestations import (
    MAX_BYTES,
    AttestationMissing,
    InvalidAttestation,
    keep_attestation,
    media_type_of,
    read_attestation,
    shown_name,
)
from offsets.models import Attestation, Retirement, Span
from tests.factories.offsets import NOON, make_project, open_retirements, promise, stock, wish

PDF = b"%PDF-1.7\n1 0 obj << >> endobj\ntrailer << >>\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(20) + b"IEND\xaeB`\x82"
JPEG = b"\xff\xd8\xff\xe0" + bytes(20) + b"\xff\xd9"
CONFIRMATION = {
    "registry_reference": "VC18834/2026",
    "credit_serials": "DEMO-CDM-CL-CER-2-1 to 2",
    "retired_on": "2026-11-24",
    "reason": "attestation VC18834",
}


@pytest.fixture(autouse=True)
def media(settings: LazySettings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture
def manual(db: None) -> Retirement:
    project = make_project(adapter="manual")
    stock(project, credits=2)
    promise(wish(project, "PF-1", 1_600_000))
    [retirement] = open_retirements(project)
    return retirement


def kept(retirement: Retirement, name: str = "attestation.pdf", content: bytes = PDF) -> Attestation:
    return keep_attestation(retirement, name=name, content=content, actor="staff:1", now=NOON)


def files(media: Path) -> list[str]:
    return sorted(str(path.relative_to(media)) for path in media.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("content", "said"), [(PDF, "application/pdf"), (PNG, "image/png"), (JPEG, "image/jpeg")]
)
def test_the_type_is_what_the_file_holds(content: bytes, said: str) -> None:
    assert media_type_of(content) == said


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html><script>alert(1)</script></html>",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"MZ\x90\0" + PDF,  # a program with a page behind it
        b"\n" + PDF,
        PDF[:-8],  # cut off
        PNG[:-4],
        JPEG[:-2],
        PNG + b"<script>alert(1)</script>",
        b"GIF89a" + bytes(20),
        b"PK\x03\x04" + bytes(20),
    ],
)
def test_what_is_no_whole_pdf_png_or_jpeg_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidAttestation, match="no whole PDF, PNG or JPEG"):
        media_type_of(content)


def test_five_megabytes_are_taken_and_a_byte_more_is_not() -> None:
    filled = PNG[:20] + bytes(MAX_BYTES - len(PNG)) + PNG[20:]
    assert len(filled) == MAX_BYTES
    assert media_type_of(filled) == "image/png"
    with pytest.raises(InvalidAttestation, match="larger than 5 MB"):
        media_type_of(PNG[:20] + bytes(MAX_BYTES - len(PNG) + 1) + PNG[20:])


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("page.png.exe", "page.png.exe"),
        ("a\x00\n\u202eb.pdf", "ab.pdf"),
        ("", "attestation"),
        ("x" * 400, "x" * 120),
    ],
)
def test_the_name_is_shown_without_its_path(name: str, shown: str) -> None:
    assert shown_name(name) == shown


def test_a_file_is_kept_under_its_digest_whatever_it_was_called(manual: Retirement, media: Path) -> None:
    row = kept(manual, name="../../../page.png.exe")
    digest = hashlib.sha256(PDF).hexdigest()
    assert (row.sha256, row.media_type, row.size, row.name) == (
        digest,
        "application/pdf",
        len(PDF),
        "page.png.exe",
    )
    assert files(media) == [f"attestations/{digest}.pdf"]
    assert read_attestation(row) == PDF
    assert [event.kind for event in history(manual)][-1] == "retirement.attested"


def test_the_same_file_again_is_the_same_row(manual: Retirement, media: Path) -> None:
    assert kept(manual) == kept(manual, name="again.pdf")
    assert (Attestation.objects.count(), len(files(media))) == (1, 1)
    assert history(manual).filter(kind="retirement.attested").count() == 1


def test_what_a_crash_left_half_written_is_written_anew(manual: Retirement, media: Path) -> None:
    path = media / "attestations" / f"{hashlib.sha256(PDF).hexdigest()}.pdf"
    path.parent.mkdir(parents=True)
    path.write_bytes(PDF[:9])
    assert read_attestation(kept(manual)) == PDF
    assert len(files(media)) == 1


def test_a_file_that_was_changed_or_lost_is_not_given_out(manual: Retirement, media: Path) -> None:
    row = kept(manual)
    [path] = list(media.rglob("*.pdf"))
    path.write_bytes(PDF + b"\n")
    with pytest.raises(AttestationMissing):
        read_attestation(row)
    path.unlink()
    with pytest.raises(AttestationMissing):
        read_attestation(row)


def test_a_bad_file_keeps_nothing(manual: Retirement, media: Path) -> None:
    with pytest.raises(InvalidAttestation):
        kept(manual, name="good.pdf", content=b"<html>")
    assert (Attestation.objects.count(), files(media)) == (0, [])


# --- Staff --------------------------------------------------------------------------------------------------


def confirm(client: Client, retirement: Retirement, name: str, content: bytes) -> tuple[int, str]:
    answer = client.post(
        reverse("admin:offsets_retirement_confirm", args=[retirement.pk]),
        {**CONFIRMATION, "attestation": SimpleUploadedFile(name, content)},
    )
    return answer.status_code, answer.content.decode()


def test_an_attestation_comes_with_the_confirmation(client: Client, dana: User, manual: Retirement) -> None:
    client.force_login(dana)
    assert (
        'enctype="multipart/form-data"'
        in client.get(reverse("admin:offsets_retirement_confirm", args=[manual.pk])).content.decode()
    )
    assert confirm(client, manual, "VC18834.pdf", PDF)[0] == 302
    manual.refresh_from_db()
    row = Attestation.objects.get()
    assert (manual.state, row.actor, row.name) == ("confirmed", f"staff:{dana.pk}", "VC18834.pdf")
    url = reverse("admin:offsets_attestation_file", args=[row.pk])
    assert url in client.get(reverse("admin:offsets_retirement_change", args=[manual.pk])).content.decode()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("attestation.pdf", b"<html><script>", "no whole PDF, PNG or JPEG"),
        ("attestation.png", PNG + bytes(MAX_BYTES), "larger than 5 MB"),
    ],
)
def test_a_bad_file_is_named_on_the_form_and_nothing_is_confirmed(
    client: Client, dana: User, manual: Retirement, media: Path, name: str, content: bytes, said: str
) -> None:
    client.force_login(dana)
    status, text = confirm(client, manual, name, content)
    assert status == 422
    assert said in text
    assert (Span.objects.count(), Attestation.objects.count(), files(media)) == (0, 0, [])


def test_staff_download_it_and_nothing_in_it_runs(
    client: Client, sales_person: User, manual: Retirement
) -> None:
    row = kept(manual, name="evil.html")
    client.force_login(sales_person)
    answer = client.get(reverse("admin:offsets_attestation_file", args=[row.pk]))
    assert answer.content == PDF
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{manual.reference}.pdf"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_nobody_else_gets_it(client: Client, alice: User, manual: Retirement) -> None:
    row = kept(manual)
    bare = User.objects.create_user("bare@example.com", "a long enough passphrase", is_staff=True)
    url = reverse("admin:offsets_attestation_file", args=[row.pk])
    assert client.get(url).status_code == 302
    client.force_login(alice)
    assert client.get(url).status_code == 302
    client.force_login(bare)  # staff without a role
    assert client.get(url).status_code == 403
    for path in (f"/media/attestations/{row.sha256}.pdf", f"/static/attestations/{row.sha256}.pdf"):
        assert client.get(path).status_code == 404


def test_a_file_that_is_gone_is_not_found(
    client: Client, dana: User, manual: Retirement, media: Path
) -> None:
    row = kept(manual)
    next(media.rglob("*.pdf")).unlink()
    client.force_login(dana)
    assert client.get(reverse("admin:offsets_attestation_file", args=[row.pk])).status_code == 404
    assert client.get(reverse("admin:offsets_attestation_file", args=[row.pk + 1])).status_code == 404


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_the_download_only_reads(client: Client, dana: User, manual: Retirement, method: str) -> None:
    row = kept(manual)
    client.force_login(dana)
    url = reverse("admin:offsets_attestation_file", args=[row.pk])
    assert getattr(client, method)(url).status_code == 405


def test_one_file_has_one_row_for_each_retirement(manual: Retirement) -> None:
    row = kept(manual)
    with pytest.raises(IntegrityError), transaction.atomic():
        Attestation.objects.create(
            retirement=manual,
            sha256=row.sha256,
            media_type="image/png",
            size=1,
            name="other.png",
            actor="staff:2",
            created_at=NOON,
        )
