"""Read a file of grid factors: kg CO2e per kWh of countries and regions (docs/importing.md)."""

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from catalog.importing.products import Problems
from catalog.importing.tables import Row, Table, parse_number
from catalog.models import GridFactor

COLUMNS = ("country_alpha2", "name", "kg_co2e_per_kwh", "year", "source", "licence")
_PLACES = Decimal("0.00001")
_HIGHEST = Decimal(10)  # kg per kWh; the highest national average is below 2


@dataclass(frozen=True)
class GridFile:
    """The file's factors, and the places left out, whose factor is 0."""

    factors: list[GridFactor]
    left_out: list[str]


def read_grid_factors(table: Table, *, problems: Problems) -> GridFile:
    """Every factor of the file; without a country code the name is a region's. Raises BadFile (header)."""
    table.require(COLUMNS, what=_("a file of grid factors"))
    factors, left_out = [], []
    first: dict[tuple[str, str, int], int] = {}
    for row in table.rows:
        factor = _factor(row, table, problems)
        if factor is None:
            continue
        seen = first.setdefault((factor.country, factor.region, factor.year), row.number)
        if seen != row.number:
            problems.add(row.number, "name", _("stands in row %(row)d already") % {"row": seen})
        elif factor.kg_co2e_per_kwh == 0:
            left_out.append(factor.name)
        else:
            factors.append(factor)
    return GridFile(factors, left_out)


def _factor(row: Row, table: Table, problems: Problems) -> GridFactor | None:
    """The row's factor, None when something is wrong with it."""
    before = len(problems.found)
    country, name = row.cells["country_alpha2"].upper(), row.cells["name"]
    kg = parse_number(row.cells["kg_co2e_per_kwh"], decimal_comma=table.decimal_comma)
    year = row.cells["year"]
    if country and not (len(country) == 2 and country.isascii() and country.isalpha()):
        problems.add(row.number, "country_alpha2", _("two letters, or empty for a region"))
    if not 0 < len(name) <= (60 if country else 40):
        problems.add(row.number, "name", _("1 to 60 characters, of a region 1 to 40"))
    if kg is None or not 0 <= kg <= _HIGHEST:
        problems.add(row.number, "kg_co2e_per_kwh", _("a number from 0 to 10"))
    if not (year.isascii() and year.isdigit() and 1990 <= int(year) <= 2100):
        problems.add(row.number, "year", _("a year from 1990 to 2100"))
    for column, longest in (("source", 300), ("licence", 200)):
        if not 0 < len(row.cells[column]) <= longest:
            problems.add(row.number, column, _("1 to %(longest)d characters") % {"longest": longest})
    if kg is None or len(problems.found) > before:
        return None
    return GridFactor(
        country=country,
        region="" if country else name,
        name=name,
        kg_co2e_per_kwh=kg.quantize(_PLACES),
        year=int(year),
        source=row.cells["source"],
        licence=row.cells["licence"],
    )
