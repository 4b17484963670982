"""A stand-in checkout: the real ./run around a shop of a few lines, to watch processes and files."""

import contextlib
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

MANAGE = """
import json, os, signal, sys, time
from pathlib import Path
home, command = Path(os.environ["CLEARLINE_HOME"]), sys.argv[1]
with open(os.environ["STAND_IN_LOG"], "a") as log:
    log.write(" ".join(sys.argv[1:]) + "\\n")
if command == "demo_setup":
    time.sleep(float(os.environ.get("STAND_IN_SETUP_S", "0")))
    (home / "keys").mkdir(exist_ok=True)
    (home / "keys" / "secret_key").write_text("k")
    (home / "clearline.sqlite3").write_text("rows")
    (home / "demo.json").write_text(json.dumps({"admin": {"email": "dana@x.example", "password": "d-pass"},
        "sales": {"email": "sam@x.example", "password": "s-pass"}, "partner_key": "pk-1"}))
elif command == "demo_purchase":
    print("a line of noise")
    print(json.dumps({"order": "O-1", "record_url": os.environ["SITE_URL"] + "/c/CODE/", "pdf": "/x.pdf"}))
elif command == "work":
    time.sleep(3600)
elif command == "cat":
    print(Path(sys.argv[2]).read_text())
"""

WSGI = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"a shop"]
"""

FAKE_DPKG = """#!/bin/sh
echo dpkg-query >>"$STAND_IN_LOG"
for name in "$@"; do
    case " $FAKE_INSTALLED $(cat "$FAKE_DISK" 2>/dev/null) " in *" $name "*) echo "$name installed" ;; esac
done
"""

FAKE_APT = """#!/bin/sh
echo "apt-get $*" >>"$STAND_IN_LOG"
[ "$FAKE_APT_FAILS" != yes ] || exit 100
for name in "$@"; do printf '%s ' "$name" >>"$FAKE_DISK"; done
"""

EVERY_PACKAGE = (
    "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-inter fonts-noto-core "
    "postgresql redis-server chromium gettext poppler-utils qpdf"
)


class Checkout:
    """A copy of ./run with a stand-in shop, a home beside it and a log of what was called."""

    def __init__(self, folder: Path) -> None:
        self.root, self.home, self.log = folder / "checkout", folder / "home", folder / "calls.log"
        self.bin = folder / "bin"
        shutil.copytree(ROOT / "ops", self.root / "ops", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(ROOT / "requirements", self.root / "requirements")
        shutil.copy(ROOT / "run", self.root / "run")
        (self.root / "manage.py").write_text(MANAGE)
        (self.root / "config").mkdir()
        (self.root / "config" / "__init__.py").write_text("")
        (self.root / "config" / "wsgi.py").write_text(WSGI)
        self.log.write_text("")
        self.script(self.root / ".venv/bin/python", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        self.stamp_python()
        self.script(self.bin / "dpkg-query", FAKE_DPKG)
        self.script(self.bin / "apt-get", FAKE_APT)
        self.script(self.bin / "id", "#!/bin/sh\necho ${FAKE_UID:-0}\n")
        self.env = {
            name: value
            for name, value in os.environ.items()
            if name not in {"DATABASE_URL", "REDIS_URL", "SITE_URL", "CLEARLINE_MODE"}
        } | {
            "CLEARLINE_HOME": str(self.home),
            "TMPDIR": str(folder),
            "STAND_IN_LOG": str(self.log),
            "FAKE_INSTALLED": EVERY_PACKAGE,
            "FAKE_DISK": str(folder / "disk"),
            "PATH": f"{self.bin}:{os.environ['PATH']}",
        }

    def script(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def stamp_python(self) -> None:
        for name in ("runtime", "dev"):
            locks = [self.root / f"requirements/{lock}.txt" for lock in ("tool", name)]
            digest = hashlib.sha256(b"".join(lock.read_bytes() for lock in locks)).hexdigest()
            (self.root / f".venv/.installed-{name}").write_text(digest + "\n")

    def run(self, *args: str, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.root / "run", *args],
            env=self.env | env,
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def start(self, *args: str, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.root / "run", *args],
            env=self.env | env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def calls(self) -> list[str]:
        return self.log.read_text().splitlines()

    def forget_calls(self) -> None:
        self.log.write_text("")


def processes_of(home: Path) -> dict[int, str]:
    """pid -> command line of every live process whose environment names this home or a folder in it."""
    wanted, found = f"CLEARLINE_HOME={home}", {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes().decode(errors="replace").split("\0")
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it ended while we looked, or is another user's
        if command and any(entry == wanted or entry.startswith(wanted + "/") for entry in environment):
            found[int(folder.name)] = command
    return found


def wait_for(condition: Callable[[], bool], *, seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    stand_in = Checkout(tmp_path)
    yield stand_in
    for pid in processes_of(stand_in.home):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def find_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def free_port() -> int:
    return find_port()
