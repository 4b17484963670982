"""Counting for all processes together, and who is counted."""

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches
from django.test import RequestFactory
from redis.exceptions import ConnectionError as RedisAway

from common import counting
from common.counting import CountingFiles, add_one, client_address, client_network, counted, seconds_left

pytestmark = pytest.mark.both


@pytest.fixture(autouse=True)
def early_in_a_span(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting.time, "time", lambda: 1_800_000_000.0)


def test_each_one_is_counted_for_whoever_did_it_in_this_span(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [add_one("misses", "192.0.2.1", seconds=600) for _ in range(3)] == [1, 2, 3]
    assert add_one("misses", "192.0.2.2", seconds=600) == 1
    assert add_one("other", "192.0.2.1", seconds=600) == 1
    assert counted("misses", "192.0.2.1", seconds=600) == 3
    assert seconds_left(600) == 600
    monkeypatch.setattr(counting.time, "time", lambda: 1_800_000_599.9)
    assert counted("misses", "192.0.2.1", seconds=600) == 3
    assert seconds_left(600) == 1
    monkeypatch.setattr(counting.time, "time", lambda: 1_800_000_600.0)
    assert counted("misses", "192.0.2.1", seconds=600) == 0


def count_often(folder: str) -> None:
    cache = CountingFiles(folder, {})
    for _ in range(100):
        cache.add("key", 0)
        cache.incr("key")


def test_four_processes_that_count_in_a_folder_lose_nothing(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4) as pool:
        list(pool.map(count_often, [str(tmp_path)] * 4))
    assert CountingFiles(str(tmp_path), {}).get("key") == 400


def test_what_has_run_out_makes_room_for_what_counts(tmp_path: Path) -> None:
    cache = CountingFiles(str(tmp_path), {"OPTIONS": {"MAX_ENTRIES": 6}})
    for number in range(4):
        cache.set(f"old-{number}", number, timeout=-1)
    for number in range(5):
        cache.set(f"new-{number}", number, timeout=None)
    assert [cache.get(f"new-{number}") for number in range(5)] == [0, 1, 2, 3, 4]


class Away:
    """Redis that does not answer."""

    def __getattr__(self, name: str) -> Any:
        def fail(*args: Any, **kwargs: Any) -> None:
            raise RedisAway("refused")

        return fail


def test_while_redis_is_away_this_machine_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    real = caches[counting.OF_THIS_MACHINE]
    monkeypatch.setattr(counting, "caches", {counting.SHARED: Away(), counting.OF_THIS_MACHINE: real})
    who = "192.0.2.77"
    before = counted("misses", who, seconds=600)
    assert add_one("misses", who, seconds=600) == before + 1
    assert counted("misses", who, seconds=600) == before + 1


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, None, "192.0.2.9"),
        (0, "198.51.100.1", "192.0.2.9"),  # nobody is trusted: whoever forges it is counted all the same
        (1, None, "192.0.2.9"),  # past the proxy
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "203.0.113.5, 198.51.100.1", "198.51.100.1"),  # what the client wrote stands before
        (2, "203.0.113.5, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        (2, "198.51.100.1", "192.0.2.9"),
        (1, "198.51.100.1, <script>", ""),
        (1, "::ffff:198.51.100.1", "198.51.100.1"),
    ],
)
def test_an_address_is_what_the_trusted_proxies_saw(
    settings: Any, rf: RequestFactory, proxies: int, forwarded: str | None, expected: str
) -> None:
    settings.TRUSTED_PROXY_COUNT = proxies
    headers = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    request = rf.get("/", REMOTE_ADDR="192.0.2.9", **headers)
    assert client_address(request) == expected


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.9", "192.0.2.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.9", "192.0.2.9"),
        ("", "unknown"),
    ],
)
def test_an_ipv6_address_is_counted_with_its_whole_network(
    rf: RequestFactory, address: str, network: str
) -> None:
    assert client_network(rf.get("/", REMOTE_ADDR=address)) == network
