"""A stranger checks a certificate: tool and package refuse every alteration and accept what is true."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, date, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from certificates import rendering
from certificates.commitment import commit
from certificates.translog.checkpoints import Checkpoint, Signer
from certificates.translog.entries import Alloc, Retire
from certificates.translog.keyring import parse_keyring
from certificates.translog.proofs import Proof, parse_proof
from certificates.translog.verifying import NotValid, verify_certificate
from tests.factories.translog import (
    FACTS,
    KEY,
    NONCE,
    ORIGIN,
    PREFIX,
    RETIRED,
    SIGNER,
    Log,
    make_certificate,
    make_two_parts,
    make_vector,
    rotated,
)

TOOL = Path(__file__).resolve().parents[2] / "tools" / "verify_certificate.py"
Certificate = dict[str, Any]
Alter = Callable[[Certificate], Any]


def load_tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("verify_certificate", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tool = load_tool()


def run(path: Path, key: str = KEY) -> subprocess.CompletedProcess[str]:
    """The tool as a stranger runs it: isolated, in an empty folder, with nothing of ours."""
    return subprocess.run(
        [sys.executable, "-I", TOOL, path, key],
        capture_output=True,
        text=True,
        cwd=path.parent,
        env={"PATH": os.environ["PATH"], "PYTHONIOENCODING": "utf-8"},
    )


def write(tmp_path: Path, certificate: Any) -> Path:
    path = tmp_path / "certificate.json"
    path.write_text(json.dumps(certificate, ensure_ascii=False), encoding="utf-8")
    return path


def refused(certificate: Certificate, key: str = KEY) -> None:
    """Both the package and the tool say no."""
    with pytest.raises(NotValid):
        verify_certificate(deepcopy(certificate), parse_keyring(key))
    with pytest.raises(tool.NotValid):
        tool.verify(deepcopy(certificate), tool.read_keys([key]))


def accepted(certificate: Certificate, key: str = KEY) -> None:
    verify_certificate(deepcopy(certificate), parse_keyring(key))
    tool.verify(deepcopy(certificate), tool.read_keys([key]))


def test_the_vectors_certificate_is_valid_and_the_tool_says_what_is_proven(tmp_path: Path) -> None:
    answer = run(write(tmp_path, make_certificate(make_vector(), 2)))
    assert answer.returncode == 0
    assert answer.stdout.splitlines() == [
        "valid: certificate DEMO-7Q2M",
        "  508000 g for Lenovo ThinkPad X1 Carbon Gen 9, serial DEMOPF3X1234",
        "  grams [1500000, 2008000) of entry 0, by entry 2",
        f"  credits CAR {PREFIX}978279 to 978280, retired on 2026-02-05",
        "  as of checkpoint log.clearline.example/1, 3 entries, "
        "root 1ghJBZlQ63juHwNaVirMSV2RNGv8kDIx/Gef2tsJDWg=",
    ]


def of_two_keys() -> dict[str, tuple[bool, Certificate]]:
    """By what they are: certificates of a log that was given a second key after three entries, and whether
    they are valid under both.
    """
    first = make_vector()
    second, late, forged = rotated(first), make_vector(), make_vector()
    facts = {**FACTS, "device_serial": "PF-LATER"}
    later = Alloc(0, 2_008_000, 2_516_000, commit(facts, NONCE))
    new, after = second.add(later), late.add(later)
    forged = Log([RETIRED, Alloc(0, 0, 508_000, commit(FACTS, NONCE)), RETIRED])
    return {
        "of the former key": (True, make_certificate(first, 2)),
        "of the new key": (True, make_certificate(second, new, facts=facts)),
        "of the new key, entered before it": (True, make_certificate(second, 2)),
        "of the former key after its end": (False, make_certificate(late, after, facts=facts)),
        "of the former key and another end": (False, make_certificate(forged, 1)),
    }


def keys_of_both() -> str:
    """As `/log/key` lists them."""
    return f"{rotated(make_vector()).signer.key}\n{KEY}"


@pytest.mark.parametrize("what", of_two_keys())
def test_a_certificate_is_checked_with_the_key_of_its_checkpoint(what: str, tmp_path: Path) -> None:
    valid, certificate = of_two_keys()[what]
    (accepted if valid else refused)(certificate, keys_of_both())
    new, former = keys_of_both().split()
    for keys in ((new, former), (former, new)):
        command = [sys.executable, "-I", TOOL, write(tmp_path, certificate), *keys]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert answer.returncode == (0 if valid else 1), answer.stdout


def test_who_knows_one_key_only_believes_that_one() -> None:
    new, former = keys_of_both().split()
    for what, (_valid, certificate) in of_two_keys().items():
        of_new = what.startswith("of the new key")
        (accepted if of_new else refused)(certificate, new)
        (refused if of_new else accepted)(certificate, former)


def test_a_claim_of_two_parts_is_valid() -> None:
    _log, certificate = make_two_parts()
    accepted(certificate)


def test_facts_in_any_script_and_with_any_sign_are_committed_to_alike() -> None:
    facts = {**FACTS, "product": 'Zoë "Ω" \\ \n\t\x01\x7f Ж \U0001f600', "extra": -5, "empty": ""}
    log = Log([make_vector().entries[0], Alloc(0, 0, 508_000, commit(facts, NONCE))])
    accepted(make_certificate(log, 1, facts=facts))


# The thirteen ways, and more


def set_fact(name: str, value: Any) -> Alter:
    return lambda certificate: certificate["facts"].update({name: value})


def set_part(name: str, value: Any, *, part: int = 0) -> Alter:
    return lambda certificate: certificate["parts"][part].update({name: value})


def in_part(name: str, before: str, after: str, *, part: int = 0) -> Alter:
    def alter(certificate: Certificate) -> None:
        text = certificate["parts"][part][name]
        assert before in text
        certificate["parts"][part][name] = text.replace(before, after)

    return alter


def double_part(certificate: Certificate) -> None:
    certificate["parts"].append(certificate["parts"][0])


def double_part_and_amount(certificate: Certificate) -> None:
    double_part(certificate)
    certificate["facts"]["amount_g"] *= 2


ALTERATIONS: dict[str, Alter] = {
    "serial": set_fact("device_serial", "DEMOPF3X1235"),
    "grams": set_fact("amount_g", 508_001),
    "interval": set_part("to_g", 2_008_001),
    "negative": set_part("from_g", -1),
    "float": set_part("from_g", 1_500_000.0),
    "bool": set_part("from_g", True),
    "block size": in_part("retire", "2506", "9999"),
    "nonce": lambda certificate: certificate.update(nonce="00" * 32),
    "doubled part": double_part,
    "no part": lambda certificate: certificate.update(parts=[]),
    "signature": in_part("alloc_proof", "0KtL", "0KtM"),
    "size": in_part("alloc_proof", "\n3\n", "\n4\n"),
    "index": in_part("alloc_proof", "index 2", "index 1"),
    "doubled part and amount": double_part_and_amount,
    "interval moved": lambda c: c["parts"][0].update(from_g=1_499_999, to_g=2_007_999),
    "interval turned": lambda c: c["parts"][0].update(from_g=2_008_000, to_g=1_500_000),
    "beyond the retirement": lambda c: c["parts"][0].update(from_g=2_505_900_000, to_g=2_506_408_000),
    "text for a number": set_part("from_g", "1500000"),
    "null": set_part("to_g", None),
    "float amount": set_fact("amount_g", 508_000.0),
    "bool amount": set_fact("amount_g", True),
    "text amount": set_fact("amount_g", "508000"),
    "fact left out": lambda c: c["facts"].pop("wording"),
    "fact added": set_fact("colour", "black"),
    "fact that is a list": set_fact("product", ["ThinkPad"]),
    "fact that is null": set_fact("product", None),
    "fact with a foreign key": set_fact("größe", 1),
    "fact too large": set_fact("amount_g", 2**53),
    "facts that are a list": lambda c: c.update(facts=[]),
    "credits moved": in_part("retire", "978278 to 980783", "978279 to 980784"),
    "day": in_part("retire", "2026-02-05", "2026-02-06"),
    "registry": in_part("retire", "CAR\n", "CDM\n"),
    "retire is an alloc": lambda c: set_part("retire", make_vector().data[1].decode())(c),
    "retire cut": in_part("retire", "2026-02-05\n", "2026-02-05"),
    "retire index": in_part("retire_proof", "index 0", "index 1"),
    "alloc index as the retire": in_part("alloc_proof", "index 2", "index 0"),
    "nonce in capitals": lambda c: c.update(nonce=c["nonce"].upper().replace("0", "A")),
    "nonce short": lambda c: c.update(nonce=c["nonce"][2:]),
    "nonce as number": lambda c: c.update(nonce=5),
    "another field": lambda c: c.update(valid=True),
    "another field in a part": set_part("note", ""),
    "parts that are an object": lambda c: c.update(parts={"0": c["parts"][0]}),
    "root": in_part("alloc_proof", "1ghJ", "1ghK"),
    "origin": in_part("alloc_proof", "example/1\n3", "example/2\n3"),
    "proof too long": in_part(
        "alloc_proof", "index 2\n", "index 2\nE43r+kHjq52XEP6qq3XN/G+GlMLxECe93JJ9gHDuAGw=\n"
    ),
    "no proof": set_part("alloc_proof", ""),
    "other proof format": in_part("retire_proof", "@v1", "@v9"),
    "signature cut off": lambda c: c["parts"][0].update(
        alloc_proof=c["parts"][0]["alloc_proof"].split("\u2014")[0],
        retire_proof=c["parts"][0]["retire_proof"].split("\u2014")[0],
    ),
}


@pytest.mark.parametrize("way", ALTERATIONS)
def test_an_altered_certificate_is_refused(way: str) -> None:
    certificate = make_certificate(make_vector(), 2)
    accepted(certificate)
    ALTERATIONS[way](certificate)
    refused(certificate)


def test_the_tool_ends_with_1_and_names_the_rule(tmp_path: Path) -> None:
    certificate = make_certificate(make_vector(), 2)
    certificate["facts"]["device_serial"] = "DEMOPF3X1235"
    answer = run(write(tmp_path, certificate))
    assert (answer.returncode, answer.stderr) == (1, "")
    assert answer.stdout == "NOT VALID: entry 2 is not in the log: it or the facts were altered\n"


@pytest.mark.parametrize("whole", [[], "x", 5, None, True, {}, [{}]])
def test_json_that_is_no_certificate_is_refused(whole: Any) -> None:
    refused(whole)


# Certificates that only a dishonest log could bear out


def signed(log: Log, *allocs: int, facts: dict[str, str | int] = FACTS) -> Certificate:
    return make_certificate(log, *allocs, facts=facts)


def test_a_log_that_gives_the_same_grams_twice_to_one_certificate_is_refused() -> None:
    facts = {**FACTS, "amount_g": 20}
    commitment = commit(facts, NONCE)
    retire = make_vector().entries[0]
    refused(
        signed(Log([retire, Alloc(0, 0, 10, commitment), Alloc(0, 5, 15, commitment)]), 1, 2, facts=facts)
    )
    refused(
        signed(Log([retire, Alloc(0, 0, 10, commitment), Alloc(0, 0, 10, commitment)]), 1, 2, facts=facts)
    )
    accepted(
        signed(Log([retire, Alloc(0, 0, 10, commitment), Alloc(0, 10, 20, commitment)]), 1, 2, facts=facts)
    )


def test_two_retire_entries_of_the_same_credits_are_refused() -> None:
    facts = {**FACTS, "amount_g": 20}
    commitment = commit(facts, NONCE)
    retires = [Retire("CAR", PREFIX, 1, 2, date(2026, 1, 1)), Retire("CAR", PREFIX, 2, 3, date(2026, 1, 1))]
    entries = [*retires, Alloc(0, 1_000_000, 1_000_010, commitment), Alloc(1, 0, 10, commitment)]
    refused(signed(Log(entries), 2, 3, facts=facts))
    apart = [*retires, Alloc(0, 0, 10, commitment), Alloc(1, 1_000_000, 1_000_010, commitment)]
    accepted(signed(Log(apart), 2, 3, facts=facts))


def test_grams_that_were_given_out_before_they_were_retired_are_refused() -> None:
    log = Log([Alloc(1, 1_500_000, 2_008_000, commit(FACTS, NONCE)), make_vector().entries[0]])
    refused(signed(log, 0))


def test_grams_beyond_the_retirement_are_refused_though_the_log_has_them() -> None:
    facts = {**FACTS, "amount_g": 2}
    retire = Retire("CAR", PREFIX, 1, 1, date(2026, 1, 1))
    refused(signed(Log([retire, Alloc(0, 999_999, 1_000_001, commit(facts, NONCE))]), 1, facts=facts))
    accepted(signed(Log([retire, Alloc(0, 999_998, 1_000_000, commit(facts, NONCE))]), 1, facts=facts))


def test_parts_that_name_two_checkpoints_are_refused() -> None:
    log, certificate = make_two_parts()
    older = make_certificate(log, 2, 4, facts=certificate["facts"], size=6)
    accepted(older)
    certificate["parts"][1] = older["parts"][1]
    refused(certificate)


def test_a_log_that_another_key_signed_is_refused() -> None:
    stranger = Log(make_vector().entries, signer=Signer(ORIGIN, bytes(32)))
    certificate = make_certificate(stranger, 2)
    accepted(certificate, key=str(stranger.signer.key))
    refused(certificate)


def test_an_entry_that_is_not_in_the_log_is_refused_with_another_entrys_path() -> None:
    log = make_vector()
    certificate = make_certificate(log, 2)
    forged = Alloc(0, 0, 508_000, commit(FACTS, NONCE))
    proof = parse_proof(certificate["parts"][0]["alloc_proof"])
    certificate["parts"][0].update(
        from_g=forged.from_g, to_g=forged.to_g, alloc_proof=str(Proof(1, proof.path, proof.checkpoint))
    )
    refused(certificate)


# Ed25519 of the tool


def test_the_tools_ed25519_agrees_with_the_library_on_true_and_altered_signatures() -> None:
    for seed in range(6):
        signer = Signer(ORIGIN, bytes([seed]) * 32)
        body = Checkpoint(ORIGIN, seed, bytes(32)).body.encode()
        signature = signer._private.sign(body)
        assert tool.is_signed(signer.key.public, body, signature)
        assert not tool.is_signed(signer.key.public, body + b"x", signature)
        assert not tool.is_signed(SIGNER.key.public if seed else bytes(32), body, signature)
        for place in (0, 31, 32, 63):
            altered = bytes(b ^ (i == place) for i, b in enumerate(signature))
            assert not tool.is_signed(signer.key.public, body, altered)
    scalar = int.from_bytes(signature[32:], "little") + tool.ORDER  # the same signature in a second form
    assert not tool.is_signed(signer.key.public, body, signature[:32] + scalar.to_bytes(32, "little"))
    assert not tool.is_signed(signer.key.public, body, signature[:-1])
    assert not tool.is_signed(b"\xff" * 32, body, signature)


# Files


def test_a_pdf_is_checked_by_the_file_that_it_carries(tmp_path: Path) -> None:
    if not shutil.which("fc-match"):
        pytest.skip("needs fontconfig and fonts-inter")
    content = json.dumps(make_certificate(make_vector(), 2)).encode()
    pdf = rendering.render_pdf(
        pages=["<html lang=en><head><title>x</title></head><body>x</body></html>"],
        certificate_json=content,
        issued_at=datetime(2026, 11, 24, tzinfo=UTC),
        identifier=b"x" * 16,
    )
    path = tmp_path / "certificate.pdf"
    path.write_bytes(pdf)
    answer = run(path)
    assert (answer.returncode, answer.stdout.splitlines()[0]) == (0, "valid: certificate DEMO-7Q2M")
    path.write_bytes(re.sub(rb"/EmbeddedFile\b", b"/EmbeddedFilx", pdf))
    assert run(path).returncode == 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"{",
        b"[" * 100_000,
        b'{"facts": {}, "facts": {}}',
        b"%PDF-1.7 nothing inside",
        b"%PDF-1.7 /EmbeddedFile /FlateDecode >> stream\nnot deflated",
        b"%PDF-1.7 /EmbeddedFile",
        b'{"facts": {"amount_g": ' + b"9" * 5000 + b"}}",
    ],
)
def test_a_file_that_does_not_read_ends_with_2_and_no_traceback(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    answer = run(path)
    assert (answer.returncode, answer.stderr) == (2, "")
    assert answer.stdout.startswith("not read:")


def test_a_key_that_does_not_read_and_a_missing_file_end_with_2(tmp_path: Path) -> None:
    path = write(tmp_path, make_certificate(make_vector(), 2))
    assert run(path, KEY.replace("d0ab4ba6", "d0ab4ba7")).returncode == 2
    assert run(path, "nonsense").returncode == 2
    assert run(tmp_path / "missing").returncode == 2


def test_no_arguments_explain_the_tool() -> None:
    answer = subprocess.run([sys.executable, "-I", TOOL], capture_output=True, text=True)
    assert answer.returncode == 2
    assert "Usage: python3 -I tools/verify_certificate.py FILE KEY" in answer.stdout


def test_facts_cannot_steer_the_readers_terminal(tmp_path: Path) -> None:
    facts = {**FACTS, "product": "x\x1b[2J\nvalid: certificate FAKE\u202e"}
    log = Log([make_vector().entries[0], Alloc(0, 0, 508_000, commit(facts, NONCE))])
    answer = run(write(tmp_path, make_certificate(log, 1, facts=facts)))
    assert answer.returncode == 0
    assert len([line for line in answer.stdout.splitlines() if line.startswith("valid")]) == 1
    assert "\x1b" not in answer.stdout
    assert "\u202e" not in answer.stdout
