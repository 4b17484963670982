"""Media of its own for each test, intervals in the order of the wishes, and the cast."""

from pathlib import Path
from typing import Any

import pytest

from tests.factories.cast import dana, sales_person  # noqa: F401 fixtures


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path, dealt_in_order: None) -> Path:
    """Where this test's PDFs are kept."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return Path(settings.MEDIA_ROOT)
