"""What the ledger expects of a registry: three outcomes and a receipt that is compared with the intent."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Intent:
    """Exactly what we ask a registry to do."""

    request_id: str
    reference: str
    registry: str
    project: str
    credit_serials: str
    credits: int
    beneficiary: str
    reason: str
    livemode: bool


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What a registry says it did."""

    registry_reference: str
    project: str
    credit_serials: str
    credits: int
    retired_on: date

    def as_json(self) -> dict[str, str | int]:
        return {
            "registry_reference": self.registry_reference,
            "project": self.project,
            "credit_serials": self.credit_serials,
            "credits": self.credits,
            "retired_on": self.retired_on.isoformat(),
        }

    def differences(self, intent: Intent) -> list[str]:
        """Each way in which this is not what was asked for."""
        found = [
            f"{name} is {mine!r}, asked for {asked!r}"
            for name, mine, asked in (
                ("project", self.project, intent.project),
                ("serials", self.credit_serials, intent.credit_serials),
                ("quantity", self.credits, intent.credits),
            )
            if mine != asked
        ]
        if not self.registry_reference.strip():
            found.append("the registry reference is empty")
        return found


@dataclass(frozen=True)
class Confirmed:
    """The registry has retired; compare the receipt before believing it."""

    receipt: Receipt


@dataclass(frozen=True)
class Refused:
    """The registry says for certain that it did nothing."""

    detail: str


@dataclass(frozen=True)
class Unknown:
    """No answer, or none that says whether it was done: a time-out is this, never a refusal."""

    detail: str


Outcome = Confirmed | Refused | Unknown


class Registry(Protocol):
    """One way of retiring. `unattended` is False where a person must file it.

    `idempotent_on_request_id` is True only where a repeated `retire` with one request id is tested to retire
    once.
    """

    unattended: bool
    idempotent_on_request_id: bool

    def retire(self, intent: Intent) -> Outcome:
        """Ask for it, once."""

    def find(self, intent: Intent) -> Outcome:
        """Look whether it was done; asks for nothing."""
