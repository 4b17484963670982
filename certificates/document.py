"""A certificate's page as HTML: frozen facts and frozen wording in, one self-contained document out."""

from collections.abc import Mapping
from typing import Any

import segno
from django.template.loader import render_to_string
from django.utils import translation

from certificates import sheet
from claims.formats import number_text
from claims.wording import say, wording_by_id

TITLES = {
    "valid": "certificate_title",
    "superseded": "certificate_title",
    "reversed": "certificate_title_reversed",
    "moved": "certificate_title_moved",
}
# From much air to little: the renderer takes the first that fits on one page.
DENSITIES = ("airy", "close", "tight")
LONGEST_SOURCE = 160  # characters of a source or a licence; certificate.json has all of them


def pages(
    facts: Mapping[str, str | int],
    *,
    state: str,
    note: str,
    record_url: str,
    digest: str,
    logged: sheet.Logged | None = None,
) -> list[str]:
    """The page in each density, the airiest first. Raises UnknownWording for a wording never published.

    `note` says what became of a certificate that is not valid any more.
    """
    with translation.override(wording_by_id(str(facts["wording"])).language):
        context = page(facts, state=state, note=note, record_url=record_url, digest=digest, logged=logged)
        airy = render_to_string("certificates/certificate.html", context | {"density": DENSITIES[0]})
    body = '<body class="{}">'
    return [airy.replace(body.format(DENSITIES[0]), body.format(density), 1) for density in DENSITIES]


def page(
    facts: Mapping[str, str | int],
    *,
    state: str,
    note: str,
    record_url: str,
    digest: str,
    logged: sheet.Logged | None = None,
) -> dict[str, Any]:
    """What the template shows."""
    wording = wording_by_id(str(facts["wording"]))
    serial = str(facts["device_serial"])
    return {
        "lang": facts["language"],
        "title": say(TITLES[state], wording=wording),
        "state": state,
        "note": note,
        "intro": sheet.intro_text(facts, wording, device_serial=serial),
        "kg": number_text(sheet.kg_text(int(facts["amount_g"])), language=wording.language),
        "reference": facts["certificate"],
        "steps": sheet.steps(facts, wording, device_serial=serial, logged=logged),
        "digest": digest,
        "boundary": say(
            "certificate_boundary", wording=wording, boundary=sheet.boundary_text(facts, wording)
        ),
        "source": say("certificate_source", wording=wording, source=_source(facts)),
        "demo": "" if facts["livemode"] else say("certificate_demo", wording=wording),
        "check": say("certificate_check", wording=wording),
        "digest_label": say("certificate_digest", wording=wording),
        "issued": say(
            "certificate_issued",
            wording=wording,
            date=sheet.day_text(str(facts["issued_at"]), wording),
            wording_id=wording.id,
        ),
        "created": str(facts["issued_at"]),
        "record_url": record_url,
        "record_address": record_url.split("://", 1)[-1].rstrip("/"),
        "qr": qr_path(record_url),
        "qr_label": say("certificate_qr", wording=wording, address=record_url),
    }


def _source(facts: Mapping[str, str | int]) -> str:
    """The estimate's source with its licence, each cut to what a page can hold."""
    source, licence = (
        sheet.cut(str(facts[name]), LONGEST_SOURCE) for name in ("footprint_source", "footprint_licence")
    )
    return f"{source} ({licence})" if licence else source


def qr_path(url: str) -> dict[str, Any]:
    """A QR code as one SVG path to be stroked one unit wide, with its width in modules, without a quiet
    margin: a stroke along each run of modules is half as much to read and to draw as its outline.
    """
    code = segno.make(url, error="m", mask=3, boost_error=False, micro=False)
    rows = [f"M{x} {y}.5h{length}" for y, row in enumerate(code.matrix) for x, length in _runs(row)]
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
