"""The public log's sequencer: what is entered, in which order, and what a certificate proves by it.

One sequencer a mode assigns the index, under the head's lock. A retire entry follows the registry's
confirmation, an alloc entry its certificate, a reverse entry the end of a claim or of a certificate. Size
and root are stored, then signed in another transaction. The log key signs nothing else.
"""

import json
from base64 import b64decode
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from certificates import events as kinds
from certificates import mirroring, selectors, sheet
from certificates.logkeys import signer_of
from certificates.logtree import Batch, inclusion_proofs, lock_head
from certificates.models import Certificate, LogCheckpoint, LogEntry, LogHead
from certificates.selectors import Withdrawn
from certificates.translog.checkpoints import Checkpoint
from certificates.translog.entries import Alloc, Retire, Reverse
from certificates.translog.proofs import Proof
from common import events
from common.errors import Conflict
from offsets.ledger import deal_order
from offsets.models import Allocation, Retirement

BATCH = 500


class NotLogged(Conflict):
    """The certificate's grams are in no signed checkpoint yet."""

    code = "not_logged"


@transaction.atomic(durable=True)
def append(*, livemode: bool, now: datetime, actor: str) -> LogCheckpoint | None:
    """Enter what is not in the log yet, a batch at a time, and store size and root; None when nothing was.

    Raises LogKeyMissing and LogKeyChanged, and LogBehind and MirrorMissing as the mirror says.
    """
    head = lock_head(livemode)
    mirroring.require_current(livemode)
    batch = _Sequence(head, now)
    for retirement in selectors.retirements_to_log(livemode=livemode).select_related(
        "block", "project__registry"
    )[:BATCH]:
        batch.retire(retirement)
    ended = list(selectors.certificates_to_reverse(livemode=livemode)[:BATCH])
    batch.reverse_all(ended)
    waiting = list(selectors.certificates_to_log(livemode=livemode)[:BATCH])
    deal_order.shuffle(waiting)  # neighbours in the log learn nothing from its order
    entered = batch.allocate_all(waiting)
    Certificate.objects.filter(pk__in=[row.pk for row in ended]).update(left_log_at=now)
    if not batch.rows:
        return None
    checkpoint = batch.store()
    Certificate.objects.filter(pk__in=[row.pk for row in entered], checkpoint=None).update(
        checkpoint=checkpoint
    )
    events.record(kinds.LOG_EXTENDED, checkpoint, actor=actor, data={"size": checkpoint.size})
    return checkpoint


def sign_checkpoints(*, livemode: bool) -> int:
    """Sign what was stored and not signed yet, oldest first; returns how many. A checkpoint is in the
    mirror before it is served.

    Raises LogKeyMissing, LogKeyChanged, LogBehind and MirrorMissing.
    """
    signer, signed = signer_of(livemode=livemode), 0
    mirroring.require_current(livemode)
    folder = mirroring.configured(livemode=livemode)
    for row in LogCheckpoint.objects.filter(livemode=livemode, text="").order_by("size"):
        text = signer.sign(Checkpoint(signer.origin, row.size, b64decode(row.root)))
        with transaction.atomic(durable=True):
            lock_head(livemode)  # another key may have taken over; none does before this is known
            mirroring.publish(folder, text, size=row.size, livemode=livemode)
            signed += LogCheckpoint.objects.filter(pk=row.pk, text="").update(text=text)
            events.wake(kinds.LOG_EXTENDED)
    return signed


class _Sequence(Batch):
    """The entries of one sweep, in an order that the rules allow."""

    def __init__(self, head: LogHead, now: datetime) -> None:
        super().__init__(head, now)
        self._reversed: set[int] = set()

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
        self.add(entry.encode(), retirement=retirement)

    def reverse_all(self, certificates: Sequence[Certificate]) -> None:
        """Reverse what the log still holds of these."""
        live = LogEntry.objects.filter(certificate__in=certificates, reversed_by=None)
        for entry in live.order_by("index"):
            self._reverse(entry)

    def _reverse(self, alloc: LogEntry) -> None:
        if alloc.pk not in self._reversed:
            self._reversed.add(alloc.pk)
            self.add(Reverse(alloc.index).encode(), reverses=alloc)

    def allocate_all(self, certificates: Sequence[Certificate]) -> list[Certificate]:
        """Enter the grams of these, and first reverse what the log holds of whoever had them before.

        Returns those that were entered: not one whose grams the log shows with a claim that has not ended,
        or whose retirement it lacks.
        """
        rows: dict[int, list[Allocation]] = defaultdict(list)
        offsets = [certificate.offset_id for certificate in certificates]
        for row in Allocation.objects.filter(offset_id__in=offsets).select_related("span").order_by("pk"):
            rows[row.offset_id].append(row)
        retires = self._retires({row.span.retirement_id for found in rows.values() for row in found})
        holders = holders_before([row for found in rows.values() for row in found])
        held = _live_entries({*offsets, *(pk for found in holders.values() for pk in found)})
        entered = []
        for certificate in certificates:
            own = rows[certificate.offset_id]
            before = [
                entry for pk in (certificate.offset_id, *holders[certificate.offset_id]) for entry in held[pk]
            ]
            known = all(row.span.retirement_id in retires for row in own)
            if known and all(map(_is_over, before)):
                for entry in before:
                    self._reverse(entry)
                self._allocate(certificate, own, retires)
                entered.append(certificate)
        return entered

    def _allocate(
        self, certificate: Certificate, rows: Sequence[Allocation], retires: Mapping[int, int]
    ) -> None:
        commitment = bytes.fromhex(certificate.digest)
        for row in rows:
            entry = Alloc(retires[row.span.retirement_id], row.from_g, row.to_g, commitment)
            self.add(entry.encode(), certificate=certificate, allocation=row)

    def _retires(self, retirement_ids: set[int]) -> dict[int, int]:
        """The index of each retirement's entry, in the log or in this batch."""
        rows = LogEntry.objects.filter(retirement_id__in=retirement_ids)
        found = dict(rows.values_list("retirement_id", "index"))
        return found | {row.retirement_id: row.index for row in self.rows if row.retirement_id}


def holders_before(allocations: Sequence[Allocation]) -> dict[int, set[int]]:
    """By offset: the offsets that held its grams before, one after the other. Nobody else ever had them."""
    found: dict[int, set[int]] = defaultdict(set)
    step = [(row.offset_id, row.span.reverses_id) for row in allocations]
    while ids := {pk for _offset, pk in step if pk}:
        before = Allocation.objects.select_related("span").in_bulk(ids)
        pairs = [(offset_id, before[pk]) for offset_id, pk in step if pk]
        for offset_id, row in pairs:
            found[offset_id].add(row.offset_id)
        step = [(offset_id, row.span.reverses_id) for offset_id, row in pairs]
    return found


def _live_entries(offset_ids: set[int]) -> dict[int, list[LogEntry]]:
    """What the log shows as live of each offset's certificates."""
    found: dict[int, list[LogEntry]] = defaultdict(list)
    rows = LogEntry.objects.filter(certificate__offset_id__in=offset_ids, reversed_by=None)
    for entry in rows.select_related("certificate__offset").order_by("index"):
        if entry.certificate:
            found[entry.certificate.offset_id].append(entry)
    return found


def _is_over(entry: LogEntry) -> bool:
    """Whether the certificate of a live entry, or its claim, has ended."""
    certificate = entry.certificate
    return certificate is not None and (
        certificate.offset.ended_at is not None
        or certificate.state not in (Certificate.State.VALID, Certificate.State.WITHDRAWN)
    )


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
    proofs = inclusion_proofs([entry.index for pair in pairs for entry in pair], checkpoint)
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
