"""The footprint's bar, to scale, as SVG drawn on the server. Pure; colours come from the style sheet's
classes.
"""

from dataclasses import dataclass
from decimal import Decimal
from xml.etree.ElementTree import Element, SubElement, tostring

from django.utils.safestring import SafeString

from catalog.pcf.footprint import Footprint

WIDTH, BAR_HEIGHT, HEIGHT = 1000, 42, 84
ORDER = ("manufacture", "transport", "not_parted", "use", "eol")


@dataclass(frozen=True)
class ErrorRange:
    """The range that the source's error leaves, kg."""

    low: Decimal
    high: Decimal


def error_range(footprint: Footprint) -> ErrorRange | None:
    """total ± error ratio x the sheet's own total; None where the source states no error."""
    if not footprint.error_ratio:
        return None
    spread = footprint.error_ratio * (footprint.sheet_total_kg or footprint.total_kg)
    return ErrorRange(max(Decimal(0), footprint.total_kg - spread), footprint.total_kg + spread)


def footprint_bar(footprint: Footprint, *, label: str) -> SafeString:
    """One stacked bar in the order of life, and a bracket for the error. `label` is its text alternative."""
    bounds = error_range(footprint)
    full = max(footprint.total_kg, bounds.high if bounds else Decimal(0)) or Decimal(1)
    height = str(HEIGHT if bounds else BAR_HEIGHT)
    svg = Element("svg", {"viewBox": f"0 0 {WIDTH} {height}", "role": "img", "aria-label": label})
    hatch = {"id": "hatch", "width": "14", "height": "14", "patternUnits": "userSpaceOnUse"}
    pattern = SubElement(SubElement(svg, "defs"), "pattern", {**hatch, "patternTransform": "rotate(45)"})
    SubElement(pattern, "rect", {"width": "14", "height": "14", "class": "bar-manufacture"})
    SubElement(pattern, "path", {"d": "M7 0V14", "stroke-width": "6", "class": "bar-hatch"})
    x = Decimal(0)
    stages = {stage.key: stage.kg for stage in footprint.stages}
    for key in ORDER:
        if key not in stages:
            continue
        width = stages[key] / full * WIDTH
        box = {
            "x": f"{x:.1f}",
            "y": "0",
            "width": f"{max(width - 2, Decimal(1)):.1f}",
            "height": str(BAR_HEIGHT),
        }
        colour = {"fill": "url(#hatch)"} if key == "not_parted" else {"class": f"bar-{key}"}
        SubElement(svg, "rect", {**box, "rx": "4", **colour})
        x += width
    if bounds:
        low, high = bounds.low / full * WIDTH, bounds.high / full * WIDTH - 1
        bracket = f"M{low:.1f} 56V72M{low:.1f} 64H{high:.1f}M{high:.1f} 56V72"
        SubElement(svg, "path", {"d": bracket, "stroke-width": "2.5", "class": "bracket"})
    # Built by ElementTree, which escapes every value: nothing typed by anybody becomes markup.
    return SafeString(tostring(svg, encoding="unicode"))
