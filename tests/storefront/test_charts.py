"""The footprint's bar: to scale, figures where there is room, nothing drawn that nobody published."""

from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import pytest

from catalog.pcf.footprint import Footprint, Stage
from storefront.charts import error_range, footprint_bar


def footprint(*stages: tuple[str, str], **facts: Any) -> Footprint:
    return Footprint(
        stages=tuple(Stage(key=key, kg=Decimal(kg), estimate=False) for key, kg in stages),
        **{
            "adjustments": (),
            "years": 5,
            "country": "SE",
            "statistic": "mean",
            "error_ratio": None,
            "boundary": "manufacture-transport-use",
            "source": "a sheet",
            "source_date": "2021",
            "licence": "",
            "sheet_id": None,
            "sheet_version": None,
            "method": "clearline-pcf-1",
            "grid_note": "",
        }
        | facts,
    )


def drawn(of: Footprint) -> Any:
    return ElementTree.fromstring(footprint_bar(of, label="What it emits & how"))  # noqa: S314 our own drawing


def boxes(svg: Any) -> list[tuple[str, str, str]]:
    return [
        (box.get("class") or box.get("fill"), box.get("x"), box.get("width")) for box in svg.findall("rect")
    ]


def figures(svg: Any) -> list[tuple[str, str, str]]:
    return [(each.text, each.get("x"), each.get("text-anchor")) for each in svg.findall("text")]


def test_stages_stand_in_the_order_of_life_and_to_scale() -> None:
    svg = drawn(footprint(("use", "50"), ("transport", "25"), ("manufacture", "125")))
    assert boxes(svg) == [
        ("bar-manufacture", "0.00%", "62.50%"),
        ("bar-transport", "62.50%", "12.50%"),
        ("bar-use", "75.00%", "25.00%"),
    ]
    assert figures(svg) == [("125 kg", "0.00%", "start"), ("50 kg", "75.00%", "start")]
    assert svg.get("aria-label") == "What it emits & how"


def test_what_the_maker_does_not_part_is_one_hatched_piece() -> None:
    svg = drawn(footprint(("not_parted", "379"), ("use", "7")))
    assert [kind for kind, _x, _width in boxes(svg)] == ["url(#hatch)", "bar-use"]
    # The narrow last stage carries its figure at its end, not over its neighbour's.
    assert figures(svg) == [("379 kg", "0.00%", "start"), ("7 kg", "100.00%", "end")]


def test_a_figure_never_stands_over_a_stage_that_has_none_of_its_own() -> None:
    narrow = (("manufacture", "172"), ("transport", "18"), ("use", "10"))
    assert figures(drawn(footprint(*narrow))) == [("172 kg", "0.00%", "start")]
    # Where the error leaves room beyond the bar, the last figure reaches out into it.
    with_error = figures(drawn(footprint(*narrow, error_ratio=Decimal("0.25"))))
    assert with_error[:2] == [("172 kg", "0.00%", "start"), ("10 kg", "76.00%", "start")]


def test_the_bracket_spans_the_error_and_the_bar_leaves_it_room() -> None:
    svg = drawn(footprint(("not_parted", "90"), ("use", "10"), error_ratio=Decimal("0.25")))
    assert boxes(svg)[0] == ("url(#hatch)", "0.00%", "72.00%")  # 90 kg of 125
    across = [line for line in svg.findall("line") if line.get("y1") == line.get("y2")]
    assert [(line.get("x1"), line.get("x2")) for line in across] == [("60.00%", "100.00%")]
    assert svg.find("circle").get("cx") == "80.00%"
    assert figures(svg)[-1] == ("75–125 kg", "100.00%", "end")


def test_without_a_stated_error_no_bracket_is_drawn() -> None:
    of = footprint(("not_parted", "90"), ("use", "10"))
    assert error_range(of) is None
    svg = drawn(of)
    assert svg.find("circle") is None
    assert "bracket" not in footprint_bar(of, label="x")


@pytest.mark.parametrize("ratio", ["1.5", "0.3"])
def test_an_error_larger_than_the_figure_ends_at_nothing(ratio: str) -> None:
    bounds = error_range(footprint(("not_parted", "100"), error_ratio=Decimal(ratio)))
    assert bounds is not None
    assert bounds.low == max(Decimal(0), 100 - 100 * Decimal(ratio))
    assert bounds.high == 100 + 100 * Decimal(ratio)


def test_a_label_never_becomes_markup() -> None:
    svg = footprint_bar(footprint(("not_parted", "100")), label='"><script>')
    assert "<script" not in svg
