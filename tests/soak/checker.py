"""J, the one judge of every run: the registry's journal, a file outside our database, against our rows.

1. No request id and no credit serial is retired twice, and what we call confirmed stands in the journal.
2. Retired - allocated is never negative, for any project.
3. Every device that is paid or on approved terms ends covered and certified, in needs_person, or given back.
4. Certificates = covered offsets, digests recomputed.
5. `verify_ledger` finds nothing.
6. No acknowledged request is missing.
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db.models import F, Q, Sum

from certificates.models import Certificate
from checkout.models import OrderedDevice
from offsets.models import GRAMS_PER_CREDIT, Allocation, DeviceOffset, OffsetRequest, Retirement, Span
from offsets.serials import format_credit_serials, parse_credit_serials
from offsets.verify import violations as broken_invariants

Line = Mapping[str, Any]
COMMITMENT_TAG = b"clearline/1 cert\n"  # PROOF


def judge(*, journal: list[Line], acknowledged: Mapping[str, int], settled: bool) -> list[str]:
    """Everything that is wrong, each as a text that begins with the number of the rule.

    `acknowledged` maps each idempotency key that was answered to its number of devices. `settled`: every
    worker has run to its end, so nothing may still be on its way.
    """
    found = [
        *retired_once(journal),
        *retired_covers_allocated(journal),
        *acknowledged_are_there(acknowledged),
    ]
    found += [f"5 {broken.check} {broken.row} {broken.detail}" for broken in broken_invariants()]
    if settled:
        found += [*no_device_is_lost(), *no_ordered_device_is_lost(), *covered_is_certified()]
    return found


def retired_once(journal: list[Line]) -> Iterator[str]:
    """Rule 1."""
    for request_id, times in Counter(line["request_id"] for line in journal).items():
        if times > 1:
            yield f"1 request {request_id} was retired {times} times"
    runs = defaultdict(list)
    for line in journal:
        serials = parse_credit_serials(line["credit_serials"])
        runs[serials.series].append((serials.first, serials.last, line["request_id"]))
    for series, ranges in runs.items():
        ranges.sort()
        for (_first, last, one), (first, _last, other) in zip(ranges, ranges[1:], strict=False):
            if first <= last:
                yield f"1 credits {series}-{first} to {last} were retired by {one} and by {other}"
    lines = {line["request_id"]: line for line in journal}
    confirmed = Retirement.objects.filter(state="confirmed").select_related("block")
    for row in confirmed:
        serials_text = format_credit_serials(row.block.series, row.first_number, row.last_number)
        line = lines.get(str(row.request_id))
        if line is None or (line["credit_serials"], line["credits"]) != (serials_text, row.credits):
            yield f"1 {row.reference} is confirmed, and the registry's journal says {line}"


def retired_covers_allocated(journal: list[Line]) -> Iterator[str]:
    """Rule 2: what the journal retired of a project covers the grams that devices hold of it."""
    retired_g: Counter[str] = Counter()
    for line in journal:
        retired_g[line["project"]] += line["credits"] * GRAMS_PER_CREDIT
    live = Allocation.objects.filter(reversal=None).order_by().values("offset__project__reference")
    for row in live.annotate(total=Sum(F("to_g") - F("from_g"))):
        reference = row["offset__project__reference"]
        if row["total"] > retired_g[reference]:
            yield f"2 {reference}: {row['total']} g allocated, {retired_g[reference]} g retired"


def no_device_is_lost() -> Iterator[str]:
    """Rule 3, of the ledger: an offset that is not covered waits for a person, and that is said somewhere."""
    for row in Retirement.objects.filter(state="open"):
        yield f"3 {row.reference} is still open: {row.problem or 'no problem is named'}"
    waiting: Counter[int] = Counter()
    for row in Retirement.objects.filter(state="needs_person"):
        waiting[row.project_id] += row.amount_g
    for span in Span.objects.filter(next_g__lt=F("to_g")).select_related("retirement"):
        waiting[span.retirement.project_id] += span.to_g - span.next_g
    uncovered = DeviceOffset.objects.filter(covered_at=None, ended_at=None, problem="").order_by()
    for row in uncovered.values("project").annotate(total=Sum("amount_g")):
        if row["total"] > waiting[row["project"]]:
            yield (
                f"3 project {row['project']}: {row['total']} g promised, "
                f"{waiting[row['project']]} g are spare or wait for a person"
            )


def no_ordered_device_is_lost() -> Iterator[str]:
    """Rule 3, of orders: a released, shipped device has its offset, or a problem that a person sees."""
    lost = OrderedDevice.objects.filter(
        Q(line__order__paid_at__isnull=False) | Q(line__order__on_terms=True),
        with_offset=True,
        shipment__isnull=False,
        offset=None,
        problem="",
        refunded_at=None,
    )
    for device in lost:
        yield f"3 ordered device {device.pk} ({device.device_serial}) has shipped and has no offset"


def covered_is_certified() -> Iterator[str]:
    """Rule 4. A flat object of strings and integers is canonical JSON when its keys are sorted.

    A claim with a problem waits for a person: it may have its certificate, and need not.
    """
    live = DeviceOffset.objects.filter(ended_at=None, covered_at__isnull=False)
    covered = set(live.values_list("pk", flat=True))
    waiting = set(live.exclude(problem="").values_list("pk", flat=True))
    certified: Counter[int] = Counter()
    for row in Certificate.objects.filter(withdrawn_at=None):
        if row.state == Certificate.State.VALID:
            certified[row.offset_id] += 1
        facts = json.dumps(row.facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        digest = hashlib.sha256(COMMITMENT_TAG + bytes(row.nonce or b"") + facts.encode()).hexdigest()
        if digest != row.digest:
            yield f"4 certificate {row.pk} has another digest than its facts"
    withdrawn = Certificate.objects.filter(withdrawn_at__isnull=False).values_list("offset_id", flat=True)
    for pk in sorted(covered - set(withdrawn) - waiting | set(certified)):
        if certified[pk] != 1 or pk not in covered:
            state = "covered" if pk in covered else "not covered"
            yield f"4 offset {pk} is {state} and has {certified[pk]} valid certificates"


def acknowledged_are_there(acknowledged: Mapping[str, int]) -> Iterator[str]:
    """Rule 6."""
    keys = set(acknowledged)
    rows: Iterable[OffsetRequest] = OffsetRequest.objects.filter(key__in=keys).prefetch_related("offsets")
    there = {row.key: sum(offset.replaces_id is None for offset in row.offsets.all()) for row in rows}
    for key in sorted(keys):
        if there.get(key) != acknowledged[key]:
            yield f"6 {key} was acknowledged with {acknowledged[key]} devices, {there.get(key)} are there"
