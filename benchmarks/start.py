"""Cold start of a fresh clone to the first page, and a second start on the same home

Peer: the least that any Django project needs for the same, in the same run: a virtual environment by pip with
Django and gunicorn of our own lock, and its start page.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from benchmarks._result import Goal, print_result

ROOT = Path(__file__).resolve().parents[1]
RUNS = 3


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def seconds_to_first_page(command: list[str], *, port: int, cwd: Path, env: dict[str, str]) -> float:
    """Starts `command`, waits until / answers 200, stops it."""
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=cwd, env=env, stdout=sys.stderr, stderr=sys.stderr)
    try:
        while time.monotonic() - began < 300:
            if process.poll() is not None:
                raise SystemExit(f"{command[0]} ended with {process.returncode} before it answered")
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as page:
                    if page.status == 200:
                        return time.monotonic() - began
            except OSError:
                time.sleep(0.02)
        raise SystemExit(f"no answer from {command[0]} within 300 s")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def clone(folder: Path) -> Path:
    target = folder / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(target)], check=True)
    return target


def ours(folder: Path) -> tuple[float, float]:
    """(cold, second) seconds; cold makes the virtual environment and the shop."""
    checkout = clone(folder)
    cold = second = 0.0
    for attempt in ("cold", "second"):
        port = free_port()
        env = os.environ | {"CLEARLINE_HOME": str(folder / "home")}
        env.pop("CLEARLINE_MODE", None)
        seconds = seconds_to_first_page(
            ["./run", "demo", "--port", str(port)], port=port, cwd=checkout, env=env
        )
        if attempt == "cold":
            cold = seconds
            finish_purchase(checkout, env)
        else:
            second = seconds
    return cold, second


def finish_purchase(checkout: Path, env: dict[str, str]) -> None:
    """The cold start was stopped at its first page; a second start is one after a finished purchase."""
    subprocess.run(["./run", "demo", "--once"], cwd=checkout, env=env, check=True, stdout=sys.stderr)


def peer(folder: Path) -> tuple[float, float]:
    """(cold, second) seconds of an empty Django project."""
    pins = [
        line.removesuffix(" \\")
        for line in (ROOT / "requirements/runtime.txt").read_text().splitlines()
        if line.startswith(("django==", "gunicorn=="))
    ]
    port = free_port()
    serve = f".venv/bin/python -m gunicorn hello.wsgi --bind 127.0.0.1:{port} --no-control-socket"
    make = (
        f"{sys.executable} -m venv .venv && .venv/bin/python -m pip install -q {' '.join(pins)} && "
        ".venv/bin/python -m django startproject hello . && .venv/bin/python manage.py migrate -v0 && "
        "sed -i 's/ALLOWED_HOSTS = .*/ALLOWED_HOSTS = [\"127.0.0.1\"]/' hello/settings.py"
    )
    folder.mkdir()
    env = dict(os.environ)
    env.pop("DJANGO_SETTINGS_MODULE", None)
    cold = seconds_to_first_page(["bash", "-c", f"{make} && exec {serve}"], port=port, cwd=folder, env=env)
    second = seconds_to_first_page(["bash", "-c", f"exec {serve}"], port=port, cwd=folder, env=env)
    return cold, second


def median_of(runs: int, measure: Callable[[Path], tuple[float, float]]) -> tuple[float, float]:
    results = []
    for _ in range(runs):
        folder = Path(tempfile.mkdtemp(prefix="clearline-bench-"))
        try:
            results.append(measure(folder / "run"))
        finally:
            shutil.rmtree(folder)
    middle = runs // 2
    return sorted(cold for cold, _ in results)[middle], sorted(second for _, second in results)[middle]


def main() -> None:
    our_cold, our_second = median_of(RUNS, ours)
    peer_cold, peer_second = median_of(RUNS, peer)
    print_result(
        bench="start",
        ours={"cold_s": round(our_cold, 2), "second_s": round(our_second, 2), "runs": RUNS},
        peers={"empty_django": {"cold_s": round(peer_cold, 2), "second_s": round(peer_second, 2)}},
        ratios={"cold": round(our_cold / peer_cold, 2), "second": round(our_second / peer_second, 2)},
        goals=[
            Goal("seconds from a fresh clone to /", gate=30, value=round(our_cold, 2)),
            Goal("seconds of a second start to /", gate=5, value=round(our_second, 2)),
        ],
    )


if __name__ == "__main__":
    main()
