"""Characters that pass for a Latin letter, as the guard meets them: folded and in lower case.

A lower-case letter of another alphabet stands here too when its capital is the look-alike ("Η" for "H").
"""

from string import ascii_lowercase

_ENCLOSED = (
    0x1F150,
    0x1F170,
    0x1F1E6,
)  # white on a disc, white on a square, and the halves of flags: each from A

_DRAWN: dict[str, str] = {
    "a": "аαɑᴀɐⲁꓮᎪ",
    "b": "вьβʙꓐᏴⲃ",
    "c": "сσᴄцꓚᏟⲥ",
    "d": "ԁɖᴅđꓓᎠ",
    "e": "еєεҽᴇɛꓰᎬⲉəǝ",
    "f": "ғϝꜰƒꓝ",
    "g": "ɡցɢԍꓖᏀ",
    "h": "һнηհʜħꓧᎻⲏ",
    "i": "іιıɪӏǀꓲᎥⲓ",
    "j": "јϳᴊꓙᎫ",
    "k": "кκᴋꓗᏦⲕ",
    "l": "ӏιłʟǀіıꓡᏞ",
    "m": "мμᴍꓟᎷⲙ",
    "n": "пηνиոɴꓠⲛ",
    "o": "оοσօᴏøθөꓳⲟ",
    "p": "рρքᴘꓑᏢⲣ",
    "q": "ԛզ",
    "r": "гяʀгƨꓣᎡᏒɾ",
    "s": "ѕꜱσꓢᏚ",
    "t": "тτᴛŧꓔᎢⲧ",
    "u": "υսцμᴜиꓴ",
    "v": "νѵᴠꓦᏙ",
    "w": "ԝωѡшᴡꓪᎳ",
    "x": "хχꓫⲭ",
    "y": "уγүʏꓬᎩⲩ",
    "z": "ζᴢꓜᏃⲍ",
}

LETTERS: dict[str, str] = {
    letter: _DRAWN[letter] + "".join(chr(first + place) for first in _ENCLOSED)
    for place, letter in enumerate(ascii_lowercase)
}
"""All look-alikes of each letter."""

SIGNS: dict[str, str] = {
    "a": "4@",
    "b": "8",
    "e": "3€",
    "g": "9",
    "i": "1!|l",
    "l": "1!|i",
    "o": "0",
    "r": "®",
    "s": "5$",
    "t": "7†",
    "z": "2",
}
"""Digits and signs: looked for in longer words only, since "EC0" may be a part of a serial number."""

PAIRS: dict[str, str] = {"d": "cl", "m": "rn", "w": "vv"}
"""Two letters that pass for one, in longer words."""
