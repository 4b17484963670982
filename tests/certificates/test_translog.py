"""The log's bytes: entries, tree, checkpoints, proofs, against the design's vector and against each other."""

import random
from base64 import b64decode, b64encode
from datetime import date
from typing import Any

import pytest

from certificates.commitment import commit
from certificates.translog.checkpoints import (
    BrokenCheckpoint,
    BrokenKey,
    Checkpoint,
    Signer,
    open_checkpoint,
    parse_key,
)
from certificates.translog.entries import Alloc, BrokenEntry, Retire, Reverse, parse_entry, split_entries
from certificates.translog.keyring import parse_keyring
from certificates.translog.merkle import (
    EMPTY_ROOT,
    BrokenProof,
    Tree,
    check_consistency,
    edge_roots,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_from_inclusion,
)
from certificates.translog.proofs import Proof, parse_proof
from certificates.translog.verifying import verify_certificate
from tests.factories.translog import (
    FACTS,
    KEY,
    NONCE,
    ORIGIN,
    PREFIX,
    RETIRED,
    SIGNER,
    VECTOR_OTHER,
    make_certificate,
    make_vector,
)

SIGNATURE = (
    "\u2014 log.clearline.example/1 0KtLprYT/UFpPODPMjVrrPCZ0Fhlmt17a/LBieyjbcjjVoCOZZWTDrLJW1Rzy"
    "eyCOdYLAH94+Q2D6hxpCy7ybMD3sgg="
)


def test_the_vectors_entries_and_leaves_are_byte_for_byte_the_published_ones() -> None:
    log = make_vector()
    assert log.data == [
        f"clearline/1 retire\nCAR\n{PREFIX}978278 to 980783\n2506\n2026-02-05\n".encode(),
        f"clearline/1 alloc\n0 0 1500000\n{VECTOR_OTHER}\n".encode(),
        b"clearline/1 alloc\n0 1500000 2008000\nSK3Zzo7OUPDfexXm/xP5s00j7063LknwXRKKWKxCANI=\n",
    ]
    assert [leaf_hash(data).hex() for data in log.data] == [
        "e3bf02ad2383918423ae133e1c339523dc73cd6a4993a3cb2019e0585caebad1",
        "afb976b7c8274455ae587a66664f6549394c48ceae20f5993aa0c11f2d43917f",
        "69eeefc5f480a4603a04d0a3658b69593dbd8ca8ffebbeaafa9b6714e3a91413",
    ]
    assert log.entries == [parse_entry(data) for data in log.data]


def test_the_vectors_root_proofs_key_and_signature_are_the_published_ones() -> None:
    log = make_vector()
    root = "d60849059950eb78ee1f035a562acc495d91346bfc903231fc679fdadb090d68"
    assert log.tree.root().hex() == root
    assert [value.hex() for value in log.tree.inclusion(2, 3)] == [
        "138debfa41e3ab9d9710feaaab75cdfc6f8694c2f11027bddc927d8070ee006c"
    ]
    assert log.tree.consistency(1, 3) == [leaf_hash(log.data[1]), leaf_hash(log.data[2])]
    assert KEY == "log.clearline.example/1+d0ab4ba6+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
    encoded = b64encode(bytes.fromhex(root)).decode()
    assert log.checkpoint() == f"log.clearline.example/1\n3\n{encoded}\n\n{SIGNATURE}\n"


def test_the_vectors_certificate_names_its_very_credits() -> None:
    log = make_vector()
    verified = verify_certificate(make_certificate(log, 2), parse_keyring(KEY))
    [part] = verified.parts
    assert part.credit_serials == f"{PREFIX}978279 to 978280"
    assert (part.from_g, part.to_g, part.retire_index, part.alloc_index) == (1_500_000, 2_008_000, 0, 2)
    assert (verified.checkpoint.size, verified.facts) == (3, FACTS)
    assert log.entries[2] == Alloc(0, 1_500_000, 2_008_000, commit(FACTS, NONCE))


# Entries

RETIRE = f"clearline/1 retire\nCAR\n{PREFIX}1 to 3\n3\n2026-02-05\n"
ALLOC = f"clearline/1 alloc\n0 0 5\n{VECTOR_OTHER}\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        RETIRE[:-1],
        RETIRE + "\n",
        RETIRE + RETIRE,
        RETIRE.replace("\n", "\r\n"),
        RETIRE.replace("clearline/1", "clearline/2"),
        RETIRE.replace("3\n2026", "2\n2026"),
        RETIRE.replace("3\n2026", "4\n2026"),
        RETIRE.replace("1 to 3\n3", "3 to 1\n-1"),
        RETIRE.replace("1 to 3\n3", "3 to 2\n0"),
        RETIRE.replace("1 to 3", "01 to 3"),
        RETIRE.replace("1 to 3", "1 to  3"),
        RETIRE.replace("2026-02-05", "2026-02-30"),
        RETIRE.replace("2026-02-05", "2026-2-5"),
        RETIRE.replace("2026-02-05", "20260205"),
        RETIRE.replace("CAR", "CÄR"),
        RETIRE.replace("CAR\n", "\n"),
        RETIRE.replace("CAR\n", "C R\n"),
        RETIRE.replace("CAR\n", "C\u0661R\n"),
        RETIRE.replace("1 to 3\n3", f"1 to {10**18}\n{10**18}"),
        ALLOC.replace("0 0 5", "0 5 5"),
        ALLOC.replace("0 0 5", "0 6 5"),
        ALLOC.replace("0 0 5", "0 -1 5"),
        ALLOC.replace("0 0 5", "0 +0 5"),
        ALLOC.replace("0 0 5", "00 0 5"),
        ALLOC.replace("0 0 5", "0 0 5.0"),
        ALLOC.replace("0 0 5", f"0 0 {10**18}"),
        ALLOC.replace("0 0 5", "0 0 \u0665"),
        ALLOC.replace("0 0 5", "0 0 5 "),
        ALLOC.replace("/o=", "/p="),  # the same 32 bytes in another form
        ALLOC.replace("/o=", "/=="),
        ALLOC.replace("2SmK", "2Sm-"),
        "clearline/1 reverse\n-1\n",
        "clearline/1 reverse\n01\n",
        "clearline/1 reverse\n1 \n",
        "clearline/1 reverse\n\n",
    ],
)
def test_whatever_is_none_of_the_three_forms_is_no_entry(text: str) -> None:
    with pytest.raises(BrokenEntry):
        parse_entry(text.encode())


@pytest.mark.parametrize(
    "entry",
    [
        Retire("CAR", "X-", 5, 4, date(2026, 1, 1)),
        Retire("CAR", "X-", -1, 4, date(2026, 1, 1)),
        Retire("C\nR", "X-", 1, 4, date(2026, 1, 1)),
        Retire("CAR", "X", 1, 4, date(2026, 1, 1)),
        Retire("Ö", "X-", 1, 4, date(2026, 1, 1)),
        Alloc(0, 5, 5, bytes(32)),
        Alloc(-1, 0, 5, bytes(32)),
        Alloc(0, 0, 10**18, bytes(32)),
        Alloc(0, 0, 5, bytes(31)),
        Reverse(-1),
    ],
)
def test_what_has_no_form_cannot_be_written(entry: Any) -> None:
    with pytest.raises(BrokenEntry):
        entry.encode()


def test_entries_that_stand_one_after_the_other_come_apart_again() -> None:
    data = [*make_vector().data, Reverse(2).encode()]
    assert split_entries(b"".join(data)) == data
    assert split_entries(b"") == []
    for broken in (data[0][:-1], data[1] + b"clearline/1 alloc\n", b"hello\n" + data[0]):
        with pytest.raises(BrokenEntry):
            split_entries(broken)


# Tree


def plain_root(leaves: list[bytes]) -> bytes:
    """MTH as RFC 9162 writes it."""
    if len(leaves) < 2:
        return leaves[0] if leaves else EMPTY_ROOT
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(plain_root(leaves[:split]), plain_root(leaves[split:]))


LEAVES = [leaf_hash(bytes([number])) for number in range(40)]


def test_roots_of_every_size_are_those_of_the_definition() -> None:
    tree = Tree(LEAVES)
    assert [tree.root(size) for size in range(41)] == [plain_root(LEAVES[:size]) for size in range(41)]
    assert Tree().root().hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_every_entry_of_every_size_has_a_proof_and_no_other_entry_fits_it() -> None:
    tree = Tree(LEAVES)
    for size in range(1, 41):
        for index in range(size):
            path = tree.inclusion(index, size)
            assert path == inclusion_proof(index, size, tree.node, edge=edge_roots(size, tree.node))
            assert root_from_inclusion(LEAVES[index], index, size, path) == tree.root(size)
            assert root_from_inclusion(LEAVES[index - 1], index, size, path) != tree.root(size) or size == 1
            with pytest.raises(BrokenProof):
                root_from_inclusion(LEAVES[index], index, size, [*path, LEAVES[0]])
            if path:
                with pytest.raises(BrokenProof):
                    root_from_inclusion(LEAVES[index], index, size, path[:-1])
    with pytest.raises(BrokenProof):
        root_from_inclusion(LEAVES[0], 3, 3, [])
    with pytest.raises(ValueError, match="no entry 3"):
        tree.inclusion(3, 3)


def consistent(tree: Tree, first: int, second: int, path: list[bytes], *, root: bytes | None = None) -> None:
    check_consistency(
        first=first,
        first_root=tree.root(first) if root is None else root,
        second=second,
        second_root=tree.root(second),
        path=path,
    )


def test_every_size_is_proven_to_continue_every_earlier_one_and_nothing_else() -> None:
    tree, rng = Tree(LEAVES), random.Random(7)
    for second in range(1, 41):
        for first in range(1, second + 1):
            path = tree.consistency(first, second)
            consistent(tree, first, second, path)
            wrong = [(path, LEAVES[39]), ([*path, LEAVES[0]], None)]
            if path:
                place = rng.randrange(len(path))
                wrong += [(path[:-1], None), ([*path[:place], bytes(32), *path[place + 1 :]], None)]
            for altered, root in wrong:
                with pytest.raises(BrokenProof):
                    consistent(tree, first, second, altered, root=root)
    for first, second in ((0, 5), (6, 5)):
        with pytest.raises(BrokenProof):
            consistent(tree, first, second, [])
        with pytest.raises(ValueError, match="no proof"):
            tree.consistency(first, second)


def test_appending_names_the_nodes_that_are_complete_now_and_never_changes_one() -> None:
    tree, kept = Tree(), {}
    for leaf in LEAVES:
        for level, index, value in tree.append(leaf):
            assert (level, index) not in kept
            kept[level, index] = value
    assert len(kept) == 40 + 20 + 10 + 5 + 2 + 1
    assert all(tree.node(*place) == value for place, value in kept.items())


# Checkpoints and keys


def test_a_checkpoint_is_opened_by_the_key_that_signed_it() -> None:
    checkpoint = Checkpoint(ORIGIN, 3, make_vector().tree.root())
    assert open_checkpoint(SIGNER.sign(checkpoint), parse_key(KEY)) == checkpoint


def test_a_witness_may_sign_beside_us_and_alone_is_not_enough() -> None:
    text = make_vector().checkpoint()
    witness = f"\u2014 witness.example {b64encode(bytes(76)).decode()}\n"
    body, _separator, ours = text.partition("\n\n")
    assert open_checkpoint(text + witness, SIGNER.key).size == 3
    assert open_checkpoint(f"{body}\n\n{witness}{ours}", SIGNER.key).size == 3
    with pytest.raises(BrokenCheckpoint, match="not signed"):
        open_checkpoint(f"{body}\n\n{witness}", SIGNER.key)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("\n3\n", "\n4\n"),
        ("\n3\n", "\n03\n"),
        ("\n3\n", "\n-3\n"),
        ("log.clearline.example/1\n3", "log.clearline.example/2\n3"),
        ("1ghJ", "1ghK"),
        ("0KtL", "0KtM"),
        ("\u2014 ", "- "),
        ("\n\n", "\n"),
        ("\n\n", "\nextra\n\n"),
        ("sgg=\n", "sgg="),
        ("sgg=", "sgh="),
    ],
)
def test_an_altered_checkpoint_is_refused(before: str, after: str) -> None:
    text = make_vector().checkpoint()
    assert before in text
    altered = text.replace(before, after, 1)
    with pytest.raises(BrokenCheckpoint):
        open_checkpoint(altered, SIGNER.key)


def test_another_logs_key_opens_nothing_and_signs_nothing_of_ours() -> None:
    stranger = Signer(ORIGIN, bytes(32))
    text = make_vector().checkpoint()
    with pytest.raises(BrokenCheckpoint, match="not signed"):
        open_checkpoint(text, stranger.key)
    with pytest.raises(BrokenCheckpoint):
        Signer("elsewhere.example/1", bytes(32)).sign(Checkpoint(ORIGIN, 1, bytes(32)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a+b",
        KEY.replace("d0ab4ba6", "d0ab4ba7"),
        KEY.replace("AQOhB7", "AQOhB8"),
        KEY.replace("AQ", "Ag"),
        KEY[:-4],
        KEY.replace("log.", "log "),
        KEY + "=",
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(BrokenKey):
        parse_key(text)


# Proofs


def test_a_proof_is_read_back_as_it_was_written() -> None:
    log = make_vector()
    text = log.proof(2)
    assert text.startswith(
        "c2sp.org/tlog-proof@v1\nindex 2\nE43r+kHjq52XEP6qq3XN/G+GlMLxECe93JJ9gHDuAGw=\n\nlog."
    )
    proof = parse_proof(text)
    assert (str(proof), proof.index, proof.checkpoint) == (text, 2, log.checkpoint())
    assert parse_proof(str(Proof(0, (), "x"))).path == ()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("@v1", "@v2"),
        ("index 2", "index 02"),
        ("index 2", "index -2"),
        ("index 2\n", ""),
        ("index 2", "index \u0662"),
        ("AGw=", "AGx="),
        ("E43r", "E43"),
        ("\n\n", "\n"),
        ("index 2\n", "index 2\n" + "E43r+kHjq52XEP6qq3XN/G+GlMLxECe93JJ9gHDuAGw=\n" * 63),
    ],
)
def test_an_altered_proof_does_not_read(before: str, after: str) -> None:
    text = make_vector().proof(2)
    with pytest.raises(BrokenProof):
        parse_proof(text.replace(before, after, 1 if before != "\n\n" else 9))


def test_the_range_of_a_retirement_is_its_credits() -> None:
    assert (RETIRED.credits, RETIRED.grams) == (2506, 2_506_000_000)
    assert b64decode(VECTOR_OTHER)[:1] == b"\xd9"


def test_a_proof_beside_the_edge_of_its_size_asks_for_one_node_a_level() -> None:
    size = 1_000_409
    asked: list[tuple[int, int]] = []

    def note(level: int, index: int) -> bytes:
        asked.append((level, index))
        return b"\x00" * 32

    edge = edge_roots(size, note)
    for index in (0, 524_287, 524_288, 999_999, size - 1):
        asked.clear()
        inclusion_proof(index, size, note, edge=edge)
        assert len(asked) <= size.bit_length()
