"""The badge as PNG and the picture of a record: the same facts, the same bytes, in every state."""

import subprocess
import sys
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from certificates.badges import THEMES
from certificates.pictures import Canvas, badge_png, card_png, card_text
from claims.guard import Quotation, assert_clean
from claims.wording import all_wordings
from tests.certificates.test_badges import FACTS

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import os, django
django.setup()
from hashlib import sha256
from certificates.pictures import badge_png, card_png
facts = {facts!r}
print(sha256(badge_png(facts, scale=2) + card_png(facts)).hexdigest())
"""


def opened(png: bytes) -> Image.Image:
    image = Image.open(BytesIO(png))
    assert image.format == "PNG"
    return image.convert("RGBA")


def ink(image: Image.Image, box: tuple[int, int, int, int]) -> int:
    """How many colours there are inside: 1 where nothing is drawn."""
    return len(image.crop(box).getcolors(100_000) or [])


@pytest.mark.parametrize("theme", sorted(THEMES))
@pytest.mark.parametrize("scale", [1, 2])
def test_the_badge_has_its_size_its_colours_and_clear_corners(theme: str, scale: int) -> None:
    png = badge_png(FACTS, theme=theme, scale=scale)
    image = opened(png)
    assert image.size == (268 * scale, 92 * scale)
    assert image.getpixel((0, 0))[3] == 0  # type: ignore[index]
    card = tuple(bytes.fromhex(THEMES[theme].card[1:]))
    assert image.getpixel((134 * scale, 6 * scale)) == (*card, 255)
    line = tuple(bytes.fromhex(THEMES[theme].line[1:]))
    assert image.getpixel((40 * scale, 23 * scale)) == (*line, 255)
    assert len(png) < 20_000
    for top in (16, 37, 53, 70):  # four lines of text
        assert ink(image, (66 * scale, top * scale, 160 * scale, (top + 10) * scale)) > 5


def test_light_and_dark_and_each_state_differ() -> None:
    states = ("valid", "reversed", "moved", "superseded")
    made = [badge_png(FACTS, state=state, theme=theme) for state in states for theme in THEMES]
    assert len(set(made)) == 8
    with pytest.raises(KeyError):
        badge_png(FACTS, theme="seal")
    with pytest.raises(ValueError, match="not at 3"):
        badge_png(FACTS, scale=3)


def test_another_process_makes_the_same_bytes() -> None:
    ours = sha256(badge_png(FACTS, scale=2) + card_png(FACTS)).hexdigest()
    theirs = subprocess.run(  # noqa: S603 our own program
        [sys.executable, "-c", PROGRAM.format(facts=FACTS)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert theirs.stdout.strip() == ours


def test_a_long_line_ends_inside_the_frame() -> None:
    wide = opened(badge_png({**FACTS, "product": "W" * 160, "project_title": "M" * 160}, scale=2))
    assert ink(wide, (2 * 258, 2 * 36, 2 * 266, 2 * 66)) == 1
    card = opened(card_png({**FACTS, "product": "W" * 160, "project_title": "M" * 160}))
    assert ink(card, (1124, 0, 1200, 630)) == 1


def test_names_in_other_scripts_are_drawn_with_a_font_that_has_them() -> None:
    names = ("ThinkPad T490", "Αθήνα", "Привет", "العربية", "日本", "😀", "\x00\u202e")
    assert len({badge_png({**FACTS, "product": name}) for name in names}) == len(names)


def test_the_card_is_as_large_as_open_graph_asks_and_says_the_amount_or_the_state() -> None:
    assert opened(card_png(FACTS)).size == (1200, 630)
    text = card_text(FACTS)
    assert (text.title, text.state, text.product) == (
        "386 kg of credits retired",
        "Retired and recorded",
        "ThinkPad T490",
    )
    assert (text.project, text.code, text.demo) == (
        "Burgos Wind Project · 24 November 2026",
        "7Q2M-K4VX-09AB-DJ3T",
        "",
    )
    assert text.steps == ("Device", "How much", "Its grams", "Credits", "Registry", "Public log")
    moved = card_text({**FACTS, "livemode": 0}, state="moved")
    assert (moved.title, moved.done, moved.demo) == (
        "Moved to a replacement device",
        False,
        "Demonstration: not a real retirement.",
    )
    assert "386" not in str(moved)
    assert card_png(FACTS) != card_png(FACTS, state="moved")


def test_the_card_names_neither_the_serial_nor_the_holder() -> None:
    facts = {**FACTS, "beneficiary": "Parts-R-Us Ltd"}
    assert card_png(facts) == card_png({**facts, "beneficiary": "", "device_serial": "ZZZ"})
    assert "PF1X" not in str(card_text(facts))


@pytest.mark.parametrize("wording", all_wordings(), ids=lambda wording: wording.id)
@pytest.mark.parametrize("state", ["valid", "reversed", "moved", "superseded"])
def test_the_guard_reads_every_card_and_its_title_fits(wording: Any, state: str) -> None:
    text = card_text({**FACTS, "wording": wording.id, "livemode": 0}, state=state)
    said = " ".join((text.state, text.title, text.product, text.project, text.demo, *text.steps))
    quoted = [Quotation("Burgos Wind Project", "registry")]
    assert_clean(said, register=wording.register, language=wording.language, quotations=quoted)
    canvas = Canvas(1, 1, scale=1, over=1, background="#ffffff")
    assert canvas.fitted(text.title, size=44, width=1040, bold=True) == text.title
    assert sum(canvas.width_of(label, size=16) for label in text.steps) < 860
