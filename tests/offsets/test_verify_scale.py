"""verify_ledger reads a large ledger in a time that grows with its rows, not with their square."""

import time

import pytest

from offsets import verify
from tests.soak import rehearsal

pytestmark = pytest.mark.django_db


def seconds_for(devices: int) -> float:
    rehearsal.fill(devices)
    began = time.process_time()
    assert list(verify.states_have_their_events()) == []
    return time.process_time() - began


def test_the_history_of_ten_thousand_devices_is_read_in_a_moment() -> None:
    """By the wrong index this takes more than 20 s."""
    assert seconds_for(10_000) < 5
