"""The ledger's migrations and one more, as the next release might bring: R12 rehearses it."""

import offsets.migrations

__path__ = [*__path__, *offsets.migrations.__path__]
