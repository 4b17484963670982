"""Read the registries' reports of issuances and keep what they say as dated quality facts.

Known layouts: the CAR's report of issuances and the CDM's list of them. Columns are found by name, with
blanks collapsed; others, such as `Unnamed: 33`, are passed over. A row that does not read stops the run and
is named: a report that is half understood proves nothing. Issuances carry no serials.
"""

import csv
import hashlib
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from common.errors import InvalidInput
from projects.errors import UnreadableIssuances
from projects.importing import ISSUANCE_REPORT
from projects.models import Project, QualityFact

MAX_BYTES = 50_000_000
FIRST_VINTAGE, LAST_VINTAGE = 1990, 2100
CORSIA = "Eligible for CORSIA"
CAR_FACTS = ("Protocol and Version", "Reduction/Removal", "CCP Approved", "Corresponding Adjustment")
CAR_TOTAL = "Total Offset Credits Issued"
CAR_COLUMNS = ("Date Issued", "Project ID", "Vintage", CAR_TOTAL, *CAR_FACTS)
CDM_TOTAL = "Units - Total"
CDM_COLUMNS = (
    *("CDM project reference number", "HostParty", "Issuance date", "Monitoring report started"),
    *("Monitoring report ended", CDM_TOTAL, "CP"),
)
Record = dict[str, str]


@dataclass(frozen=True)
class Issuance:
    """One issuance: of which project and vintage, on which day, and what the registry prints of it."""

    row: int  # the first row after the header is 1
    project: str  # our reference of the project: CAR1480, PH-7980
    vintage: int
    issued_on: date
    facts: tuple[tuple[str, str], ...]  # name, value as printed; whole numbers without commas or ".0"


@dataclass(frozen=True)
class IssuanceReport:
    """A whole report: which registry's, its issuances, its SHA-256."""

    registry: str
    issuances: list[Issuance]
    digest: str


@dataclass(frozen=True)
class ImportedIssuances:
    """What came of it: projects of ours, issuances of theirs, new facts, and rows of projects we do not
    sell.
    """

    projects: int
    issuances: int
    new_facts: int
    passed_over: int


def read_issuances(content: bytes) -> IssuanceReport:
    """Read a CAR or CDM report of issuances. Raises UnreadableIssuances, which names the row."""
    if len(content) > MAX_BYTES:
        raise UnreadableIssuances("The report is larger than 50 MB; cut it by date and read the parts.")
    try:
        text = content.decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except UnicodeDecodeError as error:
        raise UnreadableIssuances("The report is not UTF-8. Save it as 'CSV UTF-8'.") from error
    except csv.Error as error:
        raise UnreadableIssuances(f"The report does not read as CSV: {error}.") from error
    header = [_squeeze(name) for name in rows[0]] if rows else []
    registry, read = _layout(header)
    found = []
    for number, cells in enumerate(rows[1:], start=1):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise UnreadableIssuances(f"Row {number} has {len(cells)} cells, the header {len(header)}.")
        try:
            found.append(read(number, dict(zip(header, map(_squeeze, cells), strict=True))))
        except InvalidInput as error:
            raise UnreadableIssuances(f"Row {number}: {error.message}") from error
    return IssuanceReport(registry, found, hashlib.sha256(content).hexdigest())


def import_issuances(content: bytes, *, as_of: date) -> ImportedIssuances:
    """Keep what the report says of our projects; the same statement of an issuance is kept once.

    A fact that a later report states otherwise is a new row with its own source; the old one stays. Raises
    UnreadableIssuances; then nothing is kept.
    """
    report = read_issuances(content)
    source = f"{report.registry} {ISSUANCE_REPORT} {as_of}, SHA-256 {report.digest}"
    with transaction.atomic(durable=True):
        projects = Project.objects.select_for_update().filter(registry__code=report.registry)
        ours = {project.reference: project for project in projects.order_by("pk")}
        issuances = [row for row in report.issuances if row.project in ours]
        new = list(_new_facts(issuances, ours, source))
        QualityFact.objects.bulk_create(new, batch_size=500)
    return ImportedIssuances(
        projects=len({row.project for row in issuances}),
        issuances=len(issuances),
        new_facts=len(new),
        passed_over=len(report.issuances) - len(issuances),
    )


def _new_facts(issuances: Sequence[Issuance], ours: dict[str, Project], source: str) -> Iterable[QualityFact]:
    keys = ("project_id", "vintage", "issued_on", "name", "value")
    known = set(QualityFact.objects.filter(project__in=ours.values()).values_list(*keys))
    for row in issuances:
        project = ours[row.project]
        for name, value in row.facts:
            key = (project.pk, row.vintage, row.issued_on, name, value)
            if key not in known:
                known.add(key)
                yield QualityFact(**dict(zip(keys, key, strict=True)), source=source)


def _layout(header: list[str]) -> tuple[str, Callable[[int, Record], Issuance]]:
    doubled = sorted({name for name in header if name and header.count(name) > 1})
    if doubled:
        raise UnreadableIssuances(f"Columns stand twice: {', '.join(doubled)}.")
    if set(CAR_COLUMNS) <= set(header) and any(name.startswith(CORSIA) for name in header):
        return "CAR", _car_issuance
    if set(CDM_COLUMNS) <= set(header):
        return "CDM", _cdm_issuance
    raise UnreadableIssuances(
        "These columns are of no report that is known. A CAR report has "
        f"{', '.join(CAR_COLUMNS)} and {CORSIA} ...; the CDM list has {', '.join(CDM_COLUMNS)}."
    )


def _car_issuance(number: int, record: Record) -> Issuance:
    total = _whole(record[CAR_TOTAL])
    names = (*CAR_FACTS, *(name for name in record if name.startswith(CORSIA)))
    for name in names:
        _fits(name, record[name])
    return Issuance(
        row=number,
        project=_named(record["Project ID"], "Project ID"),
        vintage=_vintage(record["Vintage"]),
        issued_on=_day(record["Date Issued"]),
        facts=((CAR_TOTAL, str(total)), *((name, record[name]) for name in names)),
    )


def _cdm_issuance(number: int, record: Record) -> Issuance:
    """The vintage is the year in which the monitoring period ended."""
    started, ended = _day(record["Monitoring report started"]), _day(record["Monitoring report ended"])
    if ended < started:
        raise InvalidInput("The monitoring period ends before it starts.")
    host = _named(record["HostParty"], "HostParty")
    reference = _whole(record["CDM project reference number"])
    return Issuance(
        row=number,
        project=f"{host}-{reference}",
        vintage=_vintage(str(ended.year)),
        issued_on=_day(record["Issuance date"]),
        facts=(
            ("Monitoring period", f"{started} to {ended}"),
            ("Units issued", f"{_whole(record[CDM_TOTAL])} CER"),
            ("Commitment period", str(_whole(record["CP"]))),
        ),
    )


def _squeeze(text: str) -> str:
    return " ".join(text.split())


def _named(text: str, column: str) -> str:
    if not text:
        raise InvalidInput(f"{column} is empty.")
    return text


def _fits(name: str, value: str) -> None:
    longest = QualityFact._meta.get_field("value").max_length or 0
    if len(value) > longest or len(name) > (QualityFact._meta.get_field("name").max_length or 0):
        raise InvalidInput(f"{name[:60]} is longer than {longest} characters.")


def _whole(text: str) -> int:
    """A whole number as registries print it: 2506, 2,506 or 2506.0. Raises InvalidInput."""
    digits = text.removesuffix(".0")
    if "," in digits:
        first, *groups = digits.split(",")
        digits = "".join([first, *groups]) if first and all(len(group) == 3 for group in groups) else text
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 15):
        raise InvalidInput(f"{text[:30]!r} is not a whole number.")
    return int(digits)


def _vintage(text: str) -> int:
    year = _whole(text)
    if not FIRST_VINTAGE <= year <= LAST_VINTAGE:
        raise InvalidInput(f"{year} is no vintage.")
    return year


def _day(text: str) -> date:
    """MM/DD/YYYY (CAR) or YYYY-MM-DD (CDM), with or without a time behind it. Raises InvalidInput."""
    for form in ("%m/%d/%Y", "%Y-%m-%d"):
        try:
            return datetime.strptime(text.split(" ")[0], form).date()  # noqa: DTZ007 a date has no zone
        except ValueError:
            continue
    raise InvalidInput(f"{text[:30]!r} is not a date like 03/10/2026 or 2026-03-10.")
