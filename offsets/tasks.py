"""Sweeps of the ledger. Each finds its own work, does a bounded batch, and may run twice, late, or beside
itself.
"""

import logging
import time
from collections.abc import Callable

from celery import shared_task
from django.db import DatabaseError
from django.utils import timezone

from common import faults
from common.errors import DomainError
from offsets import epoch, selectors, services
from offsets.models import Retirement
from projects.models import Project

log = logging.getLogger(__name__)
BATCH = 100
CALLS_S = 10  # no call of a registry begins later in a sweep: a registry that hangs does not hold the worker


@shared_task(name="offsets.tasks.expire_reservations")
def expire_reservations() -> int:
    """Give back the grams of reservations that ran out."""
    return services.expire_reservations(now=timezone.now())


@shared_task(name="offsets.tasks.open_retirements")
def open_retirements() -> int:
    """Set whole credits aside for promises that nothing covers yet."""
    opened = 0
    for project_id, livemode in selectors.projects_with_uncovered():
        project = Project.objects.select_related("registry").get(pk=project_id)

        def open_for_project(project: Project = project, livemode: bool = livemode) -> int:
            now = timezone.now()
            return len(
                services.open_retirements(
                    project=project, livemode=livemode, now=now, actor="sweep:open_retirements"
                )
            )

        opened += _go_on(open_for_project, f"project={project.reference}")
    faults.reach("retirement-opened")
    return opened


@shared_task(name="offsets.tasks.note_delays")
def note_delays() -> int:
    """Promises that a paused project or a closed registry keeps waiting say so in their history."""
    return services.note_delays(now=timezone.now(), actor="sweep:note_delays")


@shared_task(name="offsets.tasks.retire_credits")
def retire_credits() -> int:
    """Settle the open retirements whose time has come, for about CALLS_S; none while the ledger is held."""
    if held := epoch.is_held():
        log.warning("no registry is called held_since=%s reason=%s", held.held_since, held.reason)
        return 0
    settled, began = 0, time.monotonic()
    for retirement in selectors.retirements_to_settle(now=timezone.now())[:BATCH]:
        if time.monotonic() - began > CALLS_S:
            break  # the next sweep goes on; one that hung waits its turn there

        def settle(retirement: Retirement = retirement) -> int:
            services.settle(retirement, now=timezone.now())
            return 1

        settled += _go_on(settle, f"retirement={retirement.reference}")
    faults.reach("outcome-recorded")
    return settled


@shared_task(name="offsets.tasks.allocate_grams")
def allocate_grams() -> int:
    """Hand confirmed grams to the devices that wait for them."""
    covered = 0
    for project_id, livemode in selectors.projects_with_uncovered():

        def allocate(project_id: int = project_id, livemode: bool = livemode) -> int:
            return services.allocate_grams(
                project_id=project_id, livemode=livemode, now=timezone.now(), actor="sweep:allocate_grams"
            )

        covered += _go_on(allocate, f"project={project_id}")
    faults.reach("grams-allocated")
    return covered


def _go_on(step: Callable[[], int], what: str) -> int:
    """One project or retirement that fails must not stop the others; the next round tries it again."""
    try:
        return step()
    except (DomainError, DatabaseError, OSError) as error:
        log.error("sweep step failed %s error=%s detail=%s", what, type(error).__name__, error)
        return 0
