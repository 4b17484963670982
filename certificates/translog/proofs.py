"""A proof that an entry is in the log of a checkpoint, as text (C2SP tlog-proof)."""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass

from certificates.translog.merkle import HASH_BYTES, BrokenProof

HEADER = "c2sp.org/tlog-proof@v1"
MAX_HASHES = 63
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,17})", re.ASCII)


@dataclass(frozen=True)
class Proof:
    """Index, inclusion path and the checkpoint verbatim."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: str

    def __str__(self) -> str:
        hashes = "".join(f"{b64encode(value).decode()}\n" for value in self.path)
        return f"{HEADER}\nindex {self.index}\n{hashes}\n{self.checkpoint}"


def parse_proof(text: str) -> Proof:
    """The proof that `str(proof)` wrote. Raises BrokenProof."""
    head, separator, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    index = _INDEX.fullmatch(lines[1]) if len(lines) > 1 else None
    if not separator or lines[0] != HEADER or index is None or len(lines) - 2 > MAX_HASHES:
        raise BrokenProof("This is not the text of a proof.")
    return Proof(int(index[1]), tuple(_hash(line) for line in lines[2:]), checkpoint)


def _hash(line: str) -> bytes:
    try:
        value = b64decode(line, validate=True)
    except (Base64Error, ValueError) as error:
        raise BrokenProof(f"{line[:60]!r} is not base64.") from error
    if len(value) != HASH_BYTES or b64encode(value).decode() != line:
        raise BrokenProof(f"{line[:60]!r} is not a hash of 32 bytes.")
    return value
