"""What every test may use. The cast and the factories live in tests/factories/."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.cache import caches
from django.core.management.commands import flush
from django.db import connection
from django.db.backends.base.operations import BaseDatabaseOperations
from xdist.scheduler import LoadScopeScheduling

from common import triggers
from offsets import ledger

HAS_STACK = os.environ.get("DATABASE_URL", "").startswith("postgres") and "REDIS_URL" in os.environ


# Tests that share what is dear to start, or what there is only one of: one worker runs them all. Any other
# test goes to whoever is free.
TOGETHER = (
    "tests/browser/",
    "tests/infra/test_compose.py",
    "tests/infra/test_demo.py",
    "tests/faults/test_killed.py",
)


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist's own types end here
    """The tests of TOGETHER are a group each, the largest first; each other test is a group of its own."""

    def _split_scope(self, nodeid: str) -> str:
        return next((shared for shared in TOGETHER if nodeid.startswith(shared)), nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    """How tests are given to the workers of `-n 2`."""
    return Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked `stack` run where DATABASE_URL and REDIS_URL name servers, as in ./run check. Those that
    touch no database are `embedded`: a second pass on another database would show nothing.
    """
    needs_servers = pytest.mark.skip(reason="needs PostgreSQL and Redis; ./run check starts them")
    for item in items:
        if item.get_closest_marker("stack"):
            if not HAS_STACK:
                item.add_marker(needs_servers)
        elif not (item.get_closest_marker("both") or uses_database(item)):
            item.add_marker(pytest.mark.embedded)


def uses_database(item: pytest.Item) -> bool:
    """Whether a test is marked for the database, or any fixture of its asks for it."""
    asked = {"db", "transactional_db", "live_server", "django_db_setup"}
    return bool(item.get_closest_marker("django_db") or asked.intersection(getattr(item, "fixturenames", ())))


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """SQLite tests run on a file: threads and processes must meet the locks that a shop meets."""
    default: dict[str, Any] = settings.DATABASES["default"]
    if default["ENGINE"] == "django.db.backends.sqlite3":
        default.setdefault("TEST", {})["NAME"] = str(Path(settings.HOME) / "test.sqlite3")


# What migrations fill and no test changes: it stays when a transactional test empties the tables.
KEPT_TABLES = {"auth_group", "auth_group_permissions", "auth_permission", "django_content_type"}


@pytest.fixture(scope="session", autouse=True)
def quick_flush() -> Iterator[None]:
    """Transactional tests end with a flush, which the no-delete triggers would rightly refuse.

    Permissions and roles are kept instead of being made anew a thousand times.
    """
    patch = pytest.MonkeyPatch()
    execute, make_sql = BaseDatabaseOperations.execute_sql_flush, type(connection.ops).sql_flush

    def execute_sql_flush(self: BaseDatabaseOperations, sql_list: list[str]) -> None:
        with triggers.lifted(self.connection):
            execute(self, sql_list)

    def sql_flush(self: Any, style: Any, tables: list[str], **options: Any) -> list[str]:
        return make_sql(self, style, [name for name in tables if name not in KEPT_TABLES], **options)

    patch.setattr(BaseDatabaseOperations, "execute_sql_flush", execute_sql_flush)
    patch.setattr(type(connection.ops), "sql_flush", sql_flush)
    patch.setattr(flush, "emit_post_migrate_signal", lambda *args, **options: None)
    yield
    patch.undo()


@pytest.fixture(autouse=True)
def empty_sandbox_registry() -> None:
    """The sandbox registry and the host know things outside the database: no test sees another's."""
    settings.SANDBOX_JOURNAL.unlink(missing_ok=True)
    settings.LEDGER_EPOCH_FILE.unlink(missing_ok=True)


@pytest.fixture(autouse=True)
def nobody_has_been_counted() -> None:
    """Caches are outside the database too: every test has names of its own in them, so that none clears one
    (in Redis that would empty every other test's as well).
    """
    for name in ("default", "counts"):
        settings.CACHES[name]["KEY_PREFIX"] = uuid4().hex
        with suppress(AttributeError):  # this thread has not asked for it yet
            del caches[name]


@pytest.fixture
def dealt_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Intervals of one batch in the order of the wishes, so that a test can name them."""
    monkeypatch.setattr(ledger.deal_order, "shuffle", lambda rows: None)
