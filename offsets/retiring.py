"""Promises become retirements: set aside, asked of the registry, confirmed. See services.py.

The rule: an attempt is committed before the call, and after an attempt we only look, unless the adapter is
idempotent on our request id.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone

from common import events, faults
from common.errors import Conflict
from offsets import epoch, ledger, named, second_person, selectors
from offsets import events as kinds
from offsets.errors import ReceiptDiffers
from offsets.models import Attempt, AttemptOutcome, DeviceOffset, Retirement, RetirementEntry
from offsets.registries import registry_for
from offsets.registries.base import Confirmed, Intent, Outcome, Receipt, Refused, Unknown
from offsets.serials import ceil_credits, format_credit_serials, parse_credit_serials
from projects.models import Project

MAX_LOOKS = 10


@transaction.atomic(durable=True)
def open_retirements(
    *,
    project: Project,
    livemode: bool,
    now: datetime,
    actor: str,
    ahead_credits: int = 0,
    seen: int | None = None,
    reason: str = "",
) -> list[Retirement]:
    """Set whole credits aside for the promises that neither surplus nor credits in flight will cover.

    One retirement per contiguous run, oldest vintage first; the whole credits of a verified company's order
    that named a beneficiary come first, in that name. `ahead_credits` more fill the surplus. Returns []
    when nothing is needed. Raises NotEnoughCredits, and Conflict when the project has a retirement newer than
    `seen` (its key), so that a second click retires nothing; then nothing has moved. The registry is called
    by `settle` only.
    """
    ledger.lock_running(
        project_id=project.pk, livemode=livemode
    )  # every later number is read under this lock
    if seen is not None and selectors.newest_retirement(project_id=project.pk, livemode=livemode) > seen:
        raise Conflict(
            f"Credits of {project.short_name} were set aside since you opened this page; look again first."
        )
    set_aside = partial(
        ledger.set_aside,
        project=project,
        livemode=livemode,
        adapter=project.registry.adapter,
        reason=f"Retired for devices sold in {now:%B %Y}, listed at the reference's public page",
        now=now,
    )
    retirements: list[Retirement] = []
    own_names = named.credits_missing(project_id=project.pk, livemode=livemode)
    for beneficiary, credits in sorted(own_names.items()):
        retirements += set_aside(credits=credits, beneficiary=beneficiary)
    needed_g = named.needed_g(project_id=project.pk, livemode=livemode)
    if (credits := ceil_credits(needed_g) + ahead_credits) > 0:
        retirements += set_aside(credits=credits)
    if not retirements:
        return []
    data = {"ahead_credits": ahead_credits, "reason": reason} if ahead_credits else {}
    events.record_all(
        kinds.RETIREMENT_OPENED, retirements, actor=actor, data={row.pk: data for row in retirements}
    )
    return retirements


def intent_of(retirement: Retirement) -> Intent:
    """Exactly what is asked of the registry for this retirement."""
    return Intent(
        request_id=str(retirement.request_id),
        reference=retirement.reference,
        registry=retirement.project.registry.code,
        project=retirement.project.reference,
        credit_serials=format_credit_serials(
            retirement.block.series, retirement.first_number, retirement.last_number
        ),
        credits=retirement.credits,
        beneficiary=retirement.beneficiary,
        reason=retirement.reason,
        livemode=retirement.livemode,
    )


def settle(retirement: Retirement, *, now: datetime, actor: str = "sweep:retire_credits") -> None:
    """Bring one open retirement one step nearer its end. Safe to run twice, late, or beside itself.

    The attempt is committed before the call. After it we only look, unless the adapter is idempotent on our
    request id. Raises LedgerHeld in a restored database; then nothing was asked.
    """
    epoch.require_running(now=now)
    registry = registry_for(retirement.adapter)
    intent = intent_of(retirement)
    asks = begin_attempt(retirement, intent, actor=actor, now=now)
    if not asks and registry.idempotent_on_request_id:
        asks = begin_again(retirement, actor=actor, now=now)
    if not asks and not Retirement.objects.filter(pk=retirement.pk, state=Retirement.State.OPEN).exists():
        return  # it ended since we read it: freed credits must not be retired in its name
    if asks:
        faults.reach("attempt-committed")
        epoch.note_attempts()
        outcome = registry.retire(intent)  # no transaction is open while we wait
        faults.reach("registry-called")
    else:
        outcome = registry.find(intent)
    record_outcome(retirement, outcome, intent=intent, actor=actor, now=timezone.now())


@transaction.atomic(durable=True)
def begin_attempt(retirement: Retirement, intent: Intent, *, actor: str, now: datetime) -> bool:
    """Commit the decision to call the registry; only one caller ever gets True."""
    return _begin(retirement, intent, actor=actor, now=now)


def _begin(retirement: Retirement, intent: Intent, *, actor: str, now: datetime) -> bool:
    won = Retirement.objects.filter(pk=retirement.pk, state=Retirement.State.OPEN, attempted_at=None).update(
        attempted_at=now
    )
    if won:
        Attempt.objects.create(retirement=retirement, actor=actor, intent=vars(intent), created_at=now)
        events.record(kinds.RETIREMENT_ATTEMPTED, retirement, actor=actor)
    return bool(won)


@transaction.atomic(durable=True)
def begin_again(retirement: Retirement, *, actor: str, now: datetime) -> bool:
    """Commit that an idempotent registry is called once more; False when the retirement is not open now.

    Noted, since a refusal is certain only where nothing else was asked: `certainly_refused`.
    """
    locked = Retirement.objects.select_for_update().get(pk=retirement.pk)
    if locked.state != Retirement.State.OPEN:
        return False
    _note(locked, AttemptOutcome.Kind.AGAIN, None, "", actor=actor, now=now)
    return True


@transaction.atomic(durable=True)
def record_outcome(
    retirement: Retirement, outcome: Outcome, *, intent: Intent, actor: str, now: datetime
) -> None:
    """Write down what the registry said and act on it; a receipt that differs needs a person.

    So does a confirmation after a refusal. A confirmation of a retirement that was freed meanwhile stops the
    project: credits that are free by our books are retired.
    """
    if isinstance(outcome, Confirmed):  # the project's lock always before its retirements'
        ledger.lock(project_id=retirement.project_id, livemode=retirement.livemode)
    locked = Retirement.objects.select_for_update().get(pk=retirement.pk)
    if locked.state in {Retirement.State.CONFIRMED, Retirement.State.VOID}:
        if locked.state == Retirement.State.VOID and isinstance(outcome, Confirmed):
            _stop_freed(locked, outcome.receipt, actor=actor, now=now)
        return
    match outcome:
        case Confirmed(receipt):
            differences = receipt.differences(intent)
            if AttemptOutcome.Kind.REFUSED in _outcomes(locked):
                differences.append("the registry had refused it")
            if differences:
                _note(
                    locked, AttemptOutcome.Kind.DIFFERS, receipt, "; ".join(differences), actor=actor, now=now
                )
                _needs_person(locked, f"The receipt differs: {'; '.join(differences)}", actor=actor)
            else:
                _confirm(locked, receipt, actor=actor, now=now)
        case Refused(detail):
            _note(locked, AttemptOutcome.Kind.REFUSED, None, detail, actor=actor, now=now)
            _needs_person(locked, f"The registry refused: {detail}", actor=actor)
        case Unknown(detail):
            _look_later(locked, detail, actor=actor, now=now)


def _confirm(
    retirement: Retirement, receipt: Receipt, *, actor: str, now: datetime, reason: str = ""
) -> None:
    _note(retirement, AttemptOutcome.Kind.CONFIRMED, receipt, "", actor=actor, now=now)
    ledger.confirm(
        retirement, registry_reference=receipt.registry_reference, retired_on=receipt.retired_on, now=now
    )
    events.record(
        kinds.RETIREMENT_CONFIRMED,
        retirement,
        actor=actor,
        data={
            "registry_reference": receipt.registry_reference,
            "retired_on": receipt.retired_on.isoformat(),
            **({"reason": reason} if reason else {}),
        },
    )


def _stop_freed(retirement: Retirement, receipt: Receipt, *, actor: str, now: datetime) -> None:
    detail = f"The registry confirmed {retirement.reference} after its credits were freed"
    _note(retirement, AttemptOutcome.Kind.DIFFERS, receipt, detail, actor=actor, now=now)
    stock = ledger.raise_alarm(project_id=retirement.project_id, livemode=retirement.livemode, detail=detail)
    events.record(kinds.STOCK_ALARMED, stock, actor=actor, data={"detail": detail})


def _note(
    retirement: Retirement, kind: str, receipt: Receipt | None, detail: str, *, actor: str, now: datetime
) -> None:
    AttemptOutcome.objects.create(
        attempt=Attempt.objects.get(retirement=retirement),
        kind=kind,
        receipt=receipt.as_json() if receipt else {},
        detail=detail[:300],
        actor=actor,
        created_at=now,
    )


def _needs_person(retirement: Retirement, problem: str, *, actor: str) -> None:
    Retirement.objects.filter(pk=retirement.pk, state=Retirement.State.OPEN).update(
        state=Retirement.State.NEEDS_PERSON, problem=problem[:300], not_before=None
    )
    events.record(kinds.RETIREMENT_NEEDS_PERSON, retirement, actor=actor)


def _look_later(retirement: Retirement, detail: str, *, actor: str, now: datetime) -> None:
    """Look again after 1, 2, 4, ... minutes; after MAX_LOOKS a person must."""
    looks = retirement.looks + 1
    if looks >= MAX_LOOKS:
        _note(retirement, AttemptOutcome.Kind.UNKNOWN, None, detail, actor=actor, now=now)
        _needs_person(retirement, f"Unknown after {looks} looks: {detail}", actor=actor)
        return
    Retirement.objects.filter(pk=retirement.pk, state=Retirement.State.OPEN).update(
        looks=looks, not_before=now + timedelta(minutes=2 ** min(looks - 1, 8)), problem=detail[:300]
    )


def confirm_by_person(
    retirement: Retirement,
    *,
    registry_reference: str,
    credit_serials: str,
    retired_on: date,
    actor: str,
    now: datetime,
    reason: str = "",
) -> bool:
    """Staff filed the retirement and enter what the registry says, and why they believe it (`reason`). It is
    checked like a receipt.

    False: kept, and nothing confirmed until a second person has entered the same (above the limit of
    second_person.py, and whenever the registry had refused it). Raises ReceiptDiffers or
    InvalidCreditSerials, naming each difference, EntriesDiffer, and Conflict when it is not waiting; then
    nothing is confirmed.
    """
    retirement.refresh_from_db()
    if retirement.state not in {Retirement.State.OPEN, Retirement.State.NEEDS_PERSON}:
        raise Conflict(f"{retirement.reference} is {retirement.get_state_display()} already.")
    if registry_for(retirement.adapter).unattended and retirement.state != Retirement.State.NEEDS_PERSON:
        raise Conflict(
            f"{retirement.reference} is retired through {retirement.adapter}; nobody enters it by hand."
        )
    intent = intent_of(retirement)
    entered = parse_credit_serials(credit_serials)
    receipt = Receipt(
        registry_reference=registry_reference.strip(),
        project=retirement.project.reference,
        credit_serials=str(entered),
        credits=entered.credits,
        retired_on=retired_on,
    )
    differences = receipt.differences(intent)
    if retired_on > now.date():
        differences.append("the date lies in the future")
    if differences:
        raise ReceiptDiffers(f"This is not what {retirement.reference} asks for: {'; '.join(differences)}.")
    two = second_person.needs_two(retirement.credits) or certainly_refused(retirement)
    if two and not _entered_twice(retirement, receipt, evidence=reason, actor=actor, now=now):
        return False
    begin_attempt(retirement, intent, actor=actor, now=now)
    with transaction.atomic(durable=True):
        locked = Retirement.objects.select_for_update().get(pk=retirement.pk)
        if locked.state not in {Retirement.State.OPEN, Retirement.State.NEEDS_PERSON}:
            raise Conflict(f"{retirement.reference} is {locked.get_state_display()} already.")
        _confirm(locked, receipt, actor=actor, now=now, reason=reason)
    return True


@transaction.atomic(durable=True)
def _entered_twice(
    retirement: Retirement, receipt: Receipt, *, evidence: str, actor: str, now: datetime
) -> bool:
    locked = Retirement.objects.select_for_update().get(pk=retirement.pk)
    if locked.state not in {Retirement.State.OPEN, Retirement.State.NEEDS_PERSON}:
        raise Conflict(f"{retirement.reference} is {locked.get_state_display()} already.")
    entry = {
        "registry_reference": receipt.registry_reference,
        "credit_serials": receipt.credit_serials,
        "retired_on": receipt.retired_on.isoformat(),
    }
    return second_person.agreed(
        locked, kind=RetirementEntry.Kind.CONFIRM, entry=entry, evidence=evidence, actor=actor, now=now
    )


def confirm_at_once(
    retirement: Retirement, receipt: Receipt, *, reason: str, actor: str, now: datetime
) -> None:
    """In the caller's transaction: asked for and confirmed in one step, since the registry did it already."""
    _begin(retirement, intent_of(retirement), actor=actor, now=now)
    _confirm(retirement, receipt, actor=actor, now=now, reason=reason)


def _outcomes(retirement: Retirement) -> set[str]:
    outcomes = AttemptOutcome.objects.filter(attempt__retirement=retirement)
    return set(outcomes.values_list("kind", flat=True))


def certainly_refused(retirement: Retirement) -> bool:
    """The registry was asked once, refused, and said nothing else.

    Of several calls one may be refused while another is under way, or is done later.
    """
    kind = AttemptOutcome.Kind
    outcomes = _outcomes(retirement)
    return kind.REFUSED in outcomes and outcomes.isdisjoint({kind.AGAIN, kind.DIFFERS})


@transaction.atomic(durable=True)
def void_retirement(
    retirement: Retirement, *, reason: str, actor: str, now: datetime, seen: str = ""
) -> None:
    """Free the credits of a retirement that certainly did not happen: refused, or never attempted.

    `seen` is the state in which the person saw it (as `retirement` was read, unless given). Raises Conflict
    when it may have happened, or has ended; when it was asked for since it was seen, for a look at the
    registry before the call shows nothing of what the registry did; and when somebody entered that it was
    done.
    """
    ledger.lock(project_id=retirement.project_id, livemode=retirement.livemode)
    locked = Retirement.objects.select_for_update().get(pk=retirement.pk)
    if locked.state == Retirement.State.NEEDS_PERSON != (seen or retirement.state):
        raise Conflict(
            f"The registry was asked for {locked.reference} since you looked. Read its own list, then start"
            " again."
        )
    if done := second_person.entered_as_done(locked, besides=actor, now=now):
        raise Conflict(f"{done} entered that {locked.reference} was done. Compare with the registry's list.")
    if locked.attempted_at and not certainly_refused(locked):
        raise Conflict(
            f"{locked.reference} was asked of the registry and not refused for certain; it may have happened."
        )
    if not ledger.void(locked, problem=reason[:300]):
        raise Conflict(f"{locked.reference} is {locked.get_state_display()} already.")
    events.record(kinds.RETIREMENT_VOID, locked, actor=actor, data={"reason": reason})


def mark_certified(offset_ids: Sequence[int], *, now: datetime) -> None:
    """In the caller's transaction: the floor above has issued certificates for these covered claims."""
    DeviceOffset.objects.filter(pk__in=offset_ids, certified_at=None).update(certified_at=now)
