"""Facts to one A4 page. The only module that imports WeasyPrint; it runs in a process of its own
(render_child.py).

A pure function: the same facts, wording and files give the same bytes in every process. Nothing is
fetched: the page is self-contained and every address is refused.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NoReturn

import segno
from django.template.loader import render_to_string
from weasyprint import HTML, Attachment
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher

from certificates import sheet
from claims.wording import say, wording_by_id

TITLES = {
    "valid": "certificate_title",
    "superseded": "certificate_title",
    "reversed": "certificate_title_reversed",
    "moved": "certificate_title_moved",
}
_FONTS = FontConfiguration()


class RefusedAddress(FatalURLFetchingError):
    """A certificate asked for a file or an address; nothing is ever fetched."""


class RefuseEverything(URLFetcher):  # type: ignore[misc]  # ships no types
    """Deny-all: no file, no loopback, no network."""

    def fetch(self, url: str, headers: object = None) -> NoReturn:
        raise RefusedAddress(f"A certificate fetches nothing, and was asked for {url[:80]}")


def render_pdf(
    *, facts: Mapping[str, str | int], state: str, record_url: str, certificate_json: bytes, digest: str
) -> bytes:
    """The certificate as PDF/A-3a with `certificate.json` attached. Raises UnknownWording for a wording
    never published.

    Conformance is declared, not validated.
    """
    issued_at = datetime.fromisoformat(str(facts["issued_at"]))
    html = render_to_string("certificates/certificate.html", page(facts, state, record_url, digest))
    attachment = Attachment(
        string=certificate_json,
        name="certificate.json",
        description="The facts of this certificate, for checking it offline",
        created=issued_at,
        modified=issued_at,
        relationship="Data",
    )
    pdf: bytes = HTML(string=html, url_fetcher=RefuseEverything()).write_pdf(
        font_config=_FONTS,
        attachments=[attachment],
        pdf_identifier=hashlib.sha256(digest.encode()).digest()[:16],
        pdf_variant="pdf/a-3a",
    )
    return pdf


def page(facts: Mapping[str, str | int], state: str, record_url: str, digest: str) -> dict[str, Any]:
    """What the template shows."""
    wording = wording_by_id(str(facts["wording"]))
    serial = str(facts["device_serial"])
    return {
        "lang": facts["language"],
        "title": say(TITLES[state], wording=wording),
        "intro": sheet.intro_text(facts, wording, device_serial=serial),
        "code": facts["certificate"],
        "steps": sheet.steps(facts, wording, device_serial=serial),
        "digest": digest,
        "boundary": say(
            "certificate_boundary", wording=wording, boundary=sheet.boundary_text(facts, wording)
        ),
        "source": facts["footprint_source"],
        "licence": facts["footprint_licence"],
        "demo": "" if facts["livemode"] else say("certificate_demo", wording=wording),
        "wording": wording.id,
        "issued": sheet.day_text(str(facts["issued_at"])),
        "issued_at": str(facts["issued_at"]),
        "record_url": record_url,
        "record_address": record_url.split("://", 1)[-1].rstrip("/"),
        "qr": qr_path(record_url),
    }


def qr_path(url: str) -> dict[str, Any]:
    """A QR code as one SVG path of unit squares, with its width in modules (four of them quiet on each
    side).
    """
    code = segno.make(url, error="m", mask=3, boost_error=False, micro=False)
    rows = [
        f"M{x} {y}h{length}v1h-{length}z" for y, row in enumerate(code.matrix) for x, length in _runs(row)
    ]
    return {"path": "".join(rows), "size": len(code.matrix)}


def _runs(row: Any) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for x, dark in enumerate(row):
        if not dark:
            continue
        if runs and sum(runs[-1]) == x:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((x, 1))
    return runs
