"""The public log's sequencer: entries, tree and checkpoints in tables; proofs from them.

One sequencer a mode assigns the index, under the head's lock. A retire entry follows the registry's
confirmation, an alloc entry its certificate, a reverse entry the end of a claim or of a certificate. Size
and root are stored, then signed in another transaction. The log key signs nothing else.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from certificates import events as kinds
from certificates import sheet
from certificates.models import Certificate, LogCheckpoint, LogEntry, LogHead, LogNode
from certificates.selectors import Withdrawn
from certificates.translog.checkpoints import Checkpoint, LogKey, Signer
from certificates.translog.entries import Alloc, Retire, Reverse
from certificates.translog.merkle import inclusion_proof, leaf_hash, node_hash, root_of
from certificates.translog.proofs import Proof
from common import events
from common.errors import Conflict, DomainError
from offsets.ledger import deal_order
from offsets.models import Allocation, Retirement

BATCH = 500


class LogKeyMissing(DomainError):
    """The log's key is not in the environment; nothing is signed."""

    code = "log_key_missing"
    status = 503


class LogKeyChanged(Conflict):
    """Another key signed this log before; nothing is signed until the right one is back."""

    code = "log_key_changed"


class NotLogged(Conflict):
    """The certificate's grams are in no signed checkpoint yet."""

    code = "not_logged"


def origin_of(*, livemode: bool) -> str:
    """The log's name: live and sandbox have logs and keys of their own."""
    return f"{settings.LOG_ORIGIN}/1" if livemode else f"{settings.LOG_ORIGIN}/sandbox/1"


def signer_of(*, livemode: bool) -> Signer:
    """The key of a mode. Raises LogKeyMissing."""
    seed = settings.LOG_SEEDS["live" if livemode else "sandbox"]
    name = f"CLEARLINE_LOG_SEED_{'LIVE' if livemode else 'SANDBOX'}"
    try:
        raw = bytes.fromhex(seed)
    except ValueError:
        raw = b""
    if len(raw) != 32:
        raise LogKeyMissing(
            f"{name} must hold 32 bytes in hexadecimal; the public log signs nothing without it."
        )
    return Signer(origin_of(livemode=livemode), raw)


def key_of(*, livemode: bool) -> LogKey:
    """What is published of the key. Raises LogKeyMissing."""
    return signer_of(livemode=livemode).key


@transaction.atomic(durable=True)
def append(*, livemode: bool, now: datetime, actor: str) -> LogCheckpoint | None:
    """Enter what is not in the log yet, a batch at a time, and store size and root; None when nothing was.

    Raises LogKeyMissing and LogKeyChanged.
    """
    head = _lock(livemode)
    batch = _Batch(head, now)
    for retirement in _retirements_to_log(livemode):
        batch.retire(retirement)
    for entry in _allocs_to_reverse(livemode):
        batch.reverse(entry)
    logged = [certificate for certificate in _certificates_to_log(livemode) if batch.allocate(certificate)]
    if not batch.rows:
        return None
    checkpoint = batch.store()
    Certificate.objects.filter(pk__in=[row.pk for row in logged], checkpoint=None).update(
        checkpoint=checkpoint
    )
    events.record(kinds.LOG_EXTENDED, checkpoint, actor=actor, data={"size": checkpoint.size})
    return checkpoint


def sign_checkpoints(*, livemode: bool) -> int:
    """Sign what was stored and not signed yet, oldest first; returns how many."""
    signer, signed = signer_of(livemode=livemode), 0
    for row in LogCheckpoint.objects.filter(livemode=livemode, text="").order_by("size"):
        text = signer.sign(Checkpoint(signer.origin, row.size, b64decode(row.root)))
        with transaction.atomic(durable=True):
            signed += LogCheckpoint.objects.filter(pk=row.pk, text="").update(text=text)
            events.wake(kinds.LOG_EXTENDED)
    return signed


def _lock(livemode: bool) -> LogHead:
    key = key_of(livemode=livemode)
    public = key.public.hex()
    LogHead.objects.get_or_create(livemode=livemode, defaults={"origin": key.origin, "public_key": public})
    head = LogHead.objects.select_for_update().get(livemode=livemode)
    if (head.origin, head.public_key) != (key.origin, public):
        raise LogKeyChanged(
            f"{head.origin} was signed by another key or under another name before; bring it back."
        )
    return head


def _retirements_to_log(livemode: bool) -> list[Retirement]:
    return list(
        Retirement.objects.filter(livemode=livemode, state=Retirement.State.CONFIRMED, log_entries=None)
        .select_related("block", "project__registry")
        .order_by("pk")[:BATCH]
    )


def _allocs_to_reverse(livemode: bool) -> list[LogEntry]:
    ended = [Certificate.State.SUPERSEDED, Certificate.State.REVERSED, Certificate.State.MOVED]
    return list(
        LogEntry.objects.filter(livemode=livemode, allocation__isnull=False, reversed_by=None)
        .filter(Q(certificate__state__in=ended) | Q(certificate__offset__ended_at__isnull=False))
        .order_by("index")[:BATCH]
    )


def _certificates_to_log(livemode: bool) -> list[Certificate]:
    """Live certificates that are not in the log, in random order: neighbours learn nothing from it."""
    rows = list(
        Certificate.objects.filter(
            livemode=livemode, checkpoint=None, facts__isnull=False, state=Certificate.State.VALID
        ).order_by("pk")[:BATCH]
    )
    deal_order.shuffle(rows)
    return rows


class _Batch:
    """Entries of one transaction, in order, and what the tree gains by them."""

    def __init__(self, head: LogHead, now: datetime) -> None:
        self.head, self.now = head, now
        self.rows: list[LogEntry] = []
        self._retire_index = dict(
            LogEntry.objects.filter(livemode=head.livemode, retirement__isnull=False).values_list(
                "retirement_id", "index"
            )
        )
        self._reversed: set[int] = set()  # allocations whose entry this batch reverses

    def retire(self, retirement: Retirement) -> None:
        if retirement.retired_on is None:
            return
        entry = Retire(
            registry=retirement.project.registry.code,
            prefix=f"{retirement.block.series}-",
            first=retirement.first_number,
            last=retirement.last_number,
            retired_on=retirement.retired_on,
        )
        self._retire_index[retirement.pk] = self._add(entry.encode(), retirement=retirement)

    def reverse(self, alloc: LogEntry) -> None:
        self._add(Reverse(alloc.index).encode(), reverses=alloc)
        if alloc.allocation_id is not None:
            self._reversed.add(alloc.allocation_id)

    def allocate(self, certificate: Certificate) -> bool:
        """Enter the certificate's grams; False while the log still shows them with another device."""
        allocations = list(
            Allocation.objects.filter(offset_id=certificate.offset_id).select_related("span").order_by("pk")
        )
        if any(self._taken(row) for row in allocations):
            return False
        commitment = bytes.fromhex(certificate.digest)
        for row in allocations:
            entry = Alloc(self._retire_index[row.span.retirement_id], row.from_g, row.to_g, commitment)
            self._add(entry.encode(), certificate=certificate, allocation=row)
        return True

    def _taken(self, allocation: Allocation) -> bool:
        """Whether a live entry holds these grams: of this allocation's former certificate, or of the one
        before.
        """
        if allocation.span.retirement_id not in self._retire_index:
            return True
        before = {allocation.pk, *([allocation.span.reverses_id] if allocation.span.reverses_id else [])}
        return LogEntry.objects.filter(allocation_id__in=before - self._reversed, reversed_by=None).exists()

    def _add(self, data: bytes, **named: Any) -> int:
        index = self.head.size + len(self.rows)
        self.rows.append(
            LogEntry(
                livemode=self.head.livemode,
                index=index,
                data=data.decode("ascii"),
                created_at=self.now,
                **named,
            )
        )
        return index

    def store(self) -> LogCheckpoint:
        """Write entries and nodes, raise the size, store size and root unsigned."""
        livemode, old = self.head.livemode, self.head.size
        edge = [(level, (old >> level) - 1) for level in range(old.bit_length()) if old >> level & 1]
        known = _nodes(livemode, edge)
        made: dict[tuple[int, int], bytes] = {}
        for row in self.rows:
            level, index, value = 0, row.index, leaf_hash(row.data.encode("ascii"))
            made[level, index] = value
            while index % 2:
                left = made.get((level, index - 1)) or known[level, index - 1]
                level, index, value = level + 1, index // 2, node_hash(left, value)
                made[level, index] = value
        LogEntry.objects.bulk_create(self.rows)
        LogNode.objects.bulk_create(
            LogNode(livemode=livemode, level=level, index=index, hash=value)
            for (level, index), value in made.items()
        )
        size = old + len(self.rows)
        LogHead.objects.filter(pk=self.head.pk, size=old).update(size=size)
        known |= made
        root = root_of(size, lambda level, index: known[level, index])
        return LogCheckpoint.objects.create(
            livemode=livemode, size=size, root=b64encode(root).decode(), created_at=self.now
        )


def _nodes(livemode: bool, wanted: Iterable[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    """These nodes, in one statement a level."""
    by_level: dict[int, list[int]] = {}
    for level, index in wanted:
        by_level.setdefault(level, []).append(index)
    found = Q(pk__in=[])
    for level, indexes in by_level.items():
        found |= Q(level=level, index__in=indexes)
    rows = LogNode.objects.filter(found, livemode=livemode)
    return {(row.level, row.index): bytes(row.hash) for row in rows}


def inclusion_proofs(indexes: Sequence[int], *, size: int, livemode: bool) -> list[list[bytes]]:
    """The inclusion proof of each entry in a log of `size`; one statement for all of them."""
    wanted: set[tuple[int, int]] = set()

    def note(level: int, index: int) -> bytes:
        wanted.add((level, index))
        return b""

    for index in indexes:
        inclusion_proof(index, size, note)
    nodes = _nodes(livemode, wanted)
    return [inclusion_proof(index, size, lambda level, place: nodes[level, place]) for index in indexes]


def logged_of(certificate: Certificate) -> sheet.Logged | None:
    """Where the log holds the certificate's grams; None before its checkpoint is signed."""
    checkpoint = certificate.checkpoint
    if checkpoint is None or not checkpoint.text:
        return None
    numbers = (
        LogEntry.objects.filter(certificate=certificate).order_by("index").values_list("index", flat=True)
    )
    return sheet.Logged(tuple(numbers), checkpoint.size, checkpoint.root)


def certificate_json(certificate: Certificate) -> bytes:
    """`certificate.json`: facts, nonce, and for each interval both entries with their proofs in one
    checkpoint.

    Raises Withdrawn, and NotLogged before its checkpoint is signed.
    """
    if certificate.facts is None or certificate.nonce is None:
        raise Withdrawn("This certificate was withdrawn; its facts are deleted.")
    checkpoint = certificate.checkpoint
    if checkpoint is None or not checkpoint.text:
        raise NotLogged("This certificate is not in the public log yet; try again in a minute.")
    allocs = list(
        LogEntry.objects.filter(certificate=certificate)
        .select_related("allocation__span")
        .order_by("allocation_id")
    )
    retires = {
        entry.retirement_id: entry
        for entry in LogEntry.objects.filter(
            retirement_id__in=[row.allocation.span.retirement_id for row in allocs if row.allocation]
        )
    }
    pairs = [(retires[row.allocation.span.retirement_id], row) for row in allocs if row.allocation]
    proofs = inclusion_proofs(
        [entry.index for pair in pairs for entry in pair], size=checkpoint.size, livemode=certificate.livemode
    )
    parts = []
    for number, (retire, alloc) in enumerate(pairs):
        allocation = alloc.allocation
        if allocation is None:
            continue
        parts.append(
            {
                "retire": retire.data,
                "retire_proof": str(Proof(retire.index, tuple(proofs[2 * number]), checkpoint.text)),
                "from_g": allocation.from_g,
                "to_g": allocation.to_g,
                "alloc_proof": str(Proof(alloc.index, tuple(proofs[2 * number + 1]), checkpoint.text)),
            }
        )
    body = {"facts": certificate.facts, "nonce": bytes(certificate.nonce).hex(), "parts": parts}
    return json.dumps(body, indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n"
