"""A restored database takes over what its log's mirror holds beyond it, and gives no gram out twice."""

import json
import sqlite3
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

from certificates import publiclog, services, tasks
from certificates.events import LOG_SETTLED
from certificates.logkeys import key_of, keyring_of
from certificates.mirroring import LogBehind, MirrorMissing, require_current
from certificates.models import Certificate, LogCheckpoint, LogEntry, LogHead
from certificates.publiclog import certificate_json
from certificates.settling import Settled, settle
from certificates.translog.entries import Alloc, Reverse
from certificates.translog.folder import Folder
from common.errors import Conflict, InvalidInput
from common.models import Event
from offsets import services as ledger
from offsets.errors import StockStopped
from offsets.forgotten import ALARM, MAKER
from offsets.models import Allocation, DeviceOffset, ProjectStock, Retirement
from offsets.verify import violations
from tests.factories.accounts import MarketCountryFactory
from tests.factories.certificates import (
    ACTOR,
    ISSUED,
    enter_log,
    issue,
    make_certificate,
    make_covered,
    make_wish,
)
from tests.factories.mirror import audit, files, lengthen
from tests.factories.offsets import NOON, allocate, make_project, open_retirements, promise, stock

pytestmark = pytest.mark.django_db
TOOLS = Path(__file__).resolve().parents[2] / "tools"
REASON = "restored from the backup of noon"


def settled(folder: Path) -> Settled:
    return settle(folder, livemode=False, reason=REASON, actor="staff:anna", now=ISSUED)


def alloc(from_g: int, to_g: int, who: int = 0) -> bytes:
    """An entry of the first retirement, for a certificate that this database has forgotten."""
    return Alloc(0, from_g, to_g, bytes([who]) * 32).encode()


def live() -> dict[str, list[tuple[int, int]]]:
    """The intervals that each device holds in the ledger."""
    found: dict[str, list[tuple[int, int]]] = {}
    for row in Allocation.objects.filter(reversal=None).select_related("offset").order_by("from_g"):
        found.setdefault(row.offset.device_serial, []).append((row.from_g, row.to_g))
    return found


def go_on() -> None:
    """Every sweep, until all that was promised is in the log."""
    project = make_project()
    for retirement in open_retirements(project):
        ledger.settle(retirement, now=NOON)
    allocate(project)
    services.end_certificates(actor=ACTOR)
    issue()
    enter_log()


def require_sound(folder: Path) -> None:
    """The ledger's rows agree, a stranger finds the log well, and the database is no longer behind."""
    assert [found.as_json() for found in violations()] == []
    answer = audit(folder, "--key", key_of(livemode=False))
    assert answer.returncode == 0, answer.stdout
    require_current(livemode=False)


def test_logged_grams_that_are_free_here_are_kept_taken_and_those_before_stay_free(kept: Path) -> None:
    make_certificate("PF-1")
    lengthen(kept, alloc(500_000, 700_000))
    assert settled(kept) == Settled(size=3, taken_over=1, forgotten=1, promised_again=0, reversed=0)
    assert live() == {"PF-1": [(0, 386_000)], "LOG-2": [(500_000, 700_000)]}
    require_sound(kept)
    make_covered("PF-2", 350_000)
    issue()
    enter_log()
    assert live()["PF-2"] == [(386_000, 436_000), (700_000, 1_000_000)]
    require_sound(kept)


def test_the_log_goes_on_where_the_mirror_ends(kept: Path) -> None:
    make_certificate("PF-1")
    lengthen(kept, alloc(386_000, 400_000, 1))
    lengthen(kept, alloc(400_000, 410_000, 2), Reverse(2).encode(), alloc(386_000, 390_000, 3))
    before = files(kept)
    settled(kept)
    assert files(kept) == before
    assert [row.size for row in LogCheckpoint.objects.all()] == [2, 3, 6]
    newest = LogCheckpoint.objects.get(size=6)
    assert newest.text == (kept / "checkpoint").read_text("utf-8")
    assert LogHead.objects.get(livemode=False).size == 6
    assert "".join(row.data for row in LogEntry.objects.order_by("index")).encode() == before["entries"]
    [event] = Event.objects.filter(kind=LOG_SETTLED)
    assert (event.actor, event.data["reason"], event.data["from"]) == ("staff:anna", REASON, 2)
    assert live() == {"PF-1": [(0, 386_000)], "LOG-5": [(386_000, 390_000)], "LOG-3": [(400_000, 410_000)]}
    (kept.parent / "earlier").write_text(newest.text, encoding="utf-8")
    make_certificate("PF-2")
    answer = audit(kept, "--key", key_of(livemode=False), "--kept", kept.parent / "earlier")
    assert answer.returncode == 0, answer.stdout
    require_sound(kept)


def test_a_device_that_has_logged_grams_of_another_here_gets_others(kept: Path) -> None:
    make_certificate("PF-1")
    offset = make_covered("PF-2", 300_000)  # [386000, 686000) here, and no entry of the log
    issue()
    first = Certificate.objects.get(offset=offset)
    lengthen(kept, alloc(400_000, 500_000))
    assert settled(kept).promised_again == 1
    offset.refresh_from_db()
    assert offset.ended_reason == DeviceOffset.Ended.REVERSED
    again = DeviceOffset.objects.get(replaces=offset)
    assert (again.device_serial, again.amount_g, again.covered_at) == ("PF-2", 300_000, None)
    reversal = Event.objects.get(kind="offset.reversed", subject=f"deviceoffset:{offset.pk}")
    assert reversal.data["to"] == again.pk  # by which the order follows
    go_on()
    assert live()["PF-2"] == [(686_000, 986_000)]
    assert not LogEntry.objects.filter(certificate=first).exists()
    assert Certificate.objects.get(offset=again).checkpoint is not None
    require_sound(kept)


def test_grams_that_lie_in_several_spans_here_go_to_one_forgotten_claim(kept: Path) -> None:
    make_certificate("PF-1")
    make_covered("PF-2", 100_000)
    lengthen(kept, alloc(400_000, 600_000))
    settled(kept)
    assert live()["LOG-2"] == [(400_000, 486_000), (486_000, 600_000)]
    go_on()
    require_sound(kept)


def test_a_claim_that_the_log_has_reversed_is_reversed_here(kept: Path) -> None:
    certificate = make_certificate("PF-1")
    lengthen(kept, Reverse(1).encode())
    assert settled(kept).reversed == 1
    certificate.offset.refresh_from_db()
    assert certificate.offset.ended_reason == DeviceOffset.Ended.REVERSED
    go_on()
    certificate.refresh_from_db()
    assert certificate.state == Certificate.State.REVERSED
    assert [row.data.split()[1] for row in LogEntry.objects.order_by("index")] == [
        *("retire", "alloc", "reverse")
    ]
    require_sound(kept)


def test_grams_that_went_to_a_forgotten_device_are_taken_from_the_one_before(kept: Path) -> None:
    certificate = make_certificate("PF-1")
    lengthen(kept, Reverse(1).encode(), alloc(0, 386_000))
    done = settled(kept)
    assert (done.forgotten, done.promised_again, done.reversed) == (1, 1, 0)
    go_on()
    assert live() == {"LOG-3": [(0, 386_000)], "PF-1": [(386_000, 772_000)]}
    certificate.refresh_from_db()
    assert certificate.state == Certificate.State.REVERSED
    assert certificate.replaced_by.offset.device_serial == "PF-1"
    require_sound(kept)


def test_a_certificate_that_was_issued_before_the_backup_is_found_by_its_commitment(kept: Path) -> None:
    make_certificate("PF-1")
    offset = make_covered("PF-2")
    issue()
    certificate = Certificate.objects.get(offset=offset)
    commitment = bytes.fromhex(certificate.digest)
    lengthen(kept, Alloc(0, 386_000, 772_000, commitment).encode())
    assert settled(kept).forgotten == 0
    certificate.refresh_from_db()
    assert certificate.checkpoint == LogCheckpoint.objects.get(size=3)
    assert json.loads(certificate_json(certificate))["facts"]["device_serial"] == "PF-2"
    assert tasks.append_to_log() == 0
    require_sound(kept)


def test_pages_show_a_forgotten_claim_as_one_whose_record_is_withdrawn(kept: Path, client: Client) -> None:
    MarketCountryFactory()
    make_certificate("PF-1")
    lengthen(kept, alloc(386_000, 600_000))
    settled(kept)
    page = client.get(f"/retirements/{Retirement.objects.get().reference}/")
    assert page.status_code == 200
    assert "LOG-2" not in page.content.decode()
    code = Certificate.objects.get(offset__manufacturer=MAKER).code
    assert client.get(f"/c/{code}/").status_code == 410
    assert client.get("/impact/").status_code == 200
    assert client.get("/sandbox/log/entries?from=2&to=3").content == alloc(386_000, 600_000)


def test_staff_can_reverse_a_forgotten_claim_and_the_log_hears_of_it(kept: Path) -> None:
    make_certificate("PF-1")
    lengthen(kept, alloc(386_000, 600_000))
    settled(kept)
    claim = DeviceOffset.objects.get(manufacturer=MAKER)
    assert Certificate.objects.get(offset=claim).state == Certificate.State.WITHDRAWN
    assert (issue(), tasks.render_certificates()) == (0, 1)  # PF-1's only
    ledger.reverse_offset(claim, reason="its owner was found", actor="staff:1", now=ISSUED)
    enter_log()
    assert LogEntry.objects.get(index=3).data == "clearline/1 reverse\n2\n"
    make_covered("PF-2", 600_000)
    issue()
    enter_log()
    require_sound(kept)


def test_nothing_changes_without_stock_for_both(kept: Path) -> None:
    project = make_project()
    stock(project, credits=1)
    make_certificate("PF-1")
    promise(make_wish(project, "PF-2", 600_000), key="waits")
    lengthen(kept, alloc(386_000, 600_000))
    with pytest.raises(Conflict, match="Import credits of that project first"):
        settled(kept)
    assert LogHead.objects.get(livemode=False).size == 2
    assert not DeviceOffset.objects.filter(manufacturer=MAKER).exists()
    stock(project, credits=1, first=100)
    settled(kept)
    go_on()
    require_sound(kept)


def test_what_is_no_case_for_settling_is_refused(kept: Path, settings: Settings, tmp_path: Path) -> None:
    make_certificate("PF-1")
    with pytest.raises(Conflict, match="nothing to settle"):
        settled(kept)
    lengthen(kept, alloc(386_000, 600_000))
    with pytest.raises(InvalidInput, match="Say why"):
        settle(kept, livemode=False, reason=" ", actor="staff:anna", now=ISSUED)
    whole = (kept / "entries").read_bytes()
    (kept / "entries").write_bytes(whole.replace(b"386000 600000", b"386000 600001"))
    with pytest.raises(MirrorMissing, match="do not lead to the checkpoint 3"):
        settled(kept)
    assert tasks.watch_mirror() == 0  # nothing is stopped by what nobody signed
    assert not ProjectStock.objects.exclude(alarm="").exists()
    (kept / "entries").write_bytes(whole[:-20])
    with pytest.raises(MirrorMissing, match="missing|cut"):
        settled(kept)
    (kept / "entries").write_bytes(whole)
    Folder(tmp_path / "other", keyring_of(livemode=False)).begin()
    lengthen(tmp_path / "other", LogEntry.objects.get(index=0).data.encode(), alloc(0, 1), alloc(1, 2))
    with pytest.raises(Conflict, match="another than the mirror's"):
        settled(tmp_path / "other")
    (kept / "checkpoints" / "3").unlink()
    with pytest.raises(MirrorMissing, match="not among"):
        settled(kept)
    with pytest.raises(MirrorMissing):
        settled(tmp_path / "nowhere")
    assert LogEntry.objects.count() == 2
    assert not Event.objects.filter(kind=LOG_SETTLED).exists()


def test_a_retirement_that_is_not_here_must_be_reconciled_first(kept: Path) -> None:
    make_certificate("PF-1")
    lengthen(kept, b"clearline/1 retire\nCDM\nDEMO-CDM-CL-CER-2-2 to 3\n2\n2026-11-24\n")
    with pytest.raises(Conflict, match=r"DEMO-CDM-CL-CER-2-2 to 3.*reconcile"):
        settled(kept)


def test_until_it_is_settled_the_projects_of_the_log_are_stopped(kept: Path) -> None:
    make_certificate("PF-1")
    other = make_project("CL-0096", country="BR")
    stock(other, credits=1)
    assert tasks.watch_mirror() == 0
    assert not ProjectStock.objects.exclude(alarm="").exists()
    lengthen(kept, alloc(386_000, 600_000))
    assert tasks.watch_mirror() == 0
    assert [row.project for row in ProjectStock.objects.filter(alarm=ALARM)] == [make_project()]
    assert tasks.watch_mirror() == 0
    assert Event.objects.filter(kind="stock.alarmed").count() == 1
    with pytest.raises(StockStopped):
        allocate(make_project())
    with pytest.raises(StockStopped):
        make_covered("PF-2")
    settled(kept)
    assert not ProjectStock.objects.exclude(alarm="").exists()
    assert Event.objects.filter(kind="stock.cleared").count() == 1
    make_certificate("PF-2")
    require_sound(kept)


def test_a_mirror_that_is_not_there_is_said_once_there_is_a_log(
    kept: Path, caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    tasks.watch_mirror()  # the live log was never begun, nor was its mirror
    assert caplog.messages == []
    make_certificate("PF-1")
    settings.LOG_MIRROR = kept / "elsewhere"
    tasks.watch_mirror()
    [message] = caplog.messages
    assert "Mount it, or begin one" in message
    assert not ProjectStock.objects.exclude(alarm="").exists()


def test_another_alarm_is_not_lifted(kept: Path) -> None:
    make_certificate("PF-1")
    ProjectStock.objects.update(alarm="a report shows our credits in other hands")
    lengthen(kept, alloc(386_000, 600_000))
    tasks.watch_mirror()
    with pytest.raises(StockStopped):
        settled(kept)
    assert ProjectStock.objects.get().alarm == "a report shows our credits in other hands"


def test_the_command_needs_a_name_and_a_reason_and_says_what_it_did(kept: Path) -> None:
    make_certificate("PF-1")
    lengthen(kept, alloc(386_000, 600_000))
    with pytest.raises(CommandError, match="--actor, --reason"):
        call_command("settle_log", "--sandbox")
    out = StringIO()
    told = ("--sandbox", "--actor", "staff:anna", "--reason", REASON)
    call_command("settle_log", *told, stdout=out)
    assert out.getvalue().startswith("1 entries taken over; the log has 3. Claims of forgotten devices: 1.")
    with pytest.raises(CommandError, match="nothing to settle"):
        call_command("settle_log", str(kept), *told)


class Backup:
    """A copy of the whole database, as of when it was made."""

    def __init__(self) -> None:
        connection.ensure_connection()
        self.copy = sqlite3.connect(":memory:")
        source: Any = connection.connection
        source.backup(self.copy)

    def restore(self) -> None:
        connection.ensure_connection()
        self.copy.backup(connection.connection)


@pytest.mark.embedded
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="copies the database's file")
def test_a_database_restored_from_a_backup_is_settled(kept: Path, tmp_path: Path) -> None:
    project = make_project()
    stock(project, credits=9)
    first = make_certificate("PF-1").offset
    make_covered("PF-2")
    issue()
    promise(make_wish(project, "PF-3"), key="waits")
    backup = Backup()

    enter_log()  # PF-2
    earlier = tmp_path / "earlier"
    earlier.write_bytes((kept / "checkpoint").read_bytes())
    ledger.reverse_offset(first, reason="returned", actor="staff:1", now=NOON)
    lost = make_certificate("PF-4", amount_g=2_500_000)  # PF-3 too; opens a retirement
    (tmp_path / "lost.json").write_bytes(certificate_json(lost))
    mirror = files(kept)

    backup.restore()
    with pytest.raises(LogBehind):
        publiclog.append(livemode=False, now=ISSUED, actor=ACTOR)
    tasks.watch_mirror()
    with pytest.raises(Conflict, match="Reconcile first"):
        settled(kept)
    call_command("reconcile", str(configured.SANDBOX_JOURNAL), "--journal", stdout=StringIO())
    done = settled(kept)
    assert done.size == mirror["entries"].count(b"clearline/1 ")
    assert done.forgotten > 1  # PF-3 and PF-4 of the lost hours, an entry an interval
    assert done.promised_again == 1  # PF-1: its grams were given to one of them
    assert files(kept) == mirror
    go_on()

    require_sound(kept)
    given = [interval for intervals in live().values() for interval in intervals]
    assert sum(to_g - from_g for from_g, to_g in given) == 4 * 386_000 + 2_500_000
    certificate = Certificate.objects.get(offset__device_serial="PF-3", state=Certificate.State.VALID)
    (tmp_path / "new.json").write_bytes(certificate_json(certificate))
    shown = ("--certificate", tmp_path / "lost.json", "--certificate", tmp_path / "new.json")
    answer = audit(kept, "--key", key_of(livemode=False), "--kept", earlier, *shown)
    assert answer.returncode == 0, answer.stdout
    call_command("export_ledger", str(tmp_path / "export"), stdout=StringIO())
    checked = subprocess.run(
        [sys.executable, "-I", TOOLS / "verify_export.py", tmp_path / "export"],
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout
