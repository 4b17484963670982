"""Two persons of staff must enter the same before the ledger acts on what they say: above a limit, and
wherever they contradict the registry.

The first entry is kept and waits. A matching one of another person acts; a differing one is refused, naming
the differences. A person may correct their own entry: the newest counts. An entry counts for ENTRY_DAYS.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings

from common import events
from offsets import events as kinds
from offsets.errors import EntriesDiffer
from offsets.models import Retirement, RetirementEntry

ENTRY_DAYS = 14


def needs_two(credits: int) -> bool:
    """Whether an entry about this many credits needs a second person."""
    return credits > int(settings.SECOND_PERSON_ABOVE_CREDITS)


def agreed(
    locked: Retirement, *, kind: str, entry: Mapping[str, str], evidence: str, actor: str, now: datetime
) -> bool:
    """Keep this person's entry; whether another one has entered the same. The caller holds the row's lock.

    Raises EntriesDiffer, and keeps nothing, when another person's entry says something else.
    """
    found = waiting_entries(locked, now=now)
    others = [row for row in found.values() if row.actor != actor]
    for other in others:
        if differences := _differences(other, kind=kind, entry=entry):
            raise EntriesDiffer(
                f"{other.actor} entered something else for {locked.reference}: {', '.join(differences)}. "
                "Compare both with the registry; whoever slipped enters it again."
            )
    mine = found.get(actor)
    if mine is None or _differences(mine, kind=kind, entry=entry):
        RetirementEntry.objects.create(
            retirement=locked,
            kind=kind,
            entry=dict(entry),
            evidence=evidence[:300],
            actor=actor,
            created_at=now,
        )
        events.record(kinds.RETIREMENT_ENTERED, locked, actor=actor, data={"kind": kind})
    return bool(others)


def waiting_entries(retirement: Retirement, *, now: datetime) -> dict[str, RetirementEntry]:
    """Each person's newest entry that still counts, by actor."""
    rows = RetirementEntry.objects.filter(
        retirement=retirement, created_at__gt=now - timedelta(days=ENTRY_DAYS)
    )
    return {row.actor: row for row in rows.order_by("pk")}


def entered_as_done(retirement: Retirement, *, besides: str, now: datetime) -> str:
    """Who else entered what the registry confirmed, and waits for a second person; "" when nobody did."""
    done = {RetirementEntry.Kind.CONFIRM, RetirementEntry.Kind.ADOPT}
    entries = waiting_entries(retirement, now=now)
    return next((who for who, row in entries.items() if who != besides and row.kind in done), "")


def _differences(other: RetirementEntry, *, kind: str, entry: Mapping[str, str]) -> list[str]:
    """The names of what differs; not the values, so that the second reads the registry and not the first."""
    mine = {"kind": kind, **entry}
    theirs = {"kind": other.kind, **other.entry}
    return sorted(name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name))
