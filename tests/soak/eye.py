"""How a reader sees a text, written apart from the guard: its own claims, look-alikes and way of reading."""

import html
import re
import unicodedata

# What no register may say, language by language.
CLAIMS: dict[str, tuple[str, ...]] = {
    "en": (
        "climate neutral",
        "carbon neutral",
        "net zero",
        "carbon free",
        "eco-friendly",
        "climate positive",
    ),
    "de": ("klimaneutral", "klimaneutrales", "umweltfreundlich", "klimapositiv", "emissionsfrei", "grünes"),
    "sv": ("klimatneutral", "klimatneutralt", "miljövänlig", "klimatpositiv", "koldioxidfri", "klimatsmart"),
    "fr": (
        "neutre en carbone",
        "neutralité carbone",
        "zéro carbone",
        "écologique",
        "décarboné",
        "climat positif",
    ),
    "es": (
        "carbono neutral",
        "neutro en carbono",
        "cero neto",
        "ecológico",
        "libre de carbono",
        "emisiones cero",
    ),
}
# Cyrillic, Greek, Armenian, Cherokee, Lisu, and letters that phoneticians made.
LOOKS: dict[str, str] = {
    "a": "аαꓮᎪ",
    "c": "сꓚᏟ",
    "e": "еεꓰᎬ",
    "i": "іιꓲ",
    "k": "кκ",
    "l": "ӏꓡᏞ",
    "m": "мᴍꓟᎷ",
    "n": "ոꓠɴ",
    "o": "оοօꓳ",
    "p": "рρꓑ",
    "r": "ꓣɾʀ",
    "s": "ѕꓢᏚ",
    "t": "тτꓔᎢ",
    "u": "υսꓴ",
    "v": "νѵꓦᏙ",
    "x": "хꓫ",
    "y": "уꓬ",
}
_READ = {ord(look): letter for letter, looks in LOOKS.items() for look in looks}
_READ |= {0x1F170 + place: chr(ord("a") + place) for place in range(26)}
_THIN = dict.fromkeys(map(ord, "\u2009\u200a\u202f\u205f"))


def as_seen(text: str) -> str:
    """Small letters without marks, every letter as the one that it looks like, single blanks."""
    for _again in range(3):
        text = html.unescape(text)
    text = text.translate(_READ | _THIN)
    parted = unicodedata.normalize("NFKD", text)
    kept = "".join(c for c in parted if unicodedata.category(c) not in {"Cf", "Mn", "Me", "Cc"} or c == "\n")
    return " ".join(re.split(r"[\s_-]+", kept.lower().translate(_READ)))


def claims_in(text: str) -> list[str]:
    """The claims that a reader would read, whatever the language."""
    seen = as_seen(text)
    return [claim for claims in CLAIMS.values() for claim in claims if _stands(as_seen(claim), seen)]


def _stands(claim: str, seen: str) -> bool:
    if re.search(rf"(?<![^\W\d_]){re.escape(claim)}", seen):
        return True
    apart = r"[ .·]".join(map(re.escape, claim.replace(" ", "")))
    return re.search(rf"(?<![^\W\d_]){apart}(?![^\W\d_])", seen) is not None
