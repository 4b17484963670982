"""The log's mirror: files outside the database, by which a database restored from a backup is found out.

Order of a checkpoint: entries, size and root are stored in the database; the entries and the signed
checkpoint are written to the mirror; only then the database holds the signature and serves it. So whatever
anybody has ever been shown is in the mirror, and a database that lacks it is behind. The other way round, a
crash between the two could serve a checkpoint that no mirror knows, and a restored database would sign
another log of the same size.
"""

from base64 import b64encode
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.conf import settings
from django.db.models import QuerySet

from certificates.logkeys import has_key, keyring_of, mode_of, option_of
from certificates.models import LogCheckpoint, LogEntry, LogHead
from certificates.translog.folder import BrokenMirror, Folder
from common.errors import Conflict, DomainError

CHUNK = 2_000


class MirrorMissing(DomainError):
    """The mirror that the environment names is not there, or does not read: nothing is signed."""

    code = "log_mirror_missing"
    status = 503


class LogBehind(Conflict):
    """The database's log is not the one that its mirror holds: it was restored. Nothing is signed."""

    code = "log_behind"


def configured(*, livemode: bool) -> Folder | None:
    """The mirror that the sweep keeps; None where none is configured, or the mode has no log.

    Raises MirrorMissing when nobody began it: an empty folder may be a disk that is not mounted.
    """
    if settings.LOG_MIRROR is None or not has_key(livemode=livemode):
        return None
    folder = Folder(settings.LOG_MIRROR / mode_of(livemode=livemode), keyring_of(livemode=livemode))
    if not folder.has_begun:
        raise MirrorMissing(
            f"There is no mirror of the public log in {folder.path}. Mount it, or begin one:"
            f" ./run manage mirror_log{option_of(livemode=livemode)}"
        )
    return folder


def require_current(livemode: bool) -> None:
    """Refuse with LogBehind while this database lacks what its mirror holds, and with MirrorMissing when
    that cannot be told. One small file is read, and one row.
    """
    try:
        folder = configured(livemode=livemode)
        problem = folder and behind(folder, livemode=livemode)
    except (BrokenMirror, OSError, ValueError) as error:
        raise MirrorMissing(f"The mirror of the public log does not read: {error}") from error
    if problem:
        raise LogBehind(problem)


def held() -> dict[bool, str]:
    """The modes in which nothing is signed or given out, and why."""
    found = {}
    for livemode in (True, False):
        try:
            require_current(livemode)
        except DomainError as error:
            found[livemode] = error.message
    return found


def behind(folder: Folder, *, livemode: bool) -> str:
    """Why this database is not the one that the mirror follows; empty when it is. Raises BrokenMirror."""
    newest = folder.newest()
    if newest is None:
        return ""
    root = b64encode(newest.root).decode()
    if LogCheckpoint.objects.filter(livemode=livemode, size=newest.size, root=root).exists():
        return ""
    head = LogHead.objects.filter(livemode=livemode).first()
    size = head.size if head else 0
    what = "is of another log" if size >= newest.size else f"ends at entry {size}"
    return (
        f"The public log's mirror has {newest.size} entries, and the database {what}: it was restored from an"
        " older backup. Nothing is signed, no certificate is issued and no grams are given out until a"
        f" person settles it: ./run manage settle_log{option_of(livemode=livemode)}"
    )


def mirror(path: Path, *, livemode: bool) -> int:
    """Bring the mirror in this folder up to date, and begin it if it is new; returns its size.

    Raises MirrorMissing where it is another log's, does not read, or holds other entries than the database;
    LogBehind where it has more. Then nothing is written.
    """
    folder = Folder(path, keyring_of(livemode=livemode))
    try:
        folder.begin()
        with folder.locked():
            if problem := behind(folder, livemode=livemode):
                raise LogBehind(problem)
            _compare(folder, livemode=livemode)
            catch_up(folder, livemode=livemode)
            newest = folder.newest()
    except (BrokenMirror, OSError, ValueError) as error:
        raise MirrorMissing(f"The log was not mirrored: {error}") from error
    return newest.size if newest else 0


def publish(folder: Folder | None, text: str, *, size: int, livemode: bool) -> None:
    """Write this checkpoint to the mirror before it is served. Raises MirrorMissing: then it is not."""
    if folder is None:
        return
    try:
        with folder.locked():
            catch_up(folder, livemode=livemode)
            newest = folder.newest()
            start = newest.size if newest else 0
            if start < size:
                folder.extend(text, entries_of(livemode, start, size))
    except (BrokenMirror, OSError, ValueError) as error:
        raise MirrorMissing(f"The mirror of the public log cannot be kept: {error}") from error


def catch_up(folder: Folder, *, livemode: bool) -> None:
    """Write every signed checkpoint that the mirror lacks; the caller has its lock."""
    newest = folder.newest()
    start = newest.size if newest else 0
    for row in _signed(livemode).filter(size__gt=start).order_by("size"):
        folder.extend(row.text, entries_of(livemode, start, row.size))
        start = row.size


def entries_of(livemode: bool, start: int, end: int) -> Iterator[bytes]:
    """The database's entries from `start` to `end`, in order."""
    rows = LogEntry.objects.filter(livemode=livemode, index__gte=start, index__lt=end).order_by("index")
    for data in rows.values_list("data", flat=True).iterator(chunk_size=CHUNK):
        yield data.encode("ascii")


def _compare(folder: Folder, *, livemode: bool) -> None:
    """Every entry of the mirror is the database's, byte for byte."""
    entries = folder.entries()
    ours: Iterable[bytes] = entries_of(livemode, 0, len(entries))
    for index, (theirs, own) in enumerate(zip(entries, ours, strict=True)):
        if theirs != own:
            raise BrokenMirror(f"{folder.path}: entry {index} is another than the database's.")


def _signed(livemode: bool) -> QuerySet[LogCheckpoint]:
    return LogCheckpoint.objects.filter(livemode=livemode).exclude(text="")
