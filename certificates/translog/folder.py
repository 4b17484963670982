"""A log as plain files beside each other: what tools/audit_log.py reads as a folder, and what a backup keeps.

`key` (the current one, then the former ones), `entries` (one after the other, as they are hashed),
`checkpoints/SIZE` and `checkpoint`, the newest. Entries are only appended. They are on the disk before the
checkpoint that counts them, and a checkpoint is replaced whole, so that a crash leaves an older mirror or the
new one. `length` says where the entries of a checkpoint end; what stands behind it was never signed and is
written anew.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from certificates.translog.checkpoints import BrokenCheckpoint, BrokenKey, Checkpoint
from certificates.translog.entries import end_of_entries, split_entries
from certificates.translog.keyring import Keyring, parse_keyring


class BrokenMirror(ValueError):
    """The folder is no mirror of this log, or what it holds does not fit together."""


class Folder:
    """The mirror of one log, whose keys are `keys`, or what they became: a mirror may know later ones."""

    def __init__(self, path: Path, keys: Keyring) -> None:
        self.path, self.keys = path, keys

    @property
    def has_begun(self) -> bool:
        """Whether somebody began a mirror here; an empty folder may be a disk that is not mounted."""
        return (self.path / "key").exists()

    def begin(self) -> None:
        """Make the mirror unless it is there. Raises BrokenMirror where another log's is, or nobody's."""
        if self.has_begun:
            self.known_keys()
            return
        entries = self.path / "entries"
        if entries.exists() and entries.stat().st_size:
            raise BrokenMirror(f"{self.path} holds entries and no key; it is not touched.")
        (self.path / "checkpoints").mkdir(parents=True, exist_ok=True)
        _replace(entries, b"")
        self._keep_keys(self.keys)

    def known_keys(self) -> Keyring:
        """Our keys, or those of the mirror where it knows later ones. Raises BrokenMirror unless the one
        continues the other.
        """
        kept = self._kept_keys()
        if kept.continues(self.keys):
            return kept
        if self.keys.continues(kept):
            return self.keys
        raise BrokenMirror(f"{self.path} mirrors {kept.current}, not {self.keys.current}.")

    def _kept_keys(self) -> Keyring:
        try:
            return parse_keyring((self.path / "key").read_text("utf-8"))
        except BrokenKey as error:
            raise BrokenMirror(f"{self.path} names no key: {error}") from error

    def _keep_keys(self, keys: Keyring) -> None:
        _replace(self.path / "key", f"{keys}\n".encode())

    def newest(self) -> Checkpoint | None:
        """What the mirror ends with; None before the first checkpoint. Raises BrokenMirror."""
        keys, path = self.known_keys(), self.path / "checkpoint"
        return self._opened(path.read_text("utf-8"), keys) if path.exists() else None

    def checkpoints(self) -> Iterator[tuple[Checkpoint, str]]:
        """Every checkpoint and its text, the smallest first, up to the newest. Raises BrokenMirror."""
        keys, newest = self.known_keys(), self.newest()
        names = [path.name for path in (self.path / "checkpoints").iterdir() if path.name.isdigit()]
        for size in sorted(map(int, names)):
            if newest and size <= newest.size:
                text = (self.path / "checkpoints" / str(size)).read_text("utf-8")
                yield self._opened(text, keys), text

    def entries(self) -> list[bytes]:
        """The entries that the newest checkpoint counts. Raises BrokenMirror when some are missing."""
        newest = self.newest()
        size = newest.size if newest else 0
        data = (self.path / "entries").read_bytes()
        return split_entries(data[: self._end(data, 0, size)])

    def extend(self, text: str, entries: Iterable[bytes]) -> None:
        """Append these entries and end with this checkpoint. Raises BrokenMirror; then it is as before.

        `entries` are exactly those between the newest checkpoint here and this one.
        """
        keys = self.known_keys()
        checkpoint, before = self._opened(text, keys), self.newest()
        size = before.size if before else 0
        place = self._append(self._length(size), checkpoint.size - size, entries)
        if not self._kept_keys().continues(keys):
            self._keep_keys(keys)  # before the first checkpoint that the new key has signed
        _replace(self.path / "checkpoints" / str(checkpoint.size), text.encode())
        _replace(self.path / "checkpoint", text.encode())
        _replace(self.path / "length", f"{checkpoint.size} {place}\n".encode())

    def _append(self, place: int, wanted: int, entries: Iterable[bytes]) -> int:
        """Write behind `place`, through to the disk; returns where the entries end now."""
        if wanted <= 0:
            raise BrokenMirror(f"{self.path} holds a checkpoint of this size already.")
        found = 0
        with (self.path / "entries").open("r+b") as file:
            file.truncate(place)
            file.seek(place)
            for entry in entries:
                file.write(entry)
                found += 1
            file.flush()
            os.fsync(file.fileno())
            place = file.tell()
        if found != wanted:
            raise BrokenMirror(f"{found} entries do not lead to a checkpoint of {wanted} more.")
        return place

    def _length(self, size: int) -> int:
        """Where the first `size` entries end in the file, in bytes. Raises BrokenMirror."""
        known, place = 0, 0
        path = self.path / "length"
        if path.exists():
            known, place = map(int, path.read_text("ascii").split())
        if known > size:
            known, place = 0, 0  # an older checkpoint was copied over the newest: count from the beginning
        with (self.path / "entries").open("rb") as file:
            if file.seek(0, os.SEEK_END) < place:
                raise BrokenMirror(f"{self.path}: the entries were cut.")
            file.seek(place)
            return place + self._end(file.read() if known < size else b"", 0, size - known)

    def _end(self, data: bytes, place: int, count: int) -> int:
        try:
            return end_of_entries(data, place, count)
        except ValueError as error:
            raise BrokenMirror(f"{self.path}: {error}") from error

    def _opened(self, text: str, keys: Keyring) -> Checkpoint:
        try:
            return keys.open(text)
        except BrokenCheckpoint as error:
            raise BrokenMirror(f"{self.path}: {error}") from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else writes here meanwhile."""
        with (self.path / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _replace(path: Path, content: bytes) -> None:
    """Replace the file by a synced new one, and sync its name."""
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
