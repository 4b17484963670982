"""HTML to PDF/A-3a: the only module that imports WeasyPrint, imported by the rendering process only.

Deterministic: the same pages give the same bytes in every process with the same fonts. Nothing is fetched:
every address is refused, and a character without a glyph is refused rather than printed as a box.
"""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from html.parser import HTMLParser
from typing import NoReturn

import pydyf  # type: ignore[import-untyped]  # ships no types
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]  # ships no types
from weasyprint import HTML, Attachment, Document
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher

from certificates import fontfiles

FONT = "Inter"
PDF_VARIANT = "pdf/a-3a"
MOST_SHEETS = 100
_FONTS = FontConfiguration()


class CannotRender(Exception):
    """No page can be made from this; the message says why."""


class RefuseEverything(URLFetcher):  # type: ignore[misc]  # ships no types
    """Deny-all: no file, no loopback, no network, no data URL. Keeps what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> NoReturn:
        self.asked.append(url)
        raise FatalURLFetchingError(f"A certificate fetches nothing, and was asked for {url[:80]}")


@dataclass(frozen=True)
class AttachedFile:
    """A file that travels inside the PDF."""

    name: str
    content: bytes
    description: str


def render_pdf(
    *, pages: Sequence[str], certificate_json: bytes, issued_at: datetime, identifier: bytes
) -> bytes:
    """The first of these pages that fits on one sheet, as PDF/A-3a with `certificate.json` attached.

    Raises CannotRender. Conformance is declared, not validated.
    """
    attached = AttachedFile(
        "certificate.json", certificate_json, "The facts of this certificate, for checking it offline"
    )
    return _render(pages, attached=attached, created=issued_at, identifier=identifier, most_pages=1)


def render_sheets(*, page: str, attached: AttachedFile | None, created: datetime, identifier: bytes) -> bytes:
    """A document of as many sheets as it takes, as PDF/A-3a, with this file attached if there is one.

    Raises CannotRender. Conformance is declared, not validated.
    """
    return _render([page], attached=attached, created=created, identifier=identifier, most_pages=MOST_SHEETS)


def _render(
    pages: Sequence[str],
    *,
    attached: AttachedFile | None,
    created: datetime,
    identifier: bytes,
    most_pages: int,
) -> bytes:
    if missing := missing_glyphs(pages[0]):
        raise CannotRender(f"The certificate's font has no glyph for {missing!r}.")
    fetcher = RefuseEverything()
    try:
        document = _first_that_fits(pages, fetcher, most_pages)
        if attached:
            document.metadata.attachments.append(_attachment(attached, created, fetcher))
        pdf: bytes = document.write_pdf(
            finisher=_finish,
            pdf_identifier=identifier,
            pdf_variant=PDF_VARIANT,
        )
    except FatalURLFetchingError as error:
        raise CannotRender(str(error)) from error
    if fetcher.asked:  # inside a drawing WeasyPrint goes on without what it did not get
        raise CannotRender(f"A certificate fetches nothing, and was asked for {fetcher.asked[0][:80]}")
    return pdf


def _attachment(attached: AttachedFile, created: datetime, fetcher: RefuseEverything) -> Attachment:
    return Attachment(
        string=attached.content,
        name=attached.name,
        description=attached.description,
        created=created,
        modified=created,
        relationship="Data",
        url_fetcher=fetcher,
    )


def _finish(_document: Document, pdf: pydyf.PDF) -> None:
    """What WeasyPrint leaves to us before the file is written."""
    fontfiles.slim(pdf)
    fontfiles.compress_once(pdf)


def _first_that_fits(pages: Sequence[str], fetcher: RefuseEverything, most_pages: int) -> Document:
    for page in pages:
        document = HTML(string=page, url_fetcher=fetcher).render(font_config=_FONTS, pdf_variant=PDF_VARIANT)
        if len(document.pages) <= most_pages:
            return document
    raise CannotRender(f"It does not fit on {most_pages} page(s), even when it is set tightly.")


def missing_glyphs(page: str) -> str:
    """The visible characters of a page that its font lacks."""
    reader = _VisibleText()
    reader.feed(page)
    seen = set("".join(reader.parts)) - set("\n\t\r")
    return "".join(sorted(character for character in seen if ord(character) not in glyphs()))


class _VisibleText(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


@cache
def glyphs() -> frozenset[int]:
    """Code points of the certificate's font as it is installed. Raises CannotRender where it is not."""
    answer = subprocess.run(  # noqa: S603 fixed words
        ["fc-match", "-f", "%{family}\n%{file}", FONT],  # noqa: S607 wherever the system keeps it
        capture_output=True,
        text=True,
        check=True,
    )
    families, path = answer.stdout.split("\n")
    if FONT not in families.split(","):
        raise CannotRender(f"The font {FONT} is not installed; install the package fonts-inter.")
    return frozenset(TTFont(path).getBestCmap())
