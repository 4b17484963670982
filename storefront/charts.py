"""The footprint's bar, to scale, as SVG drawn on the server. Pure; colours come from the style sheet's
classes.

Lengths along the bar are percentages and heights are pixels: on a phone the bar gets shorter, not thinner,
and its figures stay readable.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from xml.etree.ElementTree import Element, SubElement, tostring

from django.utils.safestring import SafeString

from catalog.pcf.footprint import Footprint
from storefront.amounts import about_kg

ORDER = ("manufacture", "transport", "not_parted", "use", "eol")
TOP, BAR_HEIGHT = 22, 32
BOTTOM = TOP + BAR_HEIGHT
BRACKET_Y = BOTTOM + 16
FIGURE = Decimal(18)  # so many per cent of the narrowest bar hold a figure such as "379 kg"


@dataclass(frozen=True)
class ErrorRange:
    """The range that the source's error leaves, kg."""

    low: Decimal
    high: Decimal


@dataclass(frozen=True)
class _Segment:
    """One stage on the bar, in per cent of its length."""

    key: str
    kg: Decimal
    start: Decimal
    end: Decimal


def error_range(footprint: Footprint) -> ErrorRange | None:
    """total ± error ratio x the sheet's own total; None where the source states no error."""
    if not footprint.error_ratio:
        return None
    spread = footprint.error_ratio * (footprint.sheet_total_kg or footprint.total_kg)
    return ErrorRange(max(Decimal(0), footprint.total_kg - spread), footprint.total_kg + spread)


def footprint_bar(footprint: Footprint, *, label: str) -> SafeString:
    """One stacked bar in the order of life, its figures, and a bracket for the error. `label` is its text
    alternative.
    """
    bounds = error_range(footprint)
    full = max(footprint.total_kg, bounds.high if bounds else Decimal(0)) or Decimal(1)
    svg = Element("svg", {"class": "bar-with-error" if bounds else "bar", "role": "img", "aria-label": label})
    _add_hatch(svg)
    segments = list(_segments(footprint, full))
    for segment in segments:
        place = {"x": _percent(segment.start), "width": _percent(segment.end - segment.start)}
        colour = {"fill": "url(#hatch)"} if segment.key == "not_parted" else {"class": f"bar-{segment.key}"}
        SubElement(svg, "rect", {**place, "y": str(TOP), "height": str(BAR_HEIGHT), **colour})
    for segment in segments[1:]:
        _add_line(svg, segment.start, TOP, segment.start, BOTTOM, "bar-gap")
    _add_figures(svg, segments)
    if bounds:
        _add_bracket(svg, bounds, footprint.total_kg, full)
    # Built by ElementTree, which escapes every value: nothing typed by anybody becomes markup.
    return SafeString(tostring(svg, encoding="unicode"))


def _segments(footprint: Footprint, full: Decimal) -> Iterator[_Segment]:
    stages = {stage.key: stage.kg for stage in footprint.stages}
    start = Decimal(0)
    for key in ORDER:
        if key in stages:
            end = start + stages[key] / full * 100
            yield _Segment(key, stages[key], start, end)
            start = end


def _add_hatch(svg: Element) -> None:
    size = {"width": "10", "height": "10", "patternUnits": "userSpaceOnUse"}
    pattern = SubElement(
        SubElement(svg, "defs"), "pattern", {"id": "hatch", **size, "patternTransform": "rotate(45)"}
    )
    SubElement(pattern, "rect", {"width": "10", "height": "10", "class": "bar-manufacture"})
    SubElement(pattern, "path", {"d": "M5 0V10", "stroke-width": "4", "class": "bar-hatch"})


def _add_figures(svg: Element, segments: list[_Segment]) -> None:
    """Kilograms above every segment that has the room. A last narrow one reaches out to the right, or back
    over a neighbour whose own figure leaves no doubt.
    """
    free_from, labelled = Decimal(0), None
    for before, segment in zip([None, *segments], segments, strict=False):
        last = segment is segments[-1]
        room = Decimal(100) if last else segment.end
        place: tuple[Decimal, str] | None = None
        if segment.start >= free_from and segment.start + FIGURE <= room:
            place = segment.start, "start"
        elif last and before is labelled and segment.end - FIGURE >= free_from:
            place = segment.end, "end"
        if place:
            _add_text(svg, place[0], TOP - 7, place[1], f"{about_kg(segment.kg)} kg", "bar-figure")
            free_from, labelled = segment.start + FIGURE, segment


def _add_bracket(svg: Element, bounds: ErrorRange, total_kg: Decimal, full: Decimal) -> None:
    """From the lowest to the highest figure that the error leaves, with a node at the figure itself."""
    low, high = bounds.low / full * 100, bounds.high / full * 100
    for x in (low, high):
        _add_line(svg, x, BRACKET_Y - 6, x, BRACKET_Y + 6, "bracket")
    _add_line(svg, low, BRACKET_Y, high, BRACKET_Y, "bracket")
    node = {"cx": _percent(total_kg / full * 100), "cy": str(BRACKET_Y), "r": "4.5", "class": "bracket-node"}
    SubElement(svg, "circle", node)
    range_text = f"{about_kg(bounds.low)}–{about_kg(bounds.high)} kg"
    _add_text(svg, high, BRACKET_Y + 22, "end", range_text, "bar-note")


def _add_line(svg: Element, x1: Decimal, y1: int, x2: Decimal, y2: int, style: str) -> None:
    ends = {"x1": _percent(x1), "y1": str(y1), "x2": _percent(x2), "y2": str(y2)}
    SubElement(svg, "line", {**ends, "class": style})


def _add_text(svg: Element, x: Decimal, y: int, anchor: str, words: str, style: str) -> None:
    place = {"x": _percent(x), "y": str(y), "text-anchor": anchor, "class": style}
    SubElement(svg, "text", place).text = words


def _percent(share: Decimal) -> str:
    return f"{share:.2f}%"
