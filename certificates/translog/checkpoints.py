"""Checkpoints: size and root of the log, signed (C2SP tlog-checkpoint, Ed25519).

The text is `origin`, size and base64 root, a line each; an empty line; then one line per signature. Lines of
other signers, such as witnesses, may stand beside ours and are left alone.
"""

import hashlib
import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from certificates.translog.merkle import HASH_BYTES

_ALGORITHM = b"\x01"  # Ed25519
_ORIGIN = re.compile(r"[!-*,-~]{1,240}", re.ASCII)  # printable, no blank, no plus
_SIZE = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_DASH = "\u2014"
MAX_SIGNATURES = 16


class BrokenCheckpoint(ValueError):
    """This is no checkpoint, or not one that the known key has signed."""


class BrokenKey(ValueError):
    """This text or these bytes are no key."""


@dataclass(frozen=True)
class Checkpoint:
    """Size and root of a log."""

    origin: str
    size: int
    root: bytes

    @property
    def body(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


@dataclass(frozen=True)
class LogKey:
    """The public key of a log, published as `origin+keyid+key`."""

    origin: str
    public: bytes

    def __post_init__(self) -> None:
        if not _ORIGIN.fullmatch(self.origin):
            raise BrokenKey("An origin has no blank and no plus sign.")
        if len(self.public) != HASH_BYTES:
            raise BrokenKey("An Ed25519 key has 32 bytes.")

    @property
    def id(self) -> bytes:
        return hashlib.sha256(self.origin.encode() + b"\n" + _ALGORITHM + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.origin}+{self.id.hex()}+{b64encode(_ALGORITHM + self.public).decode()}"


def parse_key(text: str) -> LogKey:
    """The key that `str(key)` wrote. Raises BrokenKey."""
    parts = text.strip().split("+", 2)
    if len(parts) != 3:
        raise BrokenKey("A key reads origin+keyid+key.")
    try:
        raw = _from_base64(parts[2])
    except BrokenCheckpoint as error:
        raise BrokenKey(str(error)) from error
    if raw[:1] != _ALGORITHM:
        raise BrokenKey("The key is not Ed25519.")
    key = LogKey(parts[0], raw[1:])
    if key.id.hex() != parts[1]:
        raise BrokenKey("The key's id does not belong to it.")
    return key


@dataclass(frozen=True)
class Signer:
    """Signs checkpoints of one log, and nothing else."""

    origin: str
    seed: bytes

    @property
    def key(self) -> LogKey:
        """What is published of it."""
        return LogKey(self.origin, self._private.public_key().public_bytes_raw())

    @property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    def sign(self, checkpoint: Checkpoint) -> str:
        """The checkpoint as published. Raises BrokenCheckpoint for that of another log."""
        if checkpoint.origin != self.origin:
            raise BrokenCheckpoint(f"This key signs {self.origin}, not {checkpoint.origin}.")
        signature = self.key.id + self._private.sign(checkpoint.body.encode())
        return f"{checkpoint.body}\n{_DASH} {self.origin} {b64encode(signature).decode()}\n"


def open_checkpoint(text: str, key: LogKey) -> Checkpoint:
    """The checkpoint, when `key` has signed it. Raises BrokenCheckpoint."""
    body, separator, signatures = text.partition("\n\n")
    lines = signatures.split("\n")
    if not separator or lines.pop() != "" or not 0 < len(lines) <= MAX_SIGNATURES:
        raise BrokenCheckpoint("A checkpoint has a body, an empty line and signatures.")
    checkpoint = _parse_body(f"{body}\n")
    if checkpoint.origin != key.origin:
        raise BrokenCheckpoint(f"The checkpoint is of {checkpoint.origin}, not of {key.origin}.")
    if not any(_is_signed(line, checkpoint, key) for line in lines):
        raise BrokenCheckpoint("The known key has not signed this checkpoint.")
    return checkpoint


def _parse_body(body: str) -> Checkpoint:
    lines = body.split("\n")
    if len(lines) != 4 or not _ORIGIN.fullmatch(lines[0]) or not _SIZE.fullmatch(lines[1]):
        raise BrokenCheckpoint("The body of a checkpoint is origin, size and root.")
    root = _from_base64(lines[2])
    if len(root) != HASH_BYTES:
        raise BrokenCheckpoint("A root has 32 bytes.")
    return Checkpoint(lines[0], int(lines[1]), root)


def _is_signed(line: str, checkpoint: Checkpoint, key: LogKey) -> bool:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != _DASH:
        raise BrokenCheckpoint("A line of a signature is a dash, a name and the signature.")
    signature = _from_base64(parts[2])
    if parts[1] != key.origin or signature[:4] != key.id:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature[4:], checkpoint.body.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def _from_base64(text: str) -> bytes:
    """Bytes of base64 in its one form. Raises BrokenCheckpoint."""
    try:
        data = b64decode(text, validate=True)
    except (Base64Error, ValueError) as error:
        raise BrokenCheckpoint(f"{text[:60]!r} is not base64.") from error
    if b64encode(data).decode() != text:
        raise BrokenCheckpoint(f"{text[:60]!r} is not the one form that base64 gives it.")
    return data
