"""The JSON line that every benchmark prints last.

A benchmark is a module here whose docstring's first line says what it measures; `./run bench NAME` runs it
and ends it after 25 minutes. Peers are timed in the same run, because machines differ and are shared.
"""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Goal:
    """A promise about speed or scale: `value` must not exceed `gate`, or not fall below it."""

    goal: str
    gate: float
    value: float
    at_least: bool = False

    @property
    def holds(self) -> bool:
        return self.value >= self.gate if self.at_least else self.value <= self.gate


def print_result(
    *, bench: str, ours: dict[str, Any], peers: dict[str, Any], ratios: dict[str, Any], goals: list[Goal]
) -> None:
    """Prints one line; `met` says whether every gate holds in this run."""
    line = {
        "bench": bench,
        "ours": ours,
        "peers": peers,
        "ratios": ratios,
        "goals": [{"goal": goal.goal, "gate": goal.gate, "value": goal.value} for goal in goals],
        "met": all(goal.holds for goal in goals),
    }
    print(json.dumps(line), flush=True)
