"""A restored database calls no registry until it has been reconciled; then nothing is retired again."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from common import triggers
from offsets import epoch, services, tasks
from offsets.models import (
    Allocation,
    Attempt,
    AttemptOutcome,
    Credit,
    DeviceOffset,
    LedgerEpoch,
    Retirement,
    Span,
)
from offsets.verify import violations
from projects.models import Project
from tests.factories.offsets import NOON, allocate, make_project, open_retirements, promise, stock, wish

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    project = make_project()
    stock(project, credits=5)
    promise(wish(project, "PF-1", 1_000_000), key="a")
    [retirement] = open_retirements(project)
    services.settle(retirement, now=NOON)
    allocate(project)
    return project


def journal() -> list[dict[str, str]]:
    return [json.loads(line) for line in settings.SANDBOX_JOURNAL.read_text().splitlines()]


def restore_backup_taken_before(retirement: Retirement, *, opened: bool) -> None:
    """Put the rows back as a backup would have them that was taken before this retirement was asked for."""
    with triggers.lifted(), connection.cursor():
        span = Span.objects.filter(retirement=retirement)
        DeviceOffset.objects.filter(allocations__span__in=span).update(covered_at=None)
        Allocation.objects.filter(span__in=span).delete()
        span.delete()
        AttemptOutcome.objects.filter(attempt__retirement=retirement).delete()
        Attempt.objects.filter(retirement=retirement).delete()
        if opened:
            Retirement.objects.filter(pk=retirement.pk).update(
                state="open", attempted_at=None, confirmed_at=None, registry_reference="", retired_on=None
            )
        else:
            Credit.objects.filter(retirement=retirement).update(retirement=None)
            Retirement.objects.filter(pk=retirement.pk).delete()


def second(project: Project) -> Retirement:
    promise(wish(project, "PF-2", 900_000), key="b")
    [retirement] = open_retirements(project)
    services.settle(retirement, now=NOON)
    allocate(project)
    return retirement


@pytest.mark.parametrize("opened", [True, False])
def test_a_restored_database_is_held_and_adopts_what_was_retired_meanwhile(
    project: Project, opened: bool
) -> None:
    lost = second(project)
    restore_backup_taken_before(lost, opened=opened)
    [again] = [lost] if opened else open_retirements(project)
    with pytest.raises(epoch.LedgerHeld, match="the host knows of attempt"):
        services.settle(again, now=NOON)
    assert tasks.retire_credits() == 0
    assert len(journal()) == 2  # nothing was asked again
    call_command("reconcile", str(settings.SANDBOX_JOURNAL), "--journal", stdout=StringIO())
    assert epoch.is_held() is None
    adopted = Retirement.objects.get(request_id=journal()[1]["request_id"])
    assert (adopted.state, adopted.registry_reference) == ("confirmed", journal()[1]["registry_reference"])
    assert adopted.reference == journal()[1]["reason"].split()[0]
    assert allocate(project) >= 1
    assert open_retirements(project) == []
    tasks.retire_credits()
    assert len(journal()) == 2
    assert list(violations()) == []


def test_the_journal_may_be_followed_twice(project: Project) -> None:
    out = StringIO()
    call_command("reconcile", str(settings.SANDBOX_JOURNAL), "--journal", stdout=out)
    assert out.getvalue() == "1 lines, 0 adopted.\n"
    assert Retirement.objects.count() == 1


def test_another_database_than_the_hosts_is_held(project: Project) -> None:
    LedgerEpoch.objects.update(epoch="00000000-0000-0000-0000-000000000001")
    with pytest.raises(epoch.LedgerHeld, match="another one than the host's"):
        epoch.require_running(now=NOON)
    assert epoch.is_held() is not None


def test_a_database_on_a_host_that_knows_nothing_of_it_is_held(project: Project) -> None:
    settings.LEDGER_EPOCH_FILE.unlink()
    with pytest.raises(epoch.LedgerHeld, match="the host knows nothing"):
        epoch.require_running(now=NOON)


def test_a_new_database_runs_and_the_host_learns_of_it() -> None:
    epoch.require_running(now=NOON)
    assert json.loads(settings.LEDGER_EPOCH_FILE.read_text())["attempt"] == 0


def test_a_hold_stays_until_it_is_released_even_when_the_file_comes_back(project: Project) -> None:
    known = settings.LEDGER_EPOCH_FILE.read_text()
    settings.LEDGER_EPOCH_FILE.unlink()
    with pytest.raises(epoch.LedgerHeld):
        epoch.require_running(now=NOON)
    settings.LEDGER_EPOCH_FILE.write_text(known)
    with pytest.raises(epoch.LedgerHeld):
        epoch.require_running(now=NOON)
    assert epoch.release_hold(reason="file found again", actor="staff:1")
    epoch.require_running(now=NOON)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"credit_serials": "DEMO-CDM-CL-CER-2-900 to 901", "credits": 2}, "no block that we hold"),
        ({"project": "PH-7980"}, "no block that we hold for PH-7980"),
    ],
)
def test_a_journal_that_retired_what_we_do_not_hold_is_refused(
    project: Project, tmp_path: Path, change: dict[str, object], reason: str
) -> None:
    line = {**journal()[0], "request_id": "00000000-0000-0000-0000-00000000000f", **change}
    path = tmp_path / "journal.jsonl"
    path.write_text(json.dumps(line) + "\n")
    with pytest.raises(CommandError, match=reason):
        call_command("reconcile", str(path), "--journal", stdout=StringIO())
    assert Retirement.objects.count() == 1


def test_a_journal_that_does_not_read_is_refused_and_names_the_line(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text(settings.SANDBOX_JOURNAL.read_text() + "{broken\n")
    with pytest.raises(CommandError, match="Line 2"):
        call_command("reconcile", str(path), "--journal", stdout=StringIO())
