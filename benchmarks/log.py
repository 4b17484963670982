"""The public log on PostgreSQL with a million entries in the tables: append, proof, mirror, audit

Beside it, in the same run and by turns, the same log with ten thousand entries: what grows with a log. What
one process computes is gated by its CPU seconds, since machines are shared; wall time stands beside it.
"""

import statistics
import sys
from contextlib import ExitStack

from benchmarks._result import Goal, print_result
from benchmarks._server import postgresql
from benchmarks.ledger import Bench, folder_of_its_own

SMALL, LARGE = 10_000, 1_000_000
ROUNDS = 7
A_ROUND = 300  # certificates appended
PROOFS = 300
AUDITS = 3


def main() -> None:
    with ExitStack() as stack:
        folder = stack.enter_context(folder_of_its_own())
        bench = Bench(stack.enter_context(postgresql()), folder, stack)
        children = {size: bench.child(bench.database(), "benchmarks._log_child") for size in (SMALL, LARGE)}
        for size, child in children.items():
            filled = child.do("fill_log", entries=size)
            assert filled["size"] >= size, filled
            print(f"a log of {filled['size']}", file=sys.stderr, flush=True)
            child.do("stock", project=1, credits=ROUNDS * A_ROUND)
            child.do("append", count=A_ROUND)  # what is loaded once is loaded now
            child.do("prove", count=PROOFS, seed=0)
        appended: dict[int, list[dict[str, float]]] = {SMALL: [], LARGE: []}
        proven: dict[int, list[float]] = {SMALL: [], LARGE: []}
        for number in range(1, ROUNDS + 1):
            for size, child in children.items():
                appended[size].append(child.do("append", count=A_ROUND))
                proven[size].append(child.do("prove", count=PROOFS, seed=number)["ms"])
        print(f"appended: {appended}; proven: {proven}", file=sys.stderr, flush=True)
        certified = {size: child.do("certify", count=100)["ms"] for size, child in children.items()}
        mirrored = children[LARGE].do("mirror", path=str(folder / "mirror"))
        print(f"mirrored: {mirrored}", file=sys.stderr, flush=True)
        audits = [children[LARGE].do("audit", path=str(folder / "mirror")) for _ in range(AUDITS)]
        print(f"audited: {audits}", file=sys.stderr, flush=True)
        report(appended, proven, certified, mirrored, audits)


def report(
    appended: dict[int, list[dict[str, float]]],
    proven: dict[int, list[float]],
    certified: dict[int, float],
    mirrored: dict[str, float],
    audits: list[dict[str, float]],
) -> None:
    cpu = {size: statistics.median(row["cpu"] for row in rows) for size, rows in appended.items()}
    rates = {
        size: round(A_ROUND / statistics.median(row["seconds"] for row in rows))
        for size, rows in appended.items()
    }
    proof_ms = {size: statistics.median(values) for size, values in proven.items()}
    ratios = {
        "append_million_to_ten_thousand_cpu": round(cpu[LARGE] / cpu[SMALL], 3),
        "proof_million_to_ten_thousand": round(proof_ms[LARGE] / proof_ms[SMALL], 3),
    }
    slowest = round(proof_ms[LARGE], 3)
    audit_s = {name: round(statistics.median(row[name] for row in audits), 2) for name in ("cpu", "seconds")}
    print_result(
        bench="log",
        ours={
            "entries": mirrored["size"],
            "appended_per_s": rates[LARGE],
            "append_cpu_ms": round(1_000 * cpu[LARGE] / A_ROUND, 3),
            "proof_ms": slowest,
            "certificate_json_ms": round(certified[LARGE], 2),
            "mirror_s": round(mirrored["seconds"], 2),
            "audit_wall_s": audit_s["seconds"],
        },
        peers={
            "ten_thousand_appended_per_s": rates[SMALL],
            "ten_thousand_append_cpu_ms": round(1_000 * cpu[SMALL] / A_ROUND, 3),
            "ten_thousand_proof_ms": round(proof_ms[SMALL], 3),
            "ten_thousand_certificate_json_ms": round(certified[SMALL], 2),
        },
        ratios=ratios,
        goals=[
            Goal("proof_ms", gate=2.0, value=slowest),
            Goal("audit_cpu_s", gate=10.0, value=audit_s["cpu"]),
            *(Goal(name, gate=1.3, value=value) for name, value in ratios.items()),
        ],
    )


if __name__ == "__main__":
    main()
