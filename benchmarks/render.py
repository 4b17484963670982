"""One certificate as PDF, from its facts to the saved file; two workers at once; memory over 5,000

Peers: WeasyPrint the naive way on pages that are made already, and the same facts drawn by reportlab in an
environment of its own. A bare loop of the processor says what a second process can gain here.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks._result import Goal, print_result
from benchmarks.ledger import folder_of_its_own

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 9
A_ROUND = 10  # PDFs of each kind
PAIRS = 5
TOGETHER_S = 8.0
FIRST, LAST = 500, 5_000
REPORTLAB = "reportlab==5.0.1"
REPORTLAB_FONT = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")


class Child:
    """A process that says when it is ready, and then answers each line with one."""

    def __init__(self, command: list[str], *, env: dict[str, str] | None = None, told: Any = None) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env, cwd=ROOT
        )
        if told is not None:
            self.tell(told)
        self.hear()

    def tell(self, what: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()

    def hear(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("A process of the benchmark ended; the lines above say why.")
        return json.loads(line)

    def ask(self, **what: Any) -> Any:
        self.tell(what)
        return self.hear()

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=60)


def worker(home: Path) -> Child:
    """One of ours, on a demonstration of its own."""
    home.mkdir()
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
    environment = {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "CLEARLINE_MODE": "demo",
        "CLEARLINE_HOME": str(home),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "LOG_LEVEL": "CRITICAL",
    }
    return Child([sys.executable, "-m", "benchmarks._render_child"], env=environment)


def reportlab(folder: Path, told: Any) -> Child | None:
    """The peer in an environment of its own, or None where it cannot be: then it is reported as not run."""
    python, pages = folder / "reportlab" / "bin" / "python", folder / "pages"
    pages.mkdir()
    install = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "-qq", REPORTLAB]
    try:
        subprocess.run([sys.executable, "-m", "venv", str(folder / "reportlab")], check=True)
        subprocess.run(install, check=True, stdout=sys.stderr, timeout=300)
        if not REPORTLAB_FONT.exists():
            raise FileNotFoundError(f"{REPORTLAB_FONT} is not installed")
    except (subprocess.SubprocessError, OSError) as error:
        print(f"reportlab is not run: {error}", file=sys.stderr)
        return None
    script = ROOT / "benchmarks" / "_render_reportlab.py"
    return Child([str(python), str(script), str(REPORTLAB_FONT), str(pages)], told=told)


def each(ours: Child, peers: dict[str, Child]) -> dict[str, list[float]]:
    """Median milliseconds of one PDF, in rounds: ours, then each peer's, then again."""
    kinds: dict[str, Callable[[int], Any]] = {"ours": lambda count: ours.ask(do="render", count=count)}
    for name, child in peers.items():
        kinds[name] = lambda count, child=child: child.ask(count=count)  # type: ignore[misc]
    for render in kinds.values():
        render(A_ROUND)  # what is loaded once is loaded now
    took: dict[str, list[float]] = {name: [] for name in kinds}
    for _round in range(ROUNDS):
        for name, render in kinds.items():
            took[name].append(statistics.median(render(A_ROUND)["took"]) * 1_000)
    return took


def gain(workers: list[Child], do: str) -> float:
    """What two processes do in the time in which one does 1."""
    done = []
    for chosen in (workers[:1], workers):
        until = time.time() + TOGETHER_S
        for child in chosen:
            child.tell({"do": do, "until": until})
        heard = [child.hear() for child in chosen]
        done.append(sum(answer["rounds"] if do == "loop" else len(answer["took"]) for answer in heard))
    return float(done[1]) / done[0]


def together(workers: list[Child]) -> dict[str, float]:
    """Pairs of gains, ours beside the bare loop's; the medians, and the median of their ratios."""
    pairs = []
    for number in range(PAIRS):
        order = ("render", "loop") if number % 2 else ("loop", "render")
        gains = {do: gain(workers, do) for do in order}
        print(f"pair {number + 1}: {gains}", file=sys.stderr, flush=True)
        pairs.append((gains["render"], gains["loop"]))
    return {
        "ours": statistics.median(own for own, _bare in pairs),
        "loop": statistics.median(bare for _own, bare in pairs),
        "ratio": statistics.median(own / bare for own, bare in pairs),
    }


def memory(ours: Child) -> dict[str, float]:
    """Resident MB of one and the same rendering process after the first few and after all."""
    first = ours.ask(do="memory", count=FIRST)
    last = ours.ask(do="memory", count=LAST - FIRST)
    assert first["process"] == last["process"]
    return {"first": first["kib"] / 1_024, "last": last["kib"] / 1_024}


def main() -> None:
    with ExitStack() as stack:
        folder = stack.enter_context(folder_of_its_own())
        workers = [worker(folder / f"home-{number}") for number in range(2)]
        told = workers[0].ask(do="facts")
        naive = Child([sys.executable, "-m", "benchmarks._render_naive"], told=told)
        peers = {"naive": naive}
        if drawn := reportlab(folder, told):
            peers["reportlab"] = drawn
        for child in (*workers, *peers.values()):
            stack.callback(child.end)
        took = each(workers[0], peers)
        print({name: round(statistics.median(values), 1) for name, values in took.items()}, file=sys.stderr)
        size = workers[0].ask(do="size")["bytes"]
        gains = together(workers)
        report(took, gains, memory(workers[0]), size=size)


def report(
    took: dict[str, list[float]], gains: dict[str, float], kept: dict[str, float], *, size: int
) -> None:
    ratios = {
        f"ours_to_{name}": round(
            statistics.median(own / peer for own, peer in zip(took["ours"], took[name], strict=True)), 3
        )
        for name in took
        if name != "ours"
    }
    ratios["gain_to_loop"] = round(gains["ratio"], 3)
    ratios["memory_last_to_first"] = round(kept["last"] / kept["first"], 3)
    peers: dict[str, Any] = {"reportlab_ms": "not run"}
    peers |= {f"{name}_ms": round(statistics.median(took[name]), 1) for name in took if name != "ours"}
    print_result(
        bench="render",
        ours={
            "ms": round(statistics.median(took["ours"]), 1),
            "largest_bytes": size,
            "gain_of_two": round(gains["ours"], 2),
            "memory_mb": {str(FIRST): round(kept["first"], 1), str(LAST): round(kept["last"], 1)},
        },
        peers={**peers, "loop_gain_of_two": round(gains["loop"], 2)},
        ratios=ratios,
        goals=[
            Goal("ours_to_naive", gate=1.0, value=ratios["ours_to_naive"]),
            Goal("gain_to_loop", gate=0.9, value=ratios["gain_to_loop"], at_least=True),
            Goal("memory_last_to_first", gate=1.05, value=ratios["memory_last_to_first"]),
            Goal("largest_bytes", gate=40 * 1024, value=size),
        ],
    )


if __name__ == "__main__":
    main()
