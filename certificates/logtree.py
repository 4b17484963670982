"""The log's entries and tree in tables: what a batch adds to them, and proofs from them.

Every complete subtree's hash is a row, written once, and a checkpoint keeps the roots along its right edge: a
proof in a log of a million entries needs about twenty hashes, and no other entry.
"""

import json
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from certificates.logkeys import signer_of
from certificates.models import LogCheckpoint, LogEntry, LogHead, LogNode
from certificates.translog.merkle import (
    HASH_BYTES,
    edge_roots,
    edge_starts,
    inclusion_proof,
    leaf_hash,
    node_hash,
)
from common.rows import insert, insert_values


def lock_head(livemode: bool) -> LogHead:
    """Take the sequencer's lock, and make the log if it is new. Raises LogKeyMissing and LogKeyChanged."""
    key = signer_of(livemode=livemode).key
    named = {"origin": key.origin, "public_key": key.public.hex()}
    LogHead.objects.get_or_create(livemode=livemode, defaults=named)
    head = LogHead.objects.select_for_update().get(livemode=livemode)
    signer_of(livemode=livemode)  # under the lock: no key takes over any more
    return head


class Batch:
    """Entries of one transaction, in order, and what the tree gains by them."""

    def __init__(self, head: LogHead, now: datetime) -> None:
        self.head, self.now = head, now
        self.rows: list[LogEntry] = []

    def add(self, data: bytes, **named: Any) -> LogEntry:
        """Append one entry; `named` are the rows that it is about."""
        entry = LogEntry(
            livemode=self.head.livemode,
            index=self.head.size + len(self.rows),
            data=data.decode("ascii"),
            created_at=self.now,
            **named,
        )
        self.rows.append(entry)
        return entry

    def store(self) -> LogCheckpoint:
        """Write entries and nodes, raise the size, store size and root unsigned."""
        livemode, old = self.head.livemode, self.head.size
        rightmost = [(level, (old >> level) - 1) for level in range(old.bit_length()) if old >> level & 1]
        known = nodes_of(livemode, rightmost)
        made = self._grow(known)
        insert(row for row in self.rows if row.reverses is None)
        insert(self._reversing())
        insert_values(
            LogNode,
            ("livemode", "level", "index", "hash"),
            [(livemode, level, index, value) for (level, index), value in made.items()],
        )
        size = old + len(self.rows)
        LogHead.objects.filter(pk=self.head.pk, size=old).update(size=size)
        self.head.size = size
        known |= made
        edge = edge_roots(size, lambda level, index: known[level, index])
        return LogCheckpoint.objects.create(
            livemode=livemode,
            size=size,
            root=b64encode(edge[0]).decode(),
            edge=b"".join(edge[start] for start in edge_starts(size)),
            created_at=self.now,
        )

    def _reversing(self) -> Iterator[LogEntry]:
        """The reverse entries, once what they reverse has its key."""
        for row in self.rows:
            if row.reverses is not None:
                row.reverses_id = row.reverses.pk
                yield row

    def _grow(self, known: dict[tuple[int, int], bytes]) -> dict[tuple[int, int], bytes]:
        """The nodes that these entries complete; `known` are those on the tree's right edge."""
        made: dict[tuple[int, int], bytes] = {}
        for row in self.rows:
            level, index, value = 0, row.index, leaf_hash(row.data.encode("ascii"))
            made[level, index] = value
            while index % 2:
                left = made.get((level, index - 1)) or known[level, index - 1]
                level, index, value = level + 1, index // 2, node_hash(left, value)
                made[level, index] = value
        return made


# As plain SQL: the ORM takes five times as long to put twenty pairs together as the database to find them.
_PAIRS = {
    "postgresql": "SELECT (value->>0)::smallint AS level, (value->>1)::bigint AS place"
    " FROM jsonb_array_elements(%s::jsonb)",
    "sqlite": "SELECT json_extract(value, '$[0]') AS level, json_extract(value, '$[1]') AS place"
    " FROM json_each(%s)",
}


def nodes_of(livemode: bool, wanted: Iterable[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    """These nodes, in one statement."""
    statement = (
        f'SELECT node.level, node."index", node.hash FROM ({_PAIRS[connection.vendor]}) AS wanted'  # noqa: S608
        f" CROSS JOIN {LogNode._meta.db_table} AS node WHERE node.livemode = %s"
        ' AND node.level = wanted.level AND node."index" = wanted.place'
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [json.dumps(list(wanted)), livemode])
        return {(level, index): bytes(value) for level, index, value in cursor.fetchall()}


def inclusion_proofs(indexes: Sequence[int], checkpoint: LogCheckpoint) -> list[list[bytes]]:
    """The inclusion proof of each entry in the log of this checkpoint; one statement for all of them."""
    size, stored = checkpoint.size, bytes(checkpoint.edge)
    places = range(0, len(stored), HASH_BYTES)
    edge = {start: stored[at : at + HASH_BYTES] for start, at in zip(edge_starts(size), places, strict=False)}
    wanted: set[tuple[int, int]] = set()

    def note(level: int, index: int) -> bytes:
        wanted.add((level, index))
        return b""

    for index in indexes:
        inclusion_proof(index, size, note, edge=edge)
    nodes = nodes_of(checkpoint.livemode, wanted)
    return [
        inclusion_proof(index, size, lambda level, place: nodes[level, place], edge=edge) for index in indexes
    ]
