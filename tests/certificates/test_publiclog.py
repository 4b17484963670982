"""The log that the sequencer keeps: what a stranger can check of it, and what it refuses to write."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from pytest_django.fixtures import Settings

from certificates import logkeys, logtree, publiclog, services, tasks
from certificates.logkeys import key_of, keyring_of
from certificates.models import Certificate, LogCheckpoint, LogEntry, LogHead
from certificates.publiclog import certificate_json
from certificates.translog.checkpoints import open_checkpoint
from certificates.translog.merkle import Tree, leaf_hash
from certificates.translog.verifying import verify_certificate
from offsets import services as ledger
from tests.factories.certificates import (
    ACTOR,
    ISSUED,
    cover,
    enter_log,
    issue,
    make_certificate,
    make_covered,
    make_wish,
)
from tests.factories.offsets import make_project, stock

pytestmark = pytest.mark.django_db
TOOLS = Path(__file__).resolve().parents[2] / "tools"
LATER = ISSUED + timedelta(minutes=1)


def forms() -> list[str]:
    """The second word of each entry, in order."""
    return [row.data.split()[1] for row in LogEntry.objects.order_by("index")]


def audit(folder: Path) -> subprocess.CompletedProcess[str]:
    """Write the sandbox log to a folder as its pages serve it, and let the stranger's tool read all of it."""
    client = Client()
    (folder / "checkpoints").mkdir(parents=True)
    for name in ("key", "checkpoint", "entries"):
        (folder / name).write_bytes(client.get(f"/sandbox/log/{name}").content)
    for size in client.get("/sandbox/log/checkpoints/").content.decode().split():
        (folder / "checkpoints" / size).write_bytes(client.get(f"/sandbox/log/checkpoints/{size}").content)
    return subprocess.run(
        [sys.executable, "-I", TOOLS / "audit_log.py", folder], capture_output=True, text=True, timeout=60
    )


def test_a_certificate_is_proven_by_its_own_file_and_the_key() -> None:
    certificate = Certificate.objects.select_related("checkpoint").get(pk=make_certificate().pk)
    proven = verify_certificate(json.loads(certificate_json(certificate)), keyring_of(livemode=False))
    assert proven.facts["device_serial"] == "PF1X1234"
    assert [(part.from_g, part.to_g) for part in proven.parts] == [(0, 386_000)]
    assert forms() == ["retire", "alloc"]
    assert proven.checkpoint.size == 2


def test_a_claim_of_two_retirements_is_proven_in_one_checkpoint() -> None:
    project = make_project()
    stock(project, credits=5)
    cover(make_wish(project, "PF-1", 700_000), key="a")
    [offset] = cover(make_wish(project, "PF-2", 500_000), key="b")
    issue()
    enter_log()
    certificate = Certificate.objects.get(offset=offset)
    proven = verify_certificate(json.loads(certificate_json(certificate)), keyring_of(livemode=False))
    assert sorted((part.from_g, part.to_g) for part in proven.parts) == [(0, 200_000), (700_000, 1_000_000)]


def test_roots_and_proofs_from_the_tables_are_those_of_the_whole_tree() -> None:
    project = make_project()
    stock(project, credits=40)
    for number in range(7):
        cover(make_wish(project, f"PF-{number}", 386_000), key=f"order-{number}")
        issue()
        enter_log()
    tree = Tree(leaf_hash(row.data.encode()) for row in LogEntry.objects.order_by("index"))
    key = key_of(livemode=False)
    for row in LogCheckpoint.objects.all():
        assert open_checkpoint(row.text, key).root == tree.root(row.size)
    indexes = list(range(len(tree)))
    newest = LogCheckpoint.objects.latest("size")
    proofs = [tree.inclusion(index, len(tree)) for index in indexes]
    assert logtree.inclusion_proofs(indexes, newest) == proofs
    newest.edge = b""  # as before edges were kept
    assert logtree.inclusion_proofs(indexes, newest) == proofs


def test_a_stranger_finds_the_whole_log_well(tmp_path: Path) -> None:
    make_certificate("PF-1")
    certificate = make_certificate("PF-2")
    services.issue_again(certificate, reason="typing mistake", actor="staff:1", now=LATER)
    enter_log()
    answer = audit(tmp_path / "log")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert forms().count("reverse") == 1


def test_issued_again_the_old_entry_is_reversed_before_the_same_grams_are_entered_anew(
    tmp_path: Path,
) -> None:
    old = make_certificate()
    new = services.issue_again(old, reason="typing mistake", actor="staff:1", now=LATER)
    enter_log()
    assert forms() == ["retire", "alloc", "reverse", "alloc"]
    new.refresh_from_db()
    assert verify_certificate(json.loads(certificate_json(new)), keyring_of(livemode=False))
    assert audit(tmp_path / "log").returncode == 0


def test_a_moved_claim_reverses_the_old_devices_entry_first(tmp_path: Path) -> None:
    old = make_certificate()
    ledger.move_to_replacement(old.offset, device_serial="PF-9", reason="repair", actor="staff:1", now=LATER)
    issue(now=LATER)  # the new certificate, while the old one does not say yet that it has moved
    enter_log()
    assert forms() == ["retire", "alloc", "reverse", "alloc"]
    assert audit(tmp_path / "log").returncode == 0


def test_reversed_grams_go_to_another_device_only_after_their_reverse_entry(tmp_path: Path) -> None:
    old = make_certificate()
    ledger.reverse_offset(old.offset, reason="returned", actor="staff:1", now=LATER)
    make_covered("PF-2", 900_000)
    issue(now=LATER)
    enter_log()
    assert forms()[:3] == ["retire", "alloc", "reverse"]
    assert audit(tmp_path / "log").returncode == 0


def test_a_withdrawn_certificates_grams_stay_entered() -> None:
    certificate = make_certificate()
    services.withdraw(certificate, reason="asked for it", actor="staff:1", now=LATER)
    enter_log()
    assert forms() == ["retire", "alloc"]


def test_a_withdrawn_certificates_grams_are_reversed_once_its_claim_ends(tmp_path: Path) -> None:
    certificate = make_certificate()
    services.withdraw(certificate, reason="asked for it", actor="staff:1", now=LATER)
    ledger.reverse_offset(certificate.offset, reason="returned", actor="staff:1", now=LATER)
    enter_log()
    assert forms() == ["retire", "alloc", "reverse"]
    assert tasks.append_to_log() == 0  # it is done with
    assert audit(tmp_path / "log").returncode == 0


def test_grams_that_moved_twice_before_the_log_heard_of_it_are_reversed_once(tmp_path: Path) -> None:
    offset = make_certificate("PF-1").offset
    for serial in ("PF-2", "PF-3"):  # the claim in between is never entered
        offset = ledger.move_to_replacement(
            offset, device_serial=serial, reason="repair", actor="staff:1", now=LATER
        )
    issue(now=LATER)
    enter_log()
    assert forms() == ["retire", "alloc", "reverse", "alloc"]
    assert LogEntry.objects.get(index=3).certificate == Certificate.objects.get(offset=offset)
    services.end_certificates(actor=ACTOR)
    enter_log()  # the first one's certificate says now that it ended: nothing is left to reverse
    assert forms() == ["retire", "alloc", "reverse", "alloc"]
    assert audit(tmp_path / "log").returncode == 0


def test_nothing_is_rendered_before_its_checkpoint_is_signed() -> None:
    make_covered()
    issue()
    assert tasks.render_certificates() == 0
    publiclog.append(livemode=False, now=ISSUED, actor=ACTOR)
    assert LogCheckpoint.objects.get().text == ""  # size and root are stored before they are signed
    assert tasks.render_certificates() == 0
    publiclog.sign_checkpoints(livemode=False)
    assert tasks.render_certificates() == 1


def test_a_second_sweep_enters_nothing() -> None:
    make_certificate()
    assert publiclog.append(livemode=False, now=LATER, actor=ACTOR) is None
    assert tasks.append_to_log() == 0
    assert LogEntry.objects.count() == 2


def test_another_key_refuses_to_sign_this_log(settings: Settings) -> None:
    make_certificate()
    make_covered("PF-2")
    issue()
    settings.LOG_SEEDS = {**settings.LOG_SEEDS, "sandbox": "11" * 32}
    with pytest.raises(logkeys.LogKeyChanged):
        publiclog.append(livemode=False, now=LATER, actor=ACTOR)
    assert LogEntry.objects.count() == 2


@pytest.mark.parametrize("seed", ["", "zz", "11" * 31])
def test_without_a_key_nothing_is_entered_and_the_sweep_goes_on(settings: Settings, seed: str) -> None:
    make_covered()
    issue()
    settings.LOG_SEEDS = {**settings.LOG_SEEDS, "sandbox": seed}
    with pytest.raises(logkeys.LogKeyMissing, match="CLEARLINE_LOG_SEED_SANDBOX"):
        publiclog.append(livemode=False, now=LATER, actor=ACTOR)
    assert tasks.append_to_log() == 0
    assert LogEntry.objects.count() == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda: LogEntry.objects.update(data="x"),
        lambda: LogCheckpoint.objects.update(root="x"),
        lambda: LogCheckpoint.objects.update(text="x"),
        lambda: LogHead.objects.update(size=0),
        lambda: LogHead.objects.update(public_key="x"),
        lambda: LogEntry.objects.all().delete(),
        lambda: LogHead.objects.all().delete(),
    ],
)
def test_the_database_refuses_to_rewrite_the_log(change: object) -> None:
    make_certificate()
    with pytest.raises(IntegrityError), transaction.atomic():
        change()  # type: ignore[operator]


def test_the_logs_pages_hold_what_was_hashed_and_may_be_kept(client: Client) -> None:
    make_certificate()
    entries = client.get("/sandbox/log/entries?from=0&to=1")
    assert entries.content.decode() == LogEntry.objects.get(index=0).data
    assert "max-age=31536000" in entries["Cache-Control"]
    newest, key = client.get("/sandbox/log/checkpoint"), client.get("/sandbox/log/key")
    assert open_checkpoint(newest.content.decode(), key_of(livemode=False)).size == 2
    assert key.content.decode().strip() == str(key_of(livemode=False))
    assert key["Cache-Control"] == newest["Cache-Control"]  # neither is told without the other
    assert client.get("/log/checkpoint").status_code == 404  # the live log is another one, and empty
    assert client.get("/sandbox/log/entries?from=-1").status_code == 422
    assert client.get("/sandbox/log/checkpoints/99").status_code == 404


def test_the_log_shows_no_device_and_no_buyer(client: Client) -> None:
    make_certificate("PF-SECRET")
    assert "SECRET" not in client.get("/sandbox/log/entries").content.decode()


def test_two_certificates_for_the_same_grams_are_shown_to_be_a_fraud(tmp_path: Path) -> None:
    certificate = make_certificate()
    body = json.loads(certificate_json(certificate))
    again = services.issue_again(certificate, reason="x", actor="staff:1", now=LATER)
    enter_log()
    again.refresh_from_db()
    (tmp_path / "a.json").write_text(json.dumps(body))
    (tmp_path / "b.json").write_bytes(certificate_json(again))
    key = str(key_of(livemode=False))
    files = ["--certificate", tmp_path / "a.json", "--certificate", tmp_path / "b.json"]
    answer = subprocess.run(
        [sys.executable, "-I", TOOLS / "audit_log.py", "--key", key, *files],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert answer.returncode == 1, answer.stdout
    named = f"BROKEN: {tmp_path / 'a.json'} and {tmp_path / 'b.json'} hold the same 386000 g of CDM"
    assert named in answer.stdout
    assert "entries 1 and 3" in answer.stdout
