"""Grams are kept for a buyer, released, or consumed by a promise."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from offsets.ledger.stock import commit_g, require_transaction, uncommit_g
from offsets.models import Reservation
from projects.models import Project


@dataclass(frozen=True, kw_only=True)
class Hold:
    """Grams of a project to keep for `holder` until `expires_at` (None: until released or consumed)."""

    project: Project
    livemode: bool
    holder: str
    amount_g: int
    expires_at: datetime | None = None


def hold(holds: Sequence[Hold]) -> None:
    """Reserve grams for each holder: inserts first, the guarded counters last, in project order. Raises
    SoldOut.
    """
    require_transaction()
    now = timezone.now()
    Reservation.objects.bulk_create(
        Reservation(
            project=wanted.project,
            livemode=wanted.livemode,
            holder=wanted.holder,
            amount_g=wanted.amount_g,
            expires_at=wanted.expires_at,
            created_at=now,
        )
        for wanted in holds
    )
    totals: dict[tuple[int, bool], int] = defaultdict(int)
    for wanted in holds:
        totals[wanted.project.pk, wanted.livemode] += wanted.amount_g
    for (project_id, livemode), amount_g in sorted(totals.items()):
        commit_g(project_id=project_id, livemode=livemode, amount_g=amount_g)


def release(reservations: QuerySet[Reservation]) -> int:
    """End these reservations and give their grams back; returns how many there still were."""
    totals = consume(reservations)
    for (project_id, livemode), (amount_g, _count) in sorted(totals.items()):
        uncommit_g(project_id=project_id, livemode=livemode, amount_g=amount_g)
    return sum(count for _amount, count in totals.values())


def consume(reservations: QuerySet[Reservation]) -> dict[tuple[int, bool], tuple[int, int]]:
    """End these reservations and keep their grams committed; returns grams and count per (project, mode)."""
    require_transaction()
    totals: dict[tuple[int, bool], tuple[int, int]] = {}
    rows = list(reservations.select_for_update().order_by("pk"))
    for row in rows:
        amount_g, count = totals.get((row.project_id, row.livemode), (0, 0))
        totals[row.project_id, row.livemode] = (amount_g + row.amount_g, count + 1)
    Reservation.objects.filter(pk__in=[row.pk for row in rows])._raw_delete(using="default")
    return totals
