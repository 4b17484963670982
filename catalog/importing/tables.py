"""Read a CSV file as a table, in either dialect, or say why it cannot be read."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from django.utils.translation import gettext as _

from catalog.errors import BadFile

MAX_BYTES = 100_000_000
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)")
_COMMA_IN_NUMBER = re.compile(r"(?<=\d),(?=\d)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


@dataclass(frozen=True)
class Row:
    """One data row: `number` counts from 1, the first row after the header. `extra` cells have no column."""

    number: int
    cells: dict[str, str]
    extra: int


@dataclass(frozen=True)
class Table:
    """A read file. With `;` between the cells, numbers may carry a decimal comma."""

    columns: tuple[str, ...]
    delimiter: str
    rows: list[Row]

    @property
    def decimal_comma(self) -> bool:
        return self.delimiter == ";"

    def require(self, columns: Sequence[str], *, what: str) -> None:
        """Raise BadFile naming the columns that `what` needs and this file has not."""
        missing = [column for column in columns if column not in self.columns]
        if missing:
            raise BadFile(
                _("This is not %(what)s: the header has no column %(missing)s. It has: %(found)s.")
                % {"what": what, "missing": ", ".join(missing), "found": ", ".join(self.columns)}
            )


def read_table(path: Path) -> Table:
    """The rows of a UTF-8 CSV file, `,` or `;` by its header, with or without a byte order mark.

    Column names lose outer spaces and case. Raises BadFile: unreadable, empty, not UTF-8, broken quotes, a
    column twice.
    """
    text = _decode(_read(path), path)
    header, _newline, _rest = text.lstrip("\r\n").partition("\n")
    delimiter = ";" if header.count(";") > header.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        columns = tuple(cell.strip().lower() for cell in next(_filled(reader), []))
        if not any(columns):
            raise BadFile(_("%(path)s is empty: a header row is needed.") % {"path": path})
        _refuse_repeated(columns)
        rows = [_row(number, columns, cells) for number, cells in enumerate(_filled(reader), start=1)]
    except csv.Error as error:
        raise BadFile(
            _("%(path)s cannot be read as CSV at line %(line)d: %(error)s. Save it as CSV again.")
            % {"path": path, "line": reader.line_num, "error": error}
        ) from error
    return Table(columns, delimiter, rows)


def with_decimal_points(text: str) -> str:
    """The text with a comma between two digits as a point: what a spreadsheet made of "1.1GHz" is undone."""
    return _COMMA_IN_NUMBER.sub(".", text)


def parse_number(text: str, *, decimal_comma: bool) -> Decimal | None:
    """The number in a cell, None if it is none. `NaN`, `1e9` and thousands separators are none."""
    text = text.strip()
    if decimal_comma:
        text = text.replace(",", ".")
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadFile(_("%(path)s is larger than 100 MB; split it.") % {"path": path})
        return path.read_bytes()
    except OSError as error:
        raise BadFile(
            _("%(path)s cannot be read: %(error)s.") % {"path": path, "error": error.strerror}
        ) from error


def _decode(data: bytes, path: Path) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadFile(
            _("%(path)s is not UTF-8 (byte %(at)d). Save it as “CSV UTF-8” and import it again.")
            % {"path": path, "at": error.start + 1}
        ) from error


def _filled(lines: Iterator[list[str]]) -> Iterator[list[str]]:
    """Lines that hold anything at all: a blank line is no row."""
    return (cells for cells in lines if cells)


def _refuse_repeated(columns: Sequence[str]) -> None:
    repeated = sorted({column for column in columns if column and columns.count(column) > 1})
    if repeated:
        raise BadFile(_("The header names %(columns)s twice.") % {"columns": ", ".join(repeated)})


def _row(number: int, columns: Sequence[str], cells: Sequence[str]) -> Row:
    padded = [_CONTROL.sub(" ", cell).strip() for cell in cells] + [""] * (len(columns) - len(cells))
    extra = sum(1 for cell in padded[len(columns) :] if cell)
    return Row(number, dict(zip(columns, padded, strict=False)), extra)
