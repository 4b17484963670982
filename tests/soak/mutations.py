"""R15: single rows or bytes changed behind the application's back.

A row: by plain SQL, as somebody with the database's password would. The database refuses (trigger or
constraint) or `verify_ledger` names the row, or the row that it belongs to. A file: a byte of an export, or
one value with the manifest made to fit; then `tools/verify_export.py`, which imports nothing of ours, must
report it.
"""

import hashlib
import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.db import DatabaseError, connection, models, transaction
from django.utils import timezone

from common import triggers
from common.models import Event
from offsets import services, verify
from offsets.exporting import export_ledger
from offsets.models import (
    Allocation,
    Attempt,
    AttemptOutcome,
    Credit,
    CreditBlock,
    DeviceOffset,
    OffsetRequest,
    ProjectStock,
    Reconciliation,
    RegistryReport,
    Reservation,
    Retirement,
    Span,
)
from offsets.services import Hold
from tests.soak import world
from tests.soak.bars import Bar

VERIFIER = Path(__file__).resolve().parents[2] / "tools" / "verify_export.py"

ALL = ("*",)
# Which columns are held, by trigger, constraint or verify_ledger; docs/ledger.md lists the same ones.
COLUMNS: dict[type[models.Model], tuple[str, ...]] = {
    CreditBlock: ALL,
    Credit: ("series", "number", "block_id", "retirement_id"),
    Retirement: (
        *("reference", "request_id", "project_id", "block_id", "livemode", "first_number", "last_number"),
        *("state", "attempted_at"),
    ),
    Attempt: ALL,
    AttemptOutcome: ALL,
    OffsetRequest: ALL,
    Event: ALL,
    Allocation: ALL,
    RegistryReport: ALL,
    Reconciliation: ALL,
    DeviceOffset: (
        *("request_id", "livemode", "project_id", "manufacturer", "device_serial", "amount_g"),
        *("covered_at", "ended_at"),
    ),
    Span: ("retirement_id", "reverses_id", "from_g", "to_g", "next_g"),
    ProjectStock: ("project_id", "livemode", "stocked_g", "committed_g", "kept_g"),
    Reservation: ("project_id", "livemode", "amount_g"),
}
ONCE_COVERED = ("boundary", "period", "supplement")
ONCE_ASKED_FOR = ("beneficiary", "reason")
# In an export: what the verifier can recompute from the other rows.
EXPORTED: dict[str, tuple[str, ...]] = {
    "stocks": ("stocked_g", "committed_g", "kept_g"),
    "credits": ("series", "number", "block_id"),
    "retirements": ("first_number", "last_number", "request_id"),
    "spans": ("retirement_id", "from_g", "to_g", "next_g"),
    "allocations": ("span_id", "from_g", "to_g"),
    "offsets": ("amount_g",),
    "reservations": ("amount_g",),
}


def run(n: int, seed: int) -> list[str]:
    """`n` mutations: about three in four of rows, the others of an export."""
    rng = random.Random(seed)
    build_ledger(rng)
    if wrong := list(verify.violations()):
        return [f"the ledger is wrong before anything was changed: {wrong[0]}"]
    folder = Path(tempfile.mkdtemp(prefix="clearline-export-"))
    try:
        export_ledger(folder / "sound", now=timezone.now())
        if report(folder / "sound"):
            return [f"the export is wrong before anything was changed: {report(folder / 'sound')}"]
        found = []
        for number in range(n):
            change = change_file if rng.random() < 0.25 else change_row
            text = change(rng, folder) if change is change_file else change_row(rng)
            if text:
                found.append(f"mutation {number}: {text}")
        return found
    finally:
        shutil.rmtree(folder)


def control(n: int, seed: int) -> list[str]:
    """The guards off: no trigger, and a verify_ledger without its checks."""
    checks = verify.CHECKS
    verify.CHECKS = ()
    rng = random.Random(seed)
    build_ledger(rng)
    try:
        with triggers.lifted():
            return [text for _ in range(n) if (text := change_row(rng))]
    finally:
        verify.CHECKS = checks


def build_ledger(rng: random.Random) -> None:
    """Rows in every state: free, held, open, refused, void, confirmed; covered, ended, moved, waiting."""
    world.fresh()
    projects = world.stocked_projects(rng)
    now = timezone.now()
    facts: dict[str, Any] = {"actor": world.SHOP, "now": now}
    for place, project in enumerate(projects):
        for number in range(3):
            wishes = [
                world.wish(project, f"PF-{place}{number}{row}", rng.randint(100_000, 400_000))
                for row in range(3)
            ]
            world.promise(wishes, key=f"order-{place}-{number}")
            for retirement in services.open_retirements(project=project, livemode=False, **facts):
                if number < 2:
                    services.settle(retirement, now=now)
            services.allocate_grams(project_id=project.pk, livemode=False, **facts)
        covered = list(DeviceOffset.objects.filter(project=project, covered_at__isnull=False).order_by("pk"))
        services.reverse_offset(covered[0], reason="returned", **facts)
        services.move_to_replacement(covered[1], device_serial=f"PF-N{place}", reason="replaced", **facts)
        services.allocate_grams(project_id=project.pk, livemode=False, **facts)
        with transaction.atomic(durable=True):
            services.hold([Hold(project=project, livemode=False, holder=f"unit:{place}", amount_g=250_000)])
        late = [world.wish(project, f"PF-W{place}{row}", 200_000) for row in range(2)]
        world.promise(late, key=f"late-{place}")
        waiting = DeviceOffset.objects.filter(project=project, covered_at=None, ended_at=None).order_by("-pk")
        services.cancel_offset(waiting[0], reason="returned", **facts)
    report = RegistryReport.objects.create(
        registry="CDM",
        name="list.csv",
        digest="0" * 64,
        rows=1,
        as_of=now.date(),
        livemode=False,
        actor=world.SHOP,
        created_at=now,
    )
    judged = Retirement.objects.filter(state="confirmed").order_by("pk")[0]
    Reconciliation.objects.create(report=report, retirement=judged, verdict="confirmed", detail="as asked")
    rows = list(Retirement.objects.filter(state="open").order_by("pk"))
    rows = rows or services.open_retirements(project=project, livemode=False, ahead_credits=1, **facts)
    services.void_retirement(rows[0], reason="nobody asked for it", **facts)


def change_row(rng: random.Random) -> str:
    """Change, remove or double one row; returns what went unnoticed, or nothing."""
    model = rng.choice(list(COLUMNS))
    row = rng.choice(list(model._default_manager.order_by("pk")))
    act: Callable[[random.Random, models.Model], str] = rng.choice(
        [update, update, update, update, remove, double]
    )
    if act is double and isinstance(row, RegistryReport):
        act = update  # a report may well be read twice
    named = names_of(row)
    try:
        with transaction.atomic():
            what = act(rng, row)
            connection.check_constraints()
            row_now = model._default_manager.filter(pk=row.pk).first()
            named |= names_of(row_now) if row_now is not None else set()
            noticed = {found.row for found in verify.violations()}
            transaction.set_rollback(True)
    except DatabaseError:
        return ""
    return "" if noticed & named or not what else f"{what}: noticed {sorted(noticed) or 'nothing'}"


def update(rng: random.Random, row: models.Model) -> str:
    column = rng.choice(held_columns(row))
    field = next(field for field in row._meta.concrete_fields if field.attname == column)
    old = getattr(row, column)
    new = other_value(rng, field, old)
    if new == old:
        return ""
    type(row)._default_manager.filter(pk=row.pk).update(**{column: new})
    return f"UPDATE {row._meta.db_table} {row.pk} {column}: {old!r} -> {new!r}"


def held_columns(row: models.Model) -> list[str]:
    """What must not change in this row; more, the further it has come."""
    columns = COLUMNS[type(row)]
    done = isinstance(row, DeviceOffset) and row.ended_at is not None
    done |= isinstance(row, Retirement) and row.state == Retirement.State.CONFIRMED
    if columns == ALL or done:
        return [field.attname for field in row._meta.concrete_fields if not field.primary_key]
    if isinstance(row, DeviceOffset) and row.covered_at is not None:
        return [*columns, *ONCE_COVERED]
    if isinstance(row, Retirement) and row.attempted_at is not None:
        return [*columns, *ONCE_ASKED_FOR]
    return list(columns)


def remove(rng: random.Random, row: models.Model) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {row._meta.db_table} WHERE id = %s", [row.pk])  # noqa: S608
    return f"DELETE {row._meta.db_table} {row.pk}"


def double(rng: random.Random, row: models.Model) -> str:
    """The same row once more under another key; on SQLite perhaps over an existing one."""
    columns = [field.column for field in row._meta.concrete_fields if not field.primary_key]
    listed, table = ", ".join(columns), row._meta.db_table
    # A reservation replaced by its like under another key is the same reservation.
    may_replace = connection.vendor == "sqlite" and not isinstance(row, Reservation)
    verb = "INSERT OR REPLACE" if may_replace and rng.random() < 0.5 else "INSERT"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT max(id) + 1 FROM {table}")  # noqa: S608
        pk = cursor.fetchone()[0]
        cursor.execute(
            f"{verb} INTO {table} (id, {listed}) SELECT %s, {listed} FROM {table} WHERE id = %s",  # noqa: S608
            [pk, row.pk],
        )
    row.pk = pk
    return f"{verb} {table} like {pk}"


def other_value(rng: random.Random, field: Any, old: Any) -> Any:
    """Another value that the column takes."""
    if isinstance(field, models.ForeignKey):
        keys = list(field.related_model._default_manager.order_by("pk").values_list("pk", flat=True))
        return rng.choice([*keys, None] if field.null else keys)
    if field.choices:
        return rng.choice([value for value, _label in field.choices])
    if isinstance(old, bool):
        return not old
    if isinstance(old, int):
        return old + rng.choice([-1_000_000, -1, 1, 1_000_000])
    if isinstance(old, datetime):
        return rng.choice([None, old + timedelta(hours=1)]) if field.null else old + timedelta(hours=1)
    if isinstance(old, UUID):
        return uuid4()
    if isinstance(old, dict):
        return {**old, "credits": 7}
    if old is None:
        return timezone.now()
    if isinstance(old, list):
        return [*old, {}]
    return old + timedelta(days=1) if hasattr(old, "isoformat") else f"{str(old)[:-1]}~"


def names_of(row: models.Model) -> set[str]:
    """How verify_ledger names this row and those that it belongs to."""
    word = row._meta.model_name
    names = {f"{word}:{row.pk}"}
    for field in row._meta.concrete_fields:
        if isinstance(field, models.ForeignKey) and field.related_model in COLUMNS:
            names.add(f"{field.related_model._meta.model_name}:{getattr(row, field.attname)}")
    if isinstance(row, Reservation | DeviceOffset | CreditBlock):
        stocks = ProjectStock.objects.filter(project_id=row.project_id)
        names |= {f"projectstock:{pk}" for pk in stocks.values_list("pk", flat=True)} | {"projectstock:-"}
    if isinstance(row, ProjectStock):
        names.add("projectstock:-")
    if isinstance(row, Event):
        names |= {f"event:{row.subject}", row.subject}
    return names


def change_file(rng: random.Random, folder: Path) -> str:
    """One byte of an export, or one value with the manifest made to fit."""
    copy = folder / "changed"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder / "sound", copy)
    if rng.random() < 0.5:
        path = rng.choice(sorted(path for path in copy.glob("*.jsonl") if path.stat().st_size))
        content = bytearray(path.read_bytes())
        place = rng.randrange(len(content))
        content[place] ^= 1 << rng.randrange(8)
        path.write_bytes(content)
        return "" if report(copy) else f"byte {place} of {path.name}"
    name = rng.choice([name for name in EXPORTED if (copy / f"{name}.jsonl").stat().st_size])
    column = rng.choice(EXPORTED[name])
    path = copy / f"{name}.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    row = rng.choice([line for line in lines if recomputable(name, line)])
    old = row[column]
    row[column] = old + rng.choice([-1, 1]) if isinstance(old, int) else f"{old[:-1]}~"
    content = b"".join(json.dumps(line, sort_keys=True).encode() + b"\n" for line in lines)
    path.write_bytes(content)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["files"][name]["sha256"] = hashlib.sha256(content).hexdigest()
    (copy / "manifest.json").write_text(json.dumps(manifest))
    return "" if report(copy) else f"{name} {row['id']} {column}: {old!r} -> {row[column]!r}"


def recomputable(name: str, row: dict[str, Any]) -> bool:
    """Nothing but the row itself tells the amount of a claim that was cancelled before it was covered,
    or the request id of a retirement that nobody asked for.
    """
    if name == "retirements":
        return row["attempted_at"] is not None
    return name != "offsets" or row["ended_at"] is None or row["covered_at"] is not None


def report(folder: Path) -> str:
    """What the verifier says of the export; nothing when all is well."""
    done = subprocess.run([sys.executable, "-I", str(VERIFIER), str(folder)], capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stdout + done.stderr


BAR = Bar(
    name="R15",
    title="mutations of single rows and of exported files",
    gate=500,
    goal=500,
    small=40,
    control_n=20,
    run=run,
    control=control,
)
