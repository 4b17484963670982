"""Checks that read the database must not stop the command that makes it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.embedded
@pytest.mark.parametrize("livemode", ["0", "1"])
def test_checks_of_the_database_pass_before_there_is_a_table(tmp_path: Path, livemode: str) -> None:
    environment = os.environ | {
        "CLEARLINE_MODE": "test",
        "CLEARLINE_HOME": str(tmp_path),
        "CLEARLINE_LIVEMODE": livemode,
    }
    environment.pop("DATABASE_URL", None)
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--database", "default"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
