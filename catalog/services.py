"""What changes the catalogue's sheets and factors: imports, each one transaction, and versions by hand."""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from django.db import IntegrityError, transaction
from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext as _

from catalog.errors import BadFile, SheetRefused
from catalog.importing.formats import OWN
from catalog.importing.grid import read_grid_factors
from catalog.importing.lineages import Plan, plan_import, plan_version
from catalog.importing.products import Problems, raise_if_any
from catalog.importing.sheets import Reading, format_of, read_sheets
from catalog.importing.tables import Row, Table, read_table
from catalog.models import GridFactor, PcfSheet, Product
from catalog.pcf import sheet as pcf
from catalog.pcf.method import SERVICE_LIFE_YEARS
from common.errors import Conflict

REPORT_COLUMNS = (
    "row",
    "manufacturer",
    "name",
    "verdict",
    "reasons",
    "non_use_kg",
    "use_kg_per_year",
    "five_year_use_kg",
    "five_year_total_kg",
)


@dataclass(frozen=True, kw_only=True)
class PcfImport:
    """What an import of footprints found and stored; with a dry run, what it would store."""

    rows: int
    verdicts: Counter[str]
    new_sheets: int
    new_versions: int
    unchanged: int
    moved_products: int
    unused_columns: list[str]
    missing_columns: list[str]  # without them no row can be accepted


def import_pcf(path: Path, *, dry_run: bool = False, report: Path | None = None) -> PcfImport:
    """Store the sheets of a file, and write a line about every row to `report`. All in one transaction.

    A sheet that is known already changes nothing; new figures are a new version, and products follow it.
    Rejected rows store nothing. The number of statements does not grow with the rows, but for insert batches.
    Raises BadFile (nothing stored, no report) and Conflict when another import ran at the same time.
    """
    table = read_table(path)
    readings = read_sheets(table)
    try:
        with transaction.atomic(durable=True):
            plan = plan_import(readings)
            moved = 0 if dry_run else _store(plan)
            if report is not None:
                write_report(plan.readings, report)
    except IntegrityError as error:
        raise Conflict(_("Another import stored these sheets meanwhile. Import the file again.")) from error
    return PcfImport(
        rows=len(plan.readings),
        verdicts=Counter(reading.verdict for reading in plan.readings),
        new_sheets=len(plan.sheets) - plan.new_versions,
        new_versions=plan.new_versions,
        unchanged=plan.unchanged,
        moved_products=moved,
        unused_columns=_unused_columns(table),
        missing_columns=_missing_columns(table),
    )


def _store(plan: Plan) -> int:
    """Insert the planned sheets; products whose sheet has a new version take it. Returns how many did."""
    PcfSheet.objects.bulk_create(plan.sheets)
    return follow_new_versions() if plan.new_versions else 0


def prepare_sheet(*, cells: Mapping[str, str], after: PcfSheet | None = None) -> PcfSheet:
    """A sheet typed by staff, read like a row of our own format, ready for `store_sheet`. Writes nothing.

    `after` makes it the next version of that sheet. Raises SheetRefused when an import would reject the row,
    or when it states nothing new.
    """
    table = Table(tuple(OWN.columns), ",", [Row(1, dict(cells), 0)])
    [reading] = read_sheets(table)
    if reading.values is None:
        raise SheetRefused(
            _("This sheet cannot be stored: %(reasons)s.") % {"reasons": ", ".join(reading.reasons)}
        )
    sheet = plan_version(reading, after) if after else next(iter(plan_import([reading]).sheets), None)
    if sheet is None:
        raise SheetRefused(_("These figures are stored already."))
    return sheet


def store_sheet(sheet: PcfSheet) -> None:
    """Add a prepared sheet; products whose sheet it follows take it. In the caller's transaction."""
    with transaction.atomic():
        sheet.save(force_insert=True)
        follow_new_versions()


def follow_new_versions() -> int:
    """Point each product at the version after its sheet's, in the caller's transaction. Returns how many."""
    after = PcfSheet.objects.filter(supersedes=OuterRef("sheet")).values("pk")[:1]
    return Product.objects.filter(sheet__next__isnull=False).update(sheet=Subquery(after))


def _unused_columns(table: Table) -> list[str]:
    form = format_of(table)
    used = {*form.columns.values(), *form.ignored}
    return [column for column in table.columns if column and column not in used]


def _missing_columns(table: Table) -> list[str]:
    needed = [format_of(table).columns[field] for field in ("use_kg", "lifetime_years")]
    return [column for column in needed if column not in table.columns]


def write_report(readings: Sequence[Reading], path: Path) -> None:
    """One line per row, in order: UTF-8, commas, decimal points. Raises BadFile when it cannot be written."""
    try:
        with path.open("w", encoding="utf-8", newline="") as out:
            lines = csv.writer(out, lineterminator="\n")
            lines.writerow(REPORT_COLUMNS)
            lines.writerows(report_line(reading) for reading in readings)
    except OSError as error:
        raise BadFile(
            _("The report %(path)s cannot be written: %(error)s. Nothing was stored.")
            % {"path": path, "error": error.strerror}
        ) from error


def report_line(reading: Reading) -> list[str]:
    """The cells of one row's line; kilograms with four decimals, empty where they cannot be known."""
    five_years, one_year = Decimal(SERVICE_LIFE_YEARS), Decimal(1)
    figures = reading.figures
    amounts = (
        [
            pcf.non_use_kg(figures),
            pcf.use_kg(figures, years=one_year),
            pcf.use_kg(figures, years=five_years),
            pcf.total_kg(figures, years=five_years),
        ]
        if figures
        else [None] * 4
    )
    return [
        str(reading.row),
        reading.manufacturer,
        reading.name,
        reading.verdict,
        ";".join(reading.reasons),
        *("" if kg is None else f"{kg:.4f}" for kg in amounts),
    ]


@dataclass(frozen=True, kw_only=True)
class GridImport:
    """What an import of grid factors stored; with a dry run, what it would store."""

    rows: int
    new: int
    left_out: list[str]


def import_grid_factors(path: Path, *, dry_run: bool = False) -> GridImport:
    """Store the factors of a file that are not stored yet. All or nothing: BadFile names every wrong row.

    A factor of 0 is left out: no grid has it, and the country's region then stands in.
    """
    problems = Problems(path)
    file = read_grid_factors(read_table(path), problems=problems)
    raise_if_any([problems])
    with transaction.atomic(durable=True):
        known = set(GridFactor.objects.values_list("country", "region", "year", "kg_co2e_per_kwh"))
        new = [
            factor
            for factor in file.factors
            if (factor.country, factor.region, factor.year, factor.kg_co2e_per_kwh) not in known
        ]
        if not dry_run:
            GridFactor.objects.bulk_create(new)
    return GridImport(rows=len(file.factors) + len(file.left_out), new=len(new), left_out=file.left_out)
