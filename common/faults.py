"""Named places at which a test kills the process, to show that nothing is lost or done twice there."""

import os
import signal

FAULT_POINTS = (
    "order-placed",
    "order-paid",
    "devices-shipped",
    "offsets-requested",
    "retirement-opened",
    "attempt-committed",
    "registry-called",
    "outcome-recorded",
    "grams-allocated",
    "certificates-issued",
    "pdf-written",
    "certificate-rendered",
)


def reach(name: str) -> None:
    """Die here if CLEARLINE_FAULT_POINT names this place; otherwise nothing. Set it in tests only."""
    if os.environ.get("CLEARLINE_FAULT_POINT") == name:
        os.kill(os.getpid(), signal.SIGKILL)
