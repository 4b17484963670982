"""A database that is behind its log's mirror: its projects are stopped, and a person settles it.

The log is what the world has seen, so it stays: settling takes over its entries and checkpoints as they are.
What it gave out and the database has forgotten is kept taken in the ledger, and what it reversed is reversed.
A certificate that the database knows by its commitment is found again; for any other a withdrawn one stands
in: its facts and its nonce are as lost as if they had been deleted.
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from certificates import events as kinds
from certificates import mirroring
from certificates.keychange import take_over
from certificates.logkeys import keyring_of
from certificates.logtree import Batch, lock_head
from certificates.mirroring import LogBehind, MirrorMissing
from certificates.models import Certificate, LogCheckpoint, LogEntry, LogHead
from certificates.translog.checkpoints import Checkpoint
from certificates.translog.entries import Alloc, Entry, Retire, Reverse, parse_entry
from certificates.translog.folder import BrokenMirror, Folder
from certificates.translog.keyring import Keyring
from certificates.translog.merkle import Tree, leaf_hash
from claims.wording import current_wording
from common import events
from common.codes import random_code
from common.errors import Conflict, InvalidInput
from offsets import forgotten
from offsets.forgotten import LoggedGrams
from offsets.models import Allocation, DeviceOffset, Retirement


@dataclass(frozen=True)
class Settled:
    """What was done: the log's length now, entries taken over, claims kept, promised again and reversed."""

    size: int
    taken_over: int
    forgotten: int
    promised_again: int
    reversed: int


def stop_where_behind(*, livemode: bool, actor: str) -> bool:
    """Whether this database is behind its mirror; then the projects that the rest of the log names are
    stopped. Raises MirrorMissing when that cannot be told, and there is a log.
    """
    try:
        mirroring.require_current(livemode)
    except LogBehind:
        folder = mirroring.configured(livemode=livemode)
        if folder is not None:
            series = [prefix.removesuffix("-") for prefix in _prefixes_beyond(folder, livemode=livemode)]
            forgotten.stop_projects(series, livemode=livemode, actor=actor)
        return True
    except MirrorMissing:
        if LogHead.objects.filter(livemode=livemode).exists():
            raise
    return False


def _prefixes_beyond(folder: Folder, *, livemode: bool) -> set[str]:
    """Series of credits that the mirror's entries beyond ours concern; of another log, all that it names."""
    data, head = _entries(folder), LogHead.objects.filter(livemode=livemode).first()
    known = head.size if head and head.size < len(data) else 0
    found = set()
    for entry in map(parse_entry, data[known:]):
        retire = parse_entry(data[entry.retire]) if isinstance(entry, Alloc) else entry
        if isinstance(retire, Retire):
            found.add(retire.prefix)
    return found


def settle(path: Path, *, livemode: bool, reason: str, actor: str, now: datetime) -> Settled:
    """Take over what the mirror in this folder holds beyond this database. One durable transaction.

    Raises Conflict when there is nothing to settle, when the database's log is not the beginning of the
    mirror's, when retirements must be reconciled or stock must be imported first; LogKeyChanged when the log
    has a later key than the environment's; MirrorMissing when the folder does not read. Then nothing has
    changed.
    """
    if not reason.strip():
        raise InvalidInput("Say why the database is behind, and how you know.")
    keys = keyring_of(livemode=livemode)
    folder = Folder(path, keys)
    try:
        data = _entries(folder)
        checkpoints = list(folder.checkpoints())
        with transaction.atomic(durable=True):
            if (later := folder.known_keys()) != keys:
                _check_keys(later, data)
                take_over(later, livemode=livemode, now=now)
            return _Settling(livemode, data, reason=reason, actor=actor, now=now).run(checkpoints)
    except (BrokenMirror, OSError, ValueError) as error:
        raise MirrorMissing(f"Nothing was settled: {error}") from error


def _entries(folder: Folder) -> list[bytes]:
    """The mirror's entries, once they are known to be those that we have signed."""
    try:
        data, newest = folder.entries(), folder.newest()
        if newest and Tree(map(leaf_hash, data)).root() != newest.root:
            raise BrokenMirror(f"the entries do not lead to the checkpoint {newest.size} that was signed.")
    except (BrokenMirror, OSError, ValueError) as error:
        raise MirrorMissing(f"The mirror of the public log does not read: {error}") from error
    return data


def _check_keys(keys: Keyring, data: Sequence[bytes]) -> None:
    """Each later key names a beginning of these entries. Raises BrokenMirror."""
    tree = Tree(map(leaf_hash, data))
    for named in keys.successions:
        if named.size > len(data) or tree.root(named.size) != named.root:
            raise BrokenMirror(f"key {named.number} names {named.size} entries that are not the mirror's.")


class _Settling:
    """One run, inside the caller's transaction and under the sequencer's lock."""

    def __init__(self, livemode: bool, data: list[bytes], *, reason: str, actor: str, now: datetime) -> None:
        self.livemode, self.data, self.reason, self.actor, self.now = livemode, data, reason, actor, now
        self.head = lock_head(livemode)
        self.known = self.head.size
        self._require_beginning()
        self.beyond: dict[int, Entry] = {
            index: parse_entry(data[index]) for index in range(self.known, len(data))
        }
        self.retirements = self._retirements()
        self.own = self._own_certificates()

    def run(self, checkpoints: Sequence[tuple[Checkpoint, str]]) -> Settled:
        reversed_ = {entry.alloc for entry in self.beyond.values() if isinstance(entry, Reverse)}
        forgotten.resume_projects(livemode=self.livemode, reason=self.reason, actor=self.actor)
        told: dict[str, Any] = {"reason": self.reason, "actor": self.actor, "now": self.now}
        lost = [
            LoggedGrams(index, self.retirements[entry.retire], entry.from_g, entry.to_g)
            for index, entry in self.beyond.items()
            if isinstance(entry, Alloc) and index not in self.own and index not in reversed_
        ]
        kept, promised = forgotten.keep_taken(lost, livemode=self.livemode, **told)
        ended = forgotten.reverse_all(self._ended_by(reversed_), **told)
        self.own |= {index: (self._stand_in(index, row), row) for index, row in kept.items()}
        newest = self._take_over(checkpoints)
        settled = Settled(
            size=newest.size,
            taken_over=len(self.beyond),
            forgotten=len(kept),
            promised_again=len(promised),
            reversed=ended,
        )
        data = {"reason": self.reason[:300], "from": self.known, "to": newest.size, "forgotten": len(kept)}
        events.record(kinds.LOG_SETTLED, newest, actor=self.actor, data=data)
        return settled

    def _require_beginning(self) -> None:
        """This database's log is the beginning of the mirror's, and shorter."""
        if self.known >= len(self.data):
            raise Conflict(
                f"There is nothing to settle: the mirror ends at entry {len(self.data)}, the database at"
                f" {self.known}."
            )
        if list(mirroring.entries_of(self.livemode, 0, self.known)) != self.data[: self.known]:
            raise Conflict(
                "The database's log is another than the mirror's, not its beginning. Restore a backup of the"
                " database that this mirror follows; docs/operations.md says how."
            )

    def _retirements(self) -> dict[int, Retirement]:
        """By index of its entry: every retirement that the rest of the log retires or gives out of."""
        named = {entry.retire for entry in self.beyond.values() if isinstance(entry, Alloc)}
        rows = LogEntry.objects.filter(livemode=self.livemode, index__in=named, retirement__isnull=False)
        found = {row.index: row.retirement for row in rows.select_related("retirement") if row.retirement}
        missing = []
        for index, entry in self.beyond.items():
            if not isinstance(entry, Retire):
                continue
            ours = Retirement.objects.filter(
                livemode=self.livemode,
                state=Retirement.State.CONFIRMED,
                log_entries=None,
                project__registry__code=entry.registry,
                block__series=entry.prefix.removesuffix("-"),
                first_number=entry.first,
                last_number=entry.last,
            ).first()
            if ours:
                found[index] = ours
            else:
                missing.append(f"{entry.prefix}{entry.first} to {entry.last}")
        if missing:
            raise Conflict(
                f"The log has retired what this database does not show as retired: {'; '.join(missing[:5])}."
                " Reconcile first (./run manage reconcile), so that these retirements are here again."
            )
        return found

    def _own_certificates(self) -> dict[int, tuple[Certificate, Allocation]]:
        """By index: entries whose certificate was issued before the backup and entered after it."""
        allocs = {index: entry for index, entry in self.beyond.items() if isinstance(entry, Alloc)}
        digests = [entry.commitment.hex() for entry in allocs.values()]
        issued = {
            row.digest: row
            for start in range(0, len(digests), 500)
            for row in Certificate.objects.filter(
                livemode=self.livemode, checkpoint=None, digest__in=digests[start : start + 500]
            ).select_related("offset")
        }
        found = {}
        for index, entry in allocs.items():
            if certificate := issued.get(entry.commitment.hex()):
                interval = certificate.offset.allocations.filter(
                    span__retirement=self.retirements[entry.retire], from_g=entry.from_g, to_g=entry.to_g
                ).first()
                if interval:
                    found[index] = (certificate, interval)
        return found

    def _ended_by(self, reversed_: set[int]) -> list[DeviceOffset]:
        """Claims that are live here, and that the log says have ended."""
        before = LogEntry.objects.filter(
            livemode=self.livemode, index__in=[index for index in reversed_ if index < self.known]
        )
        pairs = list(before.values_list("allocation__offset", flat=True))
        pairs += [row.offset_id for index, (_certificate, row) in self.own.items() if index in reversed_]
        return list(DeviceOffset.objects.filter(pk__in=pairs, ended_at=None).order_by("pk"))

    def _stand_in(self, index: int, allocation: Allocation) -> Certificate:
        """For a certificate that somebody holds and nobody here knows: withdrawn, with its commitment."""
        entry = self.beyond[index]
        return Certificate.objects.create(
            code=random_code(groups=4),
            offset_id=allocation.offset_id,
            livemode=self.livemode,
            state=Certificate.State.WITHDRAWN,
            digest=entry.commitment.hex() if isinstance(entry, Alloc) else "",
            wording=current_wording(register="A", language="en").id,  # of the page that says it is withdrawn
            language="en",
            issued_at=self.now,
            withdrawn_at=self.now,
        )

    def _take_over(self, checkpoints: Sequence[tuple[Checkpoint, str]]) -> LogCheckpoint:
        """Entries and signed checkpoints as the mirror holds them; the newest checkpoint."""
        rows: dict[int, LogEntry] = {}
        newest = None
        for checkpoint, text in checkpoints:
            if checkpoint.size <= self.known:
                continue
            batch = Batch(self.head, self.now)
            for index in range(self.head.size, checkpoint.size):
                rows[index] = batch.add(self.data[index], **self._named(index, rows))
            newest = batch.store()
            if newest.root != b64encode(checkpoint.root).decode():
                raise BrokenMirror(f"the entries do not lead to the mirror's checkpoint {checkpoint.size}.")
            LogCheckpoint.objects.filter(pk=newest.pk).update(text=text)
            certificates = {row.certificate_id for row in batch.rows if row.certificate_id}
            Certificate.objects.filter(pk__in=certificates, checkpoint=None).update(checkpoint=newest)
        if newest is None or newest.size != len(self.data):
            raise BrokenMirror("the newest checkpoint is not among the mirror's checkpoints.")
        return newest

    def _named(
        self, index: int, rows: dict[int, LogEntry]
    ) -> dict[str, Retirement | Certificate | Allocation | LogEntry]:
        """The rows that this entry is about."""
        entry = self.beyond[index]
        if isinstance(entry, Retire):
            return {"retirement": self.retirements[index]}
        if isinstance(entry, Reverse):
            before = rows.get(entry.alloc)
            return {"reverses": before or LogEntry.objects.get(livemode=self.livemode, index=entry.alloc)}
        if index not in self.own:
            return {}
        certificate, allocation = self.own[index]
        return {"certificate": certificate, "allocation": allocation}
