"""Make our rows agree with what a registry did: settle what we had asked for, adopt what we had forgotten."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from common import events
from common.codes import random_code
from common.errors import Conflict, InvalidInput
from offsets import events as kinds
from offsets import ledger, retiring
from offsets.models import Credit, CreditBlock, Retirement
from offsets.registries.base import Confirmed, Intent, Receipt
from offsets.registries.reports import OUR_REFERENCE
from offsets.serials import InvalidCreditSerials, parse_credit_serials


class UnreadableJournal(InvalidInput):
    """A gateway's journal does not read; the message names the line. Nothing was adopted."""

    code = "unreadable_journal"


@dataclass(frozen=True, kw_only=True)
class JournalLine:
    """One retirement as a gateway's own journal shows it."""

    line: int
    request_id: UUID
    reason: str
    beneficiary: str
    receipt: Receipt

    @property
    def reference(self) -> str:
        """Our reference at the start of the reason text; empty when there is none."""
        found = OUR_REFERENCE.match(self.reason)
        return found[0] if found else ""


def read_journal(content: bytes) -> list[JournalLine]:
    """A gateway's journal: one JSON object a line, as the sandbox registry writes. Raises
    UnreadableJournal.
    """
    lines = []
    for number, text in enumerate(content.splitlines(), start=1):
        try:
            row = json.loads(text)
            receipt = Receipt(
                registry_reference=str(row["registry_reference"]),
                project=str(row["project"]),
                credit_serials=str(parse_credit_serials(row["credit_serials"])),
                credits=int(row["credits"]),
                retired_on=date.fromisoformat(row["retired_on"]),
            )
            lines.append(
                JournalLine(
                    line=number,
                    request_id=UUID(row["request_id"]),
                    reason=str(row.get("reason", "")),
                    beneficiary=str(row.get("beneficiary", "")),
                    receipt=receipt,
                )
            )
        except (ValueError, KeyError, TypeError, AttributeError, InvalidCreditSerials) as error:
            raise UnreadableJournal(f"Line {number} of the journal does not read: {error}.") from error
    return lines


def adopt(lines: list[JournalLine], *, actor: str, now: datetime) -> list[Retirement]:
    """Make our rows agree with the journal: settle what we had asked for, take over what we had forgotten.

    Each line is a transaction of its own, so a run that is cut short goes on where it stopped. Raises
    Conflict,
    naming the line, when the journal retired credits that we do not hold or have confirmed otherwise.
    """
    return [found for line in lines if (found := _adopt(line, actor=actor, now=now)) is not None]


def _adopt(line: JournalLine, *, actor: str, now: datetime) -> Retirement | None:
    known = (
        Retirement.objects.select_related("project__registry", "block")
        .filter(request_id=line.request_id)
        .first()
    )
    retirement = known or _forgotten(line, actor=actor, now=now)
    if retirement.state == Retirement.State.CONFIRMED:
        return None
    intent = retiring.intent_of(retirement)
    if differences := line.receipt.differences(intent):
        raise Conflict(
            f"Line {line.line}: {retirement.reference} asks for something else: {'; '.join(differences)}."
        )
    _confirm_adopted(retirement, intent, line, actor=actor, now=now)
    return retirement


def _confirm_adopted(
    retirement: Retirement, intent: Intent, line: JournalLine, *, actor: str, now: datetime
) -> None:
    retiring.begin_attempt(retirement, intent, actor=actor, now=now)
    retiring.record_outcome(retirement, Confirmed(line.receipt), intent=intent, actor=actor, now=now)
    events_data = {"request_id": str(line.request_id), "line": line.line}
    with transaction.atomic(durable=True):
        events.record(kinds.RETIREMENT_ADOPTED, retirement, actor=actor, data=events_data)


@transaction.atomic(durable=True)
def _forgotten(line: JournalLine, *, actor: str, now: datetime) -> Retirement:
    """Set aside the credits that the journal retired and that this database does not know of."""
    serials = parse_credit_serials(line.receipt.credit_serials)
    block = (
        CreditBlock.objects.select_related("project__registry")
        .filter(series=serials.series, first_number__lte=serials.first, last_number__gte=serials.last)
        .first()
    )
    if block is None or block.project.reference != line.receipt.project:
        raise Conflict(f"Line {line.line}: {serials} is no block that we hold for {line.receipt.project}.")
    ledger.lock(project_id=block.project_id, livemode=block.livemode)
    taken = Credit.objects.filter(block=block, number__range=(serials.first, serials.last)).exclude(
        retirement=None
    )
    for pk in taken.values_list("retirement", flat=True).distinct():
        other = Retirement.objects.get(pk=pk)
        if other.attempted_at or not ledger.void(other, problem="set aside anew after a restore"):
            raise Conflict(
                f"Line {line.line}: credits of {serials} belong to {other.reference}, which was asked for."
            )
        events.record(kinds.RETIREMENT_VOID, other, actor=actor, data={"reason": "restored database"})
    return ledger.set_aside_run(
        block=block,
        first=serials.first,
        last=serials.last,
        request_id=line.request_id,
        adapter=block.project.registry.adapter,
        reference=line.reference or f"CL-{now:%Y-%m}-{random_code(groups=1)}",
        reason=line.reason,
        beneficiary=line.beneficiary,
        now=now,
    )
