"""Guessing codes: misses are counted, hits are not, and whoever guessed too often learns nothing more."""

from typing import Any

import pytest
from django.test import Client

from accounts.seed import load_markets
from certificates.models import Certificate
from common import counting
from storefront.throttling import MISSES, SPAN_S
from tests.factories.certificates import make_certificate
from tests.storefront.pages import words

SERIAL = "PF1X1234"
ADDRESSES = ("", "badge.svg", "badge.png", "card.png", "certificate.pdf", "certificate.json")


@pytest.fixture
def certificate(db: None, monkeypatch: pytest.MonkeyPatch) -> Certificate:
    monkeypatch.setattr(counting.time, "time", lambda: 1_800_000_120.0)
    return make_certificate(SERIAL)


def miss(client: Client, times: int, **headers: Any) -> list[int]:
    """Guesses at every address that takes a code."""
    paths = [*(f"/c/0000-0000-0000-000{{}}/{rest}" for rest in ADDRESSES), "/verify/?code=0000-{}"]
    return [
        client.get(paths[number % len(paths)].format(number % 10), **headers).status_code
        for number in range(times)
    ]


def test_guesses_are_counted_over_all_addresses_and_then_refused(
    client: Client, certificate: Certificate
) -> None:
    assert miss(client, MISSES + 20) == [404] * MISSES + [429] * 20
    page = client.get("/c/0000/")
    assert page.status_code == 429
    assert page["Retry-After"] == str(SPAN_S - 120)
    assert page["Cache-Control"] == "no-store"
    assert (
        "Too many codes that no record has came from your network. Wait 8 minutes, then try again."
        in words(page)
    )


def test_a_guesser_is_refused_also_what_exists_and_learns_nothing(
    client: Client, certificate: Certificate
) -> None:
    miss(client, MISSES)
    for rest in ADDRESSES:
        assert client.get(f"/c/{certificate.code}/{rest}").status_code == 429
    assert client.get("/verify/", {"code": certificate.code}).status_code == 429
    assert client.post(f"/c/{certificate.code}/certificate.json", {"serial": SERIAL}).status_code == 429


def test_the_rest_of_the_shop_stays_open_to_a_guesser(client: Client, certificate: Certificate) -> None:
    miss(client, MISSES + 1)
    load_markets()
    for path in ("/verify/", "/how-it-works/", "/healthz"):
        assert client.get(path).status_code == 200


def test_somebody_else_is_not_throttled_and_a_forged_header_changes_nothing(
    client: Client, certificate: Certificate
) -> None:
    refused = miss(client, MISSES + 5, headers={"X-Forwarded-For": "198.51.100.1"})
    assert refused.count(404) == MISSES
    assert miss(client, 1, headers={"X-Forwarded-For": "198.51.100.2"}) == [429]
    other = Client(REMOTE_ADDR="198.51.100.1")
    assert other.get(f"/c/{certificate.code}/").status_code == 200
    assert other.get("/c/0000/").status_code == 404


def test_behind_one_trusted_proxy_each_client_is_counted_alone(
    client: Client, certificate: Certificate, settings: Any
) -> None:
    settings.TRUSTED_PROXY_COUNT = 1
    forged = [miss(client, 1, headers={"X-Forwarded-For": f"203.0.113.{n}, 198.51.100.1"}) for n in range(40)]
    assert forged.count([429]) == 40 - MISSES
    assert miss(client, 1, headers={"X-Forwarded-For": "198.51.100.2"}) == [404]


def test_a_badge_that_is_shown_a_thousand_times_is_never_refused(
    client: Client, certificate: Certificate
) -> None:
    shown = [client.get(f"/c/{certificate.code}/badge.svg").status_code for _ in range(200)]
    assert set(shown) == {200}
    assert miss(client, MISSES) == [404] * MISSES


def test_a_wrong_serial_is_a_miss_too(client: Client, certificate: Certificate) -> None:
    address = f"/c/{certificate.code}/certificate.json"
    tries = [client.post(address, {"serial": f"PF1X{n:04}"}).status_code for n in range(MISSES + 2)]
    assert tries == [422] * MISSES + [429] * 2
    assert client.post(address, {"serial": SERIAL}).status_code == 429


def test_the_next_span_begins_anew(
    client: Client, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    miss(client, MISSES + 1)
    monkeypatch.setattr(counting.time, "time", lambda: 1_800_000_000.0 + SPAN_S)
    assert client.get(f"/c/{certificate.code}/").status_code == 200
    assert miss(client, 1) == [404]
