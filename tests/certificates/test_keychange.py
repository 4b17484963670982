"""A new key takes over the public log: it names where the former one ended, and certificates stay valid."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from pytest_django.fixtures import Settings

from certificates import mirroring, publiclog, tasks
from certificates.events import LOG_KEY_CHANGED
from certificates.keychange import rotate
from certificates.logkeys import LogKeyChanged, key_of, keyring_of, signer_of
from certificates.mirroring import LogBehind, MirrorMissing, require_current
from certificates.models import Certificate, FormerLogKey, LogCheckpoint, LogHead
from certificates.publiclog import certificate_json
from certificates.settling import settle
from certificates.translog.checkpoints import BrokenKey, Checkpoint, LogKey, Signer
from certificates.translog.entries import Alloc
from certificates.translog.folder import Folder
from certificates.translog.keyring import Keyring, next_origin, parse_keyring, succession_of
from certificates.translog.merkle import EMPTY_ROOT, Tree, leaf_hash
from certificates.translog.verifying import NotValid, verify_certificate
from common.errors import Conflict, InvalidInput
from common.models import Event
from offsets.models import DeviceOffset, ProjectStock
from offsets.verify import violations
from tests.factories.certificates import ACTOR, ISSUED, issue, make_certificate, make_covered
from tests.factories.mirror import audit, files, lengthen

pytestmark = pytest.mark.django_db
REASON = "the former key was copied by somebody"
SEED, THIRD = "22" * 32, "33" * 32
NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


@pytest.fixture
def environment(settings: Settings) -> Callable[..., None]:
    """Puts a key for the sandbox log into the environment; the former one."""
    former = settings.LOG_SEEDS

    def put(seed: str = former["sandbox"]) -> None:
        settings.LOG_SEEDS = {**former, "sandbox": seed}

    return put


def hand_over(**more: Any) -> Keyring:
    return rotate(**{"livemode": False, "reason": REASON, "actor": "staff:anna", "now": NOW} | more)


def proof_of(certificate: Certificate) -> Any:
    certificate.refresh_from_db()
    return json.loads(certificate_json(certificate))


def test_the_new_key_names_the_last_checkpoint_and_both_certificates_are_valid(
    environment: Callable[..., None], kept: Path, client: Client
) -> None:
    before = make_certificate("PF-1")
    former, end = key_of(livemode=False), LogCheckpoint.objects.get()
    (kept.parent / "kept").write_text(end.text, encoding="utf-8")
    environment(SEED)
    keys = hand_over()
    named = succession_of(keys.current.origin)
    assert named
    assert (named.number, named.size) == (2, end.size)
    assert Checkpoint(former.origin, named.size, named.root).body == end.text.partition("\n\n")[0] + "\n"
    assert keys.keys[1:] == (former,)
    [event] = Event.objects.filter(kind=LOG_KEY_CHANGED)
    assert (event.actor, event.data["reason"]) == ("staff:anna", REASON)

    after = make_certificate("PF-2")
    after.refresh_from_db()
    assert after.checkpoint
    assert after.checkpoint.text.startswith(f"{keys.current.origin}\n3\n")
    for certificate, key in ((before, former), (after, keys.current)):
        assert verify_certificate(proof_of(certificate), keys)
        assert verify_certificate(proof_of(certificate), Keyring((key,)))
    assert client.get("/sandbox/log/key").content.decode() == f"{keys}\n" == (kept / "key").read_text()
    page = client.get("/verify/").content.decode().replace("&#x27;", "'")
    assert f"'{keys.current}' '{former}'" in page
    answer = audit(kept, "--key", keys.current, "--kept", kept.parent / "kept")
    assert answer.returncode == 0, answer.stdout
    assert f"{former.origin} ended, and a new key went on" in answer.stdout
    call_command("check", databases=["default"])


def test_whoever_has_the_former_key_can_sign_no_more(environment: Callable[..., None], kept: Path) -> None:
    certificate, thief = make_certificate("PF-1"), signer_of(livemode=False)
    environment(SEED)
    keys = hand_over()
    make_certificate("PF-2")
    forged = proof_of(certificate)
    size, text = 3, (kept / "checkpoint").read_text("utf-8")
    root = keys.open(text).root
    forged["parts"][0] = {
        name: value.replace(value.split("\n\n", 1)[1], thief.sign(Checkpoint(thief.origin, size, root)))
        if name.endswith("proof")
        else value
        for name, value in forged["parts"][0].items()
    }
    with pytest.raises(NotValid, match="ended with 2 entries"):
        verify_certificate(forged, keys)


def test_a_log_may_be_handed_over_again_and_again(environment: Callable[..., None], kept: Path) -> None:
    first = make_certificate("PF-1")
    environment(SEED)
    hand_over()
    second = make_certificate("PF-2")
    environment(THIRD)
    keys = hand_over()
    third = make_certificate("PF-3")
    assert [key.origin.split("/")[2:4] for key in keys.keys] == [["3", "3"], ["2", "2"], ["1"]]
    for certificate in (first, second, third):
        assert verify_certificate(proof_of(certificate), keys)
    answer = audit(kept, "--key", keys.current)
    assert answer.returncode == 0, answer.stdout
    assert parse_keyring((kept / "key").read_text()) == keys == keyring_of(livemode=False)


def test_the_command_says_what_to_publish(environment: Callable[..., None]) -> None:
    make_certificate()
    environment(SEED)
    out = StringIO()
    wanted = ("--sandbox", "--actor", "staff:anna", "--reason", REASON)
    call_command("rotate_log_key", *wanted, stdout=out)
    assert out.getvalue().splitlines()[-1] == str(key_of(livemode=False))
    with pytest.raises(CommandError, match="has signed .* or a log before it. Make a new one"):
        call_command("rotate_log_key", *wanted, stdout=out)


def make_unsigned(device_serial: str) -> Certificate:
    """A certificate whose checkpoint is stored and not signed yet."""
    offset = make_covered(device_serial)
    issue()
    publiclog.append(livemode=False, now=ISSUED, actor=ACTOR)
    return Certificate.objects.get(offset=offset)


def test_a_log_of_which_nothing_was_signed_is_named_as_the_empty_one(
    environment: Callable[..., None], kept: Path
) -> None:
    certificate = make_unsigned("PF-1")
    environment(SEED)
    keys = hand_over()
    assert keys.current.origin.endswith(f"/2/0/{EMPTY_ROOT.hex()}")
    publiclog.sign_checkpoints(livemode=False)
    assert verify_certificate(proof_of(certificate), keys)
    answer = audit(kept, "--key", keys.current)
    assert answer.returncode == 0, answer.stdout


def test_what_was_stored_and_not_signed_is_signed_by_the_new_key(
    environment: Callable[..., None], kept: Path
) -> None:
    make_certificate("PF-1")
    certificate = make_unsigned("PF-2")
    environment(SEED)
    keys = hand_over()
    assert succession_of(keys.current.origin).size == 2  # type: ignore[union-attr]
    publiclog.sign_checkpoints(livemode=False)
    assert verify_certificate(proof_of(certificate), Keyring((keys.current,)))
    assert audit(kept, "--key", keys.current).returncode == 0


@pytest.mark.parametrize("mirrored", [True, False])
def test_a_worker_that_still_has_the_former_key_signs_nothing_more(
    environment: Callable[..., None],
    kept: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    mirrored: bool,
) -> None:
    if not mirrored:
        settings.LOG_MIRROR = None
    make_certificate("PF-1")
    make_unsigned("PF-2")
    require = mirroring.require_current

    def somebody_rotates(livemode: bool) -> None:
        monkeypatch.setattr(mirroring, "require_current", require)
        environment(SEED)
        hand_over()
        environment()

    monkeypatch.setattr(mirroring, "require_current", somebody_rotates)
    with pytest.raises(LogKeyChanged):
        publiclog.sign_checkpoints(livemode=False)
    assert LogCheckpoint.objects.get(size=3).text == ""
    assert not (kept / "checkpoints" / "3").exists()


def test_what_only_the_mirror_has_heard_of_is_named(
    environment: Callable[..., None], kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_certificate("PF-1")
    certificate = make_unsigned("PF-2")

    def crash(*_: Any) -> None:
        raise RuntimeError("killed between the mirror and the database")

    with monkeypatch.context() as broken:
        broken.setattr("common.events.wake", crash)
        with pytest.raises(RuntimeError):
            publiclog.sign_checkpoints(livemode=False)
    assert LogCheckpoint.objects.get(size=3).text == ""
    environment(SEED)
    keys = hand_over()
    assert succession_of(keys.current.origin).size == 3  # type: ignore[union-attr]
    publiclog.sign_checkpoints(livemode=False)
    assert verify_certificate(proof_of(certificate), Keyring((keys.current,)))
    make_certificate("PF-3")
    answer = audit(kept, "--key", keys.current)
    assert answer.returncode == 0, answer.stdout


def test_what_may_not_be_handed_over_is_not(
    environment: Callable[..., None], kept: Path, settings: Settings
) -> None:
    environment(SEED)
    with pytest.raises(Conflict, match="There is no log yet"):
        hand_over()
    environment()
    make_certificate()
    with pytest.raises(InvalidInput, match="Say why"):
        hand_over(reason=" ")
    with pytest.raises(Conflict, match="has signed .* or a log before it. Make a new one"):
        hand_over()
    environment(SEED)
    with pytest.raises(LogKeyChanged, match="rotate_log_key --sandbox"):
        publiclog.append(livemode=False, now=NOW, actor=ACTOR)
    with pytest.raises(LogKeyChanged):
        publiclog.sign_checkpoints(livemode=False)
    settings.LOG_ORIGIN = "log.other.example"
    with pytest.raises(Conflict, match="CLEARLINE_LOG_ORIGIN back"):
        hand_over()
    settings.LOG_ORIGIN = "log.clearline.example"
    (kept / "key").rename(kept / "key.away")
    with pytest.raises(MirrorMissing):
        hand_over()
    (kept / "key.away").rename(kept / "key")
    environment()
    lengthen(kept, Alloc(0, 386_000, 600_000, bytes(32)).encode())
    environment(SEED)
    with pytest.raises(LogBehind):
        hand_over()
    assert not FormerLogKey.objects.exists()
    assert not Event.objects.filter(kind=LOG_KEY_CHANGED).exists()


def test_the_database_lets_no_key_change_that_is_not_kept(environment: Callable[..., None]) -> None:
    make_certificate()
    head, other = LogHead.objects.get(), "ab" * 32
    with pytest.raises(IntegrityError, match="its key stays"), transaction.atomic():
        LogHead.objects.update(public_key=other, origin="x/2")
    environment(SEED)
    hand_over()
    with pytest.raises(IntegrityError, match="its key stays"), transaction.atomic():
        LogHead.objects.update(public_key=other, origin="x/3")
    with pytest.raises(IntegrityError, match="its key stays"), transaction.atomic():
        LogHead.objects.update(public_key=head.public_key)
    for change in (
        lambda: FormerLogKey.objects.update(public_key=other),
        lambda: FormerLogKey.objects.all().delete(),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


# A database from before the new key


def rotated_elsewhere(folder: Path, *entries: bytes) -> Keyring:
    """As if the log had been handed over, and had gone on, after this database's backup."""
    before = keyring_of(livemode=False)
    mirrored = Folder(folder, before)
    end = mirrored.newest()
    assert end
    origin = next_origin(before.current.origin, size=end.size, root=end.root)
    signer = Signer(origin, bytes.fromhex(SEED))
    keys = Keyring((signer.key, *before.keys))
    tree = Tree(leaf_hash(data) for data in [*mirrored.entries(), *entries])
    text = signer.sign(Checkpoint(signer.origin, len(tree), tree.root()))
    Folder(folder, keys).extend(text, entries)
    return keys


def test_a_database_from_before_the_new_key_is_behind_and_takes_it_over(
    environment: Callable[..., None], kept: Path
) -> None:
    certificate = make_certificate("PF-1")
    keys = rotated_elsewhere(kept, Alloc(0, 500_000, 700_000, bytes(32)).encode())
    before = files(kept)
    with pytest.raises(LogBehind):
        require_current(livemode=False)
    tasks.watch_mirror()
    assert ProjectStock.objects.exclude(alarm="").exists()
    told: Any = {"livemode": False, "reason": "restored", "actor": "staff:anna", "now": NOW}
    with pytest.raises(LogKeyChanged, match="Put that key into CLEARLINE_LOG_SEED_"):
        settle(kept, **told)
    assert keyring_of(livemode=False) != keys
    environment(SEED)
    with pytest.raises(LogBehind):  # not a second name for the same log
        hand_over()
    settle(kept, **told)
    assert keyring_of(livemode=False) == keys
    assert files(kept) == before
    assert DeviceOffset.objects.filter(device_serial="LOG-2").exists()
    later = make_certificate("PF-2")
    assert verify_certificate(proof_of(later), keys)
    assert verify_certificate(proof_of(certificate), keys)
    assert audit(kept, "--key", keys.current).returncode == 0
    assert [found.as_json() for found in violations()] == []


def test_a_new_key_that_the_mirror_knows_and_this_database_does_not_is_the_one_to_go_on(
    environment: Callable[..., None], kept: Path
) -> None:
    make_certificate("PF-1")
    before = keyring_of(livemode=False)
    end = Folder(kept, before).newest()
    assert end
    origin = next_origin(before.current.origin, size=end.size, root=end.root)
    keys = Keyring((Signer(origin, bytes.fromhex(SEED)).key, *before.keys))
    (kept / "key").write_text(f"{keys}\n")
    environment(THIRD)
    with pytest.raises(Conflict, match="put that key into"):
        hand_over()
    environment(SEED)
    assert hand_over() == keys
    make_certificate("PF-2")
    assert audit(kept, "--key", keys.current).returncode == 0


def test_a_mirror_whose_keys_name_another_beginning_is_not_taken_over(
    environment: Callable[..., None], kept: Path
) -> None:
    make_certificate("PF-1")
    before, ours = (kept / "checkpoint").read_text("utf-8"), keyring_of(livemode=False)
    end = ours.open(before)
    signer = Signer(next_origin(end.origin, size=1, root=bytes(32)), bytes.fromhex(SEED))
    entries = Folder(kept, ours).entries()
    tree = Tree(map(leaf_hash, [*entries, Alloc(0, 500_000, 700_000, bytes(32)).encode()]))
    text = signer.sign(Checkpoint(signer.origin, 3, tree.root()))
    for name, content in {
        "key": f"{Keyring((signer.key, *ours.keys))}\n",
        "entries": "".join(map(bytes.decode, [*entries, Alloc(0, 500_000, 700_000, bytes(32)).encode()])),
        "checkpoint": text,
        "checkpoints/3": text,
    }.items():
        (kept / name).write_text(content, encoding="utf-8")
    (kept / "checkpoints" / "2").unlink()
    environment(SEED)
    with pytest.raises(MirrorMissing, match="key 2 names 1 entries that are not the mirror's"):
        settle(kept, livemode=False, reason="restored", actor="staff:anna", now=NOW)
    assert keyring_of(livemode=False) == ours


def test_keys_that_do_not_follow_each_other_are_no_keyring() -> None:
    one, other = (Signer("log/1", bytes([n]) * 32).key for n in (1, 2))
    later = LogKey(next_origin("log/1", size=5, root=bytes(32)), other.public)
    assert Keyring((later, one)).continues(Keyring((one,)))
    assert not Keyring((one,)).continues(Keyring((later, one)))
    for keys in ((), (one, other), (one, later), (later, LogKey("other/1", one.public))):
        with pytest.raises(BrokenKey):
            Keyring(keys)
