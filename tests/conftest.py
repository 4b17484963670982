"""What every test may use. The cast and the factories live in tests/factories/."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db.backends.base.operations import BaseDatabaseOperations

from common import triggers
from offsets import ledger

HAS_STACK = os.environ.get("DATABASE_URL", "").startswith("postgres") and "REDIS_URL" in os.environ


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked `stack` run where DATABASE_URL and REDIS_URL name servers, as in ./run check."""
    needs_servers = pytest.mark.skip(reason="needs PostgreSQL and Redis; ./run check starts them")
    for item in items:
        if not HAS_STACK and item.get_closest_marker("stack"):
            item.add_marker(needs_servers)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """SQLite tests run on a file: threads and processes must meet the locks that a shop meets."""
    default: dict[str, Any] = settings.DATABASES["default"]
    if default["ENGINE"] == "django.db.backends.sqlite3":
        default.setdefault("TEST", {})["NAME"] = str(Path(settings.HOME) / "test.sqlite3")


@pytest.fixture(scope="session", autouse=True)
def flush_lifts_triggers() -> Iterator[None]:
    """Transactional tests end with a flush, which the no-delete triggers would rightly refuse."""
    original = BaseDatabaseOperations.execute_sql_flush

    def flush(self: BaseDatabaseOperations, sql_list: list[str]) -> None:
        with triggers.lifted(self.connection):
            original(self, sql_list)

    BaseDatabaseOperations.execute_sql_flush = flush  # type: ignore[method-assign]
    yield
    BaseDatabaseOperations.execute_sql_flush = original  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def empty_sandbox_registry() -> None:
    """The sandbox registry and the host know things outside the database: no test sees another's."""
    settings.SANDBOX_JOURNAL.unlink(missing_ok=True)
    settings.LEDGER_EPOCH_FILE.unlink(missing_ok=True)


@pytest.fixture
def dealt_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Intervals of one batch in the order of the wishes, so that a test can name them."""
    monkeypatch.setattr(ledger.deal_order, "shuffle", lambda rows: None)
