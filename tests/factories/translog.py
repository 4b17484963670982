"""A small log in memory with a key of its own, and certificates that it bears out. Pure."""

from base64 import b64decode
from collections.abc import Sequence
from datetime import date
from typing import Any

from certificates.commitment import commit
from certificates.translog.checkpoints import Checkpoint, Signer
from certificates.translog.entries import Alloc, Entry, Retire, Reverse
from certificates.translog.keyring import next_origin
from certificates.translog.merkle import Tree, leaf_hash
from certificates.translog.proofs import Proof

ORIGIN = "log.clearline.example/1"
SIGNER = Signer(ORIGIN, bytes(range(32)))
KEY = str(SIGNER.key)
NONCE = bytes(range(0x20, 0x40))
PREFIX = "DEMO-CAR-1-US-1480-46-1156-FL-2024-8287-"
RETIRED = Retire("CAR", PREFIX, 978278, 980783, date(2026, 2, 5))
FACTS: dict[str, str | int] = {
    "amount_g": 508000,
    "certificate": "DEMO-7Q2M",
    "device_serial": "DEMOPF3X1234",
    "manufacturer": "Lenovo",
    "product": "ThinkPad X1 Carbon Gen 9",
    "wording": "eu-consumer-en-3",
}
OTHER = bytes(32)
VECTOR_OTHER = "2SmKENGwc1g33EvYXaxkGw887yekfl1TpU8vP1svz/o="


class Log:
    """Entries in their order, and checkpoints of any size."""

    def __init__(self, entries: Sequence[Entry] = (), *, signer: Signer = SIGNER) -> None:
        self.signer, self.tree = signer, Tree()
        self.entries: list[Entry] = []
        self.data: list[bytes] = []
        for entry in entries:
            self.add(entry)

    def add(self, entry: Entry) -> int:
        """Append an entry; its index."""
        self.entries.append(entry)
        return self.add_bytes(entry.encode())

    def add_bytes(self, data: bytes) -> int:
        """Append whatever these bytes are; their index."""
        self.data.append(data)
        self.tree.append(leaf_hash(data))
        return len(self.tree) - 1

    def checkpoint(self, size: int | None = None) -> str:
        size = len(self.tree) if size is None else size
        return self.signer.sign(Checkpoint(self.signer.origin, size, self.tree.root(size)))

    def proof(self, index: int, size: int | None = None) -> str:
        size = len(self.tree) if size is None else size
        return str(Proof(index, tuple(self.tree.inclusion(index, size)), self.checkpoint(size)))


def make_certificate(
    log: Log, *allocs: int, facts: dict[str, str | int] = FACTS, nonce: bytes = NONCE, size: int | None = None
) -> dict[str, Any]:
    """`certificate.json` whose parts are these entries of the log."""
    parts = []
    for index in allocs:
        alloc = log.entries[index]
        assert isinstance(alloc, Alloc)
        parts.append(
            {
                "retire": log.data[alloc.retire].decode(),
                "retire_proof": log.proof(alloc.retire, size),
                "from_g": alloc.from_g,
                "to_g": alloc.to_g,
                "alloc_proof": log.proof(index, size),
            }
        )
    return {"facts": dict(facts), "nonce": nonce.hex(), "parts": parts}


def rotated(log: Log, *, seed: int = 7) -> Log:
    """The same entries under the next key, whose origin names the log as it is now."""
    origin = next_origin(log.signer.origin, size=len(log.tree), root=log.tree.root())
    return Log(log.entries, signer=Signer(origin, bytes([seed]) * 32))


def make_vector() -> Log:
    """The log of the design's test vector: a retirement and two allocations."""
    return Log(
        [
            RETIRED,
            Alloc(0, 0, 1_500_000, b64decode(VECTOR_OTHER)),
            Alloc(0, 1_500_000, 2_008_000, commit(FACTS, NONCE)),
        ]
    )


def make_two_parts() -> tuple[Log, dict[str, Any]]:
    """A certificate that takes a surplus first, then grams of another retirement, in a longer log."""
    facts = {**FACTS, "amount_g": 1_400_000}
    commitment = commit(facts, NONCE)
    log = Log(
        [
            RETIRED,
            Alloc(0, 0, 2_505_600_000, OTHER),
            Alloc(0, 2_505_600_000, 2_506_000_000, commitment),
            Retire("CAR", PREFIX, 981084, 982961, date(2026, 3, 10)),
            Alloc(3, 0, 1_000_000, commitment),
            Alloc(3, 1_000_000, 1_500_000, OTHER),
            Reverse(5),
        ]
    )
    return log, make_certificate(log, 2, 4, facts=facts)
