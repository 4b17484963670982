"""What a bar is: sizes, a run that returns what was violated, and a control that must violate something."""

import sys
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Bar:
    """`run(n, seed)` and `control(n, seed)` return one text per violation; the control must return some.

    `gate` ends within 25 minutes; `small` is the size of `./run check`; `control_n` is the control's own.
    """

    name: str
    title: str
    gate: int
    goal: int
    small: int
    control_n: int
    run: Callable[[int, int], list[str]]
    control: Callable[[int, int], list[str]]


def say(text: str) -> None:
    """Progress and findings go to stderr: stdout ends with the JSON line."""
    print(text, file=sys.stderr, flush=True)
