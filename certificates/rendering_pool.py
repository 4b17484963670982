"""Keeps one rendering process for this worker, with limits on time and memory; starts it anew when it
dies.
"""

import atexit
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

from certificates.models import Certificate
from certificates.selectors import certificate_json

ROOT = Path(__file__).resolve().parent.parent
TIME_LIMIT_S = 20.0
MAX_PDF_BYTES = 5_000_000
RENDERS_PER_PROCESS = 500


class RenderingFailed(RuntimeError):
    """The certificate could not be rendered; the message says why."""


class Renderer:
    """One child process; thread-safe, used by one thread at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._rendered = 0

    def render(self, request: dict[str, object], *, time_limit_s: float = TIME_LIMIT_S) -> bytes:
        """The PDF. Raises RenderingFailed; the next call finds a fresh process."""
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
        if self._rendered >= RENDERS_PER_PROCESS:
            self._kill()
        if self._child is None or self._child.poll() is not None:
            self._rendered = 0
            self._child = subprocess.Popen(  # noqa: S603 our own module
                [sys.executable, "-m", "certificates.render_child"],
                cwd=ROOT,
                env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        self._rendered += 1
        return self._child

    def _ask(self, child: "subprocess.Popen[bytes]", message: bytes, *, deadline: float) -> bytes:
        if child.stdin is None or child.stdout is None:
            raise EOFError("has no pipes")
        child.stdin.write(struct.pack(">I", len(message)) + message)
        child.stdin.flush()
        fine, length = struct.unpack(">BI", self._read(child.stdout.fileno(), 5, deadline))
        if length > MAX_PDF_BYTES:
            raise OSError(f"answered with {length} bytes")
        content = self._read(child.stdout.fileno(), length, deadline)
        if not fine:
            raise RenderingFailed(content.decode(errors="replace"))
        return content

    @staticmethod
    def _read(descriptor: int, length: int, deadline: float) -> bytes:
        content = b""
        with io_selectors.DefaultSelector() as selector:
            selector.register(descriptor, io_selectors.EVENT_READ)
            while len(content) < length:
                left = deadline - time.monotonic()
                if left <= 0 or not selector.select(left):
                    raise TimeoutError("took longer than its limit")
                chunk = os.read(descriptor, min(65_536, length - len(content)))
                if not chunk:
                    raise EOFError("ended without an answer")
                content += chunk
        return content

    def _kill(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            for pipe in (self._child.stdin, self._child.stdout):
                if pipe is not None:
                    pipe.close()
            self._child = None


renderer = Renderer()
atexit.register(renderer.close)


def render(certificate: Certificate) -> bytes:
    """The certificate's PDF. Raises RenderingFailed."""
    return renderer.render(
        {
            "facts": certificate.facts,
            "state": certificate.state,
            "record_url": f"{settings.SITE_URL}/c/{certificate.code}/",
            "certificate_json": certificate_json(certificate).decode(),
            "digest": certificate.digest,
        }
    )
