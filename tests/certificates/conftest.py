"""Media of its own for each test, intervals in the order of the wishes, the log's mirror, and the cast."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from tests.factories.cast import dana, sales_person  # noqa: F401 fixtures


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path, dealt_in_order: None) -> Path:
    """Where this test's PDFs are kept."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return Path(settings.MEDIA_ROOT)


@pytest.fixture
def kept(db: None, tmp_path: Path, settings: Any) -> Path:
    """The sandbox log's mirror, begun and configured."""
    settings.LOG_MIRROR = tmp_path / "mirror"
    call_command("mirror_log", "--sandbox", stdout=StringIO())
    return tmp_path / "mirror" / "sandbox"
