"""What every test may use. The cast and the factories live in tests/factories/."""

from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """SQLite tests run on a file, not in memory: threads and processes must meet the locks that a shop meets."""
    from django.conf import settings

    default: dict[str, Any] = settings.DATABASES["default"]
    if default["ENGINE"] == "django.db.backends.sqlite3":
        default.setdefault("TEST", {})["NAME"] = str(Path(settings.HOME) / "test.sqlite3")


@pytest.fixture
def checkout_root() -> Path:
    """The folder that holds ./run."""
    return ROOT
