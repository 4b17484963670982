"""The log's mirror: what it holds, that it only grows, and a database that is behind it signs nothing."""

from base64 import b64decode
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from certificates import mirroring, publiclog, tasks
from certificates.logkeys import key_of, signer_of
from certificates.mirroring import LogBehind, MirrorMissing, mirror
from certificates.models import Certificate, LogCheckpoint, LogEntry
from certificates.translog.checkpoints import Checkpoint, open_checkpoint
from certificates.translog.entries import Alloc
from certificates.translog.folder import Folder
from tests.factories.certificates import ACTOR, ISSUED, enter_log, issue, make_certificate, make_covered
from tests.factories.mirror import audit, files, lengthen

pytestmark = pytest.mark.django_db


def test_the_mirror_is_what_the_pages_serve_and_the_auditor_accepts_it(kept: Path) -> None:
    make_certificate("PF-1")
    make_certificate("PF-2")
    rows = list(LogEntry.objects.order_by("index"))
    assert (kept / "entries").read_bytes() == b"".join(row.data.encode() for row in rows)
    assert (kept / "key").read_text().strip() == str(key_of(livemode=False))
    newest = LogCheckpoint.objects.get(size=len(rows))
    assert (kept / "checkpoint").read_text("utf-8") == newest.text
    sizes = {path.name: path.read_text("utf-8") for path in (kept / "checkpoints").iterdir()}
    assert sizes == {str(row.size): row.text for row in LogCheckpoint.objects.all()}
    answer = audit(kept, "--key", key_of(livemode=False))
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_a_mirror_that_is_made_late_holds_the_same(tmp_path: Path) -> None:
    make_certificate("PF-1")
    make_certificate("PF-2")
    out = StringIO()
    call_command("mirror_log", str(tmp_path / "late"), "--sandbox", stdout=out)
    assert out.getvalue() == f"3 entries in {tmp_path / 'late'}.\n"
    assert audit(tmp_path / "late").returncode == 0
    before = files(tmp_path / "late")
    call_command("mirror_log", str(tmp_path / "late"), "--sandbox", stdout=out)
    assert files(tmp_path / "late") == before


def test_the_mirror_is_only_appended_to(kept: Path) -> None:
    make_certificate("PF-1")
    before, node = files(kept), (kept / "entries").stat().st_ino
    make_certificate("PF-2")
    after = files(kept)
    assert after["entries"].startswith(before["entries"])
    assert (kept / "entries").stat().st_ino == node
    assert after["checkpoints/2"] == before["checkpoints/2"]
    assert set(after) - set(before) == {"checkpoints/3"}


def test_what_was_never_signed_is_written_anew(kept: Path) -> None:
    make_certificate("PF-1")
    with (kept / "entries").open("ab") as file:
        file.write(b"clearline/1 al")  # a crash while the next entries were written
    make_certificate("PF-2")
    assert audit(kept).returncode == 0


def test_a_lost_length_is_counted_again(kept: Path) -> None:
    make_certificate("PF-1")
    (kept / "length").unlink()
    make_certificate("PF-2")
    assert audit(kept).returncode == 0


DAMAGES: dict[str, Callable[[Path], object]] = {
    "an entry was altered": lambda kept: (kept / "entries").write_bytes(
        (kept / "entries").read_bytes().replace(b"0 0 386000", b"0 0 386001")
    ),
    "the entries were cut": lambda kept: (kept / "entries").write_bytes((kept / "entries").read_bytes()[:-5]),
    "the entries are gone": lambda kept: (kept / "entries").unlink(),
    "the checkpoint was altered": lambda kept: (kept / "checkpoint").write_bytes(
        (kept / "checkpoint").read_bytes().replace(b"\n2\n", b"\n1\n", 1)
    ),
    "it is no text": lambda kept: (kept / "checkpoint").write_bytes(b"\xff\xfe"),
    "the key is another's": lambda kept: (kept / "key").write_text("log.example/1+00000000+AQ=="),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_mirror_is_named_and_not_written_over(kept: Path, damage: str) -> None:
    make_certificate("PF-1")
    DAMAGES[damage](kept)
    before = files(kept)
    with pytest.raises(MirrorMissing, match="mirror"):
        mirror(kept, livemode=False)
    assert files(kept) == before


def test_a_length_that_does_not_read_stops_the_mirror_before_it_grows(kept: Path) -> None:
    make_certificate("PF-1")
    (kept / "length").write_text("two")
    before = files(kept)
    make_covered("PF-2")
    issue()
    publiclog.append(livemode=False, now=ISSUED, actor=ACTOR)
    with pytest.raises(MirrorMissing, match="cannot be kept"):
        publiclog.sign_checkpoints(livemode=False)
    assert files(kept) == before


@pytest.mark.parametrize(
    "damage", ["the checkpoint was altered", "the key is another's", "it is no text", "the entries are gone"]
)
def test_under_a_damaged_mirror_nothing_is_signed(kept: Path, damage: str) -> None:
    make_certificate("PF-1")
    DAMAGES[damage](kept)
    make_covered("PF-2")
    issue()
    assert tasks.append_to_log() in (0, 1)  # stored at most; it says so in the log and the sweep goes on
    assert LogCheckpoint.objects.exclude(text="").count() == 1


def test_an_unmounted_mirror_refuses_to_sign_and_says_what_to_do(tmp_path: Path, settings: Settings) -> None:
    settings.LOG_MIRROR = tmp_path / "not-mounted"
    make_covered()
    issue()
    with pytest.raises(MirrorMissing, match="./run manage mirror_log --sandbox"):
        publiclog.append(livemode=False, now=ISSUED, actor=ACTOR)
    assert tasks.append_to_log() == 0
    assert not LogEntry.objects.exists()


def test_a_checkpoint_is_in_the_mirror_before_anybody_is_shown_it(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object, **_named: object) -> None:
        raise OSError(28, "No space left on device")

    make_covered()
    issue()
    publiclog.append(livemode=False, now=ISSUED, actor=ACTOR)
    with monkeypatch.context() as broken:
        broken.setattr(Folder, "extend", full)
        with pytest.raises(MirrorMissing, match="No space left"):
            publiclog.sign_checkpoints(livemode=False)
    assert LogCheckpoint.objects.get().text == ""
    assert publiclog.sign_checkpoints(livemode=False) == 1
    assert audit(kept).returncode == 0


def test_after_a_crash_between_mirror_and_signature_the_same_is_signed(kept: Path) -> None:
    make_covered()
    issue()
    row = publiclog.append(livemode=False, now=ISSUED, actor=ACTOR)
    assert row is not None
    signer = signer_of(livemode=False)
    text = signer.sign(Checkpoint(signer.origin, row.size, b64decode(row.root)))
    mirroring.publish(mirroring.configured(livemode=False), text, size=row.size, livemode=False)
    assert publiclog.sign_checkpoints(livemode=False) == 1
    assert LogCheckpoint.objects.get().text == text == (kept / "checkpoint").read_text("utf-8")


def test_a_database_behind_its_mirror_signs_nothing(kept: Path) -> None:
    make_certificate("PF-1")
    lengthen(kept, Alloc(0, 386_000, 772_000, bytes(32)).encode())
    make_covered("PF-2")
    issue()
    assert open_checkpoint((kept / "checkpoint").read_text("utf-8"), key_of(livemode=False)).size == 3
    for work in (
        lambda: publiclog.append(livemode=False, now=ISSUED, actor=ACTOR),
        lambda: publiclog.sign_checkpoints(livemode=False),
        lambda: mirror(kept, livemode=False),
    ):
        with pytest.raises(LogBehind, match="3 entries, and the database ends at entry 2"):
            work()
    before = files(kept)
    assert tasks.append_to_log() == 0
    assert tasks.render_certificates() == 1  # the first one's, which is in a signed checkpoint
    assert Certificate.objects.get(offset__device_serial="PF-2").checkpoint is None
    assert LogEntry.objects.count() == 2
    assert files(kept) == before


def test_a_mirror_of_the_same_size_and_another_root_is_of_another_log(kept: Path, settings: Settings) -> None:
    lengthen(kept, b"clearline/1 reverse\n0\n", b"clearline/1 reverse\n1\n", altered=True)
    make_covered()
    issue()
    with pytest.raises(LogBehind, match="the database ends at entry 0"):
        publiclog.append(livemode=False, now=ISSUED, actor=ACTOR)
    settings.LOG_MIRROR = None
    enter_log()
    settings.LOG_MIRROR = kept.parent
    with pytest.raises(LogBehind, match="is of another log"):
        publiclog.append(livemode=False, now=ISSUED, actor=ACTOR)


def test_the_command_names_what_it_lacks(tmp_path: Path, settings: Settings) -> None:
    settings.LOG_MIRROR = None
    with pytest.raises(CommandError, match="CLEARLINE_LOG_MIRROR"):
        call_command("mirror_log", "--sandbox")
    (tmp_path / "entries").write_bytes(b"somebody's")
    with pytest.raises(CommandError, match="holds entries and no key"):
        call_command("mirror_log", str(tmp_path), "--sandbox")
    assert (tmp_path / "entries").read_bytes() == b"somebody's"
    settings.LOG_SEEDS = {**settings.LOG_SEEDS, "sandbox": ""}
    with pytest.raises(CommandError, match="CLEARLINE_LOG_SEED_SANDBOX"):
        call_command("mirror_log", str(tmp_path / "new"), "--sandbox")


def test_live_and_sandbox_have_mirrors_of_their_own(kept: Path) -> None:
    make_certificate("PF-1")
    call_command("mirror_log", stdout=StringIO())
    assert (kept.parent / "live" / "entries").read_bytes() == b""
    with pytest.raises(CommandError, match=r"mirrors log\.clearline\.example/sandbox/1"):
        call_command("mirror_log", str(kept))
