"""Cost of the ledger on PostgreSQL: bulk and single requests, four at once, a million devices in the tables

Peers: bare SQL that writes the same rows, and django-hordak's checked transfer in an environment of its own.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks._result import Goal, print_result
from benchmarks._server import ROOT, postgresql
from tests.soak.environment import run_on

DEVICES = 10_000
SMALL, LARGE = 10_000, 1_000_000
ROUNDS = 5
SINGLES = 200
TRANSFERS = 50
AT_ONCE = 4
TOGETHER_S = 4.0
HORDAK = ("django-hordak==2.0.0", "django==5.2.19", "psycopg2-binary==2.9.13")


class Child:
    """A process that works on one database."""

    def __init__(self, database: str, home: Path, module: str) -> None:
        home.mkdir(exist_ok=True)
        environment = {
            **os.environ,
            "DATABASE_URL": database,
            "CLEARLINE_MODE": "demo",
            "CLEARLINE_HOME": str(home),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "LOG_LEVEL": "CRITICAL",
        }
        environment.pop("REDIS_URL", None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=ROOT,
        )

    def tell(self, do: str, **how: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": do, **how}) + "\n")
        self.process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("A process of the benchmark ended; the lines above say why.")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def do(self, do: str, **how: Any) -> dict[str, Any]:
        self.tell(do, **how)
        return self.hear()

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=30)


class Bench:
    """A server, an empty migrated database, and children on copies of it."""

    def __init__(self, server: str, folder: Path, stack: ExitStack) -> None:
        self.server, self.folder, self.stack = server, folder, stack
        self.number = 0
        run_on(server, "CREATE DATABASE bench_template")
        environment = {
            **os.environ,
            "DATABASE_URL": server.replace("/clearline?", "/bench_template?"),
            "CLEARLINE_MODE": "demo",
            "CLEARLINE_HOME": str(folder / "migrate"),
            "LOG_LEVEL": "ERROR",
        }
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True)

    def database(self) -> str:
        self.number += 1
        name = f"bench_{self.number}"
        run_on(self.server, f"CREATE DATABASE {name} TEMPLATE bench_template")
        return self.server.replace("/clearline?", f"/{name}?")

    def child(self, database: str, module: str = "benchmarks._ledger_child") -> Child:
        self.number += 1
        child = Child(database, self.folder / f"home-{self.number}", module)
        self.stack.callback(child.end)
        return child


def bulk(bench: Bench) -> dict[str, Any]:
    """10,000 devices in one order, requested, retired, allocated; and the same rows by bare SQL. Rows/s."""
    child = bench.child(bench.database())
    child.do("stock", project=0, credits=ROUNDS * DEVICES)
    ours, floor, rows = [], [], 0
    for _ in range(ROUNDS):
        done = child.do("cycle", project=0, count=DEVICES)
        assert done["covered"] == DEVICES
        ours.append(done["seconds"])
        bare = child.do("bulk_floor", count=DEVICES)
        rows = bare["rows"]
        floor.append(bare["seconds"])
    return {
        "rows": rows,
        "ours": rows / statistics.median(ours),
        "floor": rows / statistics.median(floor),
        "ratio": statistics.median(bare / own for own, bare in zip(ours, floor, strict=True)),
        "devices_per_s": DEVICES / statistics.median(ours),
    }


def single(bench: Bench, hordak: "Hordak | None") -> dict[str, Any]:
    """One device a request, 10,000 in the tables. Transactions/s, median of five, beside the peers'."""
    child = bench.child(bench.database())
    child.do("stock", project=0, credits=SMALL)
    child.do("cycle", project=0, count=SMALL)
    if hordak:
        hordak.fill(SMALL)
    rates: dict[str, list[float]] = {"ours": [], "floor": [], "hordak": []}
    for _ in range(ROUNDS):
        done = child.do("singles", project=0, count=SINGLES)
        rates["ours"].append(SINGLES / done["seconds"])
        rates["floor"].append(SINGLES / child.do("singles_floor", count=SINGLES)["seconds"])
        if hordak:
            rates["hordak"].append(TRANSFERS / hordak.transfer(TRANSFERS))
    floor = zip(rates["ours"], rates["floor"], strict=True)
    return {
        **{name: statistics.median(values) for name, values in rates.items() if values},
        "ratio": statistics.median(own / bare for own, bare in floor),
    }


def together(bench: Bench) -> dict[str, float]:
    """Four processes on one project, and on four; requests a second."""
    database = bench.database()
    children = [bench.child(database) for _ in range(AT_ONCE)]
    for number in range(AT_ONCE):
        children[0].do("stock", project=number, credits=100_000)
    for child in children:
        child.do("singles", project=0, count=20)
    rates: dict[str, list[float]] = {"one": [], "four": []}
    for _ in range(ROUNDS):
        for name in rates:
            until = time.time() + 0.2 + TOGETHER_S
            for number, child in enumerate(children):
                child.tell("singles", project=number if name == "four" else 0, until=until)
            heard = [child.hear() for child in children]
            rates[name].append(sum(done["done"] / done["seconds"] for done in heard))
    shared = zip(rates["one"], rates["four"], strict=True)
    return {
        **{name: statistics.median(values) for name, values in rates.items()},
        "ratio": statistics.median(one / four for one, four in shared),
    }


def crowded(bench: Bench) -> dict[str, float]:
    """CPU of the same work, process and database together, with few and with a million devices there."""
    children = {}
    for size in (SMALL, LARGE):
        children[size] = bench.child(bench.database())
        children[size].do("fill", devices=size)
        children[size].do("stock", project=1, credits=20_000)
        for project in (0, 1):
            children[size].do("stock", project=project + 2, credits=20_000)
            children[size].do("cycle", project=project + 2, count=50)
    cpu: dict[int, list[float]] = {SMALL: [], LARGE: []}
    for _ in range(2 * ROUNDS):
        for size, child in children.items():
            parts = [child.do("singles", project=1, count=100), child.do("cycle", project=1, count=500)]
            cpu[size].append(sum(part["cpu"] for part in parts))
    return {"small": statistics.median(cpu[SMALL]), "large": statistics.median(cpu[LARGE])}


class Hordak:
    """django-hordak on a database of its own, in an environment that this benchmark makes."""

    def __init__(self, python: Path, database: str) -> None:
        self.process = subprocess.Popen(
            [str(python), str(ROOT / "benchmarks" / "_hordak_transfers.py"), database],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._line()

    def fill(self, count: int) -> None:
        """As many entries in its tables as there are devices in ours."""
        self._tell(f"fill {count}")

    def transfer(self, count: int) -> float:
        return float(self._tell(str(count)))

    def _tell(self, text: str) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{text}\n")
        self.process.stdin.flush()
        return self._line()

    def _line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline().strip()
        if not line:
            raise SystemExit("django-hordak ended; the lines above say why.")
        return line

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=30)


def hordak_python(folder: Path) -> Path | None:
    """An environment with the peer, or None when it cannot be installed: then it is reported as not run."""
    python = folder / "hordak" / "bin" / "python"
    try:
        subprocess.run([sys.executable, "-m", "venv", str(folder / "hordak")], check=True)
        subprocess.run(
            [str(python), "-m", "pip", "--disable-pip-version-check", "install", "-qq", *HORDAK],
            check=True,
            stdout=sys.stderr,
            timeout=300,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        print(f"django-hordak is not run: {error}", file=sys.stderr)
        return None
    return python


@contextmanager
def folder_of_its_own() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="clearline-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    with ExitStack() as stack:
        folder = stack.enter_context(folder_of_its_own())
        bench = Bench(stack.enter_context(postgresql()), folder, stack)
        python = hordak_python(folder)
        hordak = None
        if python:
            run_on(bench.server, "CREATE DATABASE hordak")
            hordak = Hordak(python, bench.server.replace("/clearline?", "/hordak?"))
            stack.callback(hordak.end)
        measured = {"bulk": bulk(bench), "single": single(bench, hordak), "together": together(bench)}
        measured["crowded"] = crowded(bench)
    report(measured)


def report(measured: dict[str, dict[str, Any]]) -> None:
    bulk_, single_ = measured["bulk"], measured["single"]
    ratios = {
        "bulk_to_floor": round(bulk_["ratio"], 3),
        "single_to_floor": round(single_["ratio"], 3),
        "one_project_to_four": round(measured["together"]["ratio"], 3),
        "million_to_ten_thousand_cpu": round(measured["crowded"]["large"] / measured["crowded"]["small"], 3),
    }
    goals = [
        Goal("bulk_to_floor", gate=0.5, value=ratios["bulk_to_floor"], at_least=True),
        Goal("single_to_floor", gate=0.2, value=ratios["single_to_floor"], at_least=True),
        Goal("one_project_to_four", gate=0.8, value=ratios["one_project_to_four"], at_least=True),
        Goal("million_to_ten_thousand_cpu", gate=1.3, value=ratios["million_to_ten_thousand_cpu"]),
    ]
    peers: dict[str, Any] = {
        "bare_sql_rows_per_s": round(bulk_["floor"]),
        "bare_sql_transactions_per_s": round(single_["floor"]),
        "hordak_transfers_per_s": "not run",
    }
    if "hordak" in single_:
        peers["hordak_transfers_per_s"] = round(single_["hordak"])
        ratios["single_to_hordak"] = round(single_["ours"] / single_["hordak"], 2)
        goals.append(Goal("single_to_hordak", gate=2.0, value=ratios["single_to_hordak"], at_least=True))
    print_result(
        bench="ledger",
        ours={
            "bulk_rows_per_s": round(bulk_["ours"]),
            "bulk_devices_per_s": round(bulk_["devices_per_s"]),
            "requests_per_s": round(single_["ours"]),
            "four_processes_per_s": {name: round(measured["together"][name]) for name in ("one", "four")},
            "cpu_s": {name: round(seconds, 3) for name, seconds in measured["crowded"].items()},
        },
        peers=peers,
        ratios=ratios,
        goals=goals,
    )


if __name__ == "__main__":
    main()
