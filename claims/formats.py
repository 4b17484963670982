"""How each language writes days and numbers: `data/<language>/formats.toml`. A language without one reads
English.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

from claims.languages import DATA, FALLBACK_LANGUAGE, known_language

_DECIMAL_POINT = re.compile(r"(?<=[0-9])\.(?=[0-9])")
_ISO_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True)
class Formats:
    """Patterns with `{day}`, `{month}` and `{year}`; the twelve months; the mark before decimals."""

    day: str
    month: str
    decimal_mark: str
    months: list[str]
    first_day: str = ""


def day_text(iso: str, *, language: str) -> str:
    """`2026-11-24`, or a moment of that day, in words: "24 November 2026", "24. November 2026".

    Raises ValueError for what is no ISO 8601 day.
    """
    moment = datetime.fromisoformat(iso).date() if "T" in iso else date.fromisoformat(iso)
    formats = _formats(known_language(language))
    pattern = formats.first_day if formats.first_day and moment.day == 1 else formats.day
    return pattern.format(day=moment.day, month=formats.months[moment.month - 1], year=moment.year)


def sheet_date_text(printed: str, *, language: str) -> str:
    """The date of a maker's sheet, where it reads as a day or a month: "February 2019" -> "Februar 2019".

    Anything else stays as the sheet prints it.
    """
    formats = _formats(known_language(language))
    if match := _ISO_MONTH.fullmatch(printed):
        return formats.month.format(month=formats.months[int(match[2]) - 1], year=match[1])
    words = printed.split()
    number = _english_months().get(words[0]) if words else None
    if number and len(words) == 2 and words[1].isdecimal():
        return formats.month.format(month=formats.months[number - 1], year=words[1])
    try:
        if number and len(words) == 3:
            printed = date(int(words[2]), number, int(words[1])).isoformat()
        return day_text(printed, language=language)
    except ValueError:
        return printed


def number_text(number: str, *, language: str) -> str:
    """A number as code writes it ("1 385.412"), with the language's own decimal mark ("1 385,412")."""
    return _DECIMAL_POINT.sub(_formats(known_language(language)).decimal_mark, number)


@cache
def _formats(language: str) -> Formats:
    path = DATA / language / "formats.toml"
    if not path.is_file():
        path = DATA / FALLBACK_LANGUAGE / "formats.toml"
    return Formats(**tomllib.loads(path.read_text(encoding="utf-8")))


@cache
def _english_months() -> Mapping[str, int]:
    return {name: number for number, name in enumerate(_formats(FALLBACK_LANGUAGE).months, start=1)}
