"""The only code that moves grams or credits. Every function runs inside the caller's transaction, or refuses
to.

Guards are conditional updates: zero rows means that somebody was faster. Sweeps lock the project's stock
first; buying takes no early lock and updates the counter last.
"""

from offsets.ledger.dealing import allocate, cover_exactly, deal_order, end_offset, waiting_offsets
from offsets.ledger.holding import Hold, consume, hold, release
from offsets.ledger.setting_aside import confirm, set_aside, set_aside_run, void
from offsets.ledger.stock import (
    add_block,
    commit_g,
    keep_for_names,
    lock,
    lock_running,
    name_changed,
    raise_alarm,
    uncommit_g,
)

__all__ = [
    "Hold",
    "add_block",
    "allocate",
    "commit_g",
    "confirm",
    "consume",
    "cover_exactly",
    "deal_order",
    "end_offset",
    "hold",
    "keep_for_names",
    "lock",
    "lock_running",
    "name_changed",
    "raise_alarm",
    "release",
    "set_aside",
    "set_aside_run",
    "uncommit_g",
    "void",
    "waiting_offsets",
]
