"""The lists of forbidden words as patterns, and where one stands in a text that was folded and lowered.

A thousand patterns take seconds to make, and a text holds few of the words: so a text is first held against
each word's outline, which is cheap and never misses one, and only the patterns that may match are made.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain

from claims.folding import THIN, fold
from claims.languages import DATA
from claims.lookalikes import LETTERS, PAIRS, SIGNS
from claims.registers import Register

_LETTER = r"[^\W\d_]"
_GAP = rf"[ {THIN}_-]*(?:\n[ {THIN}_-]*)?"  # between the words of a phrase; an empty line parts them
_INSIDE = rf"(?:[-.·*_'’/~{THIN}]|-?\n)?"  # between the letters of a word
_CLOSE = rf"{THIN}?"  # between the letters of a short one
_APART = rf"[ {THIN}·.]{{1,2}}"  # between the letters of a word that is spaced out
_DASHED = (
    rf"[ {THIN}·.*_/-]{{1,2}}"  # the same for words that are no serial number when they are dashed apart
)
_BETWEEN = r"[^\S\n]+(?:[^\s;:!?]{0,39}[^\s.;:!?][^\S\n]+){0,5}"  # "...": up to five words of one sentence
_SHORT = 4  # words of so many letters keep them together and have no digits
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_UNSURE = "".join(PAIRS)  # letters that a pair passes for: an outline has a hole there


@dataclass(frozen=True)
class Listed:
    """A word or symbol of the lists. Each part of its outline stands in the outline of a text that has it.
    The longest is looked for first: few texts have it.
    """

    word: str
    entry: str
    longest: str
    outline: tuple[str, ...]
    symbol: bool = False


def find_listed(
    text: str, *, register: Register, languages: tuple[str, ...]
) -> Iterator[tuple[str, int, int]]:
    """Each listed word of a folded, lowered text with its place, from the left; longer words first."""
    outline = _outline(text)
    entries = _listed(register, languages)
    likely = [
        entry
        for entry in entries
        if entry.longest in outline and all(part in outline for part in entry.outline)
    ]
    heads = [_pattern(entry).search(text) for entry in likely]
    while standing := [(head.start(), order) for order, head in enumerate(heads) if head]:
        start, chosen = min(standing)
        end = heads[chosen].end()  # type: ignore[union-attr]  # it is one of those that stand
        yield likely[chosen].word, start, end
        for order, head in enumerate(heads):
            if head and head.start() < end:
                heads[order] = _pattern(likely[order]).search(text, end)


@cache
def _listed(register: Register, languages: tuple[str, ...]) -> tuple[Listed, ...]:
    """The words, most letters first, then the symbols."""
    words: set[str] = set()
    symbols: set[str] = set()
    for language in languages:
        path = DATA / language / "forbidden.toml"
        if path.is_file():
            document = tomllib.loads(path.read_text(encoding="utf-8"))
            for section in (document["everywhere"], document.get(register.value, {})):
                for word in section.get("words", []):
                    words |= {word, word.translate(_UMLAUTS)}
                symbols |= set(section.get("symbols", []))
    listed = sorted(words, key=lambda word: (-sum(map(str.isalpha, word)), word.count(" "), word))
    return (
        *(_listed_word(word) for word in listed),
        *(Listed(symbol, symbol, "", (), symbol=True) for symbol in sorted(symbols)),
    )


def _listed_word(entry: str) -> Listed:
    outline = _parts_of_outline(entry)
    return Listed(entry.replace("*", ""), entry, max(outline, key=len, default=""), outline)


# Outlines


@cache
def _classes() -> dict[str, str]:
    """Each letter, look-alike and sign with the one letter that stands for all it may pass for."""
    leader = {letter: letter for letter in LETTERS if letter not in _UNSURE}
    first: dict[str, str] = {}

    def leader_of(letter: str) -> str:
        while leader[letter] != letter:
            letter = leader[letter]
        return letter

    for letter in leader:
        for look in chain(letter, LETTERS[letter], SIGNS.get(letter, "")):
            leader[leader_of(letter)] = leader_of(first.setdefault(look, letter))
    return dict.fromkeys(_UNSURE, "?") | {look: leader_of(letter) for look, letter in first.items()}


def _outline(text: str) -> str:
    classes = _classes()
    return "".join([classes.get(character, "") for character in text])


def _parts_of_outline(listed: str) -> tuple[str, ...]:
    """What a text must have in its outline to hold the word, however its letters are parted or replaced."""
    pieces = re.split(r" \.\.\. |\*", fold(listed).lowered().text)
    return tuple(part for piece in pieces for part in _outline(piece).split("?") if part)


# Patterns


@cache
def _pattern(listed: Listed) -> re.Pattern[str]:
    if listed.symbol:
        return re.compile(re.escape(fold(listed.entry).text))
    return re.compile(rf"(?<!{_LETTER}){_phrase_pattern(listed.entry)}(?!{_LETTER})")


def _phrase_pattern(listed: str) -> str:
    """A pattern for a listed word or phrase in any disguise that the eye does not see through."""
    letters = fold(listed).lowered().text
    disguised = sum(map(str.isalpha, letters)) > _SHORT
    parts = (part.split() for part in letters.split(" ... "))
    return _BETWEEN.join(_GAP.join(_disguises(word, disguised) for word in part) for part in parts)


def _disguises(word: str, disguised: bool) -> str:
    core = word.strip("*")
    before = f"{_LETTER}*" if word.startswith("*") else ""
    after = f"{_LETTER}*" if word.endswith("*") else ""
    together = (_INSIDE if disguised else _CLOSE).join(_letter(letter, disguised) for letter in core)
    apart = (_DASHED if len(core) >= _SHORT else _APART).join(
        _letter(letter, disguised=False) for letter in core
    )
    return f"{before}(?:{together}|{apart}){after}" if len(core) > 2 else f"{before}{together}{after}"


def _letter(letter: str, disguised: bool) -> str:
    one = re.escape(letter) + re.escape(LETTERS.get(letter, ""))
    if disguised:
        one += re.escape(SIGNS.get(letter, ""))
    pair = f"|{PAIRS[letter]}" if disguised and letter in PAIRS else ""
    return f"(?:[{one}]{pair})"
