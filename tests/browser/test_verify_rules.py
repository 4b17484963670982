"""The program of /verify/ follows the tool, rule by rule: they agree on every certificate and signature."""

import hashlib
import json
import random
from datetime import date
from typing import Any

import pytest
from playwright.sync_api import Page

from certificates.commitment import commit
from certificates.translog.checkpoints import Checkpoint, Signer
from certificates.translog.entries import Alloc, Retire
from tests.browser.shop import Shop
from tests.certificates.test_verifying import ALTERATIONS, keys_of_both, of_two_keys, tool
from tests.factories.translog import (
    FACTS,
    KEY,
    NONCE,
    ORIGIN,
    PREFIX,
    SIGNER,
    Log,
    make_certificate,
    make_two_parts,
    make_vector,
)

VERDICTS = """async ([key, texts]) => {
  const { NotValid, readKey, verify } = await import("/static/js/verify/certificate.js");
  const { readCertificate, Unreadable } = await import("/static/js/verify/file.js");
  const known = await Promise.all(key.split(/\\s+/).map(readKey));
  const verdict = async (text) => {
    try {
      await verify(await readCertificate(new File([text], "certificate.json")), known);
      return "valid";
    } catch (error) {
      if (error instanceof NotValid || error instanceof Unreadable) return error.code;
      throw error;
    }
  };
  return Promise.all(texts.map(verdict));
}"""
SIGNED = """async (cases) => {
  const { isSigned } = await import("/static/js/verify/ed25519.js");
  const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  return Promise.all(cases.map((parts) => isSigned(...parts.map(bytes))));
}"""


@pytest.fixture
def rules_page(shop: Shop, page: Page) -> Page:
    """A page that may load the program."""
    page.goto(f"{shop.url}/verify/")
    return page


def vector() -> dict[str, Any]:
    return make_certificate(make_vector(), 2)


def dump(certificate: Any) -> bytes:
    return json.dumps(certificate, ensure_ascii=False).encode()


def tools_verdict(text: bytes, keys: str = KEY) -> bool:
    """Whether the tool finds the file valid, as it reads it from a disk."""
    try:
        certificate = json.loads(text.decode("utf-8"), object_pairs_hook=tool.without_doubles)
        tool.verify(certificate, tool.read_keys([keys]))
    except (tool.NotValid, ValueError, RecursionError):
        return False
    return True


HONEST = {"two allocations", "credits apart", "just inside", "day that is one", "facts by hand"}


def of_logs() -> dict[str, bytes]:
    """What a signed log proves that breaks its own rules, each beside an honest twin."""
    facts: dict[str, str | int] = {**FACTS, "amount_g": 20}
    mine, first = commit(facts, NONCE), make_vector().entries[0]
    again = Retire("CAR", PREFIX, 980783, 980784, date(2026, 1, 1))
    last_g, stranger = 2_506_000_000, bytes(32)
    logs: dict[str, tuple[Log, tuple[int, ...]]] = {
        "two allocations": (Log([first, Alloc(0, 0, 10, mine), Alloc(0, 10, 20, mine)]), (1, 2)),
        "same grams": (Log([first, Alloc(0, 0, 10, mine), Alloc(0, 0, 10, mine)]), (1, 2)),
        "overlap": (Log([first, Alloc(0, 0, 10, mine), Alloc(0, 9, 19, mine)]), (2, 1)),
        "same credits": (
            Log([first, again, Alloc(0, last_g - 10**6, last_g - 10**6 + 10, mine), Alloc(1, 0, 10, mine)]),
            (2, 3),
        ),
        "credits apart": (
            Log([first, again, Alloc(0, 0, 10, mine), Alloc(1, 1_000_000, 1_000_010, mine)]),
            (2, 3),
        ),
        "before": (Log([Alloc(1, 0, 20, mine), first]), (0,)),
        "beyond": (Log([first, Alloc(0, last_g - 19, last_g + 1, mine)]), (1,)),
        "just inside": (Log([first, Alloc(0, last_g - 20, last_g, mine)]), (1,)),
        "too little": (Log([first, Alloc(0, 0, 19, mine)]), (1,)),
        "other key": (Log([first, Alloc(0, 0, 20, mine)], signer=Signer(ORIGIN, stranger)), (1,)),
        "other log": (Log([first, Alloc(0, 0, 20, mine)], signer=Signer("log.other/1", stranger)), (1,)),
    }
    for name, credits, day in (
        ("day that is one", 2506, "2024-02-29"),
        ("day that is none", 2506, "2026-02-29"),
        ("year that is none", 2506, "0000-02-29"),
        ("credits that differ", 2507, "2024-02-29"),
    ):
        log = Log()
        log.add_bytes(f"clearline/1 retire\nCAR\n{PREFIX}978278 to 980783\n{credits}\n{day}\n".encode())
        log.entries.append(first)
        log.add(Alloc(0, 0, 20, mine))
        logs[name] = (log, (1,))
    texts = {name: dump(make_certificate(log, *places, facts=facts)) for name, (log, places) in logs.items()}
    texts |= {f"facts {name}": dump(committed(each)) for name, each in odd_facts(facts).items()}
    log, two = make_two_parts()
    two["parts"][1] = make_certificate(log, 2, 4, facts=two["facts"], size=6)["parts"][1]
    return {**texts, "two checkpoints": dump(two)}


def odd_facts(facts: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Facts that a log could commit to, though they are none."""
    lacking = {name: value for name, value in facts.items() if name != "wording"}
    odd = (
        {"größe": "x"},
        {"extra": 2**53},
        {"extra": -(2**53)},
        {"extra": True},
        {"extra": None},
        {"extra": [1]},
    )
    return {"by hand": facts, "lacking": lacking, **{str(each): {**facts, **each} for each in odd}}


def committed(facts: dict[str, Any]) -> dict[str, Any]:
    """A certificate on these facts whatever they are, from a log that committed to them."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    digest = hashlib.sha256(b"clearline/1 cert\n" + NONCE + text.encode()).digest()
    return make_certificate(Log([make_vector().entries[0], Alloc(0, 0, 20, digest)]), 1, facts=facts)


def texts_to_judge() -> dict[str, bytes]:
    """True certificates, every alteration, unusual JSON, and certificates with one character changed."""
    texts = {"vector": dump(vector()), "two parts": dump(make_two_parts()[1]), **of_logs()}
    for way, alter in ALTERATIONS.items():
        certificate = vector()
        alter(certificate)
        texts[way] = dump(certificate)
    plain = dump(vector()).decode()
    unusual: list[dict[str, str | int]] = [
        {"extra": -5, "empty": ""},
        {"product": 'Zoë "Ω" \\ \n\t\x01\x7f Ж \U0001f600 \u2028 </script>'},
    ]
    for facts in unusual:
        every = {**FACTS, **facts}
        log = Log([make_vector().entries[0], Alloc(0, 0, 508_000, commit(every, NONCE))])
        texts[f"facts {facts}"] = dump(make_certificate(log, 1, facts=every))
        texts[f"escaped {facts}"] = json.dumps(make_certificate(log, 1, facts=every)).encode()
    for before, after in (
        ('"from_g": 1500000', '"from_g": 1.5e6'),
        ('"from_g": 1500000', '"from_g": 01500000'),
        ('"from_g": 1500000', '"from_g": +1500000'),
        ('"from_g": 1500000', '"from_g": 1500000, "from_g": 1500000'),
        ('"from_g": 1500000', '"from_g": 18446744073711051616'),
        ('"from_g": 1500000', '"from_g": NaN'),
        ('"amount_g": 508000', '"amount_g": 9007199254740993'),
        ('"amount_g": 508000', '"amount_g": -0'),
        ('"amount_g"', '"\\u0061mount_g"'),
        ("Lenovo", "Lenovo\\ud800"),
        ("Lenovo", "Lenovo\x01"),
        ('"facts"', '"facts": {}, "facts"'),
        ('"nonce"', '"__proto__": {}, "nonce"'),
        ("}", "}\n \t\r", ),
        ("}]}", "}],}"),
        ("}]}", "}]}x"),
        ("{", "\ufeff{"),
        ("'", '"'),
    ):  # fmt: skip
        texts[f"{before} {after}"] = plain.replace(before, after, 1).encode()
    chance = random.Random(5)
    for number in range(300):
        place = chance.randrange(len(plain))
        changed = plain[:place] + chance.choice('0159af",:{}[]\\nAZ=+/ ') + plain[place + 1 :]
        texts[f"chance {number}"] = changed.encode()
    return texts


def test_page_and_tool_agree_on_every_certificate(rules_page: Page) -> None:
    texts = texts_to_judge()
    said = rules_page.evaluate(VERDICTS, [KEY, [text.decode() for text in texts.values()]])
    by_page = {name: verdict == "valid" for name, verdict in zip(texts, said, strict=True)}
    by_tool = {name: tools_verdict(text) for name, text in texts.items()}
    assert [name for name in texts if by_page[name] != by_tool[name]] == []
    assert [name for name in {"vector", "two parts"} | HONEST if not by_page[name]] == []
    assert [name for name in (ALTERATIONS.keys() | of_logs().keys()) - HONEST if by_page[name]] == []
    assert len(set(said)) > 15  # refused for many reasons


def test_page_and_tool_agree_on_a_log_of_two_keys(rules_page: Page) -> None:
    texts = {what: dump(certificate) for what, (_valid, certificate) in of_two_keys().items()}
    said = rules_page.evaluate(VERDICTS, [keys_of_both(), [text.decode() for text in texts.values()]])
    assert [tools_verdict(text, keys_of_both()) for text in texts.values()] == [
        one == "valid" for one in said
    ]
    assert dict(zip(texts, said, strict=True)) == {
        what: "valid" if valid else "ended_key" for what, (valid, _certificate) in of_two_keys().items()
    }


def test_page_and_tool_agree_on_every_signature(rules_page: Page) -> None:
    cases: list[tuple[bytes, bytes, bytes]] = []
    for seed in range(3):
        signer = Signer(ORIGIN, bytes([seed]) * 32)
        body = Checkpoint(ORIGIN, seed, bytes(32)).body.encode()
        signature, public = signer._private.sign(body), signer.key.public
        scalar = int.from_bytes(signature[32:], "little") + tool.ORDER  # a second form of the same
        cases += [
            (public, body, signature),
            (public, body + b"x", signature),
            (SIGNER.key.public, body, signature),
        ]
        cases += [
            (public, body, signature[:32] + scalar.to_bytes(32, "little")),
            (public, body, signature[:-1]),
        ]
        cases += [
            (public, body, bytes(b ^ (i == place) << bit for i, b in enumerate(signature)))
            for place, bit in ((0, 0), (31, 7), (32, 0), (63, 4), (63, 7))
        ]
    odd = [bytes(32), b"\x01" + bytes(31), b"\xff" * 32, (tool.P + 1).to_bytes(32, "little")]
    odd += [(1 | 1 << 255).to_bytes(32, "little"), (tool.P - 1).to_bytes(32, "little")]
    cases += [(key, b"m", point + bytes(32)) for key in odd for point in odd]
    by_page = rules_page.evaluate(SIGNED, [[part.hex() for part in case] for case in cases])
    assert by_page == [tool.is_signed(*case) for case in cases]
    assert by_page[0]
    assert 3 <= sum(by_page) < len(cases)
