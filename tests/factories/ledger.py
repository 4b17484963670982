"""For controls: a function of the ledger is replaced, and the guard in it is gone."""

from collections.abc import Callable
from typing import Any

from offsets import ledger
from offsets.ledger import dealing, holding, setting_aside, stock

PARTS = (ledger, dealing, holding, setting_aside, stock)


def replace_in_ledger(put: Callable[[Any, str, Any], None], name: str, stand_in: object) -> None:
    """Put `stand_in` wherever the ledger or its callers look this name up. `put` is a `setattr`: the
    built-in one, or a test's monkeypatch.
    """
    places = [part for part in PARTS if hasattr(part, name)]
    if not places:
        raise AttributeError(f"The ledger has no {name}.")
    for part in places:
        put(part, name, stand_in)
