"""QR labels to print: one per device, 3 x 8 on A4, with the record's address as a code.

The quiet zone is four modules, and a module at least 0.4 mm even with the longest host name there can be, so
that a telephone reads it.
"""

from typing import Any

from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from certificates import sheet
from certificates.bundles import Bundle, NothingYet, certified, record_url
from certificates.document import qr_path
from certificates.drawing import draw
from certificates.models import Certificate
from claims.wording import Wording, say

PER_PAGE = 3 * 8
PER_FILE = 8 * PER_PAGE  # about 5 s of a processor; more are in further parts
QUIET_MODULES = 4
CODE_MM = 30  # the square of a code with its quiet zone, in a label of 70 x 37 mm
LONGEST_PRODUCT = 48


def parts_of(bundle: Bundle) -> int:
    """How many files the labels of a bundle fill; 0 while there are none."""
    return -(-certified(bundle).count() // PER_FILE)


def labels_pdf(bundle: Bundle, *, part: int = 1) -> bytes:
    """The labels of one part, PDF/A-3a. Raises NothingYet and CannotDraw."""
    start = (part - 1) * PER_FILE
    rows = certified(bundle)[start : start + PER_FILE] if part > 0 else []
    wording = bundle.wording
    labels = [label_of(certificate, wording) for certificate in rows]
    if not labels:
        raise NothingYet(_("There are no labels in this part: no certificate of it is ready yet."))
    context = {
        "lang": wording.language,
        "title": say("labels_title", wording=wording, order=bundle.reference),
        "created": bundle.day.isoformat(),
        "serial": say("device_serial", wording=wording),
        "code_mm": CODE_MM,
        "pages": [labels[at : at + PER_PAGE] for at in range(0, len(labels), PER_PAGE)],
    }
    return draw(render_to_string("certificates/labels.html", context), created=bundle.day.isoformat())


def label_of(certificate: Certificate, wording: Wording) -> dict[str, Any]:
    """What one label says."""
    facts, url = certificate.facts or {}, record_url(certificate.code)
    qr = qr_path(url)
    box = int(qr["size"]) + 2 * QUIET_MODULES
    return {
        "product": sheet.cut(str(facts["product"]), LONGEST_PRODUCT),
        "serial": facts["device_serial"],
        "code": certificate.code,
        "path": qr["path"],
        "box": f"-{QUIET_MODULES} -{QUIET_MODULES} {box} {box}",
        "alt": say("certificate_qr", wording=wording, address=url),
    }
