"""The guard: finds words that a register forbids, however they are dressed up.

It reads our own sentences. Quotations (registry facts, a third party's label) and mandated words are covered
first. It holds words, not truth: a sentence without a listed word can still mislead; a person must read it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache

from claims.folding import Folded, fold
from claims.languages import FALLBACK_LANGUAGE, known_language, languages
from claims.listed import find_listed
from claims.mandated import mandated_texts
from claims.registers import Register, register_from
from common.errors import DomainError

ANY_LANGUAGE = "*"
"""For a text whose language nobody has said, such as what staff and partners type: every list holds."""

EXCERPT_CHARACTERS = 30


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
    lists = _lists_for(language)
    folded = fold(text)
    readable = folded.masked(_standing(folded, lists, quotations)).lowered()
    findings = []
    found = find_listed(readable.text, register=register_from(register), languages=lists)
    for word, first, last in found:
        start, end = readable.span(first, last)
        findings.append(Finding(word, start, end, _excerpt(text, start, end)))
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
    folded: Folded, lists: tuple[str, ...], quotations: Sequence[Quotation]
) -> Iterator[tuple[int, int]]:
    caseless = folded.text.casefold()
    for quotation in sorted(quotations, key=lambda q: len(q.text), reverse=True):
        yield from _occurrences(folded, caseless, quotation.text, re.NOFLAG)
    for language in lists:
        for mandated in mandated_texts(language):
            yield from _occurrences(folded, caseless, mandated.text, re.IGNORECASE)


def _occurrences(folded: Folded, caseless: str, text: str, flags: re.RegexFlag) -> Iterator[tuple[int, int]]:
    """Where a text stands as whole words, with any blanks between them. Few do, so its first word is looked
    for before all of it.
    """
    first, pattern = _as_whole_words(text, flags)
    if first in caseless:
        yield from (match.span() for match in pattern.finditer(folded.text))


@lru_cache(maxsize=4_096)  # what the wordings mandate, again and again, and the quotations of a page
def _as_whole_words(text: str, flags: re.RegexFlag) -> tuple[str, re.Pattern[str]]:
    tokens = fold(text).text.split()
    pattern = r"(?<!\w)" + r"\s+".join(map(re.escape, tokens)) + r"(?!\w)" if tokens else r"(?!)"
    return tokens[0].casefold() if tokens else "", re.compile(pattern, flags)
