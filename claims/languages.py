"""The languages that have sentences: the folders of `data/`."""

from functools import cache
from pathlib import Path

DATA = Path(__file__).parent / "data"
FALLBACK_LANGUAGE = "en"


def known_language(language: str) -> str:
    """The folder of `data/` for a language tag: "de-AT" gives "de", a tag that has none gives English."""
    primary = language.lower().replace("_", "-").partition("-")[0]
    return primary if primary in languages() else FALLBACK_LANGUAGE


@cache
def languages() -> frozenset[str]:
    """The codes of all languages that have sentences."""
    return frozenset(path.name for path in DATA.iterdir() if path.is_dir())
