"""A stranger reads the whole log: an honest one holds, and every way of cheating is named."""

import http.server
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from certificates.commitment import commit
from certificates.translog.checkpoints import Checkpoint, Signer
from certificates.translog.entries import Alloc, Entry, Retire, Reverse
from tests.factories.translog import (
    FACTS,
    KEY,
    NONCE,
    ORIGIN,
    OTHER,
    PREFIX,
    RETIRED,
    SIGNER,
    Log,
    make_certificate,
    make_two_parts,
    make_vector,
    rotated,
)

TOOL = Path(__file__).resolve().parents[2] / "tools" / "audit_log.py"
SECOND = Retire("CAR", PREFIX, 981084, 982961, date(2026, 3, 10))


def run(*arguments: object) -> tuple[int, str]:
    """The tool as a stranger runs it; its exit and its last line."""
    answer = subprocess.run(
        [sys.executable, "-I", TOOL, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "PYTHONIOENCODING": "utf-8"},
    )
    assert answer.stderr == ""
    return answer.returncode, answer.stdout.splitlines()[-1]


def mirror(log: Log, folder: Path, *, checkpoints: tuple[int, ...] = ()) -> Path:
    """The log as a folder."""
    (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    (folder / "key").write_text(str(log.signer.key))
    (folder / "entries").write_bytes(b"".join(log.data))
    (folder / "checkpoint").write_text(log.checkpoint(), encoding="utf-8")
    for size in checkpoints:
        (folder / "checkpoints" / str(size)).write_text(log.checkpoint(size), encoding="utf-8")
    return folder


def audited(tmp_path: Path, *entries: Entry | bytes, **more: Any) -> tuple[int, str]:
    log = Log()
    for entry in entries:
        log.add_bytes(entry if isinstance(entry, bytes) else entry.encode())
    return run(mirror(log, tmp_path / "log", **more), "--key", KEY)


def write(path: Path, certificate: dict[str, Any]) -> Path:
    path.write_text(json.dumps(certificate), encoding="utf-8")
    return path


def test_an_honest_log_holds(tmp_path: Path) -> None:
    log, certificate = make_two_parts()
    folder = mirror(log, tmp_path / "log", checkpoints=(1, 3, 6))
    path = write(tmp_path / "a.json", certificate)
    assert run(folder, "--key", KEY, "--certificate", path) == (0, "all rules hold")
    assert run(folder) == (0, "all rules hold")


def test_grams_may_be_given_again_after_a_reverse_and_not_before(tmp_path: Path) -> None:
    again = (RETIRED, Alloc(0, 0, 10, OTHER), Reverse(1), Alloc(0, 0, 10, OTHER), Alloc(0, 10, 20, OTHER))
    assert audited(tmp_path, *again) == (0, "all rules hold")
    early = (RETIRED, Alloc(0, 0, 10, OTHER), Alloc(0, 9, 12, OTHER), Reverse(1))
    assert audited(tmp_path, *early) == (
        1,
        "BROKEN: entries 1 and 2 give out the same grams of retirement 0: fraud",
    )


BROKEN: dict[str, tuple[tuple[Entry | bytes, ...], str]] = {
    "credits retired twice": (
        (RETIRED, SECOND, Retire("CAR", PREFIX, 982961, 982999, date(2026, 4, 1))),
        "entries 1 and 2 retire the same credit",
    ),
    "credits inside others": (
        (RETIRED, Retire("CAR", PREFIX, 979000, 979001, date(2026, 4, 1))),
        "entries 0 and 1 retire the same credit",
    ),
    "credits around others": (
        (Retire("CAR", PREFIX, 5, 6, date(2026, 4, 1)), Retire("CAR", PREFIX, 1, 9, date(2026, 4, 1))),
        "entries 0 and 1 retire the same credit",
    ),
    "credits before they are there": (
        (Alloc(1, 0, 10, OTHER), RETIRED),
        "entry 0 gives out grams of entry 1, which is no earlier retirement",
    ),
    "grams of an allocation": (
        (RETIRED, Alloc(0, 0, 10, OTHER), Alloc(1, 0, 10, OTHER)),
        "entry 2 gives out grams of entry 1, which is no earlier retirement",
    ),
    "grams beyond the retirement": (
        (Retire("CAR", PREFIX, 1, 1, date(2026, 4, 1)), Alloc(0, 999_999, 1_000_001, OTHER)),
        "entry 1: [999999, 1000001) is not inside retirement 0",
    ),
    "grams around others": (
        (RETIRED, Alloc(0, 5, 6, OTHER), Alloc(0, 0, 10, OTHER)),
        "entries 1 and 2 give out the same grams",
    ),
    "reverse of nothing": ((RETIRED, Reverse(0)), "entry 1 reverses entry 0, which is no live allocation"),
    "reverse of what is to come": (
        (RETIRED, Reverse(2), Alloc(0, 0, 10, OTHER)),
        "entry 1 reverses entry 2, which is no live allocation",
    ),
    "reverse twice": (
        (RETIRED, Alloc(0, 0, 10, OTHER), Reverse(1), Reverse(1)),
        "entry 3 reverses entry 1, which is no live allocation",
    ),
    "number of credits": (
        (RETIRED.encode().replace(b"\n2506\n", b"\n2507\n"),),
        "entry 0: the range of credits and their number differ",
    ),
    "no day": ((RETIRED.encode().replace(b"2026-02-05", b"2026-02-31"),), "entry 0: 2026-02-31 is no day"),
    "another form": (
        (RETIRED, b"clearline/1 alloc\n0 0 -5\n" + b"A" * 43 + b"=\n"),
        "entry 1 has none of the three forms",
    ),
    "another form of the same commitment": (
        (RETIRED, b"clearline/1 alloc\n0 0 5\n" + b"A" * 42 + b"B=\n"),
        "entry 1 has none of the three forms",
    ),
    "not ASCII": ((b"clearline/1 reverse\n\xc3\xa9\n",), "entry 0 is not ASCII"),
}


@pytest.mark.parametrize("way", BROKEN)
def test_a_log_that_breaks_a_rule_is_named_though_it_is_signed(tmp_path: Path, way: str) -> None:
    entries, problem = BROKEN[way]
    code, said = audited(tmp_path, *entries)
    assert code == 1
    assert said.startswith(f"BROKEN: {problem}")


def test_neighbouring_credits_and_grams_are_no_overlap(tmp_path: Path) -> None:
    assert audited(
        tmp_path,
        Retire("CAR", PREFIX, 5, 6, date(2026, 4, 1)),
        Retire("CAR", PREFIX, 7, 9, date(2026, 4, 1)),
        Retire("CAR", PREFIX, 1, 4, date(2026, 4, 1)),
        Retire("CDM", PREFIX, 5, 6, date(2026, 4, 1)),
        Retire("CAR", "X-", 5, 6, date(2026, 4, 1)),
        Alloc(0, 10, 20, OTHER),
        Alloc(0, 20, 30, OTHER),
        Alloc(0, 0, 10, OTHER),
        Alloc(1, 0, 10, OTHER),
    ) == (0, "all rules hold")


def test_a_changed_cut_or_lengthened_log_does_not_match_its_checkpoint(tmp_path: Path) -> None:
    log = make_vector()
    folder = mirror(log, tmp_path / "log")
    whole = (folder / "entries").read_bytes()
    (folder / "entries").write_bytes(whole.replace(b"0 0 1500000", b"0 0 1499999"))
    code, said = run(folder, "--key", KEY)
    assert code == 1
    assert said.startswith("BROKEN: the checkpoint, of size 3, is of another log")
    (folder / "entries").write_bytes(b"".join(log.data[:2]))
    assert run(folder, "--key", KEY) == (1, "BROKEN: the mirror has 2 entries, and its checkpoint says 3")
    (folder / "entries").write_bytes(whole + Reverse(1).encode())  # more than was signed: not looked at
    assert run(folder, "--key", KEY)[0] == 0
    (folder / "entries").write_bytes(whole[:-1])
    assert run(folder, "--key", KEY)[0] == 1


def test_a_checkpoint_of_another_key_or_an_earlier_one_of_another_log_is_refused(tmp_path: Path) -> None:
    log = make_vector()
    folder = mirror(log, tmp_path / "log", checkpoints=(1, 2))
    (folder / "checkpoints" / "2").write_text(SIGNER.sign(Checkpoint(ORIGIN, 2, bytes(32))), encoding="utf-8")
    assert run(folder, "--key", KEY)[1].startswith("BROKEN: checkpoint 2, of size 2, is of another log")
    stranger = Log(log.entries, signer=Signer(ORIGIN, bytes(32)))
    (folder / "checkpoint").write_text(stranger.checkpoint(), encoding="utf-8")
    assert run(folder, "--key", KEY) == (1, "BROKEN: the key has not signed the checkpoint")


def test_a_published_checkpoint_that_differs_counts_only_where_the_key_signed_it(tmp_path: Path) -> None:
    folder = mirror(make_vector(), tmp_path / "log", checkpoints=(1, 2))
    published = folder / "checkpoints"
    stranger = Signer(ORIGIN, bytes(32))
    (published / "2").write_text(stranger.sign(Checkpoint(ORIGIN, 2, bytes(32))), encoding="utf-8")
    assert run(folder, "--key", KEY) == (1, "BROKEN: the key has not signed the checkpoint")
    (published / "2").write_text("of no form\n\n", encoding="utf-8")
    assert run(folder, "--key", KEY)[0] == 1
    (published / "2").unlink()
    (published / "9").write_text(stranger.sign(Checkpoint(ORIGIN, 9, bytes(32))), encoding="utf-8")
    assert run(folder, "--key", KEY) == (1, "BROKEN: the key has not signed the checkpoint")
    (published / "9").write_text(SIGNER.sign(Checkpoint(ORIGIN, 9, bytes(32))), encoding="utf-8")
    assert run(folder, "--key", KEY) == (
        1,
        "BROKEN: the log ends at 3, and checkpoint 9 is of a longer one: it was cut",
    )


def test_the_checkpoint_is_kept_and_the_log_must_continue_it(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    log = make_vector()
    assert run(mirror(log, tmp_path / "log"), "--key", KEY, "--kept", kept)[0] == 0
    assert kept.read_text(encoding="utf-8") == log.checkpoint()
    log.add(SECOND)
    assert run(mirror(log, tmp_path / "log"), "--key", KEY, "--kept", kept)[0] == 0
    longer = kept.read_text(encoding="utf-8")
    assert longer == log.checkpoint()

    other = Log(
        [RETIRED, Alloc(0, 0, 1_500_001, OTHER), SECOND, Alloc(0, 2_000_000, 2_000_001, OTHER), Reverse(1)]
    )
    code, said = run(mirror(other, tmp_path / "other"), "--key", KEY, "--kept", kept)
    assert (code, said.startswith("BROKEN: the checkpoint kept earlier, of size 4, is of another log")) == (
        1,
        True,
    )
    cut = Log(log.entries[:3])
    assert run(mirror(cut, tmp_path / "cut"), "--key", KEY, "--kept", kept) == (
        1,
        "BROKEN: the log ends at 3, and the checkpoint kept earlier is of a longer one: it was cut",
    )
    assert kept.read_text(encoding="utf-8") == longer  # what fails is not remembered


def two_claims(log: Log) -> list[dict[str, Any]]:
    """Two devices, one set of grams: both certificates are valid by themselves."""
    made = []
    for serial in ("PF-1", "PF-2"):
        facts = {**FACTS, "device_serial": serial}
        index = log.add(Alloc(0, 1_500_000, 2_008_000, commit(facts, NONCE)))
        made.append((index, facts))
    return [make_certificate(log, index, facts=facts) for index, facts in made]


def test_two_certificates_for_the_same_grams_are_shown_to_be_a_fraud(tmp_path: Path) -> None:
    log = Log([RETIRED])
    paths = [write(tmp_path / f"{n}.json", found) for n, found in enumerate(two_claims(log))]
    for path in paths:
        assert run("--key", KEY, "--certificate", path) == (0, "all rules hold")
    code, said = run("--key", KEY, "--certificate", paths[0], "--certificate", paths[1])
    assert code == 1
    assert said.startswith(f"BROKEN: {paths[0]} and {paths[1]} hold the same 508000 g")
    assert f"CAR {PREFIX}978279 to 978280 (entries 1 and 2): fraud" in said
    folder = mirror(log, tmp_path / "log")
    code, said = run(folder, "--key", KEY, "--certificate", paths[0], "--certificate", paths[1])
    assert (code, said) == (1, "BROKEN: entries 1 and 2 give out the same grams of retirement 0: fraud")


def test_two_certificates_for_the_same_grams_are_none_when_the_first_was_reversed(tmp_path: Path) -> None:
    log = Log([RETIRED, Alloc(0, 0, 508_000, commit(FACTS, NONCE)), Reverse(1)])
    facts = {**FACTS, "device_serial": "PF-2"}
    log.add(Alloc(0, 0, 508_000, commit(facts, NONCE)))
    one = write(tmp_path / "1.json", make_certificate(log, 1))
    two = write(tmp_path / "2.json", make_certificate(log, 3, facts=facts))
    folder = mirror(log, tmp_path / "log")
    assert run(folder, "--key", KEY, "--certificate", one, "--certificate", two) == (0, "all rules hold")
    code, said = run("--key", KEY, "--certificate", one, "--certificate", two)
    assert code == 1
    assert said.endswith("fraud, unless the log reversed the one before it gave the other")


def test_the_same_certificate_twice_is_no_fraud(tmp_path: Path) -> None:
    path = write(tmp_path / "1.json", make_certificate(make_vector(), 2))
    assert run("--key", KEY, "--certificate", path, "--certificate", path) == (0, "all rules hold")


def test_a_certificate_of_a_log_that_only_its_holder_was_shown_is_a_fraud(tmp_path: Path) -> None:
    shown = Log([RETIRED, Alloc(0, 0, 508_000, commit(FACTS, NONCE))])
    public = Log([RETIRED, Alloc(0, 0, 508_000, OTHER)])
    path = write(tmp_path / "1.json", make_certificate(shown, 1))
    code, said = run(mirror(public, tmp_path / "log"), "--key", KEY, "--certificate", path)
    assert code == 1
    assert said.endswith("of size 2, is of another log: two logs were shown, a fraud")
    facts = {**FACTS, "device_serial": "PF-2"}
    elsewhere = Log([RETIRED, Alloc(0, 508_000, 1_016_000, commit(facts, NONCE))])
    other = write(tmp_path / "2.json", make_certificate(elsewhere, 1, facts=facts))
    code, said = run("--key", KEY, "--certificate", path, "--certificate", other)
    assert (code, "name two logs of 2 entries" in said) == (1, True)


def test_an_altered_certificate_fails_the_audit(tmp_path: Path) -> None:
    certificate = make_certificate(make_vector(), 2)
    certificate["facts"]["amount_g"] += 1
    path = write(tmp_path / "1.json", certificate)
    assert run(mirror(make_vector(), tmp_path / "log"), "--key", KEY, "--certificate", path)[0] == 1


@pytest.fixture
def site() -> Iterator[tuple[str, Log, list[str]]]:
    """A log served on loopback, at most two entries an answer."""
    log, asked = make_two_parts()[0], []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            url = urlsplit(self.path)
            name = url.path.removeprefix("/log/")
            if name == "entries":
                start, end = (int(parse_qs(url.query)[name][0]) for name in ("from", "to"))
                body = b"".join(log.data[start : min(end, start + 2)])
            elif name == "checkpoints/":
                body = b"3\n6\n"
            elif name.startswith("checkpoints/"):
                body = log.checkpoint(int(name.removeprefix("checkpoints/"))).encode()
            else:
                body = {"key": KEY, "checkpoint": log.checkpoint()}[name].encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/log/", log, asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_log_is_audited_at_its_address(site: tuple[str, Log, list[str]], tmp_path: Path) -> None:
    address, log, asked = site
    kept = tmp_path / "kept"
    kept.write_text(log.checkpoint(3), encoding="utf-8")
    assert run(address, "--key", KEY, "--kept", kept) == (0, "all rules hold")
    assert "/log/entries?from=2&to=7" in asked
    assert ("/log/checkpoints/6" in asked, "/log/checkpoints/3" in asked) == (True, False)
    log.data[4] = log.data[4].replace(b"3 0 ", b"3 1 ")
    assert run(address, "--key", KEY)[0] == 1


def test_what_does_not_read_ends_with_2(tmp_path: Path) -> None:
    assert run("http://127.0.0.1:9/log", "--key", KEY)[0] == 2
    assert run(tmp_path / "nowhere", "--key", KEY)[0] == 2
    assert run("--certificate", tmp_path / "x") == (2, "not read: without SOURCE the key must be given")
    assert run(mirror(make_vector(), tmp_path / "log"), "--key", "nonsense")[0] == 2


def test_a_hundred_thousand_entries_are_audited_in_seconds(tmp_path: Path) -> None:
    log = Log()
    for number in range(100):
        retire = log.add(Retire("CAR", PREFIX, number * 10, number * 10 + 9, date(2026, 1, 1)))
        for place in range(999):
            log.add(Alloc(retire, place * 10_000, (place + 1) * 10_000, OTHER))
    folder = mirror(log, tmp_path / "log")
    started = time.monotonic()
    assert run(folder, "--key", KEY) == (0, "all rules hold")
    assert time.monotonic() - started < 60  # about one second on an idle machine


# A new key


def handed_over(folder: Path, *more: Entry) -> tuple[Log, Log]:
    """A log of two keys as a folder: the vector's under the first, and `more` under the second."""
    first = make_vector()
    second = rotated(first)
    for entry in more:
        second.add(entry)
    mirror(second, folder, checkpoints=(len(second.tree),))
    (folder / "key").write_text(f"{second.signer.key}\n{KEY}\n")
    for size in (1, 3):
        (folder / "checkpoints" / str(size)).write_text(first.checkpoint(size), encoding="utf-8")
    return first, second


def test_a_log_goes_on_under_a_new_key_and_what_the_former_one_signed_still_counts(tmp_path: Path) -> None:
    first, second = handed_over(tmp_path / "log", SECOND, Alloc(3, 0, 10, OTHER))
    kept = tmp_path / "kept"
    kept.write_text(first.checkpoint(1), encoding="utf-8")
    path = write(tmp_path / "1.json", make_certificate(first, 2))
    key = second.signer.key
    assert run(tmp_path / "log", "--key", key, "--kept", kept, "--certificate", path) == (0, "all rules hold")
    assert kept.read_text(encoding="utf-8") == second.checkpoint()
    assert run("--key", key, "--key", KEY, "--certificate", path) == (0, "all rules hold")


def test_a_new_key_is_not_believed_because_the_log_names_it(tmp_path: Path) -> None:
    _first, second = handed_over(tmp_path / "log")
    code, said = run(tmp_path / "log", "--key", KEY)
    assert (code, said.startswith(f"BROKEN: the key that was given is of {ORIGIN}, and the log is")) == (
        1,
        True,
    )
    assert second.signer.key.id.hex() in said


def test_a_name_that_names_another_beginning_is_a_fraud(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    first = make_vector()
    other = Log([RETIRED, Alloc(0, 0, 1_500_001, OTHER), SECOND, Alloc(0, 2_000_000, 2_000_001, OTHER)])
    other.signer = rotated(first).signer
    mirror(other, folder)
    (folder / "key").write_text(f"{other.signer.key}\n{KEY}\n")
    code, said = run(folder, "--key", other.signer.key)
    assert code == 1
    assert said.startswith(f"BROKEN: the end that {other.signer.origin} names, of size 3, is of another log")
    cut = mirror(Log(first.entries[:2], signer=other.signer), tmp_path / "cut")
    (cut / "key").write_text(f"{other.signer.key}\n{KEY}\n")
    assert run(cut, "--key", other.signer.key)[1].endswith("is of a longer one: it was cut")


def test_what_a_key_signed_after_its_end_is_refused(tmp_path: Path) -> None:
    first, second = handed_over(tmp_path / "log", SECOND)
    first.add(SECOND)
    (tmp_path / "log" / "checkpoints" / "4").write_text(first.checkpoint(), encoding="utf-8")
    refusal = f"BROKEN: {ORIGIN} ended with 3 entries, and this checkpoint has 4"
    assert run(tmp_path / "log", "--key", second.signer.key) == (1, refusal)
    (tmp_path / "log" / "checkpoint").write_text(first.checkpoint(), encoding="utf-8")
    assert run(tmp_path / "log", "--key", second.signer.key) == (1, refusal)


def test_keys_that_do_not_follow_each_other_are_no_logs(tmp_path: Path) -> None:
    first, second = handed_over(tmp_path / "log")
    third = rotated(rotated(first), seed=8).signer.key
    for keys in ([third, KEY], [KEY, second.signer.key], [second.signer.key, KEY.replace("+", ".x+", 1)]):
        (tmp_path / "log" / "key").write_text("\n".join(map(str, keys)))
        code, said = run(tmp_path / "log", "--key", keys[0])
        assert code in (1, 2)
        assert "does not follow" in said or "id does not belong" in said, said
