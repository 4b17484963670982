"""Wordings: one version of one register's sentences in one language, read from `data/<language>/`.

A published file is never edited: a certificate keeps the id of its wording, and `wording_by_id` must give
back the sentences that it was issued with. A change is a new file with the next number.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from string import Formatter
from types import MappingProxyType

from claims.formats import number_text
from claims.languages import DATA, FALLBACK_LANGUAGE, known_language
from claims.registers import FILE_NAMES, Register, register_from
from claims.slots import NUMBERS, SLOTS
from common.errors import DomainError, NotFound

_REGISTER_NAMED = {name: register for register, name in FILE_NAMES.items()}
_WORDING_FILE = re.compile(rf"(?P<name>{'|'.join(_REGISTER_NAMED)})-(?P<version>[1-9][0-9]*)\.toml")
_FIELD = re.compile(r"[a-z][a-z_]*")


class UnknownWording(NotFound):
    """No wording has this id: a published file is missing."""

    code = "unknown_wording"


class BrokenWording(DomainError):
    """A file of wording does not hold: the message names the file, the slot and what to mend."""

    code = "broken_wording"


class UnknownSlot(DomainError):
    """A caller asks for a sentence that no register has."""

    code = "unknown_slot"


class MissingFact(DomainError):
    """A caller leaves out a fact that the slot is given in every register."""

    code = "missing_fact"

    def __init__(self, slot: str, name: str) -> None:
        super().__init__(f"The sentence {slot!r} needs the fact {name!r}; see claims/slots.py.")
        self.slot, self.name = slot, name


@dataclass(frozen=True)
class Wording:
    """One version of a register's sentences in one language. Two wordings with the same id are equal."""

    id: str
    register: Register
    language: str
    version: int
    slots: Mapping[str, str] = field(repr=False, compare=False)


def current_wording(*, register: str, language: str) -> Wording:
    """The newest version of a register in a language; "de-AT" reads "de".

    A language that has none reads English, so the answer's language may differ from the one asked for.
    Raises UnknownRegister.
    """
    wanted = register_from(register)
    for candidate in (known_language(language), FALLBACK_LANGUAGE):
        versions = [w for w in _wordings().values() if (w.register, w.language) == (wanted, candidate)]
        if versions:
            return max(versions, key=lambda wording: wording.version)
    raise UnknownWording(f"Register {wanted} has no wording: add {FILE_NAMES[wanted]}-1.toml in English.")


def wording_by_id(wording_id: str) -> Wording:
    """The wording that a certificate was issued with. Raises UnknownWording."""
    try:
        return _wordings()[wording_id]
    except KeyError:
        raise UnknownWording(f"There is no wording {wording_id!r}; published files must stay.") from None


def say(slot: str, *, wording: Wording, **facts: str | int) -> str:
    """The sentence of a slot with its facts in place, as plain text: whoever puts it into markup escapes it.

    Needs every fact that SLOTS lists for the slot, in every register; other facts are left aside. The facts
    in NUMBERS come with a decimal point and are printed with the language's own mark; every other fact is
    printed as it is. Raises UnknownSlot and MissingFact.
    """
    if slot not in SLOTS:
        raise UnknownSlot(f"There is no sentence {slot!r}; claims/slots.py lists them.")
    for name in sorted(SLOTS[slot]):
        if name not in facts:
            raise MissingFact(slot, name)
    return "".join(
        literal + (_printed(name, str(facts[name]), wording.language) if name else "")
        for literal, name in parse_template(wording.slots[slot])
    )


def years_text(years: int, *, wording: Wording) -> str:
    """Years of use in words, as the fact `years_words` is given: 5 -> "five years"."""
    return say(f"years_{years}", wording=wording)


def _printed(name: str, fact: str, language: str) -> str:
    return number_text(fact, language=language) if name in NUMBERS else fact


def slots() -> tuple[str, ...]:
    """The names of all slots, in the order of the buyer's way."""
    return tuple(SLOTS)


def all_wordings() -> tuple[Wording, ...]:
    """Every version of every register in every language, for previews and tests."""
    return tuple(_wordings().values())


@cache
def parse_template(template: str) -> tuple[tuple[str, str], ...]:
    """Pairs of literal text and the fact after it ("" at the end). ValueError for a field unlike `{name}`."""
    parts = []
    for literal, name, spec, conversion in Formatter().parse(template):
        if name is not None and (spec or conversion or not _FIELD.fullmatch(name)):
            raise ValueError(f"only plain {{name}} fields may stand in a sentence, not {{{name}}}")
        parts.append((literal, name or ""))
    return tuple(parts)


@cache
def _wordings() -> Mapping[str, Wording]:
    return MappingProxyType({wording.id: wording for wording in read_wordings(DATA)})


def read_wordings(data: Path) -> Iterator[Wording]:
    """Every wording under `data/<language>/`. Raises BrokenWording: slots too many, too few, ill written."""
    for path in sorted(data.glob("*/*.toml")):
        match = _WORDING_FILE.fullmatch(path.name)
        if match is None:
            continue
        language = path.parent.name
        yield Wording(
            id=f"{match['name']}-{language}-{match['version']}",
            register=_REGISTER_NAMED[match["name"]],
            language=language,
            version=int(match["version"]),
            slots=MappingProxyType(_read_slots(path)),
        )


def _read_slots(path: Path) -> dict[str, str]:
    """The sentences of one file over those of its base, in the order of SLOTS."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    templates: dict[str, str] = {}
    if "based_on" in document:
        base = path.with_name(f"{document['based_on']}.toml")
        templates |= tomllib.loads(base.read_text(encoding="utf-8"))["slots"]
    templates |= document["slots"]
    if unknown := sorted(templates.keys() - SLOTS.keys()):
        raise BrokenWording(f"{path.name}: claims/slots.py does not know {', '.join(unknown)}.")
    if missing := sorted(SLOTS.keys() - templates.keys()):
        raise BrokenWording(f"{path.name}: write the sentences {', '.join(missing)}.")
    for slot, template in templates.items():
        _check_template(path, slot, template)
    return {slot: templates[slot] for slot in SLOTS}


def _check_template(path: Path, slot: str, template: str) -> None:
    try:
        used = {name for _, name in parse_template(template) if name}
    except ValueError as error:
        raise BrokenWording(f"{path.name}: {slot}: {error}.") from None
    if foreign := sorted(used - SLOTS[slot]):
        raise BrokenWording(f"{path.name}: {slot} is not given {', '.join(foreign)}; see claims/slots.py.")
