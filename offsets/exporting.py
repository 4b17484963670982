"""Write the whole ledger as plain files, for a verifier that imports nothing of this project.

One file per table, JSON lines, one row a line in primary-key order; `manifest.json` names each file's rows
and SHA-256. Device serials are replaced by a digest under a salt that is not written: equal devices stay
equal, and the export says nothing about who owns what.
"""

import hashlib
import json
import secrets
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from offsets.models import (
    Allocation,
    Attempt,
    AttemptOutcome,
    Credit,
    CreditBlock,
    DeviceOffset,
    ProjectStock,
    Reservation,
    Retirement,
    Span,
)

FORMAT = "clearline-ledger/2"
TABLES: dict[str, tuple[type[Any], tuple[str, ...]]] = {
    "stocks": (ProjectStock, ("id", "project_id", "livemode", "stocked_g", "committed_g", "kept_g")),
    "blocks": (
        CreditBlock,
        ("id", "project_id", "livemode", "series", "first_number", "last_number", "vintage", "unit"),
    ),
    "credits": (Credit, ("id", "series", "number", "block_id", "retirement_id")),
    "retirements": (
        Retirement,
        (
            *("id", "reference", "request_id", "project_id", "block_id", "livemode", "first_number"),
            *("last_number", "state", "attempted_at", "confirmed_at", "registry_reference", "retired_on"),
            "beneficiary",
        ),
    ),
    "attempts": (Attempt, ("id", "retirement_id", "intent", "created_at")),
    "outcomes": (AttemptOutcome, ("id", "attempt_id", "kind", "receipt", "created_at")),
    "spans": (Span, ("id", "retirement_id", "reverses_id", "from_g", "to_g", "next_g")),
    "allocations": (Allocation, ("id", "span_id", "offset_id", "from_g", "to_g")),
    "offsets": (
        DeviceOffset,
        (
            *("id", "project_id", "livemode", "manufacturer", "device_serial", "amount_g", "boundary"),
            *("period", "supplement", "created_at", "covered_at", "ended_at", "ended_reason", "replaces_id"),
            "beneficiary",
        ),
    ),
    "reservations": (Reservation, ("id", "project_id", "livemode", "amount_g", "expires_at")),
}


@transaction.atomic
def export_ledger(folder: Path, *, now: datetime) -> dict[str, Any]:
    """Write every table of the ledger to `folder`, which must be new or empty; returns the manifest.

    Raises FileExistsError when the folder holds anything. Reads in one transaction.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty; name a new folder.")
    salt = secrets.token_bytes(32)

    def hide(serial: str) -> str:
        return hashlib.sha256(salt + serial.encode()).hexdigest()

    files = {name: _write(folder / f"{name}.jsonl", _rows(name, hide)) for name in TABLES}
    manifest = {"format": FORMAT, "written_at": now.isoformat(), "files": files}
    (folder / "manifest.json").write_text(
        json.dumps(manifest, indent=2, sort_keys=True) + "\n", encoding="ascii"
    )
    return manifest


def _rows(name: str, hide: Callable[[str], str]) -> Iterator[dict[str, Any]]:
    model, columns = TABLES[name]
    for row in model.objects.order_by("pk").values(*columns).iterator(chunk_size=5_000):
        if name == "offsets":
            row["device_serial"] = hide(row["device_serial"])
        yield row


def _write(path: Path, rows: Iterator[dict[str, Any]]) -> dict[str, Any]:
    digest, count = hashlib.sha256(), 0
    with path.open("wb") as file:
        for row in rows:
            line = json.dumps(row, sort_keys=True, separators=(",", ":"), default=_plain).encode() + b"\n"
            digest.update(line)
            file.write(line)
            count += 1
    return {"rows": count, "sha256": digest.hexdigest()}


def _plain(value: Any) -> str:
    """Dates, times and UUIDs as text."""
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
