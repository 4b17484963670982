"""One HTTP request to a server that we do not trust, with a limit on everything.

Time to connect, time of each silence, time in all, bytes in all; no redirect is followed, nothing is sent
twice, no proxy of the environment is used, certificates are verified. Why the standard library:
docs/adr/0005-broker.md.
"""

import io
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from urllib.parse import urlsplit

MAX_HEAD_BYTES = 16_384
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Seconds to connect, of one silence and of the whole exchange; bytes of a reply's body."""

    connect_s: float = 5
    read_s: float = 10
    total_s: float = 15
    max_bytes: int = 65_536


@dataclass(frozen=True)
class Reply:
    """A whole reply."""

    status: int
    body: bytes


class NoReply(OSError):
    """No whole reply came; the request may have been carried out all the same."""


def unsafe_address(url: str) -> str:
    """What keeps `url` from being called with a key; empty when nothing does."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return "it is no web address"
    if not host or parts.scheme not in {"https", "http"}:
        return "it is not an https address"
    if parts.scheme == "http" and host not in LOOPBACK:
        return "it is not https, and only this machine may be asked without"
    if parts.username or parts.password or parts.query or parts.fragment:
        return "it holds more than host, port and path"
    return ""


def ask(
    method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None, limits: Limits
) -> Reply:
    """Send one request and read the whole reply. Raises NoReply, whose text holds nothing of the request.

    The caller has checked the address with `unsafe_address`.
    """
    deadline = time.monotonic() + limits.total_s
    parts = urlsplit(url)
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    try:
        with _connect(parts.scheme, parts.hostname or "", parts.port, limits, deadline) as sock:
            connection = HTTPConnection(parts.hostname or "", parts.port)
            connection.sock = sock
            connection.request(method, target, body=body, headers={**headers, "Connection": "close"})
            return _read(sock, method, limits, deadline)
    except NoReply:
        raise
    except (OSError, HTTPException, ValueError) as error:  # their texts may quote what was sent
        raise NoReply(f"{type(error).__name__} after {_spent(limits, deadline):.1f} s") from None


def _connect(
    scheme: str, host: str, port: int | None, limits: Limits, deadline: float
) -> socket.socket | ssl.SSLSocket:
    """The first of the host's addresses that answers."""
    found = socket.getaddrinfo(host, port or (443 if scheme == "https" else 80), type=socket.SOCK_STREAM)
    failed: OSError = NoReply("the host has no address")
    for family, kind, protocol, _name, address in found:
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(min(limits.connect_s, _left(deadline)))
            sock.connect(address)
            if scheme == "https":
                sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
        except OSError as error:
            sock.close()
            failed = error
        else:
            sock.settimeout(min(limits.read_s, _left(deadline)))
            return sock
    raise failed


def _read(sock: socket.socket, method: str, limits: Limits, deadline: float) -> Reply:
    response = HTTPResponse(sock, method=method)
    response.fp.close()
    response.fp = io.BufferedReader(_Bounded(sock, limits, deadline))
    response.begin()
    body = response.read(limits.max_bytes + 1)
    if len(body) > limits.max_bytes:
        raise NoReply("the reply is too long")
    if response.length:
        raise NoReply("the reply ended early")
    return Reply(response.status, body)


class _Bounded(io.RawIOBase):
    """What the socket sends, until the deadline has passed or too much has come."""

    def __init__(self, sock: socket.socket, limits: Limits, deadline: float) -> None:
        self._sock, self._read_s, self._deadline = sock, limits.read_s, deadline
        self._bytes_left = limits.max_bytes + MAX_HEAD_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what BufferedReader hands over
        if self._bytes_left <= 0:
            raise NoReply("the reply is too long")
        self._sock.settimeout(min(self._read_s, _left(self._deadline)))
        count = self._sock.recv_into(buffer)
        self._bytes_left -= count
        return count


def _left(deadline: float) -> float:
    """Seconds until the deadline; raises TimeoutError when it has passed."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the exchange took too long")
    return left


def _spent(limits: Limits, deadline: float) -> float:
    return limits.total_s - (deadline - time.monotonic())
