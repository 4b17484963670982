"""Words that stand though they contain a listed one: what the law makes a shop say, and proper names."""

import tomllib
from dataclasses import dataclass
from functools import cache

from claims.languages import DATA


@dataclass(frozen=True)
class Mandated:
    """A text that the guard lets stand wherever it occurs whole, and the rule or body that it comes from."""

    text: str
    rule: str


@cache
def mandated_texts(language: str) -> tuple[Mandated, ...]:
    """The texts of `data/<language>/mandated.toml`, longest first; none where a language has no such file."""
    path = DATA / language / "mandated.toml"
    if not path.is_file():
        return ()
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    entries = [*document.get("mandated", []), *document.get("name", [])]
    return tuple(sorted((Mandated(**entry) for entry in entries), key=lambda m: len(m.text), reverse=True))
