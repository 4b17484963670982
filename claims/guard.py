"""The guard: finds words that a register forbids, however they are dressed up.

It reads our own sentences. Quotations (registry facts, a third party's label) and mandated words are covered
first. It holds words, not truth: a sentence without a listed word can still mislead; a person must read it.
"""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache

from claims.folding import THIN, Folded, fold
from claims.languages import DATA, FALLBACK_LANGUAGE, known_language, languages
from claims.lookalikes import LETTERS, PAIRS, SIGNS
from claims.mandated import mandated_texts
from claims.registers import Register, register_from
from common.errors import DomainError

ANY_LANGUAGE = "*"
"""For a text whose language nobody has said, such as what staff and partners type: every list holds."""

EXCERPT_CHARACTERS = 30
_LETTER = r"[^\W\d_]"
_GAP = rf"[ {THIN}_-]*(?:\n[ {THIN}_-]*)?"  # between the words of a phrase; an empty line parts them
_INSIDE = rf"(?:[-.·*_'’/|~{THIN}]|-?\n)?"  # between the letters of a word
_CLOSE = rf"{THIN}?"  # between the letters of a short one
_APART = rf"[ {THIN}·.]{{1,2}}"  # between the letters of a word that is spaced out
_DASHED = (
    rf"[ {THIN}·.*_/|-]{{1,2}}"  # the same for words that are no serial number when they are dashed apart
)
_BETWEEN = r"[^\S\n]+(?:[^\s;:!?]{0,39}[^\s.;:!?][^\S\n]+){0,5}"  # "...": up to five words of one sentence
_SHORT = 4  # words of so many letters keep them together and have no digits
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


@dataclass(frozen=True)
class Finding:
    """A forbidden word as the list writes it, its place in the text as given, and the text around it."""

    word: str
    start: int
    end: int
    excerpt: str


@dataclass(frozen=True)
class Quotation:
    """Words that are not ours: they stand exactly as their source has them. Both fields are needed."""

    text: str
    source: str

    def __post_init__(self) -> None:
        if not self.text.strip() or not self.source.strip():
            raise ValueError("A quotation needs its text and its source.")


class ForbiddenClaim(DomainError, ValueError):
    """A text says what its register forbids; `findings` lists the words and their places."""

    code = "forbidden_claim"

    def __init__(self, register: Register, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        words = ", ".join(dict.fromkeys(f"“{finding.word}” (in “{finding.excerpt}”)" for finding in findings))
        super().__init__(
            f"Register {register} does not allow {words}. "
            "Say it without, or mark it as a quotation with its source.",
            details=[asdict(finding) for finding in findings],
        )


def check(
    text: str, *, register: str, language: str = "en", quotations: Sequence[Quotation] = ()
) -> list[Finding]:
    """Every forbidden word of a plain text, in order; [] when it may be said in this register.

    The English list and that of the language both hold, or all lists for ANY_LANGUAGE. A quotation stands
    wherever its exact text occurs as whole words, in the same case; so do mandated words, in any case. Raises
    UnknownRegister.
    """
    languages = _lists_for(language)
    folded = fold(text)
    readable = folded.masked(_standing(folded, languages, quotations)).lowered()
    words, pattern = _forbidden(register_from(register), languages)
    findings = []
    for match in pattern.finditer(readable.text):
        start, end = readable.span(*match.span())
        findings.append(Finding(words[(match.lastindex or 1) - 1], start, end, _excerpt(text, start, end)))
    return findings


def assert_clean(
    text: str, *, register: str, language: str = "en", quotations: Sequence[Quotation] = ()
) -> None:
    """Let a text pass that may be said in this register; else raise ForbiddenClaim, which names the words."""
    if findings := check(text, register=register, language=language, quotations=quotations):
        raise ForbiddenClaim(register_from(register), findings)


def _lists_for(language: str) -> tuple[str, ...]:
    if language == ANY_LANGUAGE:
        return tuple(sorted(languages()))
    return tuple(dict.fromkeys((known_language(language), FALLBACK_LANGUAGE)))


def _excerpt(text: str, start: int, end: int) -> str:
    return text[max(0, start - EXCERPT_CHARACTERS) : end + EXCERPT_CHARACTERS].strip()


# What stands


def _standing(
    folded: Folded, languages: tuple[str, ...], quotations: Sequence[Quotation]
) -> Iterator[tuple[int, int]]:
    for quotation in sorted(quotations, key=lambda q: len(q.text), reverse=True):
        yield from _occurrences(folded, quotation.text, re.NOFLAG)
    for language in languages:
        for mandated in mandated_texts(language):
            yield from _occurrences(folded, mandated.text, re.IGNORECASE)


def _occurrences(folded: Folded, text: str, flags: re.RegexFlag) -> Iterator[tuple[int, int]]:
    """Where a text stands as whole words, with any blanks between them."""
    tokens = fold(text).text.split()
    if tokens:
        pattern = r"(?<!\w)" + r"\s+".join(map(re.escape, tokens)) + r"(?!\w)"
        yield from (match.span() for match in re.finditer(pattern, folded.text, flags))


# What is forbidden


@cache
def _forbidden(register: Register, languages: tuple[str, ...]) -> tuple[tuple[str, ...], re.Pattern[str]]:
    """The listed words, most letters first, then the symbols; and one pattern whose group n is entry n."""
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
    marks = sorted(symbols)
    whole_words = "|".join(f"({_phrase_pattern(word)})" for word in listed)
    pictures = "".join(f"|({re.escape(fold(mark).text)})" for mark in marks)
    pattern = re.compile(rf"(?<!{_LETTER})(?:{whole_words})(?!{_LETTER}){pictures}")
    return tuple(entry.replace("*", "") for entry in (*listed, *marks)), pattern


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
