"""What can be printed, and what is refused where it is typed."""

import shutil

import pytest

from certificates import rendering
from common import printable
from common.printable import unprintable

needs_fonts = pytest.mark.skipif(not shutil.which("fc-match"), reason="needs fontconfig and fonts-inter")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ThinkPad T490",
        "Zoë Żółć",
        "Ελλάδα ΑΕ",
        "ООО Жуков",
        "Nguyễn Văn Ước",
        "£1 = 1,17 €",
        "“Q” – ’n’ …",
        "e\u0301",
    ],
)
def test_latin_greek_cyrillic_and_vietnamese_are_printed(text: str) -> None:
    assert unprintable(text) == ""


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("机械 AB", "机械"),
        ("شركة", "شركة"),
        ("חברה", "חברה"),
        ("A😀B", "😀"),
        ("a\u200bb", "\u200b"),
        ("a\u202eb", "\u202e"),
        ("a\u2066b", "\u2066"),
        ("a\x00b", "\x00"),
        ("a\nb", "\n"),
        ("a\u00adb", "\u00ad"),
        ("a\ufeffb", "\ufeff"),
        ("z\u0335\u0336", "\u0335\u0336"),
        ("\ud800", "\ud800"),
        ("\ue000\U000e0041", "\ue000\U000e0041"),
    ],
)
def test_other_scripts_pictures_and_what_hides_are_named(text: str, refused: str) -> None:
    assert unprintable(text) == refused


@needs_fonts
def test_whatever_may_be_printed_has_a_glyph_in_the_certificates_font() -> None:
    allowed = {point for first, last in printable._RANGES for point in range(first, last + 1)}
    assert sorted(allowed - rendering.glyphs()) == []
