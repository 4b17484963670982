"""What can be asked of the ledger. Each function is one durable transaction, or says that it takes part in
the caller's.

Promising, retiring, correcting and importing have modules of their own; this one is the door to all of them.
"""

from offsets.attestations import keep_attestation
from offsets.correcting import (
    cancel_offset,
    change_device_serial,
    move_to_replacement,
    reverse_offset,
    substitute_project,
)
from offsets.covering import allocate_grams, resume_offset
from offsets.deciding import adopt_by_person, free_unconfirmed
from offsets.delays import note_delays
from offsets.importing import import_blocks
from offsets.ledger import Hold
from offsets.promising import (
    OffsetWish,
    body_digest_of,
    expire_reservations,
    hold,
    release,
    request_offsets,
)
from offsets.retiring import (
    MAX_LOOKS,
    begin_attempt,
    confirm_by_person,
    intent_of,
    mark_certified,
    open_retirements,
    record_outcome,
    settle,
    void_retirement,
)

__all__ = [
    "MAX_LOOKS",
    "Hold",
    "OffsetWish",
    "adopt_by_person",
    "allocate_grams",
    "begin_attempt",
    "body_digest_of",
    "cancel_offset",
    "change_device_serial",
    "confirm_by_person",
    "expire_reservations",
    "free_unconfirmed",
    "hold",
    "import_blocks",
    "intent_of",
    "keep_attestation",
    "mark_certified",
    "move_to_replacement",
    "note_delays",
    "open_retirements",
    "record_outcome",
    "release",
    "request_offsets",
    "resume_offset",
    "reverse_offset",
    "settle",
    "substitute_project",
    "void_retirement",
]
