"""Hold our retirements against a registry's public report, keep what it said, and stop where it raises an
alarm.
"""

from collections.abc import Sequence
from datetime import date, datetime

from django.conf import settings
from django.db import transaction

from common import events
from common.errors import Conflict
from offsets import events as kinds
from offsets import ledger
from offsets.models import CreditBlock, ProjectStock, Reconciliation, RegistryReport, Retirement
from offsets.registries.reports import Report, ReportLine, read_report
from offsets.serials import format_credit_serials, parse_credit_serials
from offsets.verdicts import Alarm, Claimed, Judgement, alarms, judge, overlaps


def reconcile(
    content: bytes, *, name: str, as_of: date, livemode: bool, actor: str, now: datetime
) -> tuple[list[Judgement], list[Alarm]]:
    """Read the report, judge every confirmed retirement of its registry, and keep verdicts, rows and digests.

    Credits of ours in a row that is not ours raise an alarm: the project's stock is stopped until staff
    clear it.
    Raises UnreadableReport; then nothing is kept.
    """
    report = read_report(content)
    retirements = list(
        Retirement.objects.filter(
            project__registry__code=report.registry, livemode=livemode, state=Retirement.State.CONFIRMED
        )
        .select_related("project", "block", "replaces")
        .order_by("pk")
    )
    claims = [_claim(retirement) for retirement in retirements]
    blocks = list(CreditBlock.objects.filter(project__registry__code=report.registry, livemode=livemode))
    judgements = judge(claims, report, as_of=as_of)
    raised = alarms(claims, [parse_credit_serials(str(block)) for block in blocks], report)
    _keep(
        report,
        retirements,
        judgements,
        raised,
        blocks,
        name=name,
        as_of=as_of,
        livemode=livemode,
        actor=actor,
        now=now,
    )
    return judgements, raised


@transaction.atomic(durable=True)
def _keep(
    report: Report,
    retirements: Sequence[Retirement],
    judgements: Sequence[Judgement],
    raised: Sequence[Alarm],
    blocks: Sequence[CreditBlock],
    *,
    name: str,
    as_of: date,
    livemode: bool,
    actor: str,
    now: datetime,
) -> None:
    kept = RegistryReport.objects.create(
        registry=report.registry,
        name=name[-120:],
        digest=report.digest,
        rows=len(report.lines),
        as_of=as_of,
        livemode=livemode,
        actor=actor,
        created_at=now,
    )
    Reconciliation.objects.bulk_create(
        Reconciliation(
            report=kept,
            retirement=retirement,
            verdict=judgement.verdict,
            detail=judgement.detail[:300],
            lines=[_line(line) for line in judgement.lines],
        )
        for retirement, judgement in zip(retirements, judgements, strict=True)
    )
    events.record_all(
        kinds.RETIREMENT_RECONCILED,
        retirements,
        actor=actor,
        data={row.pk: {"verdict": found.verdict} for row, found in zip(retirements, judgements, strict=True)},
    )
    for alarm in raised:
        for block in blocks:
            if overlaps(parse_credit_serials(str(block)), alarm.line.serials):
                _stop(block, alarm, livemode=livemode, actor=actor)


def _stop(block: CreditBlock, alarm: Alarm, *, livemode: bool, actor: str) -> None:
    stock = ledger.raise_alarm(project_id=block.project_id, livemode=livemode, detail=alarm.detail)
    events.record(kinds.STOCK_ALARMED, stock, actor=actor, data={"detail": alarm.detail[:300]})


@transaction.atomic(durable=True)
def clear_alarm(stock: ProjectStock, *, reason: str, actor: str) -> None:
    """Staff have settled what raised the alarm; sales and retirements of the project go on. Raises
    Conflict.
    """
    if not ProjectStock.objects.filter(pk=stock.pk).exclude(alarm="").update(alarm=""):
        raise Conflict("There is no alarm on this stock.")
    events.record(kinds.STOCK_CLEARED, stock, actor=actor, data={"reason": reason[:300]})


def _claim(retirement: Retirement) -> Claimed:
    if retirement.retired_on is None:  # the constraint confirmed_names_its_proof holds this
        raise Conflict(f"{retirement.reference} is confirmed without a date.")
    serials = format_credit_serials(retirement.block.series, retirement.first_number, retirement.last_number)
    return Claimed(
        reference=retirement.reference,
        serials=parse_credit_serials(serials),
        project=retirement.project.reference,
        vintage=retirement.block.vintage,
        retired_on=retirement.retired_on,
        also=frozenset({retirement.replaces.reference} if retirement.replaces else ()),
        holders=frozenset(settings.REGISTRY_ACCOUNTS),
    )


def _line(line: ReportLine) -> dict[str, str | int | None]:
    """The row as kept: what a record page needs, and the SHA-256 of the whole."""
    return {
        "row": line.row,
        "serials": str(line.serials),
        "project": line.project,
        "on": line.on.isoformat(),
        "vintage": line.vintage,
        "holder": line.holder,
        "reason": line.reason,
        "sha256": line.digest,
    }
