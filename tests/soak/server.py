"""The project's web processes on a free loopback port, in this run's home and on its database."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START_S = 60
BAD_LOG = ("database is locked", "deadlock", "Traceback")


@dataclass(frozen=True)
class Server:
    """Where it answers, and what it logged."""

    port: int
    log: Path

    def complaints(self) -> list[str]:
        """Lines of its log that no healthy run has."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [line for line in lines if any(bad in line for bad in BAD_LOG)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(
    application: str = "config.wsgi", *, workers: int = 4, threads: int = 8, preload: bool = False
) -> Iterator[Server]:
    """gunicorn with this application until the block ends; `preload`: read once, then forked."""
    port = free_port()
    with tempfile.NamedTemporaryFile("w", suffix=".log", dir=os.environ["CLEARLINE_HOME"]) as log:
        command = [sys.executable, "-m", "gunicorn", application, "--chdir", str(ROOT)]
        command += ["--bind", f"127.0.0.1:{port}", "--workers", str(workers), "--threads", str(threads)]
        command += ["--backlog", "1024", "--timeout", "120", "--no-control-socket"]
        command += ["--preload"] if preload else []
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env={**os.environ, "LOG_LEVEL": "ERROR"}, cwd=ROOT
        )
        try:
            wait_for_answer(port, process)
            yield Server(port, Path(log.name))
        finally:
            process.terminate()
            process.wait(timeout=30)


def wait_for_answer(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the web process ended with {process.returncode}")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/offsets/", timeout=START_S)
        except urllib.error.HTTPError:
            return  # it asks for a key: it answers
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the web process did not answer in time")
