"""./run demo as a stranger runs it: the real shop in a home of its own."""

import json
import os
import subprocess
import sys
import urllib.request
from base64 import b64decode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.infra.conftest import ROOT, find_port, processes_of

pytestmark = pytest.mark.embedded

PROMISED = [
    *("order", "device_serial", "product", "project", "amount_g", "credit_serials"),
    *("certificate_code", "record_url", "pdf", "svg", "json", "log_key", "seconds"),
]


def environment(home: Path) -> dict[str, str]:
    """What a stranger's shell holds: nothing of the suite's own settings."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"CLEARLINE_HOME": str(home)}


def run(home: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "run", *args], env=environment(home), capture_output=True, text=True, timeout=180
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "home"


@pytest.fixture(scope="module")
def purchase(home: Path) -> dict[str, Any]:
    answer = run(home, "demo", "--once")
    assert answer.returncode == 0, answer.stderr
    [line] = answer.stdout.splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


@pytest.fixture(scope="module")
def served(home: Path, purchase: dict[str, Any]) -> Iterator[str]:
    """The address of a second, serving start on that home."""
    port = find_port()
    process = subprocess.Popen(
        [ROOT / "run", "demo", "--port", str(port)],
        env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Ctrl-C"):
            break
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(timeout=30)
    assert processes_of(home) == {}


def test_one_purchase_reaches_its_certificate(purchase: dict[str, Any]) -> None:
    assert set(purchase) == set(PROMISED)
    assert isinstance(purchase["amount_g"], int)
    assert purchase["amount_g"] > 0
    assert "DEMO-" in str(purchase["credit_serials"])
    for kind, opening in (("pdf", b"%PDF-"), ("svg", b"<"), ("json", b"{")):
        path = Path(purchase[kind])
        assert path.is_absolute()
        assert path.read_bytes().startswith(opening)
    assert purchase["certificate_code"] in purchase["record_url"]


def test_the_logs_key_is_printed_as_the_text_that_the_tools_take(purchase: dict[str, Any]) -> None:
    origin, key_id, key = purchase["log_key"].split("+", 2)  # base64 may hold a plus sign
    public = b64decode(key, validate=True)
    assert (len(public), public[:1]) == (33, b"\x01")
    assert key_id == sha256(origin.encode() + b"\n" + public).hexdigest()[:8]
    tool = ROOT / "tools" / "verify_certificate.py"
    checked = subprocess.run(
        [sys.executable, "-I", tool, purchase["json"], purchase["log_key"]], capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout


def test_a_second_start_serves_the_same_record_and_plays_no_purchase(
    home: Path, purchase: dict[str, Any], served: str
) -> None:
    with urllib.request.urlopen(f"{served}/", timeout=20) as page:
        assert page.status == 200
    record = served + urlsplit(purchase["record_url"]).path
    with urllib.request.urlopen(record, timeout=20) as page:
        assert purchase["certificate_code"] in page.read().decode()
    assert json.loads((home / "last-purchase.json").read_text()) == purchase


def test_the_ledger_of_the_demo_holds_and_reset_knows_all_that_was_written(
    home: Path, purchase: dict[str, Any]
) -> None:
    verified = run(home, "manage", "verify_ledger")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    written = {path.name for path in home.iterdir()} - {".clearline"}
    known = (ROOT / "ops" / "demo.sh").read_text().split("HOME_NAMES=(")[1].split(")")[0].split()
    assert written <= set(known)


def test_once_on_an_old_home_is_another_order_on_another_device(home: Path, purchase: dict[str, Any]) -> None:
    answer = run(home, "demo", "--once")
    another = json.loads(answer.stdout)
    assert another["order"] != purchase["order"]
    assert another["device_serial"] != purchase["device_serial"]
    assert another["certificate_code"] != purchase["certificate_code"]
