"""Names and dates as makers' lists print them. Pure."""

import re

from catalog.importing import findings

# A dot or a slash between two models: "ThinkPad T490.ThinkPad P43s", "C24-20. C24-25", "P1/X1 Extreme".
_JOINED = re.compile(r"/|\.\s?[A-Za-z]")
_ESCAPED = re.compile(r"(?:\\x[0-9a-fA-F]{2})+")
_INCHES_IN_NAME = re.compile(r"\s(\d{1,2})$")
_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_DATE_FORMS = (
    re.compile(r"(?P<year>\d{4})(-(?P<month>\d{1,2})(-(?P<day>\d{1,2}))?)?"),
    re.compile(r"(?P<day>\d{1,2})/(?P<month>\d{1,2})/(?P<year>\d{4})"),
    re.compile(r"(?P<word>[A-Za-z]{3,9})\.?( (?P<day>\d{1,2}),?)? (?P<year>\d{4})"),
)


def decode_escapes(name: str) -> str:
    r"""`15\xe2\x80\x9d` as the character that those bytes are in UTF-8; unreadable bytes stay as they are."""

    def decode(found: re.Match[str]) -> str:
        try:
            return bytes.fromhex(found[0].replace("\\x", "")).decode("utf-8")
        except UnicodeDecodeError:
            return found[0]

    return _ESCAPED.sub(decode, name)


def name_findings(printed: str) -> list[str]:
    """What a reader should know about this name."""
    words = []
    if decode_escapes(printed) != printed:
        words.append(findings.NAME_ESCAPES_DECODED)
    if "_" in printed:
        words.append(findings.NAME_HAS_UNDERSCORE)
    if _JOINED.search(printed):
        words.append(findings.SEVERAL_MODELS)
    return words


def inches_in_name(name: str) -> int | None:
    """The screen size that a name ends in, such as 8 in "ThinkPad 8"; sizes of portable devices only."""
    found = _INCHES_IN_NAME.search(name)
    inches = int(found[1]) if found else 0
    return inches if 7 <= inches <= 18 else None


def year_of(printed: str) -> int | None:
    """The year of "Feb 2021", "2015", "2022-2-6", "October 4 2017" or "26/07/2019"; None if unreadable."""
    for form in _DATE_FORMS:
        if found := form.fullmatch(printed.strip()):
            part = found.groupdict()
            month = _month(part)
            day = int(part.get("day") or 1)
            year = int(part["year"])
            return year if 1 <= month <= 12 and 1 <= day <= 31 and 1990 <= year <= 2100 else None
    return None


def _month(part: dict[str, str | None]) -> int:
    word = (part.get("word") or "").lower()
    if not word:
        return int(part.get("month") or 1)
    return next((number for number, name in enumerate(_MONTHS, start=1) if name.startswith(word)), 0)
