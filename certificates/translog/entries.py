"""Entries of the log: ASCII, every line ends in LF, exactly one of three forms. Nothing else can be written.

Numbers have no sign and no leading zero, so nothing negative and nothing that overflows has a form.
"""

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import date

GRAMS_PER_CREDIT = 1_000_000
COMMITMENT_BYTES = 32
_NUM = r"(?:0|[1-9][0-9]{0,17})"
_RETIRE = re.compile(
    r"clearline/1 retire\n(?P<registry>[!-~]{1,40})\n"
    rf"(?P<prefix>[!-~]{{0,200}}-)(?P<first>{_NUM}) to (?P<last>{_NUM})\n"
    rf"(?P<credits>{_NUM})\n(?P<day>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})\n",
    re.ASCII,
)
_ALLOC = re.compile(
    rf"clearline/1 alloc\n(?P<retire>{_NUM}) (?P<from_g>{_NUM}) (?P<to_g>{_NUM})\n"
    r"(?P<commitment>[A-Za-z0-9+/]{43}=)\n",
    re.ASCII,
)
_REVERSE = re.compile(rf"clearline/1 reverse\n(?P<alloc>{_NUM})\n", re.ASCII)


class BrokenEntry(ValueError):
    """These bytes are none of the three forms, or say something impossible."""


@dataclass(frozen=True)
class Retire:
    """The registry has confirmed that these credits are retired: PREFIX-first to last, both included."""

    registry: str
    prefix: str  # with its last hyphen
    first: int
    last: int
    retired_on: date

    @property
    def credits(self) -> int:
        return self.last - self.first + 1

    @property
    def grams(self) -> int:
        return self.credits * GRAMS_PER_CREDIT

    def encode(self) -> bytes:
        """The entry's bytes. Raises BrokenEntry for what has no form."""
        return _checked(
            f"clearline/1 retire\n{self.registry}\n{self.prefix}{self.first} to {self.last}\n"
            f"{self.credits}\n{self.retired_on.isoformat()}\n"
        )


@dataclass(frozen=True)
class Alloc:
    """The grams [from_g, to_g) of the retirement at index `retire` belong to whom the commitment hides."""

    retire: int
    from_g: int
    to_g: int
    commitment: bytes

    def encode(self) -> bytes:
        """The entry's bytes. Raises BrokenEntry for what has no form."""
        commitment = b64encode(self.commitment).decode()
        return _checked(f"clearline/1 alloc\n{self.retire} {self.from_g} {self.to_g}\n{commitment}\n")


@dataclass(frozen=True)
class Reverse:
    """The allocation at index `alloc` is live no more; its grams may be given out again."""

    alloc: int

    def encode(self) -> bytes:
        """The entry's bytes. Raises BrokenEntry for what has no form."""
        return _checked(f"clearline/1 reverse\n{self.alloc}\n")


Entry = Retire | Alloc | Reverse


def parse_entry(data: bytes) -> Entry:
    """The entry of exactly these bytes. Raises BrokenEntry.

    What only the rest of the log can tell (which entry an index means) is not checked here.
    """
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError as error:
        raise BrokenEntry("An entry is ASCII.") from error
    if match := _RETIRE.fullmatch(text):
        return _retire(match)
    if match := _ALLOC.fullmatch(text):
        return _alloc(match)
    if match := _REVERSE.fullmatch(text):
        return Reverse(int(match["alloc"]))
    raise BrokenEntry("These bytes are none of the three forms of an entry.")


def _retire(match: re.Match[str]) -> Retire:
    first, last = int(match["first"]), int(match["last"])
    if last < first or last - first + 1 != int(match["credits"]):
        raise BrokenEntry("The range of credits and their number differ.")
    try:
        day = date.fromisoformat(match["day"])
    except ValueError as error:
        raise BrokenEntry(f"{match['day']} is no day.") from error
    return Retire(match["registry"], match["prefix"], first, last, day)


def _alloc(match: re.Match[str]) -> Alloc:
    from_g, to_g = int(match["from_g"]), int(match["to_g"])
    if from_g >= to_g:
        raise BrokenEntry(f"[{from_g}, {to_g}) is not an interval of grams.")
    commitment = b64decode(match["commitment"], validate=True)
    if b64encode(commitment).decode() != match["commitment"]:
        raise BrokenEntry("The commitment is not in the one form that base64 gives it.")
    return Alloc(int(match["retire"]), from_g, to_g, commitment)


def _checked(text: str) -> bytes:
    """What is written must read back."""
    try:
        data = text.encode("ascii")
    except UnicodeEncodeError as error:
        raise BrokenEntry("An entry is ASCII.") from error
    parse_entry(data)
    return data


def split_entries(data: bytes) -> list[bytes]:
    """Entries that stand one after the other, taken apart: the first line says how many lines follow.

    Raises BrokenEntry when the last one is cut or a first line is none.
    """
    lines = data.split(b"\n")
    if lines.pop() != b"":
        raise BrokenEntry("The last line has no end.")
    entries, place = [], 0
    while place < len(lines):
        length = _LINES.get(lines[place])
        if length is None or place + length > len(lines):
            raise BrokenEntry(f"Line {place + 1} begins no whole entry.")
        entries.append(b"\n".join(lines[place : place + length]) + b"\n")
        place += length
    return entries


def end_of_entries(data: bytes, place: int, count: int) -> int:
    """Where the `count` entries that begin at `place` end; more may follow. Raises BrokenEntry."""
    for number in range(count):
        first = data.find(b"\n", place)
        lines = _LINES.get(data[place:first]) if first >= 0 else None
        if lines is None:
            raise BrokenEntry(f"{count - number} entries are missing, or do not read.")
        for _line in range(lines):
            place = data.find(b"\n", place) + 1
            if place == 0:
                raise BrokenEntry("The last entry is cut.")
    return place


_LINES = {b"clearline/1 retire": 5, b"clearline/1 alloc": 3, b"clearline/1 reverse": 2}
