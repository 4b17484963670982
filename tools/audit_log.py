#!/usr/bin/env python3
"""Read a whole public log and check every rule of it. Standard library only.

Usage: python3 -I tools/audit_log.py SOURCE [--key KEY]... [--kept FILE] [--certificate FILE]...
       python3 -I tools/audit_log.py --key KEY... --certificate FILE --certificate FILE
SOURCE is the log's address, such as https://shop.example/log, or a folder that mirrors it: `key`,
`checkpoint`, `entries`, `checkpoints/SIZE`. With --kept, the checkpoint is remembered in FILE, and the log
must continue the one that FILE holds. A log that was given a new key lists every key, the newest first:
that one is KEY, and each later name of the log must name a beginning of it. Each certificate is checked too,
against the log and the others.
Ends with 0 when all holds; 1 when a rule is broken, and names the entries; 2 when something does not read.

Without SOURCE the certificates are compared with each other only: two that hold the same grams are a proof
of fraud, unless the log shows that the one was reversed before the other was given.
verify_certificate.py must lie beside this file.
"""

import argparse
import base64
import gc
import importlib.util
import re
import sys
import urllib.parse
import urllib.request
from bisect import bisect_left, insort
from datetime import date
from hashlib import sha256
from http.client import HTTPException
from itertools import islice
from pathlib import Path

CHUNK = 5_000
MAX_ANSWER_BYTES = 50_000_000
MAX_CHECKPOINTS = 1_000  # the newest that the log publishes and that no kept one covers
TIMEOUT_S = 30
WHOLE = re.compile(rb"clearline/1 (?:alloc\n[^\n]*\n[^\n]*\n|retire\n(?:[^\n]*\n){4}|reverse\n[^\n]*\n)")
LINES = {b"clearline/1 retire": 5, b"clearline/1 alloc": 3, b"clearline/1 reverse": 2}


def load_verifier():
    """The tool that checks one certificate, from the file beside this one."""
    path = Path(__file__).resolve().with_name("verify_certificate.py")
    spec = importlib.util.spec_from_file_location("verify_certificate", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


verifier = load_verifier()
NUM, GRAMS_PER_CREDIT = verifier.NUM, verifier.GRAMS_PER_CREDIT
ALLOC = re.compile(
    f"clearline/1 alloc\n({NUM}) ({NUM}) ({NUM})\n[A-Za-z0-9+/]{{42}}[AEIMQUYcgkosw048]=\n".encode()
)
REVERSE = re.compile(f"clearline/1 reverse\n({NUM})\n", re.ASCII)


class Broken(Exception):
    """A rule of the log does not hold."""


# The rules


class Book:
    """What the entries so far add up to."""

    def __init__(self):
        self.retires = {}  # index -> grams
        self.live = {}  # index of a live allocation -> (retire, from_g, to_g)
        self.intervals = {}  # index of a retirement -> sorted (from_g, to_g, index) of what is live
        self.ranges = {}  # (registry, prefix) -> sorted (first, last, index)
        self.reversed = {}  # index of an allocation -> index of the reverse

    def enter(self, index, entry):
        """Take in one entry, or raise Broken and say why it may not stand here."""
        if match := ALLOC.fullmatch(entry):
            retire, from_g, to_g = match.groups()
            self._alloc(index, int(retire), int(from_g), int(to_g))
            return
        try:
            text = entry.decode("ascii")
        except UnicodeDecodeError as error:
            raise Broken(f"entry {index} is not ASCII") from error
        if match := verifier.RETIRE.fullmatch(text):
            self._retire(index, *match.groups())
        elif match := REVERSE.fullmatch(text):
            self._reverse(index, int(match[1]))
        else:
            raise Broken(f"entry {index} has none of the three forms")

    def _retire(self, index, registry, prefix, first, last, credits, day):
        first, last, credits = int(first), int(last), int(credits)
        if not last - first + 1 == credits > 0:
            raise Broken(f"entry {index}: the range of credits and their number differ")
        try:
            date.fromisoformat(day)
        except ValueError as error:
            raise Broken(f"entry {index}: {day} is no day") from error
        runs = self.ranges.setdefault((registry, prefix), [])
        other = neighbour(runs, first, last + 1, ends_inside=1)
        if other is not None:
            raise Broken(f"entries {other} and {index} retire the same credit of {registry} {prefix}")
        insort(runs, (first, last, index))
        self.retires[index], self.intervals[index] = credits * GRAMS_PER_CREDIT, []

    def _alloc(self, index, retire, from_g, to_g):
        if retire not in self.retires:
            raise Broken(f"entry {index} gives out grams of entry {retire}, which is no earlier retirement")
        if not from_g < to_g <= self.retires[retire]:
            raise Broken(f"entry {index}: [{from_g}, {to_g}) is not inside retirement {retire}")
        runs = self.intervals[retire]
        if not runs or runs[-1][1] <= from_g:
            runs.append((from_g, to_g, index))  # behind all others, as nearly every one is
        else:
            other = neighbour(runs, from_g, to_g, ends_inside=0)
            if other is not None:
                raise Broken(
                    f"entries {other} and {index} give out the same grams of retirement {retire}: fraud"
                )
            insort(runs, (from_g, to_g, index))
        self.live[index] = (retire, from_g, to_g)

    def _reverse(self, index, alloc):
        if alloc not in self.live:
            raise Broken(f"entry {index} reverses entry {alloc}, which is no live allocation")
        retire, from_g, to_g = self.live.pop(alloc)
        runs = self.intervals[retire]
        del runs[bisect_left(runs, (from_g, to_g, alloc))]
        self.reversed[alloc] = index


def neighbour(runs, start, end, *, ends_inside):
    """The index of a run that shares anything with [start, end); `ends_inside` 1: runs include their ends."""
    place = bisect_left(runs, (start,))
    if place < len(runs) and runs[place][0] < end:
        return runs[place][2]
    if place and runs[place - 1][1] + ends_inside > start:
        return runs[place - 1][2]
    return None


class Roots:
    """Roots of the log as it grows (RFC 9162), from the complete subtrees on its right edge."""

    def __init__(self):
        self.size, self._edge = 0, {}  # level -> the subtree of 2**level leaves there

    def extend(self, entries):
        row, level = [sha256(b"\x00" + entry).digest() for entry in entries], 0
        before, self.size = self.size, self.size + len(row)
        while row:
            if before >> level & 1:
                row.insert(0, self._edge.pop(level))
            if len(row) % 2:
                self._edge[level] = row.pop()
            row = [
                sha256(b"\x01" + left + right).digest()
                for left, right in zip(row[::2], row[1::2], strict=True)
            ]
            level += 1

    def root(self):
        value = b""
        for level in sorted(self._edge):
            left = self._edge[level]
            value = sha256(b"\x01" + left + value).digest() if value else left
        return value or sha256(b"").digest()


# Where the log comes from


class Folder:
    """A mirror of a log on disk."""

    def __init__(self, path):
        self.path = Path(path)

    def text(self, name):
        return (self.path / name).read_bytes().decode("utf-8")

    def sizes(self):
        folder = self.path / "checkpoints"
        return (
            sorted(int(path.name) for path in folder.iterdir() if path.name.isdigit())
            if folder.is_dir()
            else []
        )

    def entries(self, size):
        data = split_entries((self.path / "entries").read_bytes())
        if len(data) < size:
            raise Broken(f"the mirror has {len(data)} entries, and its checkpoint says {size}")
        return iter(data[:size])


class Site:
    """A log over HTTP."""

    def __init__(self, address):
        self.address = address.rstrip("/")

    def text(self, name):
        return self._get(name).decode("utf-8")

    def sizes(self):
        return sorted(int(line) for line in self.text("checkpoints/").split() if line.isdigit())

    def entries(self, size):
        start = 0
        while start < size:
            query = urllib.parse.urlencode({"from": start, "to": min(start + CHUNK, size)})
            found = split_entries(self._get(f"entries?{query}"))
            if not 0 < len(found) <= min(CHUNK, size - start):
                raise Broken(f"the log does not give out its entries from {start}")
            yield from found
            start += len(found)

    def _get(self, name):
        with urllib.request.urlopen(f"{self.address}/{name}", timeout=TIMEOUT_S) as answer:
            data = answer.read(MAX_ANSWER_BYTES + 1)
        if len(data) > MAX_ANSWER_BYTES:
            raise verifier.Unreadable(f"{name} is longer than {MAX_ANSWER_BYTES} bytes")
        return data


def split_entries(data):
    """Entries that stand one after the other: the first line of each says how many lines it has."""
    entries = WHOLE.findall(data)
    if sum(map(len, entries)) == len(data):
        return entries
    # Something between them is none: say where.
    lines = data.split(b"\n")
    if lines.pop() != b"":
        raise Broken("the entries end in the middle of a line")
    entries, place = [], 0
    while place < len(lines):
        length = LINES.get(lines[place])
        if length is None or place + length > len(lines):
            raise Broken(f"entry {len(entries)} of an answer has none of the three forms")
        entries.append(b"\n".join(lines[place : place + length]) + b"\n")
        place += length
    return entries


# The audit


def audit(source, keys, *, kept, certificates):
    """(book, checkpoint text) of a log whose every rule holds. Raises Broken and NotValid.

    `kept` is the text of an earlier checkpoint, or None; `certificates` are [(name, parts, size, root)].
    """
    newest = source.text("checkpoint")
    size, root = verifier.open_checkpoint(newest, keys)
    expected = {size: [("the checkpoint", root)]}
    seen = 0
    if kept:
        seen, value = verifier.open_checkpoint(kept, keys)
        expected.setdefault(seen, []).append(("the checkpoint kept earlier", value))
    published = [number for number in source.sizes() if number > seen][-MAX_CHECKPOINTS:]
    texts = {f"checkpoint {number}": source.text(f"checkpoints/{number}") for number in published}
    for name, text in texts.items():
        number, value = claimed(text, keys)
        expected.setdefault(number, []).append((name, value))
    for origin, _key_id, _public in keys:
        if end := verifier.LATER_ORIGIN.fullmatch(origin):
            named = (f"the end that {origin} names", bytes.fromhex(end[4]))
            expected.setdefault(int(end[3]), []).append(named)
    for name, _parts, number, value in certificates:
        expected.setdefault(number, []).append((f"the checkpoint of {name}", value))
    late = [name for number in expected if number > size for name, _value in expected[number]]
    if late:
        verifier.open_checkpoint(texts.get(late[0], newest), keys)
        raise Broken(f"the log ends at {size}, and {late[0]} is of a longer one: it was cut")
    book, roots = Book(), Roots()
    compare(roots, expected, texts, keys)
    entries = source.entries(size)
    for stop in sorted({number for number in expected if number} | set(range(CHUNK, size, CHUNK))):
        chunk = list(islice(entries, stop - roots.size))
        for index, entry in enumerate(chunk, start=roots.size):
            book.enter(index, entry)
        roots.extend(chunk)
        compare(roots, expected, texts, keys)
    return book, newest


def claimed(text, keys):
    """(size, root) that a published checkpoint names. Its signature is looked at only where its root is not
    the log's: a right root needs none, and a thousand of them take longer than the log.
    """
    lines = text.partition("\n\n")[0].split("\n")
    known = any(lines[0] == key[0] for key in keys)
    if len(lines) != 3 or not known or not re.fullmatch(NUM, lines[1], re.ASCII):
        return verifier.open_checkpoint(text, keys)
    end = verifier.end_of(lines[0], keys)
    if end and int(lines[1]) > end[0]:
        return verifier.open_checkpoint(text, keys)
    return int(lines[1]), verifier.from_base64(lines[2], 32)


def compare(roots, expected, texts, keys):
    for name, value in expected.get(roots.size, []):
        if value != roots.root():
            if name in texts:
                verifier.open_checkpoint(texts[name], keys)  # unsigned it is nobody's: NotValid says so
            raise Broken(f"{name}, of size {roots.size}, is of another log: two logs were shown, a fraud")


def compare_certificates(certificates, book):
    """What certificates show of a fraud between them, in words. `book` is the audited log or None."""
    roots = {}
    for name, _parts, size, root in certificates:
        other, known = roots.setdefault(size, (name, root))
        if known != root:
            yield f"{other} and {name} name two logs of {size} entries: two logs were shown, a fraud"
    for one, other in shared_grams(certificates):
        if book and (one["alloc"] in book.reversed or other["alloc"] in book.reversed):
            continue
        first, last = max(one["first_g"], other["first_g"]), min(one["last_g"], other["last_g"])
        credits = verifier.credits_of(dict(one, first_g=first, last_g=last))
        yield (
            f"{one['name']} and {other['name']} hold the same {last - first} g "
            f"of {one['registry']} {credits} (entries {one['alloc']} and {other['alloc']}): fraud"
            + ("" if book else ", unless the log reversed the one before it gave the other")
        )


def shared_grams(certificates):
    """Pairs of parts, of two allocations, that name the same grams of the same credits."""
    parts = [dict(part, name=name) for name, proven, _size, _root in certificates for part in proven]
    parts.sort(key=lambda part: (part["registry"], part["prefix"], part["first_g"]))
    for place, one in enumerate(parts):
        for other in parts[place + 1 :]:
            same_series = (one["registry"], one["prefix"]) == (other["registry"], other["prefix"])
            if not same_series or other["first_g"] >= one["last_g"]:
                break
            if (one["alloc"], one["retire"]) != (other["alloc"], other["retire"]):
                yield one, other


def read_certificates(paths, keys):
    certificates = []
    for path in paths:
        _facts, parts, size, root = verifier.verify(verifier.read_certificate(path), keys)
        certificates.append((path, parts, size, root))
    return certificates


def source_named(text):
    """The log at this address or in this folder; None without one."""
    if not text:
        return None
    return Site(text) if text.startswith(("http://", "https://")) else Folder(text)


def known_keys(source, given):
    """The log's keys as it lists them, the newest first; that one must be the key that was given."""
    keys = verifier.read_keys([source.text("key")])
    for later, former in zip(keys, keys[1:], strict=False):
        follows = verifier.end_of(former[0], [later])
        verifier.demand(follows, f"{later[0]} does not follow {former[0]}: this is no list of one log's keys")
    if given and keys[0] not in given:
        raise Broken(
            f"the key that was given is of {given[0][0]}, and the log is {keys[0][0]} with the key"
            f" {keys[0][1].hex()}: give that one, once you know it from elsewhere"
        )
    return keys


def run(options):
    """What was found, line by line; raises Broken, NotValid and Unreadable."""
    source = source_named(options.source)
    given = verifier.read_keys(options.key) if options.key else []
    if not source and not given:
        raise verifier.Unreadable("without SOURCE the key must be given")
    keys = known_keys(source, given) if source else given
    if not given:
        yield "the key is the one that the log itself names: compare it with one from elsewhere"
    if source:
        yield from (f"{key[0]} ended, and a new key went on" for key in keys[1:])
    certificates = read_certificates(options.certificate, keys)
    book, newest = None, ""
    if source:
        memory = Path(options.kept) if options.kept else None
        kept = memory.read_text("utf-8") if memory and memory.exists() else None
        book, newest = audit(source, keys, kept=kept, certificates=certificates)
        yield from summary(book, *verifier.open_checkpoint(newest, keys))
    for name, parts, _size, _root in certificates:
        gone = sorted(
            book.reversed[part["alloc"]] for part in parts if book and part["alloc"] in book.reversed
        )
        yield f"{name}: valid" + (f", and reversed since by entry {gone[0]}" if gone else "")
    if problems := list(compare_certificates(certificates, book)):
        raise Broken("; ".join(problems))
    if source and options.kept:
        remember(Path(options.kept), newest)


def summary(book, size, root):
    retired, given = sum(book.retires.values()), sum(to_g - from_g for _r, from_g, to_g in book.live.values())
    yield f"{size} entries, root {base64.b64encode(root).decode()}"
    yield f"{len(book.retires)} retirements of {retired} g, {len(book.live)} live claims of {given} g"


def remember(path, checkpoint):
    """Keep the checkpoint; a crash leaves the old one or the new one, never half."""
    beside = path.with_name(f"{path.name}.new")
    beside.write_text(checkpoint, encoding="utf-8")
    beside.replace(path)


def main(arguments):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, usage=argparse.SUPPRESS
    )
    parser.add_argument("source", nargs="?")
    parser.add_argument("--key", action="append", default=[])
    parser.add_argument("--kept")
    parser.add_argument("--certificate", action="append", default=[])
    options = parser.parse_args(arguments)
    gc.disable()  # millions of small things, no cycle among them, and looking for one takes time
    if not options.source and not options.certificate:
        parser.print_help()
        return 2
    try:
        for line in run(options):
            print(verifier.shown(line))
    except (Broken, verifier.NotValid) as error:
        print(verifier.shown(f"BROKEN: {error}"))
        return 1
    except (verifier.Unreadable, OSError, HTTPException, ValueError) as error:
        print(verifier.shown(f"not read: {error}"))
        return 2
    print("all rules hold")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
