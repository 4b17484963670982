"""A demonstration shop as a person meets it: its own home, web and worker as processes, a browser."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_MS = 60_000  # how long a page may take; on a busy machine ten times what is usual
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(frozen=True)
class Shop:
    """A running shop: its address, its log-ins, and one purchase that has reached its certificate."""

    url: str
    home: Path
    log_ins: dict[str, Any]
    purchase: dict[str, Any]


def chromium() -> str | None:
    """The browser's path; None where there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextlib.contextmanager
def open_browser() -> Iterator[Browser]:
    """Headless Chromium; raises RuntimeError where there is none."""
    path = chromium()
    if path is None:
        raise RuntimeError("Chromium is not installed.")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def open_shop(home: Path) -> Iterator[Shop]:
    """Set a shop up in `home`, serve it on a free loopback port, play a purchase; everything ends with it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    environment = {
        **kept,
        "CLEARLINE_MODE": "demo",
        "CLEARLINE_HOME": str(home),
        "SITE_URL": url,
        "LOG_LEVEL": "WARNING",
    }
    manage = [sys.executable, str(ROOT / "manage.py")]
    subprocess.run([*manage, "demo_setup"], cwd=ROOT, env=environment, check=True, timeout=120)
    serve = [
        "-m",
        "gunicorn",
        "config.wsgi",
        "--bind",
        f"127.0.0.1:{port}",
        "--threads",
        "6",
        "--no-control-socket",
    ]
    processes = [
        subprocess.Popen([sys.executable, *serve], cwd=ROOT, env=environment, stderr=subprocess.DEVNULL),
        subprocess.Popen([*manage, "work", "--pause", "0.5"], cwd=ROOT, env=environment),
    ]
    try:
        _wait(url)
        played = subprocess.run(
            [*manage, "demo_purchase", "--json"],
            cwd=ROOT,
            env=environment,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            timeout=150,
        )
        log_ins = json.loads((home / "demo.json").read_text())
        yield Shop(url, home, log_ins, json.loads(played.stdout.splitlines()[-1]))
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=20)


def _wait(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/healthz", timeout=2):
            return
        time.sleep(0.1)
    raise TimeoutError(f"{url} did not answer within 60 seconds.")
