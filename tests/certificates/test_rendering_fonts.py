"""A certificate is small in every language, and each glyph in it is what the font's maker drew."""

import io
import shutil
import subprocess

import pikepdf
import pytest
from fontTools.cffLib import CFFFontSet  # type: ignore[import-untyped]  # ships no types
from fontTools.pens.recordingPen import DecomposingRecordingPen  # type: ignore[import-untyped]
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

from certificates import document, fontfiles, rendering
from certificates.facts import Facts, facts_for
from claims.wording import all_wordings
from tests.factories.certificates import ISSUED, make_covered

pytestmark = pytest.mark.django_db

LARGEST = 40 * 1024
WORDINGS = {wording.language: wording for wording in all_wordings() if wording.id.startswith("eu-consumer-")}
SCRIPTS = "Ελληνική Εταιρεία, ООО Жуковский, Công ty Nguyễn Văn Ước, Łódź & Žižkov"


def facts_in(language: str, beneficiary: str = "") -> Facts:
    offset = make_covered(wording=WORDINGS[language].id, language=language, beneficiary=beneficiary)
    return facts_for(offset, code="7Q2M-K4VX-09AB-DJ3T", issued_at=ISSUED)


def pdf_of(facts: Facts) -> bytes:
    pages = document.pages(
        facts, state="valid", note="", record_url="https://clearline.example/c/7Q2M/", digest="0" * 64
    )
    return rendering.render_pdf(
        pages=pages, certificate_json=b'{"facts": {}}' * 250, issued_at=ISSUED, identifier=b"x" * 16
    )


def outline_files(content: bytes) -> dict[str, bytes]:
    """The PDF's embedded CFF outlines by the name of their font."""
    with pikepdf.open(io.BytesIO(content)) as pdf:
        return {
            str(font.FontName): font.FontFile3.read_bytes()
            for font in pdf.objects
            if isinstance(font, pikepdf.Dictionary) and "/FontFile3" in font
        }


def font_file(style: str) -> str:
    """Where the system keeps this style of the font."""
    wanted = ["fc-match", "-f", "%{file}", f"Inter:style={style}"]
    return subprocess.run(wanted, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("language", sorted(WORDINGS))
@pytest.mark.parametrize("beneficiary", ["", SCRIPTS])
def test_a_certificate_is_small_and_declares_itself_in_every_language(
    language: str, beneficiary: str
) -> None:
    content = pdf_of(facts_in(language, beneficiary))
    assert len(content) <= LARGEST
    with pikepdf.open(io.BytesIO(content)) as pdf:
        assert [[round(float(side)) for side in page.mediabox] for page in pdf.pages] == [[0, 0, 595, 842]]
        assert str(pdf.Root.Lang) == language
        assert pdf.Root.MarkInfo.Marked
        assert list(pdf.attachments) == ["certificate.json"]
        with pdf.open_metadata() as xmp:
            assert (xmp["pdfaid:part"], xmp["pdfaid:conformance"]) == ("3", "A")


@pytest.mark.skipif(not shutil.which("pdffonts"), reason="needs poppler-utils")
def test_every_font_of_the_page_is_embedded_as_a_subset_with_its_text() -> None:
    content = pdf_of(facts_in("fr"))
    listed = subprocess.run(["pdffonts", "-"], input=content, capture_output=True, check=True).stdout
    fonts = [line.rsplit(maxsplit=6) for line in listed.decode().splitlines()[2:]]
    assert len(fonts) == 3
    assert {tuple(font[2:5]) for font in fonts} == {("yes", "yes", "yes")}


def test_the_outlines_are_the_fonts_own_and_nothing_else_is_kept() -> None:
    files = outline_files(pdf_of(facts_in("sv", SCRIPTS)))
    assert {name.split("+")[1] for name in files} == {"Inter", "Inter-Semi-Bold"}
    for name, content in files.items():
        small = CFFFontSet()
        small.decompile(io.BytesIO(content), otFont=None)
        top = small.topDictIndex[0]
        with TTFont(font_file("Semi Bold" if "Semi" in name else "Regular")) as whole:
            glyphs, order = whole.getGlyphSet(), whole.getGlyphOrder()
            assert 30 < len(top.charset) < 250
            assert top.FontMatrix == whole["CFF "].cff.topDictIndex[0].FontMatrix
            for key in top.charset[1:]:
                glyph = glyphs[order[int(key.removeprefix("cid"))]]
                drawn, original = DecomposingRecordingPen({}), DecomposingRecordingPen(glyphs)
                outline = top.CharStrings[key]
                outline.draw(drawn)
                glyph.draw(original)
                assert drawn.value == original.value
                assert outline.width == glyph.width


def test_a_file_that_shares_parts_of_outlines_is_left_as_it_is() -> None:
    with open(font_file("Regular"), "rb") as file:
        assert fontfiles.bare_outlines(file.read(), cids=[4, 5], name=b"X") is None
