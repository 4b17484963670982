"""Calls at the same moment, over real connections: what the database holds, not luck."""

import threading
from collections import Counter
from collections.abc import Callable

import pytest
from django.db import connection
from django.http import HttpResponse

from offsets.models import DeviceOffset, OffsetRequest, ProjectStock
from tests.factories.partners import SWEDEN_G, Caller, body_for, make_caller, make_partner, make_shop

CALLS = 20


@pytest.fixture
def racer(transactional_db: None) -> Caller:
    make_shop()
    return make_caller(make_partner())


def at_once(call: Callable[[int], HttpResponse], *, count: int = CALLS) -> list[HttpResponse]:
    """`count` threads, each with a connection of its own, let go together."""
    answers: list[HttpResponse] = []
    gate = threading.Barrier(count)

    def run(number: int) -> None:
        gate.wait()
        try:
            answers.append(call(number))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert len(answers) == count
    return answers


def committed_g() -> int:
    return ProjectStock.objects.get().committed_g


def test_one_idempotency_key_many_times_at_once_is_one_effect(racer: Caller) -> None:
    answers = at_once(lambda _number: racer.order(body_for("PF-1", "PF-2"), key="k-1"))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert Counter(answer.get("Idempotent-Replayed") for answer in answers) == {"true": CALLS - 1, None: 1}
    assert (OffsetRequest.objects.count(), DeviceOffset.objects.count()) == (1, 2)
    assert committed_g() == 2 * SWEDEN_G


def test_one_device_under_many_keys_at_once_is_covered_once(racer: Caller) -> None:
    answers = at_once(lambda number: racer.order(body_for("PF-1", f"N-{number}"), key=f"k-{number}"))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: CALLS - 1}
    assert {answer.json()["error"]["code"] for answer in answers if answer.status_code == 409} == {
        "already_covered"
    }
    assert (OffsetRequest.objects.count(), DeviceOffset.objects.count()) == (1, 2)
    assert committed_g() == 2 * SWEDEN_G


def test_one_key_with_two_bodies_at_once_does_one_of_them(racer: Caller) -> None:
    answers = at_once(lambda number: racer.order(body_for(f"PF-{number % 2}"), key="k-1"))
    assert Counter(answer.status_code for answer in answers) == {201: CALLS // 2, 422: CALLS // 2}
    assert DeviceOffset.objects.count() == 1
    assert committed_g() == SWEDEN_G


def test_the_last_tonnes_are_sold_once(racer: Caller) -> None:
    answers = at_once(lambda number: racer.order(body_for(f"PF-{number}"), key=f"k-{number}"))
    fitting = 5_000_000 // SWEDEN_G
    assert Counter(answer.status_code for answer in answers) == {201: fitting, 409: CALLS - fitting}
    assert committed_g() == fitting * SWEDEN_G
