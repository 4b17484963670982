"""Whether a `certificate.json` is borne out by the log: the rules of one certificate.

The tool that a stranger runs (tools/verify_certificate.py) follows the same rules with code of its own; one
test holds both against the same altered certificates.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from certificates.commitment import commit
from certificates.translog.checkpoints import Checkpoint
from certificates.translog.entries import Alloc, Retire, parse_entry
from certificates.translog.keyring import Keyring
from certificates.translog.merkle import leaf_hash, root_from_inclusion
from certificates.translog.proofs import Proof, parse_proof

REQUIRED_FACTS = ("amount_g", "certificate", "device_serial", "manufacturer", "product", "wording")
MAX_PARTS = 10_000


class NotValid(ValueError):
    """The log does not bear this certificate out; the message says which rule it breaks."""


@dataclass(frozen=True)
class ProvenPart:
    """Grams [from_g, to_g) of a retirement, and where the log says so."""

    retire: Retire
    retire_index: int
    alloc_index: int
    from_g: int
    to_g: int

    @property
    def credit_serials(self) -> str:
        """The very credits: first serial + g // 1,000,000."""
        first = self.retire.first + self.from_g // 1_000_000
        last = self.retire.first + (self.to_g - 1) // 1_000_000
        return f"{self.retire.prefix}{first} to {last}"


@dataclass(frozen=True)
class Verified:
    """What is proven, as of the checkpoint."""

    facts: Mapping[str, str | int]
    parts: tuple[ProvenPart, ...]
    checkpoint: Checkpoint


def verify_certificate(certificate: Any, keys: Keyring) -> Verified:
    """What this certificate proves. `certificate` is the parsed JSON. Raises NotValid."""
    try:
        facts, nonce, parts = certificate["facts"], bytes.fromhex(certificate["nonce"]), certificate["parts"]
        if certificate["nonce"] != nonce.hex() or set(certificate) != {"facts", "nonce", "parts"}:
            raise NotValid("A certificate is facts, nonce (lower-case hexadecimal) and parts, nothing else.")
        if not isinstance(parts, list) or not 0 < len(parts) <= MAX_PARTS:
            raise NotValid("There is no part.")
        if missing := [name for name in REQUIRED_FACTS if name not in facts]:
            raise NotValid(f"The facts lack {', '.join(missing)}.")
        commitment = commit(facts, nonce)
        checkpoint_text = parse_proof(parts[0]["alloc_proof"]).checkpoint
        checkpoint = keys.open(checkpoint_text)
        proven = tuple(_prove(part, commitment, checkpoint_text, checkpoint) for part in parts)
    except NotValid:
        raise
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise NotValid(str(error)) from error
    _check_amount(facts, proven)
    _check_disjoint(proven)
    return Verified(facts, proven, checkpoint)


def _prove(part: Any, commitment: bytes, text: str, checkpoint: Checkpoint) -> ProvenPart:
    """One part: both entries are in the one checkpoint, the interval lies inside the retirement."""
    if set(part) != {"retire", "retire_proof", "from_g", "to_g", "alloc_proof"}:
        raise NotValid("A part is retire, retire_proof, from_g, to_g and alloc_proof, nothing else.")
    from_g, to_g = part["from_g"], part["to_g"]
    if type(from_g) is not int or type(to_g) is not int:
        raise NotValid("Grams are whole numbers.")
    entry = part["retire"].encode("ascii")
    retire = parse_entry(entry)
    if not isinstance(retire, Retire):
        raise NotValid("The grams are of no retirement.")
    if not 0 <= from_g < to_g <= retire.grams:
        raise NotValid(f"[{from_g}, {to_g}) does not lie inside a retirement of {retire.grams} g.")
    retire_proof, alloc_proof = parse_proof(part["retire_proof"]), parse_proof(part["alloc_proof"])
    if not retire_proof.index < alloc_proof.index:
        raise NotValid("The grams were given out before they were retired.")
    alloc = Alloc(retire_proof.index, from_g, to_g, commitment).encode()
    for proof, data in ((retire_proof, entry), (alloc_proof, alloc)):
        _check_inclusion(proof, data, text, checkpoint)
    return ProvenPart(retire, retire_proof.index, alloc_proof.index, from_g, to_g)


def _check_inclusion(proof: Proof, entry: bytes, text: str, checkpoint: Checkpoint) -> None:
    if proof.checkpoint != text:
        raise NotValid("The parts name more than one checkpoint.")
    root = root_from_inclusion(leaf_hash(entry), proof.index, checkpoint.size, proof.path)
    if root != checkpoint.root:
        raise NotValid(f"Entry {proof.index} is not in the log.")


def _check_amount(facts: Mapping[str, Any], proven: tuple[ProvenPart, ...]) -> None:
    amount_g = facts["amount_g"]
    if type(amount_g) is not int or sum(part.to_g - part.from_g for part in proven) != amount_g:
        raise NotValid(f"The parts do not add up to {amount_g} g.")


def _check_disjoint(proven: tuple[ProvenPart, ...]) -> None:
    """No gram counts twice, neither of one retire entry nor of two that name the same credits."""
    intervals = defaultdict(list)
    for part in proven:
        start_g = part.retire.first * 1_000_000
        series = (part.retire.registry, part.retire.prefix)
        intervals[series].append((start_g + part.from_g, start_g + part.to_g))
    for runs in intervals.values():
        runs.sort()
        if any(end > start for (_start, end), (start, _end) in zip(runs, runs[1:], strict=False)):
            raise NotValid("A gram counts twice.")
