"""`python -m tests.soak BAR [--n N] [--seed S] [--db sqlite|postgresql]`; `--small`: every bar, small.

Prints one JSON line last; exits 0 only if nothing was violated and the control failed as expected.
"""

import argparse
import importlib
import json
import random
import sys
import time
from typing import TYPE_CHECKING

from tests.soak import environment

if TYPE_CHECKING:
    from tests.soak.bars import Bar

MODULES = {
    "R1": "simulation",
    "R2": "kills",
    "R3": "r3",
    "R4": "messages",
    "R7": "last_tonnes",
    "R12": "rehearsal",
    "R15": "mutations",
    "R16": "poison",
    "R18": "guards",
    "S7": "codes",
    "S8": "names",
    "S9": "badges",
    "S16": "claimed",
}
SHOWN = 20


def main() -> int:
    arguments = parse()
    environment.prepare(arguments.db)
    import django  # noqa: PLC0415 the environment comes first

    django.setup()
    from tests.soak import world  # noqa: PLC0415

    world.build()
    names = list(MODULES) if arguments.small else [arguments.bar]
    passed = [play(load(name), arguments) for name in names]
    return 0 if all(passed) else 1


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run soak", description=__doc__)
    parser.add_argument("bar", nargs="?", help=f"one of {', '.join(MODULES)}")
    parser.add_argument("--n", type=int, help="how often; what is counted depends on the bar (docs/trust.md)")
    parser.add_argument("--seed", type=int, help="replays a run")
    parser.add_argument("--db", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--small", action="store_true", help="every bar at the size of ./run check")
    arguments = parser.parse_args()
    if arguments.small == (arguments.bar is not None):
        parser.error(f"name one bar: {', '.join(MODULES)}")
    if arguments.bar and arguments.bar not in MODULES:
        parser.error(f"there is no bar {arguments.bar}; there are {', '.join(MODULES)}")
    if arguments.n is not None and arguments.n < 1:
        parser.error("--n is at least 1")
    return arguments


def load(name: str) -> "Bar":
    bar: Bar = importlib.import_module(f"tests.soak.{MODULES[name]}").BAR
    return bar


def play(bar: "Bar", arguments: argparse.Namespace) -> bool:
    """Run the bar and its control; prints its line and says whether both went as they must."""
    from tests.soak.bars import say  # noqa: PLC0415

    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(10**6)
    n = bar.small if arguments.small else arguments.n or bar.gate
    say(f"{bar.name} {bar.title}: n={n} seed={seed} db={arguments.db}")
    began = time.monotonic()
    found = bar.run(n, seed)
    seconds = time.monotonic() - began
    for text in found[:SHOWN]:
        say(f"{bar.name} violated: {text}")
    control = bar.control(bar.control_n, seed)
    for text in control[:3]:
        say(f"{bar.name} control, as expected: {text}")
    line = {
        "bar": bar.name,
        "n": n,
        "violations": len(found),
        "seed": seed,
        "seconds": round(seconds, 1),
        "control_failed_as_expected": bool(control),
        "control_n": bar.control_n,
        "control_violations": len(control),
        "db": arguments.db,
    }
    print(json.dumps(line), flush=True)
    return not found and bool(control)


if __name__ == "__main__":
    sys.exit(main())
