"""The suite's environment, set before Django reads its settings (pyproject.toml loads this file as a plugin).

Every session gets a CLEARLINE_HOME of its own, and every parallel worker a folder in it; both go at the end.
DATABASE_URL decides the database: unset means SQLite in that home, as in the embedded default.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

WORKER = os.environ.get("PYTEST_XDIST_WORKER")

if WORKER:
    HOME = Path(os.environ["CLEARLINE_HOME"]) / WORKER
    HOME.mkdir(exist_ok=True)
else:
    HOME = Path(tempfile.mkdtemp(prefix="clearline-test-"))
    atexit.register(shutil.rmtree, HOME, ignore_errors=True)

os.environ["CLEARLINE_MODE"] = "test"
os.environ["CLEARLINE_HOME"] = str(HOME)
for name in (
    "ALLOWED_HOSTS",
    "BROKER_API_KEY",
    "BROKER_URL",
    "CLEARLINE_LIVEMODE",
    "CLEARLINE_SANDBOX_JOURNAL",
    "EMAIL_URL",
    "MEDIA_ROOT",
    "SECRET_KEY",
    "SITE_URL",
):
    os.environ.pop(name, None)  # what a developer's shell holds must not change a test
