"""A process of the ledger's benchmark: told what to do by lines of JSON on stdin, it answers with one each.

Seconds are wall time; CPU seconds are this process's and its PostgreSQL backend's together.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import django
from django.utils import timezone

TICKS = os.sysconf("SC_CLK_TCK")
DEVICE_G = 310_000


class Work:
    """Buys, retires and allocates through the services; and writes the same rows by bare SQL."""

    def __init__(self) -> None:
        from tests.factories.offsets import make_project  # noqa: PLC0415 the settings come first
        from tests.soak import world  # noqa: PLC0415

        self.world, self.make_project = world, make_project
        self.number = 0

    def project(self, number: int) -> Any:
        return self.make_project(f"CL-{9000 + number}")

    def stock(self, *, project: int, credits: int) -> dict[str, Any]:
        self.world.take_into_stock(self.project(project), credits=credits, first=1 + project * 10_000_000)
        return {}

    def singles(self, *, project: int, count: int = 0, until: float = 0.0) -> dict[str, Any]:
        """One request of one device after the other: `count` of them, or until the clock says `until`."""
        row, done = self.project(project), 0
        wishes = [self.world.wish(row, self._serial(), DEVICE_G) for _ in range(count or 20_000)]
        began = Meter()
        while done < count or time.time() < until:
            self.world.promise([wishes[done]], key=f"{wishes[done].device_serial}")
            done += 1
        return {"done": done, **began.read()}

    def cycle(self, *, project: int, count: int) -> dict[str, Any]:
        """One request of `count` devices, then retire and allocate until all are covered."""
        from offsets import services  # noqa: PLC0415

        row, now = self.project(project), timezone.now()
        wishes = [self.world.wish(row, self._serial(), DEVICE_G) for _ in range(count)]
        facts = {"livemode": False, "now": now, "actor": "bench"}
        began = Meter()
        self.world.promise(wishes, key=f"{os.getpid()}-{self.number}")
        for retirement in services.open_retirements(project=row, **facts):
            services.settle(retirement, now=now)
        covered = 0
        while more := services.allocate_grams(project_id=row.pk, **facts):
            covered += more
        return {"covered": covered, **began.read()}

    def bulk_floor(self, *, count: int) -> dict[str, Any]:
        """The newest `count` devices' rows, written again by bare SQL to tables of the same columns and
        indexes: batches of 1,000, one transaction a batch, one counter and one update of the claims each.
        """
        from benchmarks import _ledger_floor  # noqa: PLC0415

        rows = _ledger_floor.copied_rows(count)
        began = Meter()
        written = _ledger_floor.write(rows)
        return {"rows": written, **began.read()}

    def singles_floor(self, *, count: int) -> dict[str, Any]:
        from benchmarks import _ledger_floor  # noqa: PLC0415

        rows = _ledger_floor.copied_rows(count)
        began = Meter()
        _ledger_floor.write_one_by_one(rows)
        return {"done": count, **began.read()}

    def fill(self, *, devices: int) -> dict[str, Any]:
        from benchmarks import _ledger_floor  # noqa: PLC0415

        _ledger_floor.fill(self.project(0), devices=devices)
        return {}

    def _serial(self) -> str:
        self.number += 1
        return f"B{os.getpid()}-{self.number}"


class Meter:
    """Time since it was made."""

    def __init__(self) -> None:
        self.backend = backend_pid()
        self.began, self.cpu = time.perf_counter(), self._cpu()

    def read(self) -> dict[str, float]:
        return {"seconds": time.perf_counter() - self.began, "cpu": self._cpu() - self.cpu}

    def _cpu(self) -> float:
        fields = Path(f"/proc/{self.backend}/stat").read_text().rpartition(")")[2].split()
        return time.process_time() + (int(fields[11]) + int(fields[12])) / TICKS


def backend_pid() -> int:
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid: int = cursor.fetchone()[0]
        return pid


def answer(work: Work) -> None:
    """Do what each line says, and print what came of it."""
    for line in sys.stdin:
        told = json.loads(line)
        print(json.dumps(getattr(work, told.pop("do"))(**told)), flush=True)


def main() -> None:
    django.setup()
    answer(Work())


if __name__ == "__main__":
    main()
