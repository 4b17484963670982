"""Characters that pass for a Latin letter, as the guard meets them: folded and in lower case.

A lower-case letter of another alphabet stands here too when its capital is the look-alike ("Η" for "H").
"""

LETTERS: dict[str, str] = {
    "a": "аαɑᴀ",
    "b": "вьβʙ",
    "c": "сσᴄц",
    "d": "ԁɖᴅđ",
    "e": "еєεҽᴇɛ",
    "f": "ғϝꜰƒ",
    "g": "ɡցɢԍ",
    "h": "һнηհʜħ",
    "i": "іιıɪӏǀ",
    "j": "јϳᴊ",
    "k": "кκᴋ",
    "l": "ӏιłʟǀіı",
    "m": "мμᴍ",
    "n": "пηνиոɴ",
    "o": "оοσօᴏøθө",
    "p": "рρքᴘ",
    "q": "ԛզ",
    "r": "гяʀгƨ",
    "s": "ѕꜱσ",
    "t": "тτᴛŧ",
    "u": "υսцμᴜи",
    "v": "νѵᴠ",
    "w": "ԝωѡшᴡ",
    "x": "хχ",
    "y": "уγүʏ",
    "z": "ζᴢ",
}

SIGNS: dict[str, str] = {
    "a": "4@",
    "b": "8",
    "e": "3€",
    "g": "9",
    "i": "1!|l",
    "l": "1!|i",
    "o": "0",
    "s": "5$",
    "t": "7",
    "z": "2",
}
"""Digits and signs: looked for in longer words only, since "EC0" may be a part of a serial number."""

PAIRS: dict[str, str] = {"d": "cl", "m": "rn", "w": "vv"}
"""Two letters that pass for one, in longer words."""
