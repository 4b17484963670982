"""A PostgreSQL of the benchmark's own, gone at its end: the one that ops/stack.sh starts for tests."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
START = """
set -euo pipefail
ROOT=$1
CALLED_FROM=$ROOT
source "$ROOT/ops/setup.sh"
source "$ROOT/ops/processes.sh"
source "$ROOT/ops/stack.sh"
trap clean_up EXIT
ensure_packages stack >&2
new_scratch bench
start_postgres "$NEW_SCRATCH" >&2
printf 'postgres://postgres@/clearline?host=%s\\n' "$NEW_SCRATCH"
cat >/dev/null
"""


@contextmanager
def postgresql() -> Iterator[str]:
    """Its address. It ends when the block ends, or when this process does."""
    shell = subprocess.Popen(
        ["bash", "-c", START, "bash", str(ROOT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert shell.stdin is not None
    assert shell.stdout is not None
    try:
        address = shell.stdout.readline().strip()
        if not address:
            raise SystemExit("PostgreSQL did not start; the lines above say why.")
        yield address
    finally:
        shell.stdin.close()
        shell.wait(timeout=60)
