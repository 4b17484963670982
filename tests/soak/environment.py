"""A home and a database of its own for every soak run, set before Django reads its settings."""

import atexit
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit, urlunsplit

import psycopg2

FAST_FOLDER = Path("/dev/shm")  # noqa: S108 a run writes much and keeps nothing


def prepare(db: str) -> None:
    """Make the home and the database that Django will use; both go when the process ends.

    `postgresql` makes a database on the server that DATABASE_URL names: nothing that is there is touched.
    """
    folder = str(FAST_FOLDER) if os.access(FAST_FOLDER, os.W_OK) else None
    home = Path(tempfile.mkdtemp(prefix="clearline-soak-", dir=folder))
    signal.signal(signal.SIGTERM, _end)
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    server = os.environ.pop("DATABASE_URL", "")
    os.environ.pop("REDIS_URL", None)
    for name in (
        "ALLOWED_HOSTS",
        "BROKER_API_KEY",
        "BROKER_URL",
        "CLEARLINE_LIVEMODE",
        "CLEARLINE_SANDBOX_JOURNAL",
        "SECRET_KEY",
        "MEDIA_ROOT",
    ):
        os.environ.pop(name, None)
    os.environ["CLEARLINE_MODE"] = "demo"  # the demonstration's warehouse ships by itself
    os.environ["CLEARLINE_DEMO_WAREHOUSE_DELAY_S"] = "0"
    os.environ["CLEARLINE_HOME"] = str(home)
    os.environ.setdefault("API_PUBLIC_CALLS_PER_MINUTE", "0")  # a run calls more often than any partner
    os.environ.setdefault("LOG_LEVEL", "CRITICAL")
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    if db == "postgresql":
        if not server.startswith("postgres"):
            sys.exit("DATABASE_URL names no PostgreSQL server; ./run soak starts one.")
        os.environ["DATABASE_URL"] = new_database(server, f"clearline_soak_{os.getpid()}")


def new_database(server: str, name: str) -> str:
    """Create the database on the server and see to it that it goes at the end; returns its URL."""
    run_on(server, f'CREATE DATABASE "{name}"')
    atexit.register(run_on, server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


def run_on(server: str, statement: str) -> None:
    """One statement outside a transaction."""
    connection = psycopg2.connect(server)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()


def _end(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(143)
