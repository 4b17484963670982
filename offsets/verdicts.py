"""Hold our retirements against a registry's public report. Pure; rules of the public log's reconciliation.

Matched by overlapping ranges, never by prefix (one prefix has several holders), and by our reference in
the reason text.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from offsets.registries.reports import Report, ReportLine
from offsets.serials import CreditRange

PATIENCE = timedelta(days=14)


class Verdict(StrEnum):
    """What a report says of one retirement of ours."""

    NOT_YET = "NOT YET"  # no row so far, and it is 14 days old at most
    CONFIRMED = "CONFIRMED"
    MISSING = "MISSING"  # no row after 14 days
    SHORT = "SHORT"  # rows cover fewer credits than we retired
    BEYOND = "BEYOND"  # a row covers more than our run
    DIFFERS = "DIFFERS"  # project, vintage, date or holder is another
    FOREIGN = "FOREIGN"  # our reference stands on somebody else's block


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """One confirmed retirement of ours, as the registry should show it."""

    reference: str
    serials: CreditRange
    project: str
    vintage: int
    retired_on: date
    also: frozenset[str] = frozenset()  # references of ours that its reason text may carry as well
    holders: frozenset[str] = frozenset()  # account names under which it may stand; empty: not compared


@dataclass(frozen=True)
class Judgement:
    """The verdict on one retirement and the report's rows that led to it."""

    reference: str
    verdict: Verdict
    detail: str
    lines: tuple[ReportLine, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Alarm:
    """Credits that we hold or retired stand in a row that is not ours: nothing more may be allocated of
    them.
    """

    line: ReportLine
    detail: str


def judge(claims: Sequence[Claimed], report: Report, *, as_of: date) -> list[Judgement]:
    """A verdict for each retirement, in the given order."""
    by_series: dict[str, list[ReportLine]] = defaultdict(list)
    by_reference: dict[str, list[ReportLine]] = defaultdict(list)
    for line in report.lines:
        by_series[line.serials.series].append(line)
        for reference in line.references:
            by_reference[reference].append(line)
    return [
        _judge(claim, by_series[claim.serials.series], by_reference[claim.reference], as_of=as_of)
        for claim in claims
    ]


def _judge(
    claim: Claimed, same_series: Iterable[ReportLine], named: Iterable[ReportLine], *, as_of: date
) -> Judgement:
    def answer(verdict: Verdict, detail: str, lines: Sequence[ReportLine] = ()) -> Judgement:
        return Judgement(claim.reference, verdict, detail, tuple(lines))

    lines = sorted(
        (line for line in same_series if overlaps(line.serials, claim.serials)),
        key=lambda line: line.serials.first,
    )
    if strangers := [line for line in named if not overlaps(line.serials, claim.serials)]:
        line = strangers[0]
        return answer(Verdict.FOREIGN, f"row {line.row} carries our reference on {line.serials}", strangers)
    if not lines:
        if as_of - claim.retired_on <= PATIENCE:
            return answer(Verdict.NOT_YET, f"no row yet; retired on {claim.retired_on}")
        return answer(
            Verdict.MISSING, f"no row, {(as_of - claim.retired_on).days} days after {claim.retired_on}"
        )
    beyond = [line for line in lines if not inside(line.serials, claim.serials)]
    if beyond:
        return answer(Verdict.BEYOND, f"row {beyond[0].row} covers {beyond[0].serials}", lines)
    if doubled := [b for a, b in zip(lines, lines[1:], strict=False) if overlaps(a.serials, b.serials)]:
        return answer(Verdict.DIFFERS, f"row {doubled[0].row} names credits of another row again", lines)
    covered = sum(line.serials.credits for line in lines)
    if covered < claim.serials.credits:
        return answer(Verdict.SHORT, f"{covered} of {claim.serials.credits} credits are in the report", lines)
    if differences := [text for line in lines for text in _differences(claim, line)]:
        return answer(Verdict.DIFFERS, "; ".join(differences), lines)
    return answer(Verdict.CONFIRMED, f"row {', '.join(str(line.row) for line in lines)}", lines)


def _differences(claim: Claimed, line: ReportLine) -> list[str]:
    """How a row differs. The CDM prints no vintage and no holder; there only project and quantity are
    compared.
    """
    found = []
    if line.project != claim.project:
        found.append(f"row {line.row}: project is {line.project}, ours {claim.project}")
    if line.cancelled:
        found.append(f"row {line.row} is a cancellation, no retirement")
    if line.vintage is None:
        return found
    if line.vintage != claim.vintage:
        found.append(f"row {line.row}: vintage is {line.vintage}, ours {claim.vintage}")
    if line.on != claim.retired_on:
        found.append(f"row {line.row}: date is {line.on}, ours {claim.retired_on}")
    if claim.holders and line.holder is not None and line.holder not in claim.holders:
        found.append(f"row {line.row}: the holder is another account")
    return found


def alarms(claims: Sequence[Claimed], held: Sequence[CreditRange], report: Report) -> list[Alarm]:
    """Rows that take credits of ours in a way that we did not: a cancellation, or a retirement that is not
    ours.

    `held` are all blocks in stock; a row that lies inside one of our confirmed retirements and names no
    other reference is ours.
    """
    blocks: dict[str, list[CreditRange]] = defaultdict(list)
    for block in held:
        blocks[block.series].append(block)
    ours: dict[str, list[Claimed]] = defaultdict(list)
    for claim in claims:
        ours[claim.serials.series].append(claim)
    found = []
    for line in report.lines:
        series = line.serials.series
        if not any(overlaps(line.serials, block) for block in blocks[series]):
            continue
        mine = [claim for claim in ours[series] if overlaps(line.serials, claim.serials)]
        others = line.references.difference(*({claim.reference, *claim.also} for claim in mine))
        if not mine:
            found.append(
                Alarm(line, f"row {line.row} takes {line.serials}, which we hold and did not retire")
            )
        elif line.cancelled:
            found.append(Alarm(line, f"row {line.row} cancels {line.serials}, which we retired"))
        elif others:
            found.append(Alarm(line, f"row {line.row} names {', '.join(sorted(others))} on credits of ours"))
    return found


def overlaps(one: CreditRange, other: CreditRange) -> bool:
    """Whether two ranges share a credit."""
    return one.series == other.series and one.first <= other.last and other.first <= one.last


def inside(one: CreditRange, other: CreditRange) -> bool:
    """Whether every credit of `one` is in `other`."""
    return one.series == other.series and other.first <= one.first and one.last <= other.last
