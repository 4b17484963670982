"""The data badge: facts as a small SVG, nothing seal-like. No database; 268 x 92, light or dark.

Text is laid out for the reader's own sans; every value is escaped and cut to fit.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, tostring

from certificates import sheet
from claims.wording import Wording, say, wording_by_id

WIDTH, HEIGHT = 268, 92
TITLE_SIZES = ((25, 12.5), (32, 10.5))  # a title of up to so many characters is set in this size
SMALLEST, TITLE_CHARACTERS = 9.5, 38
LINE_CHARACTERS = 40
SANS = "Inter, system-ui, -apple-system, 'Segoe UI', sans-serif"
MONO = "ui-monospace, 'SF Mono', Menlo, Consolas, monospace"


@dataclass(frozen=True)
class Theme:
    """Colours of the badge."""

    card: str
    rule: str
    ink: str
    soft: str
    line: str


THEMES = {
    "light": Theme(card="#ffffff", rule="#dfdbd0", ink="#14202b", soft="#566370", line="#1d4ed8"),
    "dark": Theme(card="#14202b", rule="#33424f", ink="#f4f2ec", soft="#a9b4be", line="#8fb0ff"),
}


@dataclass(frozen=True)
class BadgeText:
    """What a badge says: four lines, and the same in words for whoever does not see it."""

    title: str
    device: str
    project: str
    code: str
    alt: str

    @property
    def title_size(self) -> float:
        """In pixels, so that it stays on its line."""
        return next((size for longest, size in TITLE_SIZES if len(self.title) <= longest), SMALLEST)


def badge_text(facts: Mapping[str, str | int], *, state: str = "valid") -> BadgeText:
    """The lines of these facts. A state other than valid takes the place of the amount.

    Raises UnknownWording for a wording that was never published.
    """
    wording = wording_by_id(str(facts["wording"]))
    product, project = shown(str(facts["product"])), shown(str(facts["project_title"]))
    serial_end = shown(str(facts["device_serial"])[-4:])
    kg, day = sheet.kg_text(int(facts["amount_g"])), sheet.day_text(str(facts["issued_at"]), wording)
    device = f"{sheet.cut(product, LINE_CHARACTERS - 8)} · …{serial_end}"
    place = f"{sheet.cut(project, 24)} · {day}"
    title, alt = (
        say("badge_title", wording=wording, kg=kg),
        say(
            "badge_alt",
            wording=wording,
            kg=kg,
            product=product,
            serial_end=serial_end,
            project=project,
            date=day,
        ),
    )
    if state != "valid":
        title = state_title(state, wording)
        alt = f"{title}. {device}. {place}."
    demo = "" if facts["livemode"] else f" {say('certificate_demo', wording=wording)}"
    code = str(facts["certificate"]) + ("" if facts["livemode"] else " · demo")
    return BadgeText(sheet.cut(title, TITLE_CHARACTERS), device, place, code, alt + demo)


def badge_svg(facts: Mapping[str, str | int], *, state: str = "valid", theme: str = "light") -> str:
    """The badge of these facts as SVG. Raises KeyError for an unknown theme, and as `badge_text` does."""
    colours, text = THEMES[theme], badge_text(facts, state=state)
    svg = Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "width": str(WIDTH),
            "height": str(HEIGHT),
            "viewBox": f"0 0 {WIDTH} {HEIGHT}",
            "role": "img",
            "aria-labelledby": "t",
        },
    )
    SubElement(svg, "title", {"id": "t"}).text = text.alt
    frame = {"x": "0.5", "y": "0.5", "width": "267", "height": "91", "rx": "10"}
    SubElement(svg, "rect", {**frame, "fill": colours.card, "stroke": colours.rule})
    _line(svg, colours)
    _text(svg, 66, 27, text.title, size=text.title_size, fill=colours.ink, weight="700")
    _text(svg, 16, 47, text.device, size=11, fill=colours.ink)
    _text(svg, 16, 63, text.project, size=10.5, fill=colours.soft)
    _text(svg, 16, 79, text.code, size=9.5, fill=colours.line, family=MONO)
    return tostring(svg, encoding="unicode")


def shown(text: str) -> str:
    """The text without what nobody sees: control characters, which XML refuses, and marks that turn the
    direction of others.
    """
    return "".join(character for character in text if unicodedata.category(character)[0] != "C")


def state_title(state: str, wording: Wording) -> str:
    """What stands in the place of the amount when the certificate is not valid any more."""
    return say("record_state_superseded" if state == "superseded" else f"state_{state}", wording=wording)


def _line(svg: Element, colours: Theme) -> None:
    """The motif: an open node, a line, a filled node."""
    SubElement(svg, "path", {"d": "M25 23H49", "stroke": colours.line, "stroke-width": "3"})
    open_node = {"cx": "21", "cy": "23", "r": "4.5", "fill": colours.card}
    SubElement(svg, "circle", {**open_node, "stroke": colours.line, "stroke-width": "3"})
    SubElement(svg, "circle", {"cx": "52", "cy": "23", "r": "5", "fill": colours.line})


def _text(
    svg: Element,
    x: int,
    y: int,
    text: str,
    *,
    size: float,
    fill: str,
    weight: str = "400",
    family: str = SANS,
) -> None:
    attributes = {"x": str(x), "y": str(y), "font-family": family, "font-size": str(size)}
    SubElement(svg, "text", {**attributes, "font-weight": weight, "fill": fill}).text = text
