"""Bare SQL beside the ledger: the same rows in tables of the same columns and indexes; and a quick fill."""

from dataclasses import dataclass
from typing import Any

from django.db import connection
from psycopg2.extras import execute_values

from offsets.models import DeviceOffset
from projects.models import Project
from tests.soak import world

BATCH = 1_000
CREDIT_G = 1_000_000
HALF_G = CREDIT_G // 2
TABLES = ("offsets_offsetrequest", "offsets_deviceoffset", "common_event", "offsets_allocation")


@dataclass
class Rows:
    """Per device: its claim, its two events, and its intervals."""

    offsets: list[tuple[Any, ...]]
    events: list[tuple[Any, ...]]
    allocations: list[tuple[Any, ...]]
    requests: list[tuple[Any, ...]]


def copied_rows(count: int) -> Rows:
    """The newest `count` claims with all that hangs on them; also makes the empty tables they will go to."""
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"DROP TABLE IF EXISTS floor_{table}")
            cursor.execute(f"CREATE TABLE floor_{table} (LIKE {table} INCLUDING ALL)")
        cursor.execute("DROP TABLE IF EXISTS floor_counter")
        cursor.execute("CREATE TABLE floor_counter (id int PRIMARY KEY, committed bigint, stocked bigint)")
        cursor.execute("INSERT INTO floor_counter VALUES (1, 0, 1000000000000000)")
        newest = f"(SELECT id FROM offsets_deviceoffset ORDER BY id DESC LIMIT {int(count)})"  # noqa: S608
        rows = []
        for query in (
            f"SELECT * FROM offsets_deviceoffset WHERE id IN {newest} ORDER BY id",  # noqa: S608
            "SELECT * FROM common_event WHERE subject IN"  # noqa: S608
            f" (SELECT 'deviceoffset:' || id FROM offsets_deviceoffset WHERE id IN {newest}) ORDER BY id",
            f"SELECT * FROM offsets_allocation WHERE offset_id IN {newest} ORDER BY id",  # noqa: S608
            "SELECT * FROM offsets_offsetrequest WHERE id IN"  # noqa: S608
            f" (SELECT request_id FROM offsets_deviceoffset WHERE id IN {newest})",
        ):
            cursor.execute(query)
            rows.append(cursor.fetchall())
    return Rows(*rows)


def write(rows: Rows) -> int:
    """Batches of 1,000 rows, each a transaction; returns how many rows were inserted."""
    written = 0
    for table, content in (
        ("offsets_deviceoffset", rows.offsets),
        ("common_event", rows.events),
        ("offsets_allocation", rows.allocations),
    ):
        for start in range(0, len(content), BATCH):
            batch = content[start : start + BATCH]
            with connection.cursor() as cursor:
                cursor.execute("BEGIN")
                execute_values(
                    cursor.cursor,
                    f"INSERT INTO floor_{table} VALUES %s",  # noqa: S608
                    batch,
                    page_size=BATCH,
                )
                if table == "offsets_allocation":
                    cursor.execute(
                        "UPDATE floor_offsets_deviceoffset SET covered_at = now() WHERE id BETWEEN %s AND %s",
                        [
                            rows.offsets[min(start, len(rows.offsets) - 1)][0],
                            rows.offsets[min(start + BATCH, len(rows.offsets)) - 1][0],
                        ],
                    )
                cursor.execute(
                    "UPDATE floor_counter SET committed = committed + 1 WHERE id = 1 AND committed < stocked"
                )
                cursor.execute("COMMIT")
            written += len(batch)
    return written


def write_one_by_one(rows: Rows) -> None:
    """A transaction for each claim: its request, itself, its event, the guarded counter."""
    first_events = rows.events[: len(rows.offsets)]
    with connection.cursor() as cursor:
        for place, offset in enumerate(rows.offsets):
            cursor.execute("BEGIN")
            request = (place + 1, f"ofr_{place}", "shop", f"key-{place}", *rows.requests[0][4:])
            for table, row in (
                ("offsets_offsetrequest", request),
                ("offsets_deviceoffset", offset),
                ("common_event", first_events[place]),
            ):
                marks = ", ".join(["%s"] * len(row))
                cursor.execute(f"INSERT INTO floor_{table} VALUES ({marks})", row)  # noqa: S608
            cursor.execute(
                "UPDATE floor_counter SET committed = committed + 1 WHERE id = 1 AND committed < stocked"
            )
            cursor.execute("COMMIT")


def fill(project: Project, *, devices: int) -> None:
    """A ledger with this many covered devices of 500 kg, consistent in every row, by a few statements."""
    world.take_into_stock(project, credits=devices // 2, first=5_000_000_000)
    world.promise([world.wish(project, "PF-PATTERN", HALF_G)], key="pattern")
    world.settle()
    pattern = DeviceOffset.objects.get(device_serial="PF-PATTERN")
    columns = [field.column for field in DeviceOffset._meta.concrete_fields if not field.primary_key]
    quoted = ", ".join(connection.ops.quote_name(column) for column in columns)
    values = ", ".join(
        "'PF-F' || run.number" if column.startswith("device_serial") else connection.ops.quote_name(column)
        for column in columns
    )
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            f"INSERT INTO offsets_deviceoffset ({quoted}) SELECT {values} FROM offsets_deviceoffset,"  # noqa: S608
            " generate_series(1, %s) AS run(number) WHERE offsets_deviceoffset.id = %s",
            [devices - 2, pattern.pk],
        )
        cursor.execute(
            "INSERT INTO common_event (kind, subject, sequence, actor, data, created_at)"
            " SELECT kind.kind, 'deviceoffset:' || id, kind.place, 'bench', '{}', created_at"
            " FROM offsets_deviceoffset, (VALUES ('offset.requested', 1), ('offset.covered', 2))"
            " AS kind(kind, place) WHERE id > %s",
            [pattern.pk],
        )
        cursor.execute(
            "INSERT INTO offsets_retirement (reference, request_id, project_id, block_id, livemode, adapter,"
            " first_number, last_number, state, beneficiary, reason, created_at, attempted_at, looks,"
            " confirmed_at, registry_reference, retired_on, problem)"
            " SELECT 'CL-FILL', gen_random_uuid(), project_id, block_id, livemode, adapter, first_number + 1,"
            " first_number + %s, state, '', 'CL-FILL', created_at, attempted_at, looks, confirmed_at, 'FILL',"
            " retired_on, '' FROM offsets_retirement WHERE project_id = %s RETURNING id",
            [(devices - 2) // 2, project.pk],
        )
        retirement = cursor.fetchone()[0]
        cursor.execute(
            "UPDATE offsets_credit SET retirement_id = %s WHERE id IN (SELECT id FROM offsets_credit"
            " WHERE retirement_id IS NULL AND number > 5000000000 ORDER BY number LIMIT %s)",
            [retirement, (devices - 2) // 2],
        )
        cursor.execute(
            "INSERT INTO offsets_span (retirement_id, reverses_id, from_g, to_g, next_g, created_at)"
            " VALUES (%s, NULL, 0, %s, %s, now()) RETURNING id",
            [retirement, (devices - 2) // 2 * CREDIT_G, (devices - 2) * HALF_G],
        )
        span = cursor.fetchone()[0]
        cursor.execute(
            "INSERT INTO offsets_allocation (span_id, offset_id, from_g, to_g, created_at)"
            " SELECT %s, id, (row_number() OVER (ORDER BY id) - 1) * %s,"
            " row_number() OVER (ORDER BY id) * %s, now() FROM offsets_deviceoffset WHERE id > %s",
            [span, HALF_G, HALF_G, pattern.pk],
        )
        cursor.execute(
            "UPDATE offsets_projectstock SET committed_g = committed_g + %s WHERE project_id = %s",
            [(devices - 2) * HALF_G, project.pk],
        )
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("ANALYZE")
