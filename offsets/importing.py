"""Read a CSV of credit blocks that we hold: one block a row, every row's error named, all or nothing.

Columns: `project` (registry reference), `credit_serials` (see serials.py), `quantity`, `vintage` (year),
`acquired_on` (YYYY-MM-DD), `source`, and optionally `monitoring_period`. UTF-8, comma separated.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import IntegrityError, transaction

from common import events
from common.errors import InvalidInput
from offsets import events as kinds
from offsets import ledger
from offsets.models import CreditBlock
from offsets.serials import CreditRange, InvalidCreditSerials, parse_credit_serials
from projects.models import Project

REQUIRED = ("project", "credit_serials", "quantity", "vintage", "acquired_on", "source")
OPTIONAL = ("monitoring_period",)


class InvalidCreditFile(InvalidInput):
    """The file cannot be imported; `details` names each row and what is wrong. Nothing was stored."""

    code = "invalid_credit_file"


@dataclass(frozen=True)
class BlockRow:
    """One block as read from row `row` (the first row after the header is 1)."""

    row: int
    project: Project
    serials: CreditRange
    vintage: int
    monitoring_period: str
    acquired_on: date
    source: str


def read_blocks(content: bytes) -> list[BlockRow]:
    """Every row of the file, checked against the projects and against what we hold. Raises
    InvalidCreditFile.
    """
    rows = _records(content)
    projects = {project.reference: project for project in Project.objects.select_related("registry")}
    blocks: list[BlockRow] = []
    problems: list[dict[str, str | int]] = []
    for number, record in enumerate(rows, start=1):
        try:
            blocks.append(_block(number, record, projects))
        except InvalidInput as error:
            problems.append({"row": number, "problem": error.message})
    problems += _overlaps(blocks)
    if problems:
        problems.sort(key=lambda problem: int(problem["row"]))
        first = problems[0]
        raise InvalidCreditFile(
            f"{len(problems)} of {len(rows)} rows are wrong, nothing was stored."
            f" Row {first['row']}: {first['problem']}",
            details=problems,
        )
    return blocks


def import_blocks(blocks: Sequence[BlockRow], *, actor: str, now: datetime) -> list[CreditBlock]:
    """Take these blocks into stock, all or none. A demonstration serial makes a sandbox block, any other
    a live one.

    Raises InvalidCreditFile when a credit is in stock already; then nothing was stored.
    """
    try:
        return _import_blocks(blocks, actor=actor, now=now)
    except IntegrityError as error:  # another import was faster than the check of `read_blocks`
        raise InvalidCreditFile(
            "A credit of this file is in stock already. Nothing was stored; check the file again."
        ) from error


@transaction.atomic(durable=True)
def _import_blocks(blocks: Sequence[BlockRow], *, actor: str, now: datetime) -> list[CreditBlock]:
    stored = [
        ledger.add_block(
            block.serials,
            project=block.project,
            livemode=not block.serials.demo,
            vintage=block.vintage,
            monitoring_period=block.monitoring_period,
            acquired_on=block.acquired_on,
            source=block.source,
            now=now,
        )
        for block in sorted(blocks, key=lambda block: (block.project.pk, block.row))
    ]
    events.record_all(kinds.CREDITS_IMPORTED, stored, actor=actor)
    return stored


def _records(content: bytes) -> list[dict[str, str]]:
    """The rows under the header, as csv.DictReader gives them. Raises InvalidCreditFile."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidCreditFile(
            "The file is not UTF-8. Save it as 'CSV UTF-8' and import it again."
        ) from error
    if "\0" in text:
        raise InvalidCreditFile("The file holds NUL characters and is no CSV text.")
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        header = [name.strip() for name in reader.fieldnames or []]
        _check_header(header)
        reader.fieldnames = header
        records = list(reader)
    except csv.Error as error:
        raise InvalidCreditFile(f"The file does not read as CSV: {error}.") from error
    if not records:
        raise InvalidCreditFile("The file holds a header and no row.")
    return records


def _check_header(header: list[str]) -> None:
    missing = [name for name in REQUIRED if name not in header]
    unknown = [name for name in header if name not in REQUIRED + OPTIONAL]
    doubled = sorted({name for name in header if header.count(name) > 1})
    if missing or unknown or doubled:
        raise InvalidCreditFile(
            f"The header must be {', '.join(REQUIRED + OPTIONAL)} (the last may be left out)."
            + (f" Missing: {', '.join(missing)}." if missing else "")
            + (f" Unknown: {', '.join(unknown)[:200]}." if unknown else "")
            + (f" Twice: {', '.join(doubled)[:200]}." if doubled else "")
        )


def _block(number: int, record: dict[str, str], projects: dict[str, Project]) -> BlockRow:
    if None in record or None in record.values():
        raise InvalidInput("has more or fewer cells than the header.")
    record = {name: value.strip() for name, value in record.items()}
    project = projects.get(record["project"])
    if project is None:
        raise InvalidInput(f"Project {record['project']!r} is not known; import the project first.")
    serials = parse_credit_serials(record["credit_serials"])
    _check_project(serials, project)
    quantity, vintage = _integer("quantity", record["quantity"]), _integer("vintage", record["vintage"])
    if quantity != serials.credits:
        raise InvalidCreditSerials(
            f"quantity is {quantity}, but {serials} holds {serials.credits} (last - first + 1)."
        )
    if not 1990 <= vintage <= 2100:
        raise InvalidInput(f"vintage {str(vintage)[:20]} is not a year.")
    if serials.vintage is not None and vintage != serials.vintage:
        raise InvalidInput(f"vintage is {vintage}, but the serials say {serials.vintage}.")
    try:
        acquired_on = date.fromisoformat(record["acquired_on"])
    except ValueError as error:
        raise InvalidInput(f"acquired_on {record['acquired_on']!r} is not a date like 2026-02-05.") from error
    if not record["source"]:
        raise InvalidInput("source is empty; say where the block was bought.")
    return BlockRow(
        row=number,
        project=project,
        serials=serials,
        vintage=vintage,
        monitoring_period=record.get("monitoring_period", "")[:60],
        acquired_on=acquired_on,
        source=record["source"][:200],
    )


def _check_project(serials: CreditRange, project: Project) -> None:
    """The serial must belong to the project: CAR by its number, CDM by the host party."""
    if serials.registry != project.registry.code:
        raise InvalidCreditSerials(
            f"{serials} is of registry {serials.registry}, {project.reference} of {project.registry.code}."
        )
    if serials.country != project.country.code:
        raise InvalidCreditSerials(
            f"{serials} is of country {serials.country}, {project.reference} of {project.country.code}."
        )
    if serials.project_number and f"CAR{serials.project_number}" != project.reference:
        raise InvalidCreditSerials(
            f"{serials} is of CAR{serials.project_number}, not of {project.reference}."
        )


def _integer(name: str, text: str) -> int:
    """A whole number as registries print it: 2506, 2,506 or 2506.0."""
    digits = text.replace(",", "").removesuffix(".0")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 15:
        raise InvalidInput(f"{name} {text[:20]!r} is not a whole number.")
    return int(digits)


def _overlaps(blocks: list[BlockRow]) -> list[dict[str, str | int]]:
    """Rows that share a credit with another row or with a block that we hold."""
    by_series: dict[str, list[tuple[int, int, int, str]]] = defaultdict(list)
    for block in blocks:
        by_series[block.serials.series].append(
            (block.serials.first, block.serials.last, block.row, f"row {block.row}")
        )
    for held in CreditBlock.objects.filter(series__in=list(by_series)):
        by_series[held.series].append((held.first_number, held.last_number, 0, f"block {held} that we hold"))
    problems: list[dict[str, str | int]] = []
    for ranges in by_series.values():
        ranges.sort()
        furthest = ranges[0]
        for current in ranges[1:]:
            if current[0] <= furthest[1]:
                later, earlier = (current, furthest) if current[2] >= furthest[2] else (furthest, current)
                problems.append({"row": later[2], "problem": f"shares credits with {earlier[3]}."})
            furthest = max(furthest, current, key=lambda entry: entry[1])
    return problems
