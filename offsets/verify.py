"""Recompute every invariant of the ledger from its rows alone, trusting no counter. Read-only.

Each check yields what is wrong as (check, row, detail), in an order that names the first cause first.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from django.db.models import CharField, Count, Exists, F, Max, Min, Model, OuterRef, Q, Sum, Value
from django.db.models.functions import Cast, Concat

from common import triggers
from common.models import Event
from offsets import events as kinds
from offsets import named
from offsets.models import (
    GRAMS_PER_CREDIT,
    Allocation,
    Attempt,
    AttemptOutcome,
    Credit,
    CreditBlock,
    DeviceOffset,
    ProjectStock,
    Reservation,
    Retirement,
    RetirementEntry,
    Span,
)
from offsets.serials import (
    InvalidCreditSerials,
    InvalidDeviceSerial,
    format_credit_serials,
    normalise_device,
    parse_credit_serials,
)


@dataclass(frozen=True)
class Violation:
    """One row that breaks an invariant."""

    check: str
    row: str
    detail: str

    def as_json(self) -> dict[str, str]:
        return asdict(self)


Found = Iterator[tuple[str, str]]


def blocks_are_disjoint() -> Found:
    """No two blocks share a credit."""
    blocks = CreditBlock.objects.order_by("series", "first_number")
    for _series, group in groupby(blocks.iterator(), key=lambda block: block.series):
        last = -1
        for block in group:
            if block.first_number <= last:
                yield f"creditblock:{block.pk}", f"{block} shares credits with an earlier block"
            last = max(last, block.last_number)


def blocks_hold_their_credits() -> Found:
    """Each block has exactly the credits of its range, in its own series."""
    counts = {
        row["block"]: row
        for row in Credit.objects.order_by()
        .values("block")
        .annotate(
            n=Count("pk"), first=Min("number"), last=Max("number"), low=Min("series"), high=Max("series")
        )
    }
    for block in CreditBlock.objects.order_by("pk").iterator():
        row = counts.get(block.pk, {"n": 0, "first": None, "last": None, "low": None, "high": None})
        held = (row["n"], row["first"], row["last"], row["low"], row["high"])
        if held != (block.credits, block.first_number, block.last_number, block.series, block.series):
            yield f"creditblock:{block.pk}", f"{block} has {row['n']} credits {row['first']} to {row['last']}"


def blocks_are_what_their_serials_say() -> Found:
    """Unit, vintage (where the serial has one) and mode of a block are those of its serials."""
    for block in CreditBlock.objects.order_by("pk").iterator():
        try:
            serials = parse_credit_serials(str(block))
        except InvalidCreditSerials as error:
            yield f"creditblock:{block.pk}", error.message
            continue
        said = (serials.unit, serials.vintage or block.vintage, not serials.demo)
        if said != (block.unit, block.vintage, block.livemode):
            yield f"creditblock:{block.pk}", f"{block} is stored as another unit, vintage or mode"


def retirements_hold_their_credits() -> Found:
    """A retirement lies in its block and has exactly its run's credits; a void one has none."""
    counts = {
        row["retirement"]: (row["n"], row["first"], row["last"], row["low"], row["high"])
        for row in Credit.objects.exclude(retirement=None)
        .order_by()
        .values("retirement")
        .annotate(n=Count("pk"), first=Min("number"), last=Max("number"), low=Min("block"), high=Max("block"))
    }
    for row in Retirement.objects.select_related("block").order_by("pk").iterator():
        name = f"retirement:{row.pk}"
        if not row.block.first_number <= row.first_number <= row.last_number <= row.block.last_number:
            yield name, f"{row.reference} does not lie inside its block"
        if (row.project_id, row.livemode) != (row.block.project_id, row.block.livemode):
            yield name, f"{row.reference} is of another project or mode than its block"
        held = counts.get(row.pk, (0, None, None, None, None))
        run = (row.credits, row.first_number, row.last_number, row.block_id, row.block_id)
        wanted = (0, None, None, None, None) if row.state == Retirement.State.VOID else run
        if held != wanted:
            yield name, f"{row.reference} holds {held[0]} credits {held[1]} to {held[2]}, not {wanted[:3]}"


def confirmed_retirements_have_proof() -> Found:
    """Confirmed means: an attempt whose intent is this run, and a confirmed outcome whose receipt is the
    same.
    """
    attempts = {row.retirement_id: row for row in Attempt.objects.iterator()}
    outcomes = {
        row.attempt_id: row
        for row in AttemptOutcome.objects.filter(kind=AttemptOutcome.Kind.CONFIRMED).iterator()
    }
    rows = Retirement.objects.select_related("block", "project").order_by("pk")
    for row in rows.iterator():
        name, attempt = f"retirement:{row.pk}", attempts.get(row.pk)
        if (row.attempted_at is not None) != (attempt is not None):
            yield name, f"{row.reference}: attempted_at and the attempt row disagree"
        serials = format_credit_serials(row.block.series, row.first_number, row.last_number)
        asked = {"credit_serials": serials, "credits": row.credits, "project": row.project.reference}
        if attempt:
            intent = {**attempt.intent}
            expected = {
                **asked,
                "request_id": str(row.request_id),
                "reference": row.reference,
                "beneficiary": row.beneficiary,
                "reason": row.reason,
                "livemode": row.livemode,
            }
            if any(intent.get(key) != value for key, value in expected.items()):
                yield f"attempt:{attempt.pk}", f"{row.reference}: the attempt asked for something else"
        outcome = outcomes.get(attempt.pk) if attempt else None
        if (row.state == Retirement.State.CONFIRMED) != (outcome is not None):
            yield name, f"{row.reference} is {row.state}, but its outcome says otherwise"
        if outcome:
            receipt = {
                **asked,
                "registry_reference": row.registry_reference,
                "retired_on": row.retired_on.isoformat() if row.retired_on else None,
            }
            if outcome.receipt != receipt:
                yield f"attemptoutcome:{outcome.pk}", f"{row.reference}: the receipt is not what was recorded"


def freed_retirements_did_not_happen() -> Found:
    """A void retirement was refused when asked for once, never asked for, freed by two persons, or replaced
    by what happened.
    """
    outcomes = AttemptOutcome.objects.filter(attempt__retirement=OuterRef("pk"))
    refused = outcomes.filter(kind=AttemptOutcome.Kind.REFUSED)
    again = outcomes.filter(kind=AttemptOutcome.Kind.AGAIN)
    asked = Retirement.objects.filter(state=Retirement.State.VOID, attempted_at__isnull=False)
    unproved = asked.exclude(Exists(refused), ~Exists(again)).filter(replaced_by=None).order_by("pk")
    for row in unproved.prefetch_related("entries"):
        persons = {entry.actor for entry in row.entries.all() if entry.kind == RetirementEntry.Kind.FREE}
        if len(persons) < 2:
            yield f"retirement:{row.pk}", f"{row.reference} was freed, but it may have happened"


def spans_are_grams_of_retirements() -> Found:
    """A confirmed retirement has one whole span; a reversal's span is exactly the interval that it
    reverses.
    """
    firsts = {row.retirement_id: row for row in Span.objects.filter(reverses=None).iterator()}
    for row in Retirement.objects.order_by("pk").iterator():
        span = firsts.get(row.pk)
        wanted = (0, row.amount_g) if row.state == Retirement.State.CONFIRMED else None
        if (span and (span.from_g, span.to_g)) != wanted:
            yield f"retirement:{row.pk}", f"{row.reference} is {row.state} and its span is {span}"
    for span in (
        Span.objects.exclude(reverses=None).select_related("reverses__span", "reverses__offset").iterator()
    ):
        reversed_ = span.reverses
        if reversed_ is None:
            continue
        same = (span.retirement_id, span.from_g, span.to_g)
        if same != (reversed_.span.retirement_id, reversed_.from_g, reversed_.to_g):
            yield f"span:{span.pk}", f"{span} is not the interval of allocation {reversed_.pk}"
        if reversed_.offset.ended_at is None:
            yield f"span:{span.pk}", f"{span} reverses an allocation of a live offset"


def allocations_tile_their_spans() -> Found:
    """Inside a span, intervals follow each other without gap or overlap from its start to `next_g`."""
    allocations = Allocation.objects.order_by("span_id", "from_g").values_list(
        "span_id", "pk", "from_g", "to_g"
    )
    ends: dict[int, int] = {}
    starts = dict(Span.objects.values_list("pk", "from_g"))
    for span_id, pk, from_g, to_g in allocations.iterator():
        if from_g != ends.get(span_id, starts[span_id]):
            yield f"allocation:{pk}", f"[{from_g}, {to_g}) does not follow the interval before it"
        ends[span_id] = to_g
    for span in Span.objects.order_by("pk").iterator():
        if ends.get(span.pk, span.from_g) != span.next_g or not span.from_g <= span.next_g <= span.to_g:
            yield f"span:{span.pk}", f"{span}: next_g is {span.next_g}, its intervals end elsewhere"


def live_intervals_are_disjoint() -> Found:
    """No gram of a retirement belongs to two devices."""
    rows = (
        Allocation.objects.filter(reversal=None)
        .order_by("span__retirement_id", "from_g", "pk")
        .values_list("span__retirement_id", "pk", "from_g", "to_g")
    )
    for _retirement, group in groupby(rows.iterator(), key=lambda row: row[0]):
        end = 0
        for _retirement_id, pk, from_g, to_g in group:
            if from_g < end:
                yield f"allocation:{pk}", f"[{from_g}, {to_g}) overlaps another device's grams"
            end = max(end, to_g)


def offsets_are_covered_whole() -> Found:
    """A covered live offset has exactly its grams, of its own project and mode; any other has none left."""
    live = dict(
        Allocation.objects.filter(reversal=None)
        .order_by()
        .values("offset")
        .annotate(total=Sum(F("to_g") - F("from_g")))
        .values_list("offset", "total")
    )
    for offset in DeviceOffset.objects.order_by("pk").iterator():
        wanted = offset.amount_g if offset.covered_at and not offset.ended_at else 0
        if live.get(offset.pk, 0) != wanted:
            yield f"deviceoffset:{offset.pk}", f"holds {live.get(offset.pk, 0)} g, should hold {wanted} g"
    strangers = Allocation.objects.exclude(
        span__retirement__project=F("offset__project"), span__retirement__livemode=F("offset__livemode")
    )
    for pk in strangers.values_list("pk", flat=True).iterator():
        yield f"allocation:{pk}", "gives grams of one project or mode to an offset of another"
    named = Allocation.objects.exclude(span__retirement__beneficiary="").exclude(
        span__retirement__beneficiary=F("offset__beneficiary")
    )
    for pk in named.values_list("pk", flat=True).iterator():
        yield f"allocation:{pk}", "gives grams that were retired in another's name"
    early = Allocation.objects.exclude(span__retirement__state=Retirement.State.CONFIRMED)
    for pk in early.values_list("pk", flat=True).iterator():
        yield f"allocation:{pk}", "was allocated before the registry confirmed"


def devices_are_covered_once() -> Found:
    """One live offset per device, boundary, period and supplement; device serials are stored normalised."""
    identity = ("manufacturer", "device_serial", "boundary", "period", "supplement", "livemode")
    live = DeviceOffset.objects.filter(ended_at=None).order_by()
    for row in live.values(*identity).annotate(n=Count("pk"), last=Max("pk")).filter(n__gt=1):
        yield f"deviceoffset:{row['last']}", f"{row['device_serial']} has {row['n']} live offsets"
    for offset in DeviceOffset.objects.order_by("pk").iterator():
        try:
            normal = normalise_device(offset.manufacturer, offset.device_serial_typed)
        except InvalidDeviceSerial as error:
            yield f"deviceoffset:{offset.pk}", error.message
            continue
        if normal != (offset.manufacturer, offset.device_serial):
            yield f"deviceoffset:{offset.pk}", "the stored serial is not the typed one, normalised"


def counters_agree() -> Found:
    """stocked = credits; committed = reservations + live offsets; kept = what names have beyond their own
    promises; none is ever negative or oversold.
    """
    key = ("project_id", "livemode")
    credits = {
        (row["block__project_id"], row["block__livemode"]): row["n"] * GRAMS_PER_CREDIT
        for row in Credit.objects.order_by()
        .values("block__project_id", "block__livemode")
        .annotate(n=Count("pk"))
    }
    held: dict[tuple[Any, Any], int] = {}
    reserved = Reservation.objects.order_by().values(*key).annotate(total=Sum("amount_g"))
    claimed = (
        DeviceOffset.objects.filter(ended_at=None).order_by().values(*key).annotate(total=Sum("amount_g"))
    )
    for rows in (reserved, claimed):
        for row in rows:
            pair = (row["project_id"], row["livemode"])
            held[pair] = held.get(pair, 0) + row["total"]
    stocks = {(stock.project_id, stock.livemode): stock for stock in ProjectStock.objects.all()}
    for pair in sorted(credits.keys() | held.keys() | stocks.keys()):
        stock = stocks.get(pair)
        found = (stock.stocked_g, stock.committed_g, stock.kept_g) if stock else (0, 0, 0)
        kept_g = named.kept_g(project_id=pair[0], livemode=pair[1])
        wanted = (credits.get(pair, 0), held.get(pair, 0), kept_g)
        name = f"projectstock:{stock.pk if stock else '-'}"
        if found != wanted:
            yield name, f"project {pair[0]}: stocked, committed, kept are {found}, the rows say {wanted}"
        if wanted[1] > wanted[0]:
            yield name, f"project {pair[0]}: {wanted[1] - wanted[0]} g more promised than stocked"


def events_are_complete() -> Found:
    """Each subject's events count from 1 without a gap."""
    rows = (
        Event.objects.order_by()
        .values("subject")
        .annotate(n=Count("pk"), first=Min("sequence"), last=Max("sequence"))
    )
    for row in rows.iterator():
        if (row["first"], row["last"]) != (1, row["n"]):
            yield f"event:{row['subject']}", f"{row['n']} events, numbered {row['first']} to {row['last']}"


WITNESSED: tuple[tuple[type[Model], str, Q], ...] = (
    (CreditBlock, kinds.CREDITS_IMPORTED, Q()),
    (Retirement, kinds.RETIREMENT_OPENED, Q()),
    (Retirement, kinds.RETIREMENT_ATTEMPTED, Q(attempted_at__isnull=False)),
    (Retirement, kinds.RETIREMENT_CONFIRMED, Q(state=Retirement.State.CONFIRMED)),
    (Retirement, kinds.RETIREMENT_VOID, Q(state=Retirement.State.VOID)),
    (Retirement, kinds.RETIREMENT_NEEDS_PERSON, Q(state=Retirement.State.NEEDS_PERSON)),
    (DeviceOffset, kinds.OFFSETS_REQUESTED, Q(replaces=None)),
    (DeviceOffset, kinds.OFFSET_COVERED, Q(covered_at__isnull=False)),
    (DeviceOffset, kinds.OFFSET_CANCELLED, Q(ended_reason=DeviceOffset.Ended.CANCELLED)),
    (DeviceOffset, kinds.OFFSET_REVERSED, Q(ended_reason=DeviceOffset.Ended.REVERSED)),
    (DeviceOffset, kinds.OFFSET_MOVED, Q(ended_reason=DeviceOffset.Ended.MOVED)),
)

# What a restored database had forgotten was adopted from the registry's journal, not opened.
INSTEAD = {
    kinds.RETIREMENT_OPENED: [kinds.RETIREMENT_OPENED, kinds.RETIREMENT_ADOPTED],
    kinds.OFFSET_CANCELLED: [kinds.OFFSET_CANCELLED, kinds.OFFSET_SUBSTITUTED],
}


def states_have_their_events() -> Found:
    """What a row's state says happened is in its history."""
    for model, kind, condition in WITNESSED:
        word = str(model._meta.model_name)
        subject = Concat(Value(f"{word}:"), Cast(OuterRef("pk"), CharField()))
        # The kind as an expression: by its own index it would be looked for among all events, for every row.
        history = Event.objects.alias(what=Concat("kind", Value("")))
        happened = history.filter(subject=subject, what__in=INSTEAD.get(kind, [kind]))
        unseen = model._default_manager.filter(condition).exclude(Exists(happened)).order_by("pk")
        for pk in unseen.values_list("pk", flat=True).iterator():
            yield f"{word}:{pk}", f"its history holds no {kind}"


def triggers_are_installed() -> Found:
    """Every trigger that keeps rows append-only or write-once is in the database."""
    for name in sorted({trigger.name for trigger in triggers.registered()} - triggers.installed()):
        yield f"trigger:{name}", "is missing or switched off; run ./run manage migrate"


CHECKS: tuple[Callable[[], Found], ...] = (
    triggers_are_installed,
    blocks_are_disjoint,
    blocks_hold_their_credits,
    blocks_are_what_their_serials_say,
    retirements_hold_their_credits,
    confirmed_retirements_have_proof,
    freed_retirements_did_not_happen,
    spans_are_grams_of_retirements,
    allocations_tile_their_spans,
    live_intervals_are_disjoint,
    offsets_are_covered_whole,
    devices_are_covered_once,
    counters_agree,
    events_are_complete,
    states_have_their_events,
)


def violations() -> Iterator[Violation]:
    """Everything that is wrong, check by check."""
    for check in CHECKS:
        for row, detail in check():
            yield Violation(check=check.__name__, row=row, detail=detail)
