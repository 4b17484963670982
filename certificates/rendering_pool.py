"""Keeps one rendering process for this worker, with limits on time and memory; starts it anew when it dies.

The process gets no secret: its environment holds where programs and fonts are, and nothing else.
"""

import atexit
import contextlib
import json
import os
import selectors as io_selectors
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

from django.conf import settings

from certificates import document
from certificates.models import Certificate
from certificates.publiclog import certificate_json, logged_of
from certificates.records import note_of
from common.errors import DomainError

ROOT = Path(__file__).resolve().parent.parent
START_LIMIT_S = 30.0
TIME_LIMIT_S = 10.0
MEMORY_LIMIT = 1_000_000_000  # bytes of address space; a page takes about 90 MB of memory
MAX_PDF_BYTES = 5_000_000
RENDERS_PER_PROCESS = 500
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "FONTCONFIG_PATH", "FONTCONFIG_FILE", "XDG_CACHE_HOME")


class RenderingFailed(RuntimeError):
    """This certificate could not be rendered; the message says why."""


class RendererUnavailable(RuntimeError):
    """Nothing can be rendered now: the process does not start. It is no certificate's fault."""


class Renderer:
    """One child process; thread-safe, used by one thread at a time. A forked worker starts one of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._parent = 0
        self._rendered = 0

    def render(self, request: dict[str, object], *, time_limit_s: float = TIME_LIMIT_S) -> bytes:
        """The PDF. Raises RenderingFailed, after which the next call finds a fresh process, and
        RendererUnavailable.
        """
        message = json.dumps(request).encode()
        with self._lock:
            child = self._running()
            try:
                content = self._ask(child, message, deadline=time.monotonic() + time_limit_s)
            except (OSError, EOFError, TimeoutError) as error:
                self._kill()
                raise RenderingFailed(f"The rendering process {error or type(error).__name__}.") from error
        return content

    def close(self) -> None:
        """End the child."""
        with self._lock:
            self._kill()

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._rendered >= RENDERS_PER_PROCESS or self._parent != os.getpid():
            self._kill()
        if self._child is None or self._child.poll() is not None:
            self._kill()
            self._child = self._start()
            self._parent, self._rendered = os.getpid(), 0
        self._rendered += 1
        return self._child

    def _start(self) -> "subprocess.Popen[bytes]":
        """A process that has said that it is ready. Raises RendererUnavailable."""
        try:
            child = subprocess.Popen(  # noqa: S603 our own module
                [sys.executable, "-m", "certificates.render_child", str(MEMORY_LIMIT)],
                cwd=ROOT,
                env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        except OSError as error:
            raise RendererUnavailable(f"The rendering process does not start: {error}") from error
        try:
            _read(child, 1, time.monotonic() + START_LIMIT_S)
        except (OSError, EOFError, TimeoutError) as error:
            _end(child)
            raise RendererUnavailable(f"The rendering process {error}; its log says why.") from error
        return child

    def _ask(self, child: "subprocess.Popen[bytes]", message: bytes, *, deadline: float) -> bytes:
        _write(child, struct.pack(">I", len(message)) + message, deadline)
        kind, length = struct.unpack(">BI", _read(child, 5, deadline))
        if length > MAX_PDF_BYTES:
            raise OSError(f"answered with {length} bytes")
        content = _read(child, length, deadline)
        if kind == 0:
            raise RenderingFailed(content.decode(errors="replace"))
        if kind == 2:  # noqa: PLR2004 see render_child
            raise OSError(content.decode(errors="replace"))
        return content

    def _kill(self) -> None:
        child, self._child = self._child, None
        if child is not None and self._parent == os.getpid():
            _end(child)


def _write(child: "subprocess.Popen[bytes]", data: bytes, deadline: float) -> None:
    """All of this to the child, which may not read. Raises OSError, EOFError and TimeoutError."""
    if child.stdin is None:
        raise EOFError("has no pipe")
    os.set_blocking(child.stdin.fileno(), False)
    rest = memoryview(data)
    with io_selectors.DefaultSelector() as selector:
        selector.register(child.stdin, io_selectors.EVENT_WRITE)
        while rest:
            left = deadline - time.monotonic()
            if left <= 0 or not selector.select(left):
                raise TimeoutError("took longer than its limit")
            rest = rest[os.write(child.stdin.fileno(), rest) :]


def _read(child: "subprocess.Popen[bytes]", length: int, deadline: float) -> bytes:
    """Exactly so many bytes of the child's answer. Raises EOFError and TimeoutError."""
    if child.stdout is None:
        raise EOFError("has no pipe")
    content = b""
    with io_selectors.DefaultSelector() as selector:
        selector.register(child.stdout, io_selectors.EVENT_READ)
        while len(content) < length:
            left = deadline - time.monotonic()
            if left <= 0 or not selector.select(left):
                raise TimeoutError("took longer than its limit")
            chunk = os.read(child.stdout.fileno(), min(65_536, length - len(content)))
            if not chunk:
                raise EOFError("ended without an answer")
            content += chunk
    return content


def _end(child: "subprocess.Popen[bytes]") -> None:
    child.kill()
    child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):  # a request that it never read
                pipe.close()


renderer = Renderer()
atexit.register(renderer.close)


def render(certificate: Certificate) -> bytes:
    """The certificate's PDF. Raises RenderingFailed and RendererUnavailable."""
    return renderer.render(request_for(certificate))


def request_for(certificate: Certificate) -> dict[str, object]:
    """What the rendering process is told. Raises RenderingFailed for facts that no page can be made of."""
    facts = certificate.facts or {}
    try:
        pages = document.pages(
            facts,
            state=certificate.state,
            note=note_of(certificate),
            record_url=f"{settings.SITE_URL}/c/{certificate.code}/",
            digest=certificate.digest,
            logged=logged_of(certificate),
        )
    except (KeyError, ValueError, DomainError) as error:
        raise RenderingFailed(f"The facts make no page: {error!r}") from error
    return {
        "pages": pages,
        "certificate_json": certificate_json(certificate).decode(),
        "issued_at": str(facts["issued_at"]),
        "digest": certificate.digest,
    }
