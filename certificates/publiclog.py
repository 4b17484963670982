"""The public log's sequencer: what is entered, in which order, and what a certificate proves by it.

One sequencer a mode assigns the index, under the head's lock. A retire entry follows the registry's
confirmation, an alloc entry its certificate, a reverse entry the end of a claim or of a certificate. Size
and root are stored, then signed in another transaction. The log key signs nothing else.
"""

import json
from base64 import b64decode
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from certificates import events as kinds
from certificates import mirroring, sheet
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
    """Sign what was stored and not signed yet, oldest first; returns how many. A checkpoint is in the
    mirror before it is served.

    Raises LogKeyMissing, LogBehind and MirrorMissing.
    """
    signer, signed = signer_of(livemode=livemode), 0
    mirroring.require_current(livemode)
    folder = mirroring.configured(livemode=livemode)
    for row in LogCheckpoint.objects.filter(livemode=livemode, text="").order_by("size"):
        text = signer.sign(Checkpoint(signer.origin, row.size, b64decode(row.root)))
        mirroring.publish(folder, text, size=row.size, livemode=livemode)
        with transaction.atomic(durable=True):
            signed += LogCheckpoint.objects.filter(pk=row.pk, text="").update(text=text)
            events.wake(kinds.LOG_EXTENDED)
    return signed


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
        .filter(Q(certificate__state__in=ended) | Q(allocation__offset__ended_at__isnull=False))
        .order_by("index")[:BATCH]
    )


def _certificates_to_log(livemode: bool) -> list[Certificate]:
    """Certificates of live claims that are not in the log, in random order: neighbours learn nothing from
    it. One whose claim ended before it was entered never is: its grams may be another device's by now.
    """
    rows = list(
        Certificate.objects.filter(
            livemode=livemode,
            checkpoint=None,
            facts__isnull=False,
            state=Certificate.State.VALID,
            offset__ended_at=None,
        ).order_by("pk")[:BATCH]
    )
    deal_order.shuffle(rows)
    return rows


class _Sequence(Batch):
    """The entries of one sweep, in an order that the rules allow."""

    def __init__(self, head: LogHead, now: datetime) -> None:
        super().__init__(head, now)
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
        self._retire_index[retirement.pk] = self.add(entry.encode(), retirement=retirement).index

    def reverse(self, alloc: LogEntry) -> None:
        self.add(Reverse(alloc.index).encode(), reverses=alloc)
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
            self.add(entry.encode(), certificate=certificate, allocation=row)
        return True

    def _taken(self, allocation: Allocation) -> bool:
        """Whether a live entry holds these grams: of this allocation's former certificate, or of the one
        before.
        """
        if allocation.span.retirement_id not in self._retire_index:
            return True
        before = {allocation.pk, *([allocation.span.reverses_id] if allocation.span.reverses_id else [])}
        return LogEntry.objects.filter(allocation_id__in=before - self._reversed, reversed_by=None).exists()


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
