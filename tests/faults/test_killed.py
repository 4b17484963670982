"""Killed between any two steps: a restart finishes the order, and nothing is retired or issued twice."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from common.faults import FAULT_POINTS
from tests.factories.checkout import SWEDEN_G

pytestmark = pytest.mark.embedded

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = {"DATABASE_URL", "REDIS_URL", "CLEARLINE_FAULT_POINT", "CLEARLINE_SANDBOX_JOURNAL", "MEDIA_ROOT"}

FINISHED = {
    "orders": 1,
    "payments": 1,
    "shipments": 1,
    "devices_with_offset": 1,
    "offsets": 1,
    "covered": 1,
    "retirements": ["confirmed"],
    "attempts": 1,
    "retired_credits": 1,
    "allocations": [[0, SWEDEN_G]],
    "certificates": [["valid", True]],
    "pdfs": 1,
    "credits_in_journal": ["DEMO-CDM-CL-CER-2-1 to 1"],
    "violations": [],
}

# What the dead process leaves: that it died where it should have, and not before.
LEFT_BEHIND: dict[str, dict[str, int]] = {
    "order-placed": {"orders": 1, "payments": 0},
    "order-paid": {"payments": 1, "shipments": 0},
    "devices-shipped": {"shipments": 1, "offsets": 0},
    "offsets-requested": {"offsets": 1, "linked": 0},
    "retirement-opened": {"linked": 1, "retirements": 1, "attempts": 0},
    "attempt-committed": {"attempts": 1, "journal": 0, "outcomes": 0},
    "registry-called": {"attempts": 1, "journal": 1, "outcomes": 0},
    "outcome-recorded": {"outcomes": 1, "spans": 1, "allocations": 0},
    "grams-allocated": {"allocations": 1, "covered": 1, "certificates": 0},
    "certificates-issued": {"certificates": 1, "pdfs": 0, "rendered": 0},
    "pdf-written": {"pdfs": 1, "rendered": 0},
    "certificate-rendered": {"pdfs": 1, "rendered": 1},
}
COUNTS = {
    "orders": "checkout_order",
    "payments": "checkout_payment",
    "shipments": "checkout_shipment",
    "linked": "checkout_ordereddevice WHERE offset_id IS NOT NULL",
    "offsets": "offsets_deviceoffset",
    "covered": "offsets_deviceoffset WHERE covered_at IS NOT NULL",
    "retirements": "offsets_retirement",
    "attempts": "offsets_attempt",
    "outcomes": "offsets_attemptoutcome",
    "spans": "offsets_span",
    "allocations": "offsets_allocation",
    "certificates": "certificates_certificate",
    "rendered": "certificates_certificate WHERE rendered_at IS NOT NULL",
}


def step(home: Path, *words: str, dies_at: str = "") -> subprocess.CompletedProcess[str]:
    """One process of the shop in this home."""
    environment = {name: value for name, value in os.environ.items() if name not in NOT_OURS}
    environment |= {
        "CLEARLINE_MODE": "demo",
        "CLEARLINE_HOME": str(home),
        "CLEARLINE_DEMO_WAREHOUSE_DELAY_S": "0",
        "CLEARLINE_FAULT_POINT": dies_at,
    }
    return subprocess.run(
        [sys.executable, "-m", "tests.faults.shop", *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a small shop in it, to be copied."""
    home = tmp_path_factory.mktemp("faults") / "prepared"
    done = step(home, "prepare")
    assert done.returncode == 0, done.stderr
    return home


@pytest.fixture
def home(prepared: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(prepared, tmp_path / "home"))


def kill(home: Path, point: str, registry: str = "sandbox") -> None:
    died = step(home, "buy", registry, dies_at=point)
    assert died.returncode == -signal.SIGKILL, died.stderr


def restart(home: Path, registry: str = "sandbox") -> dict[str, Any]:
    done = step(home, "finish", registry)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def left_behind(home: Path) -> dict[str, int]:
    """Counts of rows and files, read without the application."""
    journal = home / "sandbox-registry.jsonl"
    counts = {
        "journal": len(journal.read_text().splitlines()) if journal.exists() else 0,
        "pdfs": len(list((home / "media").rglob("*.pdf"))),
    }
    with closing(sqlite3.connect(home / "clearline.sqlite3")) as database:
        for name, rows in COUNTS.items():
            counts[name] = database.execute(f"SELECT count(*) FROM {rows}").fetchone()[0]  # noqa: S608
    return counts


def test_every_fault_point_is_killed_here() -> None:
    assert list(LEFT_BEHIND) == list(FAULT_POINTS)


@pytest.mark.parametrize("point", FAULT_POINTS)
def test_killed_there_a_restart_finishes_the_order_and_retires_once(home: Path, point: str) -> None:
    kill(home, point)
    left = left_behind(home)
    assert {name: left[name] for name in LEFT_BEHIND[point]} == LEFT_BEHIND[point]
    found = restart(home)
    assert len(set(found.pop("requests_in_journal"))) == 1
    assert found == FINISHED


def test_killed_after_the_call_a_registry_that_is_not_idempotent_is_only_looked_at(home: Path) -> None:
    kill(home, "registry-called", "careless")
    found = restart(home, "careless")
    assert len(found.pop("requests_in_journal")) == 1
    assert found == FINISHED


def test_killed_before_the_call_such_a_registry_is_never_called_and_a_person_must_look(home: Path) -> None:
    """Nobody can tell this from a call whose answer was lost: waiting is the price."""
    kill(home, "attempt-committed", "careless")
    found = restart(home, "careless")
    assert found["credits_in_journal"] == []
    assert (found["attempts"], found["retirements"], found["certificates"]) == (1, ["open"], [])
    assert found["violations"] == []


def test_control_a_registry_that_lies_about_being_idempotent_retires_twice_and_it_shows(home: Path) -> None:
    kill(home, "registry-called", "lying")
    assert restart(home, "lying")["credits_in_journal"] == ["DEMO-CDM-CL-CER-2-1 to 1"] * 2
