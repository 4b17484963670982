"""From the cells of a row to a sheet, in two formats: Boavizta's (shares of the total) and our own (kg).

What a row does not state stays empty. Verdicts and reasons are words of `findings`.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from catalog.errors import BadFile
from catalog.importing import findings, names
from catalog.importing.formats import BOAVIZTA, OWN, STAGES, STATISTICS, Format
from catalog.importing.tables import Row, Table, parse_number, with_decimal_points
from catalog.models import PcfSheet, Statistic
from catalog.pcf import sheet as pcf
from catalog.pcf.grid import is_known_location
from catalog.pcf.sheet import SheetFigures

# No grid comes near 2 kg CO2e per kWh: use above that holds more than electricity (paper, cooling, services).
_MOST_KG_PER_KWH = Decimal(2)
_HEAVIEST_PORTABLE_KG = Decimal(8)
_PORTABLE = {"laptop", "tablet", "smartphone"}


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What one row holds. `values` are fields of PcfSheet, `figures` the same exactly; None when rejected."""

    row: int
    manufacturer: str
    name: str
    verdict: str
    reasons: tuple[str, ...]
    values: Mapping[str, Any] | None = None
    figures: SheetFigures | None = None
    reference: str = ""

    def found(self, word: str) -> "Reading":
        """The same reading with one more finding."""
        return replace(self, reasons=(*self.reasons, word))


def read_sheets(table: Table) -> list[Reading]:
    """Every row of the file, in order. Raises BadFile when the header is that of neither format."""
    form = format_of(table)
    return [_read_row(row, table, form) for row in table.rows]


def format_of(table: Table) -> Format:
    """The format that the header names. Raises BadFile."""
    found = [form for form in (BOAVIZTA, OWN) if form.total in table.columns]
    if len(found) != 1:
        raise BadFile(
            _(
                "This is no file of product carbon footprints: its header needs either gwp_total (Boavizta) "
                "or total_kg (our own format, see docs/importing.md). It has: %(found)s."
            )
            % {"found": ", ".join(table.columns)}
        )
    table.require(["manufacturer", "name"], what=_("a file of product carbon footprints"))
    return found[0]


class _Cells:
    """The cells of one row, and what was found while reading them."""

    def __init__(self, row: Row, table: Table, form: Format) -> None:
        self.row, self.table, self.form = row, table, form
        self.words: list[str] = []

    def raw(self, field: str) -> str:
        """The cell of a field, empty when the file has no such column.

        Boavizta's FR file has its decimal commas in names and addresses too.
        """
        text = self.row.cells.get(self.form.columns.get(field, ""), "")
        return with_decimal_points(text) if self.table.decimal_comma and self.form is BOAVIZTA else text

    def number(self, field: str) -> Decimal | None:
        """The number in a cell; one that is no number is found and taken as not stated."""
        text = self.raw(field)
        if not text:
            return None
        value = parse_number(text, decimal_comma=self.table.decimal_comma)
        if value is None:
            self.words.append(findings.NOT_A_NUMBER.format(field))
        return value

    def bounded(self, field: str) -> Decimal | None:
        """A number that the field can hold and that is not below zero; another is taken as not stated."""
        value = self.number(field)
        if value is None or (value >= 0 and fits(field, value)):
            return value
        self.words.append(findings.OUT_OF_RANGE.format(field))
        return None

    def text(self, field: str) -> str:
        """The text of a cell, cut where the field ends."""
        text, limit = self.raw(field), _max_length(field)
        if len(text) > limit:
            self.words.append(findings.TEXT_CUT.format(field))
            return text[:limit]
        return text


def _max_length(field: str) -> int:
    """How many characters PcfSheet's field can hold."""
    column = PcfSheet._meta.get_field(field)
    return column.max_length if isinstance(column, models.CharField) and column.max_length else sys.maxsize


def fits(field: str, value: Decimal) -> bool:
    """Whether PcfSheet's field can hold the number."""
    column = PcfSheet._meta.get_field(field)
    if isinstance(column, models.DecimalField):
        return abs(value) < Decimal(10) ** (column.max_digits - column.decimal_places)
    return value == value.to_integral_value() and abs(value) < 2**31


def _stored(field: str, value: Decimal | None) -> Decimal | int | None:
    """The number with the places that PcfSheet's field keeps."""
    column = PcfSheet._meta.get_field(field)
    if value is None or not isinstance(column, models.DecimalField):
        return None if value is None else int(value)
    return value.quantize(Decimal(1).scaleb(-column.decimal_places))


def _read_row(row: Row, table: Table, form: Format) -> Reading:
    cells = _Cells(row, table, form)
    printed = cells.raw("name")
    name = names.decode_escapes(printed)
    total = cells.number("total_kg")
    stages = _stages(cells, total)
    rejections = _rejections(cells, name, total, stages)
    cells.words += names.name_findings(printed)
    manufacturer = cells.text("manufacturer")
    if rejections or total is None:
        return Reading(
            row=row.number,
            manufacturer=manufacturer,
            name=name,
            verdict=findings.REJECTED,
            reasons=tuple(dict.fromkeys([*rejections, *cells.words])),
        )
    figures = _figures(cells, total, stages)
    lacks = [findings.NO_USE_RATIO] if figures.use_kg is None else []
    lacks += [findings.NO_LIFETIME] if figures.lifetime_years is None else []
    values = _values(cells, manufacturer, name, figures)
    return Reading(
        row=row.number,
        manufacturer=manufacturer,
        name=name,
        verdict=findings.INCOMPLETE if lacks else findings.ACCEPTED,
        reasons=tuple(dict.fromkeys([*lacks, *cells.words])),
        values=values,
        figures=figures,
        reference=row.cells.get("reference", "")[:60],
    )


def _stages(cells: _Cells, total: Decimal | None) -> dict[str, tuple[Decimal, Decimal]]:
    """Each stage that the row states: (share of the total, kg)."""
    stages = {}
    for stage in STAGES:
        value = cells.number(f"{stage}_kg")
        if value is None or not total:
            continue
        stages[stage] = (value, total * value) if cells.form.has_shares else (value / total, value)
    return stages


def _rejections(
    cells: _Cells, name: str, total: Decimal | None, stages: Mapping[str, tuple[Decimal, Decimal]]
) -> list[str]:
    """Why nothing of this row is stored; empty for a row that is kept."""
    words = []
    if cells.row.extra:
        words.append(findings.TOO_MANY_CELLS)
    if not name:
        words.append(findings.NO_NAME)
    elif len(name) > _max_length("name"):
        words.append(findings.NAME_TOO_LONG)
    if total is None:
        words.append(findings.NO_TOTAL)
    elif total <= 0:
        words.append(findings.TOTAL_NOT_POSITIVE)
    elif not fits("total_kg", total):
        words.append(findings.TOTAL_TOO_LARGE)
    if total is not None and total > 0:
        words += [
            findings.RATIO_OUT_OF_RANGE.format(stage)
            for stage, (share, _kg) in stages.items()
            if not 0 <= share <= 1
        ]
    return words


def _figures(cells: _Cells, total: Decimal, stages: Mapping[str, tuple[Decimal, Decimal]]) -> SheetFigures:
    """The row's figures, exactly; a 0 that stands for a gap is taken out."""
    kg = {stage: kg for stage, (_share, kg) in stages.items()}
    lifetime = cells.bounded("lifetime_years")
    if lifetime is not None and lifetime <= 0:
        cells.words.append(findings.OUT_OF_RANGE.format("lifetime_years"))
        lifetime = None
    deviation = cells.bounded("std_kg")
    figures = SheetFigures(
        total_kg=total,
        lifetime_years=lifetime,
        tec_kwh_per_year=cells.bounded("tec_kwh_per_year"),
        use_location=cells.text("use_location"),
        statistic=_statistic(cells),
        std_kg=deviation,
        error_ratio=_error_ratio(cells, total, deviation),
        manufacturing_kg=kg.get("manufacturing"),
        transport_kg=kg.get("transport"),
        use_kg=kg.get("use"),
        eol_kg=kg.get("eol"),
    )
    if pcf.zero_means_unknown(figures):
        cells.words.append(findings.ZERO_MEANS_UNKNOWN)
        figures = replace(figures, transport_kg=figures.transport_kg or None, eol_kg=figures.eol_kg or None)
    if not pcf.adds_up(figures):
        cells.words.append(findings.DOES_NOT_ADD_UP)
    return figures


def _statistic(cells: _Cells) -> str:
    """Which figure the total is; Boavizta's list does not say."""
    printed = cells.raw("statistic").lower()
    if printed not in STATISTICS:
        cells.words.append(findings.STATISTIC_NOT_UNDERSTOOD)
    return STATISTICS.get(printed, Statistic.UNKNOWN)


def _error_ratio(cells: _Cells, total: Decimal, deviation: Decimal | None) -> Decimal | None:
    """The printed error, kept even outside 0..1; without one, standard deviation over total."""
    value = cells.number("error_ratio")
    if value is None and deviation is not None:
        value = deviation / total
    if value is None:
        return None
    if not fits("error_ratio", value):
        cells.words.append(findings.OUT_OF_RANGE.format("error_ratio"))
        return None
    if not 0 <= value <= 1:
        cells.words.append(findings.ERROR_RATIO_OUT_OF_RANGE)
    elif value == 0:
        cells.words.append(findings.ERROR_RATIO_ZERO)
    return value


def _values(cells: _Cells, manufacturer: str, name: str, figures: SheetFigures) -> dict[str, Any]:
    """The fields of a PcfSheet, with the places that they keep."""
    numbers = {
        field: _stored(field, getattr(figures, field))
        for field in (
            "total_kg",
            "std_kg",
            "error_ratio",
            "manufacturing_kg",
            "transport_kg",
            "eol_kg",
            "use_kg",
            "lifetime_years",
            "tec_kwh_per_year",
        )
    }
    texts = {field: cells.text(field) for field in cells.form.texts}
    for word, absent in (
        (findings.NO_MANUFACTURER, not manufacturer),
        (findings.NO_SOURCE, not texts["source"]),
        (findings.NO_REPORT_DATE, not texts["report_date"]),
        (findings.NO_USE_LOCATION, not figures.use_location),
    ):
        if absent:
            cells.words.append(word)
    if figures.use_location and not is_known_location(figures.use_location):
        cells.words.append(findings.USE_LOCATION_NOT_UNDERSTOOD)
    year = names.year_of(texts["report_date"])
    if texts["report_date"] and year is None:
        cells.words.append(findings.REPORT_DATE_NOT_UNDERSTOOD)
    _note_consumables(cells, figures)
    return {
        **texts,
        **numbers,
        **_body(cells, name, texts["subcategory"]),
        **cells.form.constants,
        "manufacturer": manufacturer,
        "name": name,
        "report_year": year,
        "statistic": figures.statistic,
        "use_location": figures.use_location,
        "memory_gb": _stored("memory_gb", cells.bounded("memory_gb")),
        "storage_gb": _stored("storage_gb", cells.bounded("storage_gb")),
    }


def _note_consumables(cells: _Cells, figures: SheetFigures) -> None:
    """Find a use figure that no electricity could cause."""
    use, lifetime, tec = figures.use_kg, figures.lifetime_years, figures.tec_kwh_per_year
    if use is not None and lifetime and tec and use > tec * lifetime * _MOST_KG_PER_KWH:
        cells.words.append(findings.USE_MORE_THAN_ELECTRICITY)


def _body(cells: _Cells, name: str, subcategory: str) -> dict[str, Any]:
    """Weight and screen, without the values that slipped into the wrong cell."""
    weight, screen = cells.bounded("weight_kg"), cells.bounded("screen_inch")
    portable = subcategory.lower() in _PORTABLE
    too_heavy = weight is not None and portable and weight >= _HEAVIEST_PORTABLE_KG
    if weight is not None and (weight == 0 or weight == screen or too_heavy):
        cells.words.append(findings.WEIGHT_IMPLAUSIBLE)
        weight = None
    if screen == 0:
        cells.words.append(findings.SCREEN_IMPLAUSIBLE)
        screen = None
    inches = names.inches_in_name(name) if portable else None
    if screen is not None and inches is not None and abs(screen - inches) >= 2:
        cells.words.append(findings.SCREEN_DIFFERS_FROM_NAME)
    return {"weight_kg": _stored("weight_kg", weight), "screen_inch": _stored("screen_inch", screen)}
