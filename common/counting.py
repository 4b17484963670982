"""How often somebody did something lately, counted for all processes together, and who that somebody is.

The count lives in the cache named "counts": Redis where there is one, else a folder of this machine. While
Redis does not answer, the folder counts: this machine's processes stay throttled together.
"""

import fcntl
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.core.cache import BaseCache, caches
from django.core.cache.backends.filebased import FileBasedCache
from django.http import HttpRequest
from redis.exceptions import RedisError

from common.errors import DomainError

SHARED, OF_THIS_MACHINE = "counts", "counts_here"
IPV6_NETWORK = 64  # one household or server has at least so much to choose its addresses from
_log = logging.getLogger(__name__)


class TooMany(DomainError):
    """Too often within a while; `retry_after_s` says when to come back."""

    code = "too_many"
    status: ClassVar[int] = 429

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class CountingFiles(FileBasedCache):
    """Django's cache of files with additions that lose nothing, whichever process counts."""

    _dir: str
    _max_entries: int

    def add(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> bool:
        with self._alone():
            return bool(super().add(key, value, *args, **kwargs))

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        """The new value, which lives on for the cache's own time. Raises ValueError for an unknown key."""
        with self._alone():
            return int(super().incr(key, delta, version))

    def _cull(self) -> None:
        """What has run out goes before anything that counts."""
        names = list(Path(self._dir).glob(f"*{self.cache_suffix}"))
        if len(names) >= self._max_entries:
            for name in names:
                with suppress(FileNotFoundError), open(name, "rb") as file:
                    self._is_expired(file)  # type: ignore[attr-defined]  # the stubs leave it out
            super()._cull()  # type: ignore[misc]  # likewise

    @contextmanager
    def _alone(self) -> Iterator[None]:
        Path(self._dir).mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(Path(self._dir) / "lock", "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def add_one(what: str, who: str, *, seconds: int) -> int:
    """Count one more; returns how many there are in this span of so many seconds."""
    key = _key(what, who, seconds)

    def add(cache: BaseCache) -> int:
        cache.add(key, 0, 2 * seconds)
        try:
            return int(cache.incr(key))
        except ValueError:  # it was cleared between the two
            cache.set(key, 1, 2 * seconds)
            return 1

    try:
        return add(caches[SHARED])
    except RedisError as error:
        _log.warning("Counted on this machine alone: %s", error)
        return add(caches[OF_THIS_MACHINE])


def counted(what: str, who: str, *, seconds: int) -> int:
    """How many there are in this span of so many seconds."""
    key = _key(what, who, seconds)
    try:
        return int(caches[SHARED].get(key, 0))
    except RedisError as error:
        _log.warning("Counted on this machine alone: %s", error)
        return int(caches[OF_THIS_MACHINE].get(key, 0))


def seconds_left(seconds: int) -> int:
    """Until the next span of so many seconds begins; at least 1."""
    return seconds - int(time.time()) % seconds


def _key(what: str, who: str, seconds: int) -> str:
    return f"{what}:{who}:{int(time.time()) // seconds}"


def client_address(request: HttpRequest) -> str:
    """The address that our outermost trusted proxy saw; "" when there is none (a socket of this machine).

    With TRUSTED_PROXY_COUNT proxies in front, each of which appends what it saw to X-Forwarded-For, only so
    many of its last entries are believed; whatever a client wrote stands before them and counts for nothing.
    """
    proxies: int = settings.TRUSTED_PROXY_COUNT
    seen = [one for one in request.headers.get("X-Forwarded-For", "").split(",") if one]
    address = seen[-proxies] if len(seen) >= proxies > 0 else str(request.META.get("REMOTE_ADDR", ""))
    parsed = _parsed(address)
    return str(parsed) if parsed else ""


def client_network(request: HttpRequest) -> str:
    """Who is counted: an IPv4 address, or the /64 of an IPv6 address."""
    address = _parsed(client_address(request))
    if isinstance(address, IPv6Address):
        return str(ip_network((address, IPV6_NETWORK), strict=False))
    return str(address or "unknown")


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip().removeprefix("[").removesuffix("]").partition("%")[0])
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
