"""Which text can be printed on a certificate, so that what cannot is refused where it is typed. Pure.

The ranges are what the certificate's font covers of Latin, Greek and Cyrillic, with punctuation, currencies
and arithmetic; a test holds them against the installed font. Left out on purpose: control and invisible
characters, text that changes direction, combining marks, and every script that the font lacks.
"""

import unicodedata
from bisect import bisect_right

_RANGES = (
    (0x20, 0x7E),
    (0xA0, 0xAC),
    (0xAE, 0x148),
    (0x14A, 0x1C3),
    (0x1C5, 0x24F),
    (0x384, 0x38A),
    (0x38C, 0x38C),
    (0x38E, 0x3A1),
    (0x3A3, 0x3CE),
    (0x400, 0x482),
    (0x48A, 0x49D),
    (0x4A0, 0x4FF),
    (0x1E00, 0x1EFF),
    (0x2010, 0x2027),
    (0x2030, 0x205E),
    (0x2070, 0x2071),
    (0x2074, 0x208E),
    (0x20A0, 0x20BF),
    (0x2103, 0x2103),
    (0x2109, 0x2109),
    (0x2116, 0x2117),
    (0x2122, 0x2122),
    (0x2126, 0x2126),
    (0x2190, 0x2193),
    (0x2212, 0x2212),
    (0x2248, 0x2248),
    (0x2260, 0x2260),
    (0x2264, 0x2265),
)
_STARTS = [first for first, _last in _RANGES]


def unprintable(text: str) -> str:
    """The characters of a text that no certificate can show, each once, in order; "" when all can be shown.

    The text is read as it is printed: composed (NFC).
    """
    composed = unicodedata.normalize("NFC", text)
    return "".join(dict.fromkeys(character for character in composed if not _covered(ord(character))))


def _covered(point: int) -> bool:
    place = bisect_right(_STARTS, point) - 1
    return place >= 0 and point <= _RANGES[place][1]
