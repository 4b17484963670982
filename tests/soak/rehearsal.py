"""R12: migrations forward, back and forward, with n devices in the tables.

The schema after a way back is the schema before, to the letter; every trigger is there after every step; and
the code of today, which knows nothing of the new columns, works on the new schema.
"""

import importlib
import pkgutil
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from common import triggers
from offsets.models import DeviceOffset
from offsets.verify import violations
from tests.factories.offsets import make_project
from tests.soak import registry as registries
from tests.soak import world
from tests.soak.bars import Bar, say
from tests.soak.checker import judge
from tests.soak.rehearsed.zz_rehearsal import LAST

REHEARSAL = "zz_rehearsal"
Schema = frozenset[str]


def run(n: int, seed: int) -> list[str]:
    world.fresh()
    fill(n)
    say(f"R12: {n} devices are there")
    before = schema()
    found = told("at first")
    with rehearsal():
        forward = step(REHEARSAL)
        found += [*told("after the way forward"), *old_code_works(random.Random(seed))]
        back = step(LAST)
        found += [*told("after the way back"), *differences("back", before, back)]
        again = step(REHEARSAL)
        found += [*told("after the second way forward"), *differences("forward again", forward, again)]
        step(LAST)
    return [*found, *whole_way(before)]


def control(n: int, seed: int) -> list[str]:
    """Planted: after the second way forward one index and one trigger are missing."""
    world.fresh()
    with rehearsal():
        forward = step(REHEARSAL)
        step(LAST)
        step(REHEARSAL)
        lost = random.Random(seed).choice(triggers.registered())
        on = f" ON {lost.table}" if connection.vendor == "postgresql" else ""
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TRIGGER {lost.name}{on}")
            cursor.execute("DROP INDEX rehearsed_allocation")
        found = [*told("as planted"), *differences("as planted", forward, schema())]
        with connection.cursor() as cursor:
            cursor.execute("CREATE INDEX rehearsed_allocation ON offsets_allocation (created_at)")
        step(LAST)
    return found if len(found) >= 2 else []


def fill(n: int) -> None:
    """A ledger with rows of every kind, and cancelled devices with their history up to `n` devices."""
    project = make_project()
    world.take_into_stock(project, credits=100)
    for number in range(4):
        world.promise(
            [world.wish(project, f"PF-{number}-{row}", 310_000) for row in range(25)], key=f"order-{number}"
        )
        world.settle()
    pattern = DeviceOffset.objects.order_by("pk")[0]
    names = {field.column for field in DeviceOffset._meta.concrete_fields if not field.primary_key}
    fixed = {
        "device_serial": "'PF-X' || run.number",
        "device_serial_typed": "'PF-X' || run.number",
        "covered_at": "NULL",
        "certified_at": "NULL",
        "ended_at": "created_at",
        "ended_reason": "'cancelled'",
    }
    listed = sorted(names)
    quoted = ", ".join(connection.ops.quote_name(name) for name in listed)
    values = ", ".join(fixed.get(name, connection.ops.quote_name(name)) for name in listed)
    numbers = (
        "generate_series(1, %s) AS run(number)"
        if connection.vendor == "postgresql"
        else "(WITH RECURSIVE run(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM run"
        " WHERE number < %s) SELECT number FROM run) AS run"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO offsets_deviceoffset ({quoted})"  # noqa: S608 our own columns
            f" SELECT {values} FROM offsets_deviceoffset, {numbers} WHERE offsets_deviceoffset.id = %s",
            [max(1, n - DeviceOffset.objects.count()), pattern.pk],
        )
        for sequence, kind in enumerate(("offset.requested", "offset.cancelled"), start=1):
            cursor.execute(
                "INSERT INTO common_event (kind, subject, sequence, actor, data, created_at)"
                " SELECT %s, 'deviceoffset:' || id, %s, 'soak', '{}', created_at"
                " FROM offsets_deviceoffset WHERE ended_reason = 'cancelled'",
                [kind, sequence],
            )
        cursor.execute("ANALYZE")  # as PostgreSQL does by itself a minute after so many rows


def whole_way(before: Schema) -> Iterator[str]:
    """Back to the first migration of each app that has several, and forward again. Tables of the floors above
    go and come back empty on the way, so this comes last.
    """
    for config in apps.get_app_configs():
        if Path(config.path).parent != settings.BASE_DIR or not (Path(config.path) / "migrations").is_dir():
            continue
        folder = importlib.import_module(f"{config.name}.migrations")
        names = sorted(name for _finder, name, _package in pkgutil.iter_modules(folder.__path__))
        if len(names) > 1:
            call_command("migrate", config.label, names[0], verbosity=0)
            call_command("migrate", verbosity=0)
            yield from told(f"after {config.label} back to {names[0]} and forward")
            yield from differences(f"{config.label} whole way", before, schema())


def step(name: str) -> Schema:
    call_command("migrate", "offsets", name, verbosity=0)
    return schema()


@contextmanager
def rehearsal() -> Iterator[None]:
    """The ledger has one migration more."""
    modules = settings.MIGRATION_MODULES
    settings.MIGRATION_MODULES = {**modules, "offsets": "tests.soak.rehearsed"}
    try:
        yield
    finally:
        settings.MIGRATION_MODULES = modules


def old_code_works(rng: random.Random) -> list[str]:
    """Buy, retire, allocate, certify with the code of today; J over all of it."""
    project = make_project("CL-0900")
    world.take_into_stock(project, credits=5, first=50_001)
    wishes = [world.wish(project, f"PF-NEW-{rng.random()}", 310_000) for _ in range(3)]
    world.promise(wishes, key="on-the-new-schema")
    world.settle()
    journal, keys = registries.read_journal(), {"on-the-new-schema": 3}
    return judge(journal=journal, acknowledged=keys, settled=True)


def told(when: str) -> list[str]:
    """What verify_ledger says, triggers included."""
    return [f"{when}: {found.check} {found.row} {found.detail}" for found in violations()]


def differences(what: str, wanted: Schema, there: Schema) -> Iterator[str]:
    yield from (f"{what}: missing: {line}" for line in sorted(wanted - there))
    yield from (f"{what}: extra: {line}" for line in sorted(there - wanted))


def schema() -> Schema:
    """Every column, constraint, index, trigger and trigger function, one text each."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            return sqlite_schema(cursor)
        lines = Counter[str]()
        for query in POSTGRESQL_SCHEMA:
            cursor.execute(query)
            lines.update(" | ".join(str(value) for value in row) for row in cursor.fetchall())
    return frozenset(lines)


def sqlite_schema(cursor: object) -> Schema:
    """Indexes and triggers as they were written; tables by column and constraint: a rebuilt one may list
    them in another order.
    """
    cursor.execute("SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")
    lines = set()
    for kind, name, text in cursor.fetchall():
        if kind == "table":
            lines |= {f"table {name}: {part}" for part in parts_of(text)}
        else:
            lines.add(f"{kind} {name}: {text}")
    return frozenset(lines)


def parts_of(create_table: str) -> Iterator[str]:
    """The columns and constraints of a CREATE TABLE: what stands between its outermost commas."""
    body = create_table[create_table.index("(") + 1 : create_table.rindex(")")]
    depth = start = 0
    for place, char in enumerate(body):
        depth += {"(": 1, ")": -1}.get(char, 0)
        if char == "," and depth == 0:
            yield body[start:place].strip()
            start = place + 1
    yield body[start:].strip()


POSTGRESQL_SCHEMA = (
    "SELECT 'column', table_name, column_name, data_type, character_maximum_length, is_nullable,"
    " column_default FROM information_schema.columns WHERE table_schema = 'public'",
    "SELECT 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE connamespace = 'public'::regnamespace",
    "SELECT 'index', indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "SELECT 'trigger', pg_get_triggerdef(oid), tgenabled FROM pg_trigger WHERE NOT tgisinternal",
    "SELECT 'function', proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
)


BAR = Bar(
    name="R12",
    title="migrations forward, back and forward with n devices",
    gate=100_000,
    goal=1_000_000,
    small=500,
    control_n=1,
    run=run,
    control=control,
)
