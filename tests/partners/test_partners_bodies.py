"""Bodies that are not what they should be: each a 4xx that says why, and nothing done."""

import json

import pytest

from offsets.models import OffsetRequest
from partners.parsers import StrictJsonParser, canonical_json
from tests.factories.partners import OFFSETS, Caller, body_for

pytestmark = pytest.mark.usefixtures("shop")

GOOD = json.dumps(body_for("PF-1"))
BROKEN = {
    "nothing but a brace": b"{",
    "a comma too many": GOOD.replace("}]", "},]").encode(),
    "single quotes": GOOD.replace('"', "'").encode(),
    "two bodies": GOOD.encode() * 2,
    "UTF-16": GOOD.encode("utf-16"),
    "UTF-8 that breaks off": b'{"project": "\xc3',
    "latin-1": '{"project": "é"}'.encode("latin-1"),
    "a byte order mark": b"\xef\xbb\xbf" + GOOD.encode(),
    "a lone surrogate": GOOD.replace("PF-1", r"\ud800").encode(),
    "a lone surrogate in a name": GOOD.replace("project", r"\udfff").encode(),
    "a doubled key": GOOD.replace('"years": 5', '"years": 5, "years": 4').encode(),
    "a doubled key of a device": GOOD.replace('"sku"', '"sku": "X", "sku"').encode(),
    "not a number": GOOD.replace("5", "NaN").encode(),
    "infinity": GOOD.replace("5", "Infinity").encode(),
    "a number beyond every float": GOOD.replace("5", "1e400").encode(),
    "an exponent beyond every decimal": GOOD.replace("5", "1e999999999999999999999").encode(),
    "a fraction": GOOD.replace("5", "5.0").encode(),
    "a number of 5000 digits": GOOD.replace("5", "9" * 5_000).encode(),
    "endless nesting of lists": b"[" * 100_000,
    "endless nesting of objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "a NUL byte": b"\x00",
    "a raw line break in a string": b'{"project": "a\nb"}',
}
WELL_FORMED = {
    "null": b"null",
    "a list": b"[]",
    "a string": b'"x"',
    "a number": b"12",
    "true": b"true",
    "an empty object": b"{}",
    "an unknown field": b'{"hello": 1}',
    "an unknown field with a NUL": rb'{"\u0000": 1}',
    "a NUL in a string": GOOD.replace("PF-1", r"\u0000").encode(),
    "an integer beyond 64 bits": GOOD.replace("5", str(2**70)).encode(),
    "a very long name": json.dumps({"x" * 100_000: 1}).encode(),
    "deep, but finite": b'{"devices": ' + b"[" * 200 + b"]" * 200 + b"}",
    "too many devices": json.dumps(
        body_for(devices=[{"device_serial": f"PF-{number}", "sku": "X"} for number in range(10_001)])
    ).encode(),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_body_that_cannot_be_read_is_400(writer: Caller, name: str) -> None:
    answer = writer.order(BROKEN[name])
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "broken_body")
    assert answer.json()["error"]["detail"].startswith("The body is not JSON that can be read: ")
    assert not OffsetRequest.objects.exists()


@pytest.mark.parametrize("name", WELL_FORMED)
def test_a_body_that_says_something_else_is_422_and_names_what_is_wrong(writer: Caller, name: str) -> None:
    answer = writer.order(WELL_FORMED[name])
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_input")
    assert answer.json()["error"]["fields"]
    assert len(answer.content) < 2_000
    assert not OffsetRequest.objects.exists()


def test_an_empty_body_is_told_what_is_missing(writer: Caller) -> None:
    answer = writer.order(b"")
    assert answer.status_code == 422
    assert [row["field"] for row in answer.json()["error"]["fields"]] == ["project", "country", "devices"]


def test_a_body_beyond_the_limit_is_413(writer: Caller) -> None:
    answer = writer.order(b" " * 5_000_001)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "x"]
)
def test_another_content_type_is_415(writer: Caller, kind: str) -> None:
    answer = writer.send("POST", OFFSETS, GOOD.encode(), **{"Idempotency-Key": "k-1", "Content-Type": kind})
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_media_type")
    assert not OffsetRequest.objects.exists()


def test_a_charset_beside_the_content_type_is_fine(writer: Caller) -> None:
    headers = {"Idempotency-Key": "k-1", "Content-Type": "application/json; charset=utf-8"}
    assert writer.send("POST", OFFSETS, GOOD.encode(), **headers).status_code == 201


def test_the_canonical_spelling_forgets_order_and_blanks_and_nothing_else() -> None:
    assert canonical_json({"b": [1, "é"], "a": None}) == '{"a":null,"b":[1,"é"]}'.encode()
    assert canonical_json({"a": 1}) != canonical_json({"a": "1"})
    assert StrictJsonParser.media_type == "application/json"
