"""Folding: a text as the eye reads it, with the way back to every character of the original."""

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

MASK = "\0"
"""Stands for one character that the guard must not read. Folded text holds no other NUL."""

THIN = "\u2009"
"""Stands for every blank that is narrower than a word's: it may part two words or hide inside one."""

_TWICE = r"(?:(?:amp|#38|#[xX]26);)*"  # escaped once more than it should be
_ENTITY = re.compile(rf"&{_TWICE}(?:#[0-9]{{1,8}}|#[xX][0-9a-fA-F]{{1,8}}|[A-Za-z][A-Za-z0-9]{{1,31}});?")
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_AS_SPACE = frozenset("\t\v\f\r\u2122\u2120")  # trade marks end a word: "green™" is not "greentm"
_AS_THIN = frozenset("\u2005\u2006\u2008\u2009\u200a\u202f\u205f")
_AS_HYPHEN = frozenset("\u2043\u2212")
_AS_APOSTROPHE = frozenset("\u2018\u2019\u201b\u02b9\u02bc\u02c8\u2032")


@dataclass(frozen=True)
class Folded:
    """Folded text; character i of it comes from `original[starts[i]:ends[i]]`."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where the folded range [start, end), not empty, lies in the original."""
        return self.starts[start], self.ends[end - 1]

    def masked(self, ranges: Iterable[tuple[int, int]]) -> "Folded":
        """The same text with these folded ranges covered by MASK."""
        characters = list(self.text)
        for start, end in ranges:
            characters[start:end] = MASK * (end - start)
        return Folded("".join(characters), self.starts, self.ends)

    def lowered(self) -> "Folded":
        """The same text without a difference of case."""
        text = self.text.casefold()
        if len(text) == len(self.text):  # no letter became two
            return Folded(text, self.starts, self.ends)
        return _joined(
            (character.casefold(), start, end)
            for character, start, end in zip(self.text, self.starts, self.ends, strict=True)
        )


def fold(text: str) -> Folded:
    """Text with entities resolved, compatibility forms replaced, accents and invisible characters dropped.

    Every kind of hyphen and of apostrophe becomes one; a blank becomes a space or, if narrow, THIN. Case and
    line breaks stay.
    """
    return _joined((_fold_character(character), start, end) for character, start, end in _unescaped(text))


def _joined(pieces: Iterator[tuple[str, int, int]]) -> Folded:
    characters, starts, ends = [], [], []
    for piece, start, end in pieces:
        characters.append(piece)
        starts.extend([start] * len(piece))
        ends.extend([end] * len(piece))
    return Folded("".join(characters), tuple(starts), tuple(ends))


def _unescaped(text: str) -> Iterator[tuple[str, int, int]]:
    """Each character with its place; those of an entity share the place of the entity."""
    position = 0
    for match in _ENTITY.finditer(text):
        yield from ((text[i], i, i + 1) for i in range(position, match.start()))
        yield from ((character, match.start(), match.end()) for character in _resolved(match.group()))
        position = match.end()
    yield from ((text[i], i, i + 1) for i in range(position, len(text)))


def _resolved(entity: str) -> str:
    """What an entity stands for, however often its ampersand was escaped."""
    while (resolved := html.unescape(entity)) != entity:
        entity = resolved
    return entity


@cache
def _fold_character(character: str) -> str:
    if character in _AS_SPACE:
        return " "
    if character in _AS_THIN:
        return THIN
    return "".join(_fold_decomposed(part) for part in unicodedata.normalize("NFKD", character))


def _fold_decomposed(character: str) -> str:
    category = unicodedata.category(character)
    if character == "\n" or category in {"Zl", "Zp"}:
        return "\n"
    if category in {"Cf", "Cc", "Cn", "Co", "Cs", "Mn", "Me"} or character in _FILLERS:
        return ""
    if category == "Zs":
        return " "
    if category == "Pd" or character in _AS_HYPHEN:
        return "-"
    if character in _AS_APOSTROPHE:
        return "'"
    return character
