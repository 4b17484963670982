"""A person decides what became of a retirement that the machine could not settle. See services.py.

Two answers besides the confirmation of what was asked for: the registry retired another run of ours, which
is adopted, or it retired nothing, and the credits are free again. Both keep their evidence.
"""

from datetime import date, datetime

from django.db import transaction

from common import events
from common.codes import random_code
from common.errors import Conflict, InvalidInput
from offsets import events as kinds
from offsets import ledger, retiring, second_person
from offsets.errors import ReceiptDiffers
from offsets.models import Attempt, AttemptOutcome, Credit, CreditBlock, Retirement, RetirementEntry
from offsets.registries.base import Receipt
from offsets.serials import CreditRange, parse_credit_serials

NEEDS_PERSON = Retirement.State.NEEDS_PERSON


def adopt_by_person(
    retirement: Retirement,
    *,
    registry_reference: str,
    credit_serials: str,
    retired_on: date,
    evidence: str,
    actor: str,
    now: datetime,
) -> Retirement | None:
    """The registry retired another run than was asked for: free the run that was, confirm the one that was.

    Only where the receipt differed, and only a run of our own free credits of the same project (those of
    this very retirement count as free). None: kept, and a second person must enter the same. Raises
    ReceiptDiffers when the run cannot be ours; the evidence is kept and the retirement stays as it is.
    """
    entered = parse_credit_serials(credit_serials)
    if not registry_reference.strip() or retired_on > now.date():
        raise InvalidInput("Enter the registry's reference, and a date that does not lie in the future.")
    receipt = Receipt(
        registry_reference=registry_reference.strip(),
        project=retirement.project.reference,
        credit_serials=str(entered),
        credits=entered.credits,
        retired_on=retired_on,
    )
    with transaction.atomic(durable=True):
        locked = _needing_person(retirement)
        if not _receipt_differed(locked):
            raise Conflict(f"No receipt of {locked.reference} differs from what it asks for.")
        if not receipt.differences(retiring.intent_of(locked)):
            raise Conflict(f"This is what {locked.reference} asks for; enter it as its confirmation.")
        block = _block_of(entered, locked)
        if block is not None:
            return _adopt(locked, block, receipt, entered, evidence=evidence, actor=actor, now=now)
        events.record(
            kinds.RETIREMENT_EVIDENCE,
            locked,
            actor=actor,
            data={**receipt.as_json(), "evidence": evidence[:300]},
        )
    raise ReceiptDiffers(
        f"{entered} is no run of free credits that we hold for {retirement.project.reference}. Your evidence "
        f"is kept; {retirement.reference} stays as it is. Ask the registry what it retired."
    )


def _needing_person(retirement: Retirement) -> Retirement:
    ledger.lock(project_id=retirement.project_id, livemode=retirement.livemode)
    rows = Retirement.objects.select_related("project__registry", "block")
    locked = rows.select_for_update(of=("self",)).get(pk=retirement.pk)
    if locked.state != NEEDS_PERSON:
        raise Conflict(f"{locked.reference} needs no person: {locked.get_state_display()}.")
    return locked


def _receipt_differed(retirement: Retirement) -> bool:
    kinds_of = AttemptOutcome.objects.filter(attempt__retirement=retirement).values_list("kind", flat=True)
    return AttemptOutcome.Kind.DIFFERS in set(kinds_of)


def _block_of(entered: CreditRange, retirement: Retirement) -> CreditBlock | None:
    """The block of this project that the run lies in, when each of its credits is free or the
    retirement's.
    """
    block = CreditBlock.objects.filter(
        project_id=retirement.project_id,
        livemode=retirement.livemode,
        series=entered.series,
        first_number__lte=entered.first,
        last_number__gte=entered.last,
    ).first()
    run = Credit.objects.filter(block=block, number__range=(entered.first, entered.last))
    taken = run.exclude(retirement=None).exclude(retirement=retirement)
    return None if block is None or taken.exists() else block


def _adopt(
    locked: Retirement,
    block: CreditBlock,
    receipt: Receipt,
    entered: CreditRange,
    *,
    evidence: str,
    actor: str,
    now: datetime,
) -> Retirement | None:
    entry = {
        "registry_reference": receipt.registry_reference,
        "credit_serials": receipt.credit_serials,
        "retired_on": receipt.retired_on.isoformat(),
    }
    if second_person.needs_two(max(locked.credits, entered.credits)) and not second_person.agreed(
        locked, kind=RetirementEntry.Kind.ADOPT, entry=entry, evidence=evidence, actor=actor, now=now
    ):
        return None
    reference = f"CL-{now:%Y-%m}-{random_code(groups=1)}"
    ledger.void(locked, problem=f"The registry retired another run; see {reference}.")
    data = {"reason": evidence, "adopted_as": reference}
    events.record(kinds.RETIREMENT_VOID, locked, actor=actor, data=data)
    real = ledger.set_aside_run(
        block=block,
        first=entered.first,
        last=entered.last,
        adapter=locked.adapter,
        reference=reference,
        reason=locked.reason,  # what the registry printed, our first reference included
        beneficiary=locked.beneficiary,
        replaces=locked,
        now=now,
    )
    events.record(
        kinds.RETIREMENT_ADOPTED, real, actor=actor, data={"instead_of": locked.reference, "reason": evidence}
    )
    retiring.confirm_at_once(real, receipt, reason=evidence, actor=actor, now=now)
    return real


@transaction.atomic(durable=True)
def free_unconfirmed(retirement: Retirement, *, evidence: str, actor: str, now: datetime) -> bool:
    """It did not happen, though the registry never said so: two persons free the credits, with evidence.

    False: kept, and a second person must say the same. Raises Conflict unless it was asked for, needs a
    person and was not refused (a refused one is freed by `void_retirement`).
    """
    locked = _needing_person(retirement)
    if retiring.certainly_refused(locked) or not Attempt.objects.filter(retirement=locked).exists():
        raise Conflict(f"{locked.reference} certainly did not happen; free its credits as refused.")
    if not evidence.strip():
        raise InvalidInput("Say how you know that it did not happen.")
    if not second_person.agreed(
        locked, kind=RetirementEntry.Kind.FREE, entry={}, evidence=evidence, actor=actor, now=now
    ):
        return False
    ledger.void(locked, problem=f"It did not happen: {evidence}"[:300])
    events.record(kinds.RETIREMENT_VOID, locked, actor=actor, data={"reason": evidence[:300]})
    return True
