"""The ledger's rows. `offsets/ledger/` is the only code that moves grams or credits between them.

1 credit = 1 t CO2e = 1,000,000 g. Grams are half-open intervals [from_g, to_g) of a confirmed retirement.
"""

from offsets.models.devices import Boundary, DeviceOffset, OffsetRequest, Period
from offsets.models.grams import Allocation, Span
from offsets.models.reports import LedgerEpoch, Reconciliation, RegistryReport
from offsets.models.retirements import (
    Attempt,
    AttemptOutcome,
    Attestation,
    Credit,
    Retirement,
    RetirementEntry,
)
from offsets.models.stock import GRAMS_PER_CREDIT, CreditBlock, ProjectStock, Reservation

__all__ = [
    "GRAMS_PER_CREDIT",
    "Allocation",
    "Attempt",
    "AttemptOutcome",
    "Attestation",
    "Boundary",
    "Credit",
    "CreditBlock",
    "DeviceOffset",
    "LedgerEpoch",
    "OffsetRequest",
    "Period",
    "ProjectStock",
    "Reconciliation",
    "RegistryReport",
    "Reservation",
    "Retirement",
    "RetirementEntry",
    "Span",
]
