"""The Merkle tree of RFC 9162, section 2.1, over complete subtrees that are stored once and never change.

Node (level, i) is the root of the leaves [i * 2**level, (i + 1) * 2**level). A root or a proof of any size is
put together from such nodes, so a log may keep them in memory (Tree) or in a table.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
Node = Callable[[int, int], bytes]


class BrokenProof(ValueError):
    """A proof does not prove what it should."""


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """An append-only tree in memory."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self._levels: list[list[bytes]] = [[]]
        for leaf in leaves:
            self.append(leaf)

    def __len__(self) -> int:
        return len(self._levels[0])

    def append(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Add a leaf hash; the nodes that are complete now: (level, index, hash), the leaf first."""
        made, level, value = [], 0, leaf
        while True:
            nodes = self._levels[level]
            nodes.append(value)
            made.append((level, len(nodes) - 1, value))
            if len(nodes) % 2:
                return made
            value = node_hash(nodes[-2], value)
            level += 1
            if level == len(self._levels):
                self._levels.append([])

    def node(self, level: int, index: int) -> bytes:
        """A complete node. Raises IndexError where there is none yet."""
        return self._levels[level][index]

    def root(self, size: int | None = None) -> bytes:
        """The root of the first `size` leaves; of all unless given."""
        return root_of(len(self) if size is None else size, self.node)

    def inclusion(self, index: int, size: int) -> list[bytes]:
        return inclusion_proof(index, size, self.node)

    def consistency(self, first: int, second: int) -> list[bytes]:
        return consistency_proof(first, second, self.node)


def root_of(size: int, node: Node) -> bytes:
    """MTH of the first `size` leaves."""
    return edge_roots(size, node)[0] if size else EMPTY_ROOT


def _range_root(start: int, end: int, node: Node) -> bytes:
    """Root of the leaves [start, end), where start is a multiple of the range's largest power of two."""
    parts = []
    while start < end:
        level = (end - start).bit_length() - 1
        parts.append(node(level, start >> level))
        start += 1 << level
    value = parts.pop()
    while parts:
        value = node_hash(parts.pop(), value)
    return value


def edge_starts(size: int) -> list[int]:
    """Where the complete subtrees begin that a log of this size consists of: one for each 1 bit."""
    starts, start = [], 0
    for level in range(size.bit_length() - 1, -1, -1):
        if size >> level & 1:
            starts.append(start)
            start += 1 << level
    return starts


def edge_roots(size: int, node: Node) -> dict[int, bytes]:
    """Root of the leaves [start, size) for each of `edge_starts`; that of 0 is the log's root."""
    roots: dict[int, bytes] = {}
    end, value = size, b""
    for start in reversed(edge_starts(size)):
        level = (end - start).bit_length() - 1
        part = node(level, start >> level)
        value = node_hash(part, value) if value else part
        roots[start], end = value, start
    return roots


def inclusion_proof(
    index: int, size: int, node: Node, *, edge: Mapping[int, bytes] = MappingProxyType({})
) -> list[bytes]:
    """PATH(index, D[size]), from the leaf upwards. Raises ValueError unless index < size.

    With the `edge_roots` of this size it asks for one node a level at most, else for up to twice as many.
    """
    if not 0 <= index < size:
        raise ValueError(f"A log of {size} has no entry {index}.")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            known = edge.get(middle) if end == size else None
            path.append(known or _range_root(middle, end, node))
            end = middle
        else:
            path.append(_range_root(start, middle, node))
            start = middle
    return path[::-1]


def consistency_proof(first: int, second: int, node: Node) -> list[bytes]:
    """PROOF(first, D[second]). Raises ValueError unless 0 < first <= second."""
    if not 0 < first <= second:
        raise ValueError(f"There is no proof from size {first} to {second}.")
    path: list[bytes] = []
    start, end, complete = 0, second, True
    while start + (end - start) != first:
        middle = start + _split(end - start)
        if first <= middle:
            path.append(_range_root(middle, end, node))
            end = middle
        else:
            path.append(_range_root(start, middle, node))
            start, complete = middle, False
    if not complete:
        path.append(_range_root(start, end, node))
    return path[::-1]


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def root_from_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that this proof leads to (RFC 9162, 2.1.3.2). Raises BrokenProof for one of another length."""
    if not 0 <= index < size:
        raise BrokenProof(f"A log of {size} has no entry {index}.")
    place, last, value = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise BrokenProof("The proof is too long.")
        if place % 2 or place == last:
            value = node_hash(sibling, value)
            while not place % 2 and place:
                place >>= 1
                last >>= 1
        else:
            value = node_hash(value, sibling)
        place >>= 1
        last >>= 1
    if last:
        raise BrokenProof("The proof is too short.")
    return value


def check_consistency(
    *, first: int, first_root: bytes, second: int, second_root: bytes, path: Sequence[bytes]
) -> None:
    """That the log of `first` entries is the beginning of that of `second` (RFC 9162, 2.1.4.2).

    Raises BrokenProof.
    """
    if not 0 < first <= second:
        raise BrokenProof(f"There is no proof from size {first} to {second}.")
    if first == second:
        if path or first_root != second_root:
            raise BrokenProof("Two logs of one size have two roots.")
        return
    nodes = list(path)
    if first & (first - 1) == 0:
        nodes.insert(0, first_root)
    if not nodes:
        raise BrokenProof("The proof is empty.")
    place, last = first - 1, second - 1
    while place % 2:
        place >>= 1
        last >>= 1
    old = new = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            raise BrokenProof("The proof is too long.")
        if place % 2 or place == last:
            old, new = node_hash(node, old), node_hash(node, new)
            while not place % 2 and place:
                place >>= 1
                last >>= 1
        else:
            new = node_hash(new, node)
        place >>= 1
        last >>= 1
    if last or old != first_root or new != second_root:
        raise BrokenProof("The later log does not begin with the earlier one.")
