"""What every benchmark prints last."""

import json

import pytest

from benchmarks._result import Goal, print_result

pytestmark = pytest.mark.embedded


@pytest.mark.parametrize(
    ("goals", "met"),
    [
        ([Goal("seconds", gate=5, value=5)], True),
        ([Goal("seconds", gate=5, value=5.01)], False),
        ([Goal("a second", gate=100, value=100, at_least=True)], True),
        ([Goal("a second", gate=100, value=99, at_least=True)], False),
        ([Goal("seconds", gate=5, value=1), Goal("seconds", gate=5, value=9)], False),
    ],
)
def test_a_benchmark_is_met_when_every_gate_holds(
    capsys: pytest.CaptureFixture[str], goals: list[Goal], met: bool
) -> None:
    print_result(bench="b", ours={"s": 1}, peers={}, ratios={}, goals=goals)
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert list(line) == ["bench", "ours", "peers", "ratios", "goals", "met"]
    assert line["met"] is met
    assert [set(goal) for goal in line["goals"]] == [{"goal", "gate", "value"}] * len(goals)
