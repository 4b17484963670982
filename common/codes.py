"""Public codes: Crockford base 32 from the system's random source. Pure."""

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LOOKALIKES = str.maketrans({"O": "0", "I": "1", "L": "1"})


def random_code(*, groups: int, group_length: int = 4) -> str:
    """`groups` groups of `group_length` characters joined by '-'; each character carries 5 random bits."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(group_length)) for _ in range(groups))


def normalise_code(text: str, *, groups: int, group_length: int = 4) -> str | None:
    """The code as printed for what a person typed (case, blanks and look-alikes forgiven), or None if it is
    none.
    """
    letters = text.upper().replace("-", "").replace(" ", "").translate(_LOOKALIKES)
    if len(letters) != groups * group_length or any(letter not in ALPHABET for letter in letters):
        return None
    return "-".join(letters[i : i + group_length] for i in range(0, len(letters), group_length))
