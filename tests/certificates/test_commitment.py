"""The digest of a certificate, against the design's test vector."""

import json

import pytest

from certificates.commitment import canonical, commit, new_nonce

FACTS: dict[str, str | int] = {
    "amount_g": 508000,
    "certificate": "DEMO-7Q2M",
    "device_serial": "DEMOPF3X1234",
    "manufacturer": "Lenovo",
    "product": "ThinkPad X1 Carbon Gen 9",
    "wording": "eu-consumer-en-3",
}
NONCE = bytes(range(0x20, 0x40))


def test_the_commitment_of_the_vector_is_byte_for_byte_the_published_one() -> None:
    assert commit(FACTS, NONCE).hex() == "48add9ce8ece50f0df7b15e6ff13f9b34d23ef4eb72e49f05d128a58ac4200d2"


def test_the_canonical_form_is_what_the_standard_library_writes_whatever_the_order_and_script() -> None:
    facts = {"b": 'Zoë "Ω" \\ \n\x7f Жуков', "a": -3, "c": ""}
    expected = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert canonical(facts) == expected
    assert canonical(dict(reversed(facts.items()))) == expected


def test_any_other_fact_or_nonce_gives_another_commitment() -> None:
    known = commit(FACTS, NONCE)
    assert commit({**FACTS, "amount_g": 508001}, NONCE) != known
    assert commit({**FACTS, "extra": ""}, NONCE) != known
    assert commit(FACTS, bytes(32)) != known


@pytest.mark.parametrize("value", [True, 1.5, None, [], {}])
def test_a_value_that_is_neither_text_nor_a_whole_number_is_no_fact(value: object) -> None:
    with pytest.raises(ValueError, match="is no fact"):
        commit({**FACTS, "amount_g": value}, NONCE)  # type: ignore[dict-item]


def test_a_key_beyond_ascii_and_a_number_beyond_json_are_refused() -> None:
    with pytest.raises(ValueError, match="is no fact"):
        commit({"größe": 1}, NONCE)
    with pytest.raises(ValueError, match="9007199254740992"):
        commit({"amount_g": 2**53}, NONCE)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_nonce_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        commit(FACTS, bytes(length))


def test_nonces_are_32_bytes_and_never_the_same() -> None:
    nonces = {new_nonce() for _ in range(100)}
    assert len(nonces) == 100
    assert {len(nonce) for nonce in nonces} == {32}
