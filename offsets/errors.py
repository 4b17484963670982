"""What the ledger refuses, and why."""

from common.errors import Conflict, DomainError, InvalidInput


class SoldOut(Conflict):
    """The project has fewer free grams than asked for; nothing moved."""

    code = "sold_out"


class StockStopped(Conflict):
    """A report raised an alarm on this project's credits: nothing is sold, retired or allocated."""

    code = "stock_stopped"


class NotEnoughCredits(Conflict):
    """Fewer free credits than a retirement needs; nothing moved."""

    code = "not_enough_credits"


class AlreadyCovered(Conflict):
    """A live offset covers the device already for the same boundary, period and supplement."""

    code = "already_covered"


class IdempotencyConflict(DomainError):
    """The key was used before with another body."""

    code = "idempotency_conflict"
    status = 422


class ReceiptDiffers(InvalidInput):
    """What the registry is said to have done is not what was asked of it."""

    code = "receipt_differs"


class EntriesDiffer(Conflict):
    """Two persons of staff entered different things; nothing was done."""

    code = "entries_differ"


class OutsideTransaction(RuntimeError):
    """The ledger was called without an open transaction: a programming mistake."""
