"""Append-only and write-once rows, held by the database itself on SQLite and PostgreSQL.

An app registers its triggers in `ready()`; they are installed again after every migration, because SQLite
silently drops a table's triggers when a migration rebuilds it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper


@dataclass(frozen=True)
class Trigger:
    """Refuse `event` (UPDATE or DELETE) on rows of `model` where `condition` (SQL on OLD and NEW) holds.

    An empty condition refuses always; then PostgreSQL checks the statement, TRUNCATE included, and not each
    row.
    """

    name: str
    model: str  # "offsets.Allocation"
    event: str
    message: str
    condition: str = ""

    @property
    def table(self) -> str:
        return str(apps.get_model(self.model)._meta.db_table)


_registered: dict[str, Trigger] = {}


def register(*triggers: Trigger) -> None:
    """Add to the triggers that `install` makes; a name stands once."""
    for trigger in triggers:
        _registered[trigger.name] = trigger


def registered() -> list[Trigger]:
    """Every trigger that must be in the database, by name."""
    return sorted(_registered.values(), key=lambda trigger: trigger.name)


def no_delete(model: str) -> Trigger:
    """Rows of this model are never deleted."""
    name = model.replace(".", "_").lower()
    return Trigger(f"{name}_no_delete", model, "DELETE", f"{model}: rows are never deleted.")


def append_only(model: str) -> tuple[Trigger, Trigger]:
    """Rows of this model are never changed or deleted; a correction is a new row."""
    name = model.replace(".", "_").lower()
    return no_delete(model), Trigger(
        f"{name}_no_update", model, "UPDATE", f"{model}: rows are never changed."
    )


def write_once(model: str, *, name: str, condition: str, message: str) -> Trigger:
    """An update of this model is refused where `condition` holds."""
    return Trigger(f"{model.replace('.', '_').lower()}_{name}", model, "UPDATE", message, condition)


def install(db: BaseDatabaseWrapper = connection) -> None:
    """Make every registered trigger whose table is there; those that exist are made anew."""
    tables = set(db.introspection.table_names())
    with db.cursor() as cursor:
        for trigger in registered():
            if trigger.table in tables:
                for statement in _drop(db, trigger) + _create(db, trigger):
                    cursor.execute(statement)


def installed(db: BaseDatabaseWrapper = connection) -> set[str]:
    """Names of the triggers that are in the database and enabled."""
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if db.vendor == "sqlite"
        else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'"
    )
    with db.cursor() as cursor:
        cursor.execute(query)
        return {row[0] for row in cursor.fetchall()} & set(_registered)


@contextmanager
def lifted(db: BaseDatabaseWrapper = connection) -> Iterator[None]:
    """For tests only: no trigger inside, every one again afterwards."""
    with db.cursor() as cursor:
        for trigger in registered():
            for statement in _drop(db, trigger):
                cursor.execute(statement)
    try:
        yield
    finally:
        install(db)


def drop_before_migrate(plan: Sequence[Any] = (), **_: Any) -> None:
    """Receiver of pre_migrate. SQLite cannot rebuild a table that another table's trigger reads: those go,
    and `install_after_migrate` brings them back.
    """
    if plan and connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            for trigger in registered():
                if "SELECT" in trigger.condition:
                    cursor.execute(f"DROP TRIGGER IF EXISTS {trigger.name}")


def install_after_migrate(**_: Any) -> None:
    """Receiver of post_migrate."""
    install()


def _drop(db: BaseDatabaseWrapper, trigger: Trigger) -> list[str]:
    if db.vendor == "sqlite":
        return [f"DROP TRIGGER IF EXISTS {trigger.name}"]
    return [f"DROP TRIGGER IF EXISTS {trigger.name} ON {trigger.table}"]


def _create(db: BaseDatabaseWrapper, trigger: Trigger) -> list[str]:
    message = trigger.message.replace("'", "''")
    if db.vendor == "sqlite":
        when = f"WHEN {trigger.condition} " if trigger.condition else ""
        return [
            f"CREATE TRIGGER {trigger.name} BEFORE {trigger.event} ON {trigger.table} FOR EACH ROW {when}"
            f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
        ]
    # ERRCODE 23514 makes Django raise IntegrityError, as SQLite does.
    refuse = f"RAISE EXCEPTION USING ERRCODE = '23514', MESSAGE = '{message}';"
    if not trigger.condition:
        body, scope = refuse, "STATEMENT"
        event = f"{trigger.event} OR TRUNCATE" if trigger.event == "DELETE" else trigger.event
    else:
        body, scope, event = f"IF {trigger.condition} THEN {refuse} END IF; RETURN NEW;", "ROW", trigger.event
    return [
        f"CREATE OR REPLACE FUNCTION {trigger.name}() RETURNS trigger LANGUAGE plpgsql"
        f" AS $$ BEGIN {body} END $$",
        f"CREATE TRIGGER {trigger.name} BEFORE {event} ON {trigger.table} "
        f"FOR EACH {scope} EXECUTE FUNCTION {trigger.name}()",
    ]
