"""`reconcile` keeps what the registry's report says, and an alarm stops the project."""

import json
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from common.errors import Conflict
from offsets import reconciling, selectors, services
from offsets.errors import StockStopped
from offsets.models import Allocation, ProjectStock, Reconciliation, RegistryReport, Retirement
from offsets.registries.reports import UnreadableReport
from projects.models import Project
from tests.factories.offsets import NOON, allocate, make_project, open_retirements, promise, stock, wish

pytestmark = pytest.mark.django_db
HEADER = "Completion Date,Serial Range,Project Identifier,Unit,CP (Commitment Period),Total\n"


@pytest.fixture
def project() -> Project:
    project = make_project()
    stock(project, credits=10)
    promise(wish(project, "PF-1", 1_600_000))
    [retirement] = open_retirements(project)
    services.settle(retirement, now=NOON)
    return project


def report(*runs: tuple[int, int]) -> bytes:
    rows = [f"2026-11-24,{first} - {last},DEMO-CL-4449,CER,2,{last - first + 1}\n" for first, last in runs]
    return (HEADER + "".join(rows)).encode()


def read(content: bytes) -> list[str]:
    judgements, alarms = reconciling.reconcile(
        content, name="cdm.csv", as_of=date(2026, 11, 25), livemode=False, actor="staff:1", now=NOON
    )
    return [*(found.verdict for found in judgements), *(alarm.detail for alarm in alarms)]


def test_a_confirmed_row_is_kept_and_dates_the_record(project: Project) -> None:
    retirement = Retirement.objects.get()
    assert selectors.last_checked(retirement) is None
    assert read(report((1, 2))) == ["CONFIRMED"]
    assert selectors.last_checked(retirement) == date(2026, 11, 25)
    kept = Reconciliation.objects.get()
    assert (kept.lines[0]["serials"], len(kept.lines[0]["sha256"])) == ("DEMO-CDM-CL-CER-2-1 to 2", 64)
    assert read(report((1, 1))) == ["SHORT"]
    assert selectors.last_checked(retirement) is None  # the newest report counts


def test_a_stranger_on_our_credits_stops_the_project_until_staff_clear_it(project: Project) -> None:
    [verdict, alarm] = read(report((1, 2), (5, 6)))
    assert (verdict, "which we hold and did not retire" in alarm) == ("CONFIRMED", True)
    assert selectors.projects_with_uncovered() == []
    with pytest.raises(StockStopped):
        allocate(project)
    with pytest.raises(StockStopped):
        open_retirements(project, ahead_credits=1)
    with pytest.raises(StockStopped, match="Choose another project"):
        promise(wish(project, "PF-2"), key="b")
    assert Allocation.objects.count() == 0
    counter = ProjectStock.objects.get()
    reconciling.clear_alarm(counter, reason="typing mistake of the registry", actor="staff:1")
    assert allocate(project) == 1
    with pytest.raises(Conflict):
        reconciling.clear_alarm(counter, reason="again", actor="staff:1")


def test_an_open_retirement_is_not_settled_under_an_alarm(project: Project) -> None:
    [waiting] = open_retirements(project, ahead_credits=1)
    assert list(selectors.retirements_to_settle(now=NOON)) == [waiting]
    read(report((1, 2), (9, 9)))
    assert list(selectors.retirements_to_settle(now=NOON)) == []


def test_a_report_that_does_not_read_keeps_nothing(project: Project) -> None:
    with pytest.raises(UnreadableReport, match="Row 2"):
        read(report((1, 2)) + b"2026-11-24,5,DEMO-CL-4449,CER,2,1\n")
    assert (RegistryReport.objects.count(), Reconciliation.objects.count()) == (0, 0)


def test_the_command_prints_a_line_a_retirement_and_fails_on_an_alarm(
    project: Project, tmp_path: Path
) -> None:
    path = tmp_path / "cdm.csv"
    path.write_bytes(report((1, 2)))
    out = StringIO()
    call_command("reconcile", str(path), "--json", stdout=out)
    reference = Retirement.objects.get().reference
    assert json.loads(out.getvalue()) == {"reference": reference, "verdict": "CONFIRMED", "detail": "row 1"}
    path.write_bytes(report((1, 2), (7, 7)))
    with pytest.raises(CommandError, match="1 alarms"):
        call_command("reconcile", str(path), stdout=out, stderr=StringIO())
    with pytest.raises(CommandError, match="No such file"):
        call_command("reconcile", str(tmp_path / "missing.csv"))
