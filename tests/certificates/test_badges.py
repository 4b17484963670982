"""The badge says facts, in any state, and nothing but facts; it is safe to open anywhere."""

import re
from typing import Any
from xml.etree import ElementTree

import pytest

from certificates.badges import THEMES, badge_svg
from claims.guard import Quotation, assert_clean
from claims.markup import visible_text
from claims.wording import all_wordings

FACTS: dict[str, str | int] = {
    "certificate": "7Q2M-K4VX-09AB-DJ3T",
    "product": "ThinkPad T490",
    "device_serial": "PF1X1234",
    "amount_g": 386_000,
    "project_title": "Burgos Wind Project",
    "wording": "eu-consumer-en-1",
    "issued_at": "2026-11-24T12:05:00+00:00",
    "livemode": 1,
}
TAGS = {"svg", "title", "rect", "path", "circle", "text"}
ATTRIBUTES = {
    *("width", "height", "viewBox", "role", "aria-labelledby", "id", "x", "y", "rx", "d", "cx", "cy", "r"),
    *("fill", "stroke", "stroke-width", "font-family", "font-size", "font-weight"),
}


def texts_of(svg: str) -> list[str]:
    root = ElementTree.fromstring(svg)  # noqa: S314 our own drawing
    return [element.text or "" for element in root.iter() if element.tag.endswith("}text")]


def title_of(svg: str) -> str:
    root = ElementTree.fromstring(svg)  # noqa: S314 our own drawing
    return next(element.text or "" for element in root.iter() if element.tag.endswith("}title"))


def test_four_lines_say_what_was_retired_for_which_device_in_which_project_and_where_to_look() -> None:
    svg = badge_svg(FACTS)
    assert texts_of(svg) == [
        "386 kg of credits retired",
        "ThinkPad T490 · …1234",
        "Burgos Wind Project · 24 November 2026",
        "7Q2M-K4VX-09AB-DJ3T",
    ]
    assert title_of(svg) == (
        "386 kg of carbon credits retired for one ThinkPad T490, serial ending in 1234. "
        "Burgos Wind Project, 24 November 2026."
    )
    assert "PF1X1234" not in svg  # the whole serial is nobody's business here


@pytest.mark.parametrize(
    ("state", "title"),
    [
        ("reversed", "Reversed"),
        ("moved", "Moved to a replacement device"),
        ("superseded", "Issued again"),
        ("withdrawn", "Withdrawn"),
    ],
)
def test_a_certificate_that_is_not_valid_any_more_claims_nothing_retired(state: str, title: str) -> None:
    svg = badge_svg(FACTS, state=state)
    assert texts_of(svg)[0] == title
    assert title_of(svg).startswith(f"{title}. ThinkPad T490 · …1234.")
    assert "386" not in svg


def test_a_demonstration_says_so() -> None:
    svg = badge_svg({**FACTS, "livemode": 0})
    assert texts_of(svg)[3] == "7Q2M-K4VX-09AB-DJ3T · demo"
    assert title_of(svg).endswith("Demonstration: not a real retirement.")
    assert "emonstration" not in badge_svg(FACTS)


def test_a_long_product_leaves_room_for_the_end_of_the_serial() -> None:
    texts = texts_of(badge_svg({**FACTS, "product": "W" * 160, "amount_g": 12_345_678}))
    assert texts[0] == "12\u202f345.678 kg of credits retired"
    assert texts[1] == "W" * 31 + "… · …1234"


@pytest.mark.parametrize("theme", sorted(THEMES))
@pytest.mark.parametrize(
    "product",
    [
        "<script>alert(1)</script>",
        '"/><image href="http://x/"/>',
        "]]>&amp;<!--",
        "</title><foreignObject/>",
    ],
)
def test_only_listed_tags_and_attributes_whatever_the_product_is_called(theme: str, product: str) -> None:
    svg = badge_svg({**FACTS, "product": product, "project_title": product}, theme=theme)
    assert len(svg) < 3_000
    for element in ElementTree.fromstring(svg).iter():  # noqa: S314 our own drawing
        namespace, _brace, tag = element.tag.rpartition("}")
        assert (namespace, tag in TAGS) == ("{http://www.w3.org/2000/svg", True)
        assert set(element.attrib) <= ATTRIBUTES
    assert not re.search(r"(href|url\(|style|\bon\w+)\s*=", re.sub(r">[^<]*<", "><", svg))


def test_light_and_dark_differ_in_colours_only() -> None:
    light, dark = badge_svg(FACTS), badge_svg(FACTS, theme="dark")
    assert light != dark
    assert texts_of(light) == texts_of(dark)
    with pytest.raises(KeyError):
        badge_svg(FACTS, theme="seal")


@pytest.mark.parametrize("wording", all_wordings(), ids=lambda wording: wording.id)
@pytest.mark.parametrize("state", ["valid", "reversed", "moved", "superseded"])
def test_the_guard_reads_every_badge(wording: Any, state: str) -> None:
    svg = badge_svg({**FACTS, "wording": wording.id, "project_title": "N2O Emission Reduction"}, state=state)
    quoted = [Quotation("N2O Emission Reduction", "registry")]
    assert_clean(visible_text(svg), register=wording.register, language=wording.language, quotations=quoted)


def test_what_nobody_sees_is_left_out_and_the_drawing_still_reads() -> None:
    svg = badge_svg({**FACTS, "product": "Think\x00Pad\x0b \u202eT490\u200b\ud800"})
    assert texts_of(svg)[1] == "ThinkPad T490 · …1234"
