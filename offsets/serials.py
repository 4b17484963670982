"""Serial numbers of credits and of devices: parse, print, split. Pure.

A credit serial is a series (every part that makes the running number unique) and a number:
- CAR: `CAR-1-US-1480-46-1156-FL-2024-8287-978278 to 980783`; the series is all before the last number.
- CDM: a CER number is unique only together with host party, unit and commitment period, so we write
  `CDM-PH-CER-2-619879 to 620095`. tCER and lCER are temporary units and are refused. Demonstration credits
  carry `DEMO-` before either form. `last - first + 1` is the quantity.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from common.errors import InvalidInput

GRAMS_PER_CREDIT = 1_000_000
MAX_BLOCK_CREDITS = 5_000_000
MAX_DEVICE_SERIAL = 64
MAX_MANUFACTURER = 60
MAX_NUMBER = 10**15

_CAR = re.compile(
    r"(?P<series>(?P<demo>DEMO-)?CAR-(?:1|ROC)-(?P<country>[A-Z]{2})-(?P<project>[0-9]{1,6})-[0-9]{1,6}-[0-9]{1,6}"
    r"-[A-Z0-9]{0,6}-(?P<vintage>[0-9]{4})-[0-9]{1,9})-(?P<first>[0-9]{1,15}) to (?P<last>[0-9]{1,15})",
    re.ASCII,
)
_CDM = re.compile(
    r"(?P<series>(?P<demo>DEMO-)?CDM-(?P<country>[A-Z]{2})-(?P<unit>[A-Za-z]{3,4})-[0-9]{1,2})"
    r"-(?P<first>[0-9]{1,15}) to (?P<last>[0-9]{1,15})",
    re.ASCII,
)


class InvalidCreditSerials(InvalidInput):
    """A range of credit serials does not read, or is not one that can be used for a device."""

    code = "invalid_credit_serials"


class InvalidDeviceSerial(InvalidInput):
    """A device serial is empty, too long, or holds characters that no serial number has."""

    code = "invalid_device_serial"


@dataclass(frozen=True)
class CreditRange:
    """Credits `first` to `last` of a series, both included."""

    series: str
    first: int
    last: int
    registry: str  # "CAR" or "CDM"
    country: str  # ISO 3166 alpha-2 of the serial
    unit: str  # CRT or CER
    demo: bool
    project_number: str = ""  # CAR only
    vintage: int | None = None  # CAR only

    @property
    def credits(self) -> int:
        """Quantity: last - first + 1."""
        return self.last - self.first + 1

    def __str__(self) -> str:
        return format_credit_serials(self.series, self.first, self.last)


def parse_credit_serials(text: str) -> CreditRange:
    """Read a printed range. Raises InvalidCreditSerials and says what is wrong with it."""
    text = " ".join(text.split())
    if match := _CAR.fullmatch(text):
        unit, registry = "CRT", "CAR"
    elif match := _CDM.fullmatch(text):
        unit, registry = match["unit"], "CDM"
        if unit.lower() in {"tcer", "lcer"}:
            raise InvalidCreditSerials(
                f"{text}: {unit} is a temporary forestry unit that expires; a device needs permanent CERs."
            )
        if unit != "CER":
            raise InvalidCreditSerials(f"{text}: the unit must be CER, not {unit}.")
    else:
        raise InvalidCreditSerials(
            f"{text[:80]!r} is not a range of credit serials. Write it like "
            "'CAR-1-US-1480-46-1156-FL-2024-8287-978278 to 980783' or 'CDM-PH-CER-2-619879 to 620095'."
        )
    groups = match.groupdict()
    first, last = int(match["first"]), int(match["last"])
    if last < first:
        raise InvalidCreditSerials(f"{text}: the last number is smaller than the first.")
    if last - first + 1 > MAX_BLOCK_CREDITS:
        raise InvalidCreditSerials(
            f"{text}: more than {MAX_BLOCK_CREDITS} credits; split it into several rows."
        )
    return CreditRange(
        series=match["series"],
        first=first,
        last=last,
        registry=registry,
        country=match["country"],
        unit=unit,
        demo=bool(match["demo"]),
        project_number=groups.get("project") or "",
        vintage=int(groups["vintage"]) if groups.get("vintage") else None,
    )


def find_credits(text: str) -> CreditRange | None:
    """The credits that a search names: a printed range or one serial such as `CDM-PH-CER-2-619879`; None if
    it is neither.
    """
    number = text.strip().rpartition("-")[2]
    for candidate in (text, f"{text.strip()} to {number}"):
        try:
            return parse_credit_serials(candidate)
        except InvalidCreditSerials:
            continue
    return None


def format_credit_serials(series: str, first: int, last: int) -> str:
    """Print a range the way the registry does: `SERIES-first to last`."""
    return f"{series}-{first} to {last}"


def credits_of_interval(first_number: int, from_g: int, to_g: int) -> tuple[int, int]:
    """First and last credit number that the grams [from_g, to_g) of a run starting at `first_number` fall on.

    PROOF: first serial + g // 1,000,000. Raises ValueError for an empty interval.
    """
    if not 0 <= from_g < to_g:
        raise ValueError(f"[{from_g}, {to_g}) is not an interval of grams.")
    return first_number + from_g // GRAMS_PER_CREDIT, first_number + (to_g - 1) // GRAMS_PER_CREDIT


def ceil_credits(amount_g: int) -> int:
    """Whole credits that cover this many grams; 0 for nothing or less."""
    return max(0, -(-amount_g // GRAMS_PER_CREDIT))


def normalise_device(manufacturer: str, device_serial: str) -> tuple[str, str]:
    """Maker and device serial as compared: NFKC, trimmed, upper case.

    Raises InvalidDeviceSerial when one is empty, longer than 64 characters (a maker: 60) as typed or as
    compared, or holds control or invisible characters, or, in a device serial, blanks.
    """
    return (
        _normalised("manufacturer", manufacturer, longest=MAX_MANUFACTURER, blanks=True),
        _normalised("device serial", device_serial, longest=MAX_DEVICE_SERIAL, blanks=False),
    )


@lru_cache(maxsize=32_768)  # an order of 10,000 devices is compared twice, and makers are few
def _normalised(what: str, text: str, *, longest: int, blanks: bool) -> str:
    text = text.strip()
    result = unicodedata.normalize("NFKC", text).strip().upper()
    if not result:
        raise InvalidDeviceSerial(f"The {what} is empty.")
    if max(len(text), len(result)) > longest:
        raise InvalidDeviceSerial(f"The {what} {result[:20]!r}… is longer than {longest} characters.")
    if any(
        unicodedata.category(char)[0] in "CM" or unicodedata.category(char) in {"Zl", "Zp"} for char in result
    ):
        raise InvalidDeviceSerial(
            f"The {what} {result!r} holds control or invisible characters; type it again."
        )
    if not blanks and any(char.isspace() for char in result):
        raise InvalidDeviceSerial(f"The {what} {result!r} holds a blank; a serial number has none.")
    return result
