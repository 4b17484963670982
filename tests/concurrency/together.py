"""Many at the same moment: threads that each have a database connection of their own."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from django.conf import settings
from django.db import connection

from common.errors import DomainError

Answer = TypeVar("Answer")

# With a guard off nothing goes wrong on SQLite: it lets one writer in at a time.
needs_two_writers = pytest.mark.skipif(
    settings.DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3",
    reason="SQLite takes one writer at a time; races are proved on PostgreSQL",
)


def together(count: int, work: Callable[[int], Answer]) -> list[Answer | DomainError]:
    """What each of `count` calls of `work(number)` answered, let go together. A refusal of the domain is an
    answer; anything else, such as a locked database or a deadlock, is raised.
    """
    gate = threading.Barrier(count)

    def run(number: int) -> Answer | DomainError:
        try:
            gate.wait(timeout=30)
            return work(number)
        except DomainError as refused:
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))
