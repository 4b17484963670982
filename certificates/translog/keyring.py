"""The keys of one log, and how one follows the other.

A log's first name is `BASE/1`. A key that takes over gives it a new one, `BASE/N/SIZE/ROOT`, which names the
last checkpoint of the key before (ROOT in hexadecimal). The entries go on: the first SIZE of them have that
root. Every checkpoint of the new key signs this name, so it signs where the former key ended, too: what the
former key signs of a longer log, or of another, is refused by whoever knows both.
"""

import re
from dataclasses import dataclass

from certificates.translog.checkpoints import (
    BrokenCheckpoint,
    BrokenKey,
    Checkpoint,
    LogKey,
    open_checkpoint,
    parse_key,
)

_NAME = re.compile(
    r"(?P<base>.+)/(?P<number>[1-9][0-9]{0,5})/(?P<size>0|[1-9][0-9]{0,17})/(?P<root>[0-9a-f]{64})", re.ASCII
)


def first_origin(base: str) -> str:
    """The name of a log under its first key."""
    return f"{base}/1"


@dataclass(frozen=True)
class Succession:
    """What a later origin names: the log under the former key ended with this size and root."""

    base: str
    number: int
    size: int
    root: bytes


def succession_of(origin: str) -> Succession | None:
    """What this origin names; None for a log's first."""
    found = _NAME.fullmatch(origin)
    if found is None or int(found["number"]) < 2:
        return None
    return Succession(found["base"], int(found["number"]), int(found["size"]), bytes.fromhex(found["root"]))


def base_of_origin(origin: str) -> str:
    """What a log's name begins with, under any of its keys."""
    named = succession_of(origin)
    return named.base if named else origin.removesuffix("/1")


def next_origin(origin: str, *, size: int, root: bytes) -> str:
    """The log's name under the next key, when `origin` ends with this checkpoint."""
    named = succession_of(origin)
    return f"{base_of_origin(origin)}/{named.number + 1 if named else 2}/{size}/{root.hex()}"


@dataclass(frozen=True)
class Keyring:
    """The keys of one log, the current one first. Raises BrokenKey where one does not follow the other."""

    keys: tuple[LogKey, ...]

    def __post_init__(self) -> None:
        if not self.keys:
            raise BrokenKey("A log has a key.")
        for later, former in zip(self.keys, self.keys[1:], strict=False):
            named = succession_of(later.origin)
            if named is None or next_origin(former.origin, size=named.size, root=named.root) != later.origin:
                raise BrokenKey(f"{later.origin} does not follow {former.origin}.")

    @property
    def current(self) -> LogKey:
        """The key that signs."""
        return self.keys[0]

    @property
    def successions(self) -> list[Succession]:
        """Where each former key ended, the newest first."""
        named = (succession_of(key.origin) for key in self.keys)
        return [one for one in named if one]

    def __str__(self) -> str:
        return "\n".join(map(str, self.keys))

    def continues(self, other: "Keyring") -> bool:
        """Whether this is `other`, or what it became by later keys."""
        return self.keys[-len(other.keys) :] == other.keys

    def open(self, text: str) -> Checkpoint:
        """The checkpoint, when the key of its origin has signed it, and no later than that key ended.

        Raises BrokenCheckpoint.
        """
        origin = text.partition("\n")[0]
        for place, key in enumerate(self.keys):
            if key.origin == origin:
                checkpoint = open_checkpoint(text, key)
                if place:
                    _check_end(checkpoint, succession_of(self.keys[place - 1].origin))
                return checkpoint
        known = ", ".join(key.origin for key in self.keys)
        raise BrokenCheckpoint(f"The checkpoint is of {origin[:200]!r}, and the key of {known}.")


def parse_keyring(text: str) -> Keyring:
    """The keys that `str(keyring)` wrote, one a line. Raises BrokenKey."""
    return Keyring(tuple(parse_key(line) for line in text.split()))


def _check_end(checkpoint: Checkpoint, end: Succession | None) -> None:
    if end and (checkpoint.size > end.size or (checkpoint.size == end.size and checkpoint.root != end.root)):
        raise BrokenCheckpoint(
            f"{checkpoint.origin} ended with {end.size} entries, and this checkpoint has {checkpoint.size}:"
            " it was signed with a key that had been given up."
        )
