"""What every test may use. The cast and the factories live in tests/factories/."""

import os
from pathlib import Path
from typing import Any

import pytest

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
    from django.conf import settings

    default: dict[str, Any] = settings.DATABASES["default"]
    if default["ENGINE"] == "django.db.backends.sqlite3":
        default.setdefault("TEST", {})["NAME"] = str(Path(settings.HOME) / "test.sqlite3")
