"""Registers: the set of words that a market and an audience get."""

from enum import StrEnum

from common.errors import DomainError


class Register(StrEnum):
    """The code that a market row holds for each audience."""

    A = "A"
    """EU and EEA consumers, and every visitor there of whom nothing is verified."""
    B = "B"
    """EU and EEA companies, verified on the server."""
    C = "C"
    """Every other country: the service's own words."""
    C_QUALIFIED = "CQ"
    """UK and Switzerland: C, with the scheme and the means named in the same breath."""


class Audience(StrEnum):
    """Who reads. `COMPANY` only when the server has verified it: a VAT id that checks, or staff."""

    CONSUMER = "consumer"
    COMPANY = "company"


class UnknownRegister(DomainError):
    """A market or an audience carries a code that is not in the list, or B where consumers read."""

    code = "unknown_register"


def register_from(code: str) -> Register:
    """The register with this code. Raises UnknownRegister."""
    try:
        return Register(code)
    except ValueError:
        known = ", ".join(register.value for register in Register)
        raise UnknownRegister(f"There is no register of wording {code!r}; choose one of {known}.") from None


def choose_register(*, consumer_register: str, company_register: str, audience: str) -> Register:
    """The register of a market for an audience.

    Raises UnknownRegister for a code that is not in the list, and for B as a market's consumer register: the
    words of B are for verified companies only. The reverse is lawful: Germany's companies read A by default.
    """
    try:
        reader = Audience(audience)
    except ValueError:
        raise UnknownRegister(f"There is no audience {audience!r}; choose consumer or company.") from None
    for_consumers, for_companies = register_from(consumer_register), register_from(company_register)
    if for_consumers is Register.B:
        raise UnknownRegister("Register B is for verified companies; give consumers A, C or CQ.")
    return for_companies if reader is Audience.COMPANY else for_consumers


FILE_NAMES: dict[Register, str] = {
    Register.A: "eu-consumer",
    Register.B: "eu-company",
    Register.C: "international",
    Register.C_QUALIFIED: "uk-qualified",
}
"""The name of a register in the id of a wording and in the name of its file."""
