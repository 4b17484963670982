"""The ledger as plain files, checked by a tool that imports nothing of the project."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from offsets import services
from offsets.models import DeviceOffset
from tests.factories.offsets import (
    NOON,
    SHOP,
    allocate,
    make_project,
    open_retirements,
    promise,
    stock,
    wish,
)

pytestmark = pytest.mark.django_db
TOOL = Path(__file__).resolve().parents[2] / "tools" / "verify_export.py"
Row = dict[str, Any]


@pytest.fixture
def export(tmp_path: Path) -> Path:
    project = make_project()
    stock(project, credits=5)
    promise(wish(project, "PF-1", 600_000), wish(project, "PF-2", 700_000), key="a")
    [retirement] = open_retirements(project)
    services.settle(retirement, now=NOON)
    allocate(project)
    services.reverse_offset(
        DeviceOffset.objects.get(device_serial="PF-1"), reason="returned", actor=SHOP, now=NOON
    )
    promise(wish(project, "PF-3", 300_000), key="b")
    services.hold([services.Hold(project=project, livemode=False, holder="order-unit:1", amount_g=5)])
    call_command("export_ledger", str(tmp_path / "export"))
    return tmp_path / "export"


def verify(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", TOOL, folder], capture_output=True, text=True, timeout=60, cwd=folder
    )


def change(folder: Path, table: str, edit: Callable[[list[Row]], None]) -> None:
    """Change rows and write a manifest that fits, as a liar would."""
    path = folder / f"{table}.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    edit(rows)
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][table] = {"rows": len(rows), "sha256": hashlib.sha256(content).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_a_healthy_export_is_found_well(export: Path) -> None:
    answer = verify(export)
    assert (answer.returncode, answer.stdout.split(":")[0]) == (0, "ok"), answer.stdout


def test_an_export_names_no_device(export: Path) -> None:
    assert "PF-1" not in (export / "offsets.jsonl").read_text()


@pytest.mark.parametrize(
    ("table", "edit"),
    [
        ("stocks", lambda rows: rows[0].update(committed_g=rows[0]["committed_g"] + 1)),
        ("stocks", lambda rows: rows[0].update(kept_g=rows[0]["kept_g"] + 1)),
        ("retirements", lambda rows: rows[0].update(beneficiary="Charlie GmbH")),
        ("stocks", lambda rows: rows[0].update(stocked_g=rows[0]["stocked_g"] - 1)),
        ("credits", lambda rows: rows[0].update(number=rows[1]["number"])),
        ("credits", lambda rows: rows[0].update(retirement_id=None)),
        ("credits", lambda rows: rows.pop()),
        ("blocks", lambda rows: rows[0].update(last_number=rows[0]["last_number"] + 1)),
        ("retirements", lambda rows: rows[0].update(registry_reference="other")),
        ("retirements", lambda rows: rows[0].update(state="open")),
        ("retirements", lambda rows: rows[0].update(last_number=rows[0]["last_number"] + 1)),
        ("attempts", lambda rows: rows.clear()),
        ("outcomes", lambda rows: rows[0]["receipt"].update(credits=1)),
        ("spans", lambda rows: rows[0].update(next_g=rows[0]["next_g"] + 1)),
        ("spans", lambda rows: rows[-1].update(from_g=rows[-1]["from_g"] + 1)),
        ("allocations", lambda rows: rows[0].update(to_g=rows[0]["to_g"] + 1)),
        ("allocations", lambda rows: rows.pop(0)),
        ("offsets", lambda rows: rows[1].update(amount_g=rows[1]["amount_g"] + 1)),
        ("offsets", lambda rows: rows[1].update(covered_at=None)),
        ("offsets", lambda rows: rows[1].update(device_serial=rows[2]["device_serial"])),
        ("reservations", lambda rows: rows.clear()),
    ],
)
def test_a_changed_row_is_named(export: Path, table: str, edit: Callable[[list[Row]], None]) -> None:
    change(export, table, edit)
    answer = verify(export)
    assert answer.returncode == 1, answer.stdout
    assert "Traceback" not in answer.stderr


def test_a_changed_file_does_not_pass_for_the_one_that_was_written(export: Path) -> None:
    (export / "spans.jsonl").write_bytes((export / "spans.jsonl").read_bytes()[:-5])
    answer = verify(export)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "spans.jsonl is not the file" in answer.stderr


def test_a_folder_that_holds_something_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(CommandError, match="not empty"):
        call_command("export_ledger", str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
