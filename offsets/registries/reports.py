"""Read the registries' public reports of retirements: the CAR's report and the CDM's cancellation list.
Pure.

Headers are found by name, with blanks collapsed, and other columns are passed over. A row that does not
read stops the run and is named: a report that is half understood proves nothing.
"""

import csv
import hashlib
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from common.errors import InvalidInput
from offsets.serials import CreditRange, InvalidCreditSerials, parse_credit_serials

OUR_REFERENCE = re.compile(r"\bCL-[0-9]{4}-[0-9]{2}-[0-9A-HJKMNP-TV-Z]{4}\b")
MAX_BYTES = 50_000_000
CAR_COLUMNS = {
    "serials": "Offset Credit Serial Numbers",
    "quantity": "Quantity of Offset Credits",
    "on": "Status Effective",
    "project": "Project ID",
    "vintage": "Vintage",
}
CDM_COLUMNS = {
    "serials": "Serial Range",
    "quantity": "Total",
    "on": "Completion Date",
    "project": "Project Identifier",
    "unit": "Unit",
    "period": "CP (Commitment Period)",
}
HOLDER, REASON = "Account Holder", "Retirement Reason Details"


class UnreadableReport(InvalidInput):
    """The report, or a row of it, does not read; the message names it. Nothing was stored."""

    code = "unreadable_report"


@dataclass(frozen=True, kw_only=True)
class ReportLine:
    """One row of a registry's report. What the registry does not print is None."""

    row: int  # the first row after the header is 1
    serials: CreditRange
    project: str
    on: date
    vintage: int | None
    holder: str | None
    reason: str | None
    cancelled: bool  # a cancellation in a registry that has retirements apart from them: nobody's retirement
    digest: str  # SHA-256 of the row as read

    @property
    def references(self) -> set[str]:
        """Our references that stand in the reason text."""
        return set(OUR_REFERENCE.findall((self.reason or "").upper()))


@dataclass(frozen=True)
class Report:
    """A whole report: which registry's, its lines, its SHA-256."""

    registry: str  # "CAR" or "CDM"
    lines: list[ReportLine]
    skipped: int  # temporary units (tCER, lCER), which we never hold
    digest: str


def read_report(content: bytes) -> Report:
    """Read a CAR retirement or cancellation report, or the CDM cancellation list. Raises UnreadableReport."""
    if len(content) > MAX_BYTES:
        raise UnreadableReport("The report is larger than 50 MB; cut it by date and read the parts.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableReport("The report is not UTF-8. Save it as 'CSV UTF-8'.") from error
    if "\0" in text:
        raise UnreadableReport("The report holds NUL characters and is no CSV text.")
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise UnreadableReport(f"The report does not read as CSV: {error}.") from error
    header = [_squeeze(name) for name in rows[0]] if rows else []
    registry, read = _layout(header)
    lines, skipped = [], 0
    for number, cells in enumerate(rows[1:], start=1):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise UnreadableReport(f"Row {number} has {len(cells)} cells, the header {len(header)}.")
        record = {name: _squeeze(cell) for name, cell in zip(header, cells, strict=True)}
        try:
            line = read(number, record)
        except InvalidInput as error:
            raise UnreadableReport(f"Row {number}: {error.message}") from error
        if line is None:
            skipped += 1
        else:
            lines.append(line)
    return Report(registry, lines, skipped, hashlib.sha256(content).hexdigest())


def _layout(header: list[str]) -> tuple[str, Callable[[int, dict[str, str]], ReportLine | None]]:
    for registry, columns, read in (("CAR", CAR_COLUMNS, _car_line), ("CDM", CDM_COLUMNS, _cdm_line)):
        if set(columns.values()) <= set(header):
            return registry, read
    raise UnreadableReport(
        "These columns are of no report that is known. A CAR report has "
        f"{', '.join(CAR_COLUMNS.values())}; the CDM list has {', '.join(CDM_COLUMNS.values())}."
    )


def _car_line(number: int, record: dict[str, str]) -> ReportLine:
    serials = parse_credit_serials(record[CAR_COLUMNS["serials"]])
    _check_quantity(serials, record[CAR_COLUMNS["quantity"]])
    return ReportLine(
        row=number,
        serials=serials,
        project=record[CAR_COLUMNS["project"]],
        on=_day(record[CAR_COLUMNS["on"]]),
        vintage=_whole(record[CAR_COLUMNS["vintage"]]),
        holder=record.get(HOLDER),
        reason=record.get(REASON),
        cancelled=REASON not in record,
        digest=_digest(record),
    )


def _cdm_line(number: int, record: dict[str, str]) -> ReportLine | None:
    unit = record[CDM_COLUMNS["unit"]]
    if unit in {"tCER", "lCER"}:
        return None
    first, dash, last = record[CDM_COLUMNS["serials"]].partition(" - ")
    project = record[CDM_COLUMNS["project"]]
    host = project.removeprefix("DEMO-")[:2]
    if not dash:
        raise InvalidCreditSerials(f"{record[CDM_COLUMNS['serials']]!r} is not 'start - end'.")
    prefix = "DEMO-CDM" if project.startswith("DEMO-") else "CDM"
    period = _whole(record[CDM_COLUMNS["period"]])
    serials = parse_credit_serials(f"{prefix}-{host}-{unit}-{period}-{_whole(first)} to {_whole(last)}")
    _check_quantity(serials, record[CDM_COLUMNS["quantity"]])
    return ReportLine(
        row=number,
        serials=serials,
        project=project.removeprefix("DEMO-"),
        on=_day(record[CDM_COLUMNS["on"]]),
        vintage=None,
        holder=None,
        reason=None,
        cancelled=False,  # at the CDM a voluntary cancellation is what others call a retirement
        digest=_digest(record),
    )


def _squeeze(text: str) -> str:
    return " ".join(text.split())


def _whole(text: str) -> int:
    """A whole number as registries print it: 2506, 2,506 or 2506.0. Raises InvalidInput."""
    digits = text.replace(",", "").removesuffix(".0")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 15):
        raise InvalidInput(f"{text[:30]!r} is not a whole number.")
    return int(digits)


def _check_quantity(serials: CreditRange, text: str) -> None:
    if _whole(text) != serials.credits:
        raise InvalidInput(f"{serials} is {serials.credits} credits, the row says {text}.")


def _day(text: str) -> date:
    """MM/DD/YYYY (CAR) or YYYY-MM-DD (CDM), with or without a time behind it. Raises InvalidInput."""
    for form in ("%m/%d/%Y", "%Y-%m-%d"):
        try:
            return datetime.strptime(text.split(" ")[0], form).date()  # noqa: DTZ007 a date has no zone
        except ValueError:
            continue
    raise InvalidInput(f"{text[:30]!r} is not a date like 03/10/2026 or 2026-03-10.")


def _digest(record: Mapping[str, str]) -> str:
    """SHA-256 over names and values as read, in the order of the names."""
    body = "\n".join(f"{name}={value}" for name, value in sorted(record.items()))
    return hashlib.sha256(body.encode()).hexdigest()
