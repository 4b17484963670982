#!/usr/bin/env python3
"""Check one certificate against the log's public key, offline. Standard library only; one file.

Usage: python3 -I tools/verify_certificate.py FILE KEY [KEY...]
FILE is certificate.json, or the PDF that carries it; KEY is the log's key, origin+keyid+key. A log that was
given a new key has several: the certificate is checked with the one of its checkpoint.
Prints what is proven and ends with 0; 1 when the certificate is not valid, 2 when FILE or KEY do not read.

It proves, as of the checkpoint: the registry's retirement is in the log, these grams of it were given to
this certificate, they add up to its amount, and its facts are the ones that were committed to. It proves
neither the quality of the credits nor that the registry holds the retirement, nor that nothing was entered
in the log since: audit_log.py reads the whole log.
"""

import base64
import binascii
import hashlib
import json
import re
import sys
import zlib
from datetime import date
from pathlib import Path

GRAMS_PER_CREDIT = 1_000_000
MAX_BYTES = 20_000_000
MAX_PARTS = 10_000
REQUIRED_FACTS = ("amount_g", "certificate", "device_serial", "manufacturer", "product", "wording")
NUM = "(?:0|[1-9][0-9]{0,17})"
RETIRE = re.compile(
    "clearline/1 retire\n([!-~]{1,40})\n([!-~]{0,200}-)"
    f"({NUM}) to ({NUM})\n({NUM})\n([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})\n",
    re.ASCII,
)
LATER_ORIGIN = re.compile(f"(.+)/([1-9][0-9]{{0,5}})/({NUM})/([0-9a-f]{{64}})", re.ASCII)
DASH = "\u2014"


class Unreadable(Exception):
    """The file or the key is none."""


class NotValid(Exception):
    """The log does not bear the certificate out."""


def demand(condition, problem):
    if not condition:
        raise NotValid(problem)


# Ed25519 after RFC 8032

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def decode_point(data):
    """Extended coordinates of 32 bytes; None when they are no point in its one form."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * ROOT_OF_MINUS_ONE % P
    if x * x % P != square or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def add(one, other):
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c = 2 * one[3] * other[3] * D % P
    d = 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def same_point(one, other):
    return (one[0] * other[2] - other[0] * one[2]) % P == 0 and (
        one[1] * other[2] - other[1] * one[2]
    ) % P == 0


BASE = decode_point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def is_signed(public, message, signature):
    """Whether the 64 bytes are this key's signature of the message."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, commitment = decode_point(public), decode_point(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or scalar >= ORDER:
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    challenge = int.from_bytes(digest, "little") % ORDER
    return same_point(multiply(scalar, BASE), add(commitment, multiply(challenge, key)))


# The log: key, checkpoint, proofs


def from_base64(text, length=None):
    """Bytes of base64 in its one form."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotValid(f"{text[:60]!r} is not base64") from error
    demand(base64.b64encode(data).decode() == text, f"{text[:60]!r} is not the one form that base64 gives it")
    demand(length in (None, len(data)), f"{text[:60]!r} has {len(data)} bytes, not {length}")
    return data


def read_key(text):
    """(origin, key id, public key) of the log's key."""
    try:
        origin, key_id, encoded = text.strip().split("+", 2)
        raw = from_base64(encoded, 33)
    except (ValueError, NotValid) as error:
        raise Unreadable(f"the key does not read: {error}") from error
    if raw[:1] != b"\x01" or hashlib.sha256(origin.encode() + b"\n" + raw).hexdigest()[:8] != key_id:
        raise Unreadable("the key's id does not belong to it")
    return origin, bytes.fromhex(key_id), raw[1:]


def read_keys(texts):
    """The keys of a log: what `/log/key` lists, or those that were given one by one."""
    keys = [read_key(line) for text in texts for line in text.split()]
    if not keys:
        raise Unreadable("there is no key")
    return keys


def end_of(origin, keys):
    """(size, root) with which this log ended, where a later key's origin, BASE/N/SIZE/ROOT, names it."""
    for later, _key_id, _public in keys:
        match = LATER_ORIGIN.fullmatch(later)
        former = f"{match[1]}/{int(match[2]) - 1}" if match else None
        if former and (origin.startswith(f"{former}/") or (former.endswith("/1") and origin == former)):
            return int(match[3]), bytes.fromhex(match[4])
    return None


def open_checkpoint(text, keys):
    """(size, root) of a checkpoint that the key of its log has signed, and no later than that key ended."""
    origin = text.partition("\n")[0]
    known = [key for key in keys if key[0] == origin]
    demand(known, f"the checkpoint is of {origin[:200]!r}, and the key of {[key[0] for key in keys]}")
    size, root = signed_by(text, known)
    end = end_of(origin, keys)
    within = end is None or size < end[0] or (size, root) == end
    demand(within, f"{origin} ended with {end and end[0]} entries, and this checkpoint has {size}")
    return size, root


def signed_by(text, keys):
    """(size, root) of a checkpoint that one of these keys has signed; they are of its log."""
    body, separator, signatures = text.partition("\n\n")
    lines, signed = body.split("\n"), signatures.split("\n")
    demand(separator and signed.pop() == "" and 0 < len(signed) <= 16, "the checkpoint has no signature")
    demand(len(lines) == 3 and re.fullmatch(NUM, lines[1], re.ASCII), "the checkpoint is not three lines")
    root = from_base64(lines[2], 32)
    for line in signed:
        parts = line.split(" ")
        demand(len(parts) == 3 and parts[0] == DASH, "a signature is a dash, a name and 68 bytes")
        signature = from_base64(parts[2])
        for origin, key_id, public in keys:
            ours = parts[1] == origin and signature[:4] == key_id
            if ours and is_signed(public, f"{body}\n".encode(), signature[4:]):
                return int(lines[1]), root
    raise NotValid("the key has not signed the checkpoint")


def read_proof(text):
    """(index, path, checkpoint) of a proof."""
    head, separator, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    index = re.fullmatch(f"index ({NUM})", lines[1], re.ASCII) if len(lines) > 1 else None
    known = separator and lines[0] == "c2sp.org/tlog-proof@v1" and len(lines) <= 65
    demand(known and index, "this is not the text of a proof")
    return int(index[1]), [from_base64(line, 32) for line in lines[2:]], checkpoint


def root_of_path(entry, index, size, path):
    """The root that a proof of inclusion leads to (RFC 9162, 2.1.3.2)."""
    demand(index < size, f"a log of {size} has no entry {index}")
    value, place, last = hashlib.sha256(b"\x00" + entry).digest(), index, size - 1
    for sibling in path:
        demand(last > 0, "the proof is too long")
        if place % 2 or place == last:
            value = hashlib.sha256(b"\x01" + sibling + value).digest()
            while place and not place % 2:
                place, last = place >> 1, last >> 1
        else:
            value = hashlib.sha256(b"\x01" + value + sibling).digest()
        place, last = place >> 1, last >> 1
    demand(last == 0, "the proof is too short")
    return value


# One certificate


def commitment_of(facts, nonce):
    """SHA-256 over tag, nonce and the facts in their canonical form (RFC 8785)."""
    demand(isinstance(facts, dict), "there are no facts")
    for name, value in facts.items():
        small = type(value) is int and abs(value) < 2**53
        demand(name.isascii() and (small or type(value) is str), f"{name!r} is no fact")
    demand(isinstance(nonce, str) and re.fullmatch("[0-9a-f]{64}", nonce), "the nonce is not 32 bytes in hex")
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(b"clearline/1 cert\n" + bytes.fromhex(nonce) + text.encode()).digest()


def prove_part(part, commitment, checkpoint_text, size, root):
    """What one part proves; raises NotValid."""
    demand(
        set(part) == {"retire", "retire_proof", "from_g", "to_g", "alloc_proof"}, "a part has other fields"
    )
    from_g, to_g, retire = part["from_g"], part["to_g"], part["retire"]
    match = RETIRE.fullmatch(retire)
    demand(match, "the grams are of no retirement")
    registry, prefix, first, last, credits, day = match.groups()
    first, last, credits = int(first), int(last), int(credits)
    demand(last - first + 1 == credits > 0, "the range of credits and their number differ")
    date.fromisoformat(day)
    demand(type(from_g) is int and type(to_g) is int, "grams are whole numbers")
    demand(
        0 <= from_g < to_g <= credits * GRAMS_PER_CREDIT, f"[{from_g}, {to_g}) is not inside the retirement"
    )
    retire_index, retire_path, retire_checkpoint = read_proof(part["retire_proof"])
    alloc_index, alloc_path, alloc_checkpoint = read_proof(part["alloc_proof"])
    demand(retire_index < alloc_index, "the grams were given out before they were retired")
    one = retire_checkpoint == alloc_checkpoint == checkpoint_text
    demand(one, "the parts name more than one checkpoint")
    encoded = base64.b64encode(commitment).decode()
    alloc = f"clearline/1 alloc\n{retire_index} {from_g} {to_g}\n{encoded}\n"
    for entry, index, path in ((retire, retire_index, retire_path), (alloc, alloc_index, alloc_path)):
        found = root_of_path(entry.encode("ascii"), index, size, path)
        demand(found == root, f"entry {index} is not in the log: it or the facts were altered")
    return {
        "registry": registry,
        "prefix": prefix,
        "first_g": first * GRAMS_PER_CREDIT + from_g,
        "last_g": first * GRAMS_PER_CREDIT + to_g,
        "from_g": from_g,
        "to_g": to_g,
        "retired_on": day,
        "retire": retire_index,
        "alloc": alloc_index,
    }


def verify(certificate, keys):
    """(facts, parts, size, root) of a valid certificate, given as parsed JSON; raises NotValid."""
    try:
        demand(set(certificate) == {"facts", "nonce", "parts"}, "a certificate is facts, nonce and parts")
        facts, parts = certificate["facts"], certificate["parts"]
        commitment = commitment_of(facts, certificate["nonce"])
        demand(all(name in facts for name in REQUIRED_FACTS), "the facts are not complete")
        demand(isinstance(parts, list) and 0 < len(parts) <= MAX_PARTS, "there is no part")
        text = read_proof(parts[0]["alloc_proof"])[2]
        size, root = open_checkpoint(text, keys)
        proven = [prove_part(part, commitment, text, size, root) for part in parts]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise NotValid(f"the certificate does not read: {type(error).__name__} {error}") from error
    total = sum(part["to_g"] - part["from_g"] for part in proven)
    demand(type(facts["amount_g"]) is int and total == facts["amount_g"], "the parts are not the amount")
    demand(not overlaps(proven), "a gram counts twice")
    return facts, proven, size, root


def overlaps(parts):
    """Pairs of neighbouring parts that name the same grams of the same credits."""
    ordered = sorted(parts, key=lambda part: (part["registry"], part["prefix"], part["first_g"]))
    series = [(part["registry"], part["prefix"]) for part in ordered]
    return [
        (ordered[place], ordered[place + 1])
        for place in range(len(ordered) - 1)
        if series[place] == series[place + 1] and ordered[place]["last_g"] > ordered[place + 1]["first_g"]
    ]


def credits_of(part):
    """The very credits of a part's grams, as the registry prints them."""
    first, last = part["first_g"] // GRAMS_PER_CREDIT, (part["last_g"] - 1) // GRAMS_PER_CREDIT
    return f"{part['prefix']}{first} to {last}"


# Files


def read_certificate(path):
    """The JSON of certificate.json, or of the one that a PDF carries."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise Unreadable(f"{path} is longer than any certificate")
        if data.startswith(b"%PDF"):
            data = attachment_of(data)
        return json.loads(data.decode("utf-8"), object_pairs_hook=without_doubles)
    except (OSError, ValueError, RecursionError) as error:
        raise Unreadable(f"{path} does not read: {error}") from error


def without_doubles(pairs):
    """An object whose names stand once; json.loads would take the last of two in silence."""
    if len({name for name, _value in pairs}) != len(pairs):
        raise ValueError("a name stands twice")
    return dict(pairs)


def attachment_of(pdf):
    """The one attached file of a PDF."""
    places = [match.start() for match in re.finditer(rb"/EmbeddedFile\b", pdf)]
    if len(places) != 1:
        raise Unreadable(f"the PDF carries {len(places)} files, not one")
    start = pdf.index(b"stream", places[0]) + len(b"stream")
    head = pdf[pdf.rfind(b" obj", 0, places[0]) : start]
    start += 2 if pdf[start : start + 2] == b"\r\n" else 1
    if b"/FlateDecode" not in head:
        return pdf[start : pdf.index(b"endstream", start)]
    try:
        return zlib.decompressobj().decompress(pdf[start:], MAX_BYTES)
    except zlib.error as error:
        raise Unreadable(f"the PDF's attachment does not read: {error}") from error


def shown(value):
    """Text that cannot steer a terminal."""
    return "".join(character if character.isprintable() else "?" for character in str(value))


def main(arguments):
    if len(arguments) < 2:
        print(__doc__)
        return 2
    try:
        certificate = read_certificate(arguments[0])
        facts, parts, size, root = verify(certificate, read_keys(arguments[1:]))
    except Unreadable as error:
        print(f"not read: {error}")
        return 2
    except NotValid as error:
        print(f"NOT VALID: {error}")
        return 1
    device = f"{facts['manufacturer']} {facts['product']}, serial {facts['device_serial']}"
    print(f"valid: certificate {shown(facts['certificate'])}")
    print(f"  {facts['amount_g']} g for {shown(device)}")
    for part in parts:
        print(
            f"  grams [{part['from_g']}, {part['to_g']}) of entry {part['retire']}, by entry {part['alloc']}"
        )
        print(f"  credits {part['registry']} {credits_of(part)}, retired on {part['retired_on']}")
    log = read_proof(certificate["parts"][0]["alloc_proof"])[2].partition("\n")[0]
    print(f"  as of checkpoint {log}, {size} entries, root {base64.b64encode(root).decode()}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
