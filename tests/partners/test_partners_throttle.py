"""How often the API answers without a key."""

from typing import Any

import pytest
from django.test import Client

from common import counting
from partners.schema import openapi_document
from tests.factories.partners import Caller

pytestmark = pytest.mark.usefixtures("shop")
PRODUCTS, SCHEMA, OFFSETS = "/api/v1/products/", "/api/schema/", "/api/v1/offsets/"


@pytest.fixture(autouse=True)
def three_a_minute(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.API_PUBLIC_CALLS_PER_MINUTE = 3
    monkeypatch.setattr(counting.time, "time", lambda: 1_800_000_015.0)


def test_all_open_addresses_are_counted_together_and_then_refused_until_the_minute_is_over(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [client.get(path).status_code for path in (PRODUCTS, SCHEMA, PRODUCTS)] == [200] * 3
    refused = client.get(PRODUCTS)
    assert (refused.status_code, refused["Retry-After"], refused["Cache-Control"]) == (429, "45", "no-store")
    assert refused.json() == {
        "error": {
            "code": "too_many_calls",
            "detail": "Too many calls came from your network this minute. "
            "Wait as many seconds as Retry-After says.",
            "fields": [],
        }
    }
    monkeypatch.setattr(counting.time, "time", lambda: 1_800_000_060.0)
    assert client.get(PRODUCTS).status_code == 200


def test_another_network_is_not_counted_with_it_and_a_forged_header_is_nobody(client: Client) -> None:
    for number in range(4):
        last = client.get(PRODUCTS, headers={"X-Forwarded-For": f"198.51.100.{number}"})
    assert last.status_code == 429
    assert Client(REMOTE_ADDR="198.51.100.1").get(PRODUCTS).status_code == 200
    v6 = [Client(REMOTE_ADDR=f"2001:db8::{number}").get(PRODUCTS).status_code for number in range(5)]
    assert v6 == [200] * 3 + [429] * 2


def test_calls_with_a_key_are_not_limited(reader: Caller) -> None:
    assert {reader.get(OFFSETS).status_code for _ in range(6)} == {200}


def test_no_limit_is_0(client: Client, settings: Any) -> None:
    settings.API_PUBLIC_CALLS_PER_MINUTE = 0
    assert {client.get(PRODUCTS).status_code for _ in range(6)} == {200}


def test_the_document_names_the_refusal_where_it_can_come() -> None:
    operations = [
        (path, operation)
        for path, methods in openapi_document()["paths"].items()
        for operation in methods.values()
    ]
    limited = {path for path, operation in operations if "429" in operation["responses"]}
    drawn = (".pdf", ".zip")  # a file of a whole order costs seconds
    assert limited == {
        path
        for path, _operation in operations
        if "/products/" in path or "/projects/" in path or ("/offsets/" in path and path.endswith(drawn))
    }
    assert PRODUCTS in limited
