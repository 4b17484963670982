"""Registries that are not careful: they retire whatever they are asked, write it to a journal, and may lie.

The journal is settings.SANDBOX_JOURNAL, in the sandbox registry's own format and, like it, outside our
database. A careless one retires a second time when it is asked a second time: what the checker looks for.
"""

import fcntl
import json
import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from django.conf import settings

from offsets import registries
from offsets.registries.base import Confirmed, Intent, Outcome, Receipt, Refused, Registry, Unknown
from offsets.serials import format_credit_serials, parse_credit_serials

Line = dict[str, Any]


def read_journal() -> list[Line]:
    """Every retirement that the registry made, in its order."""
    path = settings.SANDBOX_JOURNAL
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def write_line(intent: Intent, *, serials: str = "", credits: int = 0) -> Line:
    """Retire: one line, synced. `serials` and `credits` when the registry did something else than asked."""
    line: Line = {
        "request_id": intent.request_id,
        "project": intent.project,
        "credit_serials": serials or intent.credit_serials,
        "credits": credits or intent.credits,
        "retired_on": "2026-11-24",
        "beneficiary": intent.beneficiary,
        "reason": intent.reason,
    }
    path = settings.SANDBOX_JOURNAL
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        line["registry_reference"] = f"DEMO-{intent.registry}-{sum(1 for _ in file) + 1:06d}"
        file.write(json.dumps(line, sort_keys=True) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return line


def line_of(request_id: str) -> Line | None:
    return next((line for line in read_journal() if line["request_id"] == request_id), None)


def receipt_of(line: Line) -> Receipt:
    return Receipt(
        registry_reference=line["registry_reference"],
        project=line["project"],
        credit_serials=line["credit_serials"],
        credits=line["credits"],
        retired_on=date.fromisoformat(line["retired_on"]),
    )


class CarelessRegistry:
    """Does what it is asked as often as it is asked, and tells the truth at once."""

    unattended = True

    def __init__(self, *, claims_idempotent: bool = False) -> None:
        self.idempotent_on_request_id = claims_idempotent

    def retire(self, intent: Intent) -> Outcome:
        return Confirmed(receipt_of(write_line(intent)))

    def find(self, intent: Intent) -> Outcome:
        line = line_of(intent.request_id)
        return Confirmed(receipt_of(line)) if line else Unknown("no such request")


@dataclass
class HostileRegistry:
    """Answers late, never, or with a lie; does the work now, later or not at all; finds it late.

    `pause` is called before and after the work, so that a scheduler can let others act meanwhile or kill the
    caller. `calm()` ends all hostility and does what was put off.
    """

    rng: random.Random
    pause: Callable[[str], None]
    hostility: float
    idempotent_on_request_id: bool = False
    dedupes: bool = False
    unattended: bool = True
    calls: int = 0
    _later: list[tuple[int, Intent]] = field(default_factory=list)
    _hidden_until: dict[str, int] = field(default_factory=dict)
    _turn: int = 0

    def retire(self, intent: Intent) -> Outcome:
        self.calls += 1
        self.pause("before the registry works")
        if self.rng.random() >= self.hostility:
            line = self._work(intent)
            self.pause("after the registry worked")
            return Confirmed(receipt_of(line))
        return self._misbehave(intent)

    def find(self, intent: Intent) -> Outcome:
        self._do_late_work()
        self.pause("before the look")
        line = line_of(intent.request_id)
        if line is None or self._turn < self._hidden_until.get(intent.request_id, 0):
            return Unknown("no such request")
        if self.rng.random() < self.hostility / 4:
            return self._lie(line)
        return Confirmed(receipt_of(line))

    def calm(self) -> None:
        """Honest and quick from here on."""
        self.hostility = 0.0
        self._turn = 10**9
        self._do_late_work()

    def _work(self, intent: Intent, **differently: Any) -> Line:
        if self.dedupes and (done := line_of(intent.request_id)):
            return done
        return write_line(intent, **differently)

    def _misbehave(self, intent: Intent) -> Outcome:
        match self.rng.randrange(8):
            case 0:  # nothing was done and no answer came
                return Unknown("connect time-out")
            case 1:  # done, but the answer was lost; the look may lag
                self._work(intent)
                self._hidden_until[intent.request_id] = self._turn + self.rng.randint(0, 60)
                self.pause("answer lost")
                return Unknown("read time-out")
            case 2:  # accepted, done later
                self._later.append((self._turn + self.rng.randint(1, 40), intent))
                return Unknown("202 accepted")
            case 3:  # done, and the connection broke
                self._work(intent)
                raise ConnectionResetError("reset by peer")
            case 4:  # not done, and the connection broke
                raise ConnectionRefusedError("connection refused")
            case 5:
                return self._lie(self._work(intent))
            case 6:  # really refused
                return Refused("not today")
            case _:  # fewer credits than asked for
                wanted = parse_credit_serials(intent.credit_serials)
                fewer = self.rng.randint(1, intent.credits)
                serials = format_credit_serials(wanted.series, wanted.first, wanted.first + fewer - 1)
                line = self._work(intent, serials=serials, credits=fewer)
                self.pause("after the registry did something else")
                return Confirmed(receipt_of(line))

    def _lie(self, line: Line) -> Outcome:
        receipt = receipt_of(line)
        first = parse_credit_serials(receipt.credit_serials)
        wrong = self.rng.choice(
            [
                replace(receipt, credits=receipt.credits + 1),
                replace(receipt, credits=-receipt.credits),
                replace(receipt, project="CL-9999"),
                replace(receipt, registry_reference=" "),
                replace(
                    receipt, credit_serials=str(replace(first, first=first.first + 1, last=first.last + 1))
                ),
                None,
            ]
        )
        return Refused("no, although it was done") if wrong is None else Confirmed(wrong)

    def _do_late_work(self) -> None:
        self._turn += 1
        due = [item for item in self._later if item[0] <= self._turn]
        self._later = [item for item in self._later if item[0] > self._turn]
        for _turn, intent in due:
            self._work(intent)


@contextmanager
def in_place_of_sandbox(registry: Registry) -> Iterator[None]:
    """Every retirement of a sandbox project goes to this registry."""
    original = registries.ADAPTERS["sandbox"]
    registries.ADAPTERS["sandbox"] = registry
    try:
        yield
    finally:
        registries.ADAPTERS["sandbox"] = original
