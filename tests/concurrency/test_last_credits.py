"""Many buyers want the last credits at the same moment: never a gram too much, none refused while it fits."""

import os
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection, transaction
from django.db.models import Sum

from common.errors import DomainError
from offsets import services
from offsets.errors import AlreadyCovered, SoldOut
from offsets.models import DeviceOffset, OffsetRequest, ProjectStock, Reservation
from offsets.verify import violations
from projects.models import Project
from tests.concurrency.together import needs_two_writers, together
from tests.factories.ledger import replace_in_ledger
from tests.factories.offsets import make_project, promise, stock, wish

pytestmark = pytest.mark.django_db(transaction=True)

BUYERS = 24
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def wind() -> Project:
    """One credit is left: ten buyers of 100 kg can be served."""
    project = make_project()
    stock(project, credits=1)
    return project


def hold(project: Project, number: int, amount_g: int = 100_000) -> str:
    with transaction.atomic():
        services.hold(
            [services.Hold(project=project, livemode=False, holder=f"order-unit:{number}", amount_g=amount_g)]
        )
    return f"order-unit:{number}"


def refusals(answers: list[object]) -> list[DomainError]:
    return [answer for answer in answers if isinstance(answer, DomainError)]


def test_buyers_who_reserve_share_exactly_what_there_is(wind: Project) -> None:
    refused = refusals(together(BUYERS, lambda number: hold(wind, number)))
    assert {type(error) for error in refused} == {SoldOut}
    assert (len(refused), Reservation.objects.count()) == (BUYERS - 10, 10)
    assert ProjectStock.objects.get().committed_g == 1_000_000
    assert list(violations()) == []


def test_nobody_is_refused_what_would_still_fit(wind: Project) -> None:
    amounts = [30_000 + 7_000 * number for number in range(BUYERS)]
    answers = together(BUYERS, lambda number: hold(wind, number, amounts[number]))
    left_g = 1_000_000 - (Reservation.objects.aggregate(total=Sum("amount_g"))["total"] or 0)
    assert left_g >= 0
    refused = [amount for amount, answer in zip(amounts, answers, strict=True) if isinstance(answer, SoldOut)]
    assert refused
    assert min(refused) > left_g
    assert list(violations()) == []


def test_buyers_who_ask_for_offsets_share_exactly_what_there_is(wind: Project) -> None:
    refused = refusals(
        together(BUYERS, lambda number: promise(wish(wind, f"PF-{number}", 100_000), key=f"k-{number}"))
    )
    assert {type(error) for error in refused} == {SoldOut}
    assert (len(refused), DeviceOffset.objects.count(), OffsetRequest.objects.count()) == (
        BUYERS - 10,
        10,
        10,
    )
    assert list(violations()) == []


def test_a_buyer_who_gives_up_leaves_room_for_another(wind: Project) -> None:
    """Half of them change their mind inside the transaction; what they asked for is free for others."""

    def hesitate(number: int) -> bool:
        with transaction.atomic():
            services.hold(
                [services.Hold(project=wind, livemode=False, holder=f"h:{number}", amount_g=100_000)]
            )
            if number % 2:
                transaction.set_rollback(True)
        return not number % 2

    together(10, hesitate)
    assert Reservation.objects.count() == 5
    assert ProjectStock.objects.get().committed_g == 500_000


def commit_after_a_look(*, project_id: int, livemode: bool, amount_g: int) -> None:
    """What the guard replaces: look whether it fits, think, write."""
    stock_row = ProjectStock.objects.get(project_id=project_id, livemode=livemode)
    if stock_row.committed_g + amount_g > stock_row.stocked_g:
        raise SoldOut("sold out")
    time.sleep(0.05)
    ProjectStock.objects.filter(pk=stock_row.pk).update(committed_g=stock_row.committed_g + amount_g)


@needs_two_writers
def test_control_without_the_guard_the_same_buyers_are_sold_too_much(
    wind: Project, stock_without_its_constraint: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_in_ledger(monkeypatch.setattr, "commit_g", commit_after_a_look)
    together(BUYERS, lambda number: hold(wind, number))
    assert Reservation.objects.count() > 10
    assert "counters_agree" in {violation.check for violation in violations()}


@needs_two_writers
def test_control_the_constraint_alone_would_still_refuse_to_oversell(
    wind: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard gone, the database has the last word: the counter never passes the stock."""

    def blind(*, project_id: int, livemode: bool, amount_g: int) -> None:
        committed = ProjectStock.objects.get(project_id=project_id, livemode=livemode).committed_g
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE offsets_projectstock SET committed_g = committed_g + %s WHERE %s >= 0",
                [amount_g, committed],
            )

    replace_in_ledger(monkeypatch.setattr, "commit_g", blind)

    def refused_by_the_database(number: int) -> str:
        try:
            return hold(wind, number)
        except Exception as error:  # noqa: BLE001 which error it is, is asserted below
            return type(error).__name__

    answers = together(BUYERS, refused_by_the_database)
    assert answers.count("IntegrityError") == BUYERS - 10
    assert Reservation.objects.count() == 10


def test_one_key_twenty_times_at_once_is_one_request(wind: Project) -> None:
    answers = together(20, lambda _number: promise(wish(wind, "PF-1", 300_000), key="order-1"))
    assert refusals(answers) == []
    assert len({answer.pk for answer in answers if isinstance(answer, OffsetRequest)}) == 1
    assert sum(not answer.replayed for answer in answers if isinstance(answer, OffsetRequest)) == 1
    assert DeviceOffset.objects.count() == 1
    assert ProjectStock.objects.get().committed_g == 300_000


def test_one_device_under_twenty_keys_at_once_is_covered_once(wind: Project) -> None:
    answers = together(20, lambda number: promise(wish(wind, "PF-1", 50_000), key=f"k-{number}"))
    assert {type(error) for error in refusals(answers)} == {AlreadyCovered}
    assert len(refusals(answers)) == 19
    assert DeviceOffset.objects.count() == 1
    assert ProjectStock.objects.get().committed_g == 50_000


def test_buyers_of_several_projects_in_any_order_never_deadlock(wind: Project) -> None:
    sun = make_project("IN-1254", country="IN")
    stock(sun, credits=1)
    both = [wind, sun]

    def mixed(number: int) -> None:
        order = both if number % 2 else both[::-1]
        with transaction.atomic():
            services.hold(
                [
                    services.Hold(
                        project=project,
                        livemode=False,
                        holder=f"{number}:{project.reference}",
                        amount_g=50_000,
                    )
                    for project in order
                ]
            )

    assert refusals(together(20, mixed)) == []
    assert [row.committed_g for row in ProjectStock.objects.all()] == [1_000_000, 1_000_000]


def test_a_reservation_is_consumed_or_released_and_never_both(wind: Project) -> None:
    hold(wind, 1, 600_000)

    def consume_or_release(number: int) -> object:
        if number % 2:
            with transaction.atomic():
                return services.release(["order-unit:1"])
        return promise(wish(wind, "PF-1", 600_000, holder="order-unit:1"), key="order-1")

    together(6, consume_or_release)
    assert Reservation.objects.count() == 0
    assert DeviceOffset.objects.count() == 1  # grams were free enough either way
    assert ProjectStock.objects.get().committed_g == 600_000
    assert list(violations()) == []


def test_two_processes_take_turns_and_neither_sees_a_locked_database(wind: Project) -> None:
    """60 + 60 holds of 10 kg; 100 fit."""
    name = str(connection.settings_dict["NAME"])
    url = f"sqlite:///{name}"
    if connection.vendor == "postgresql":
        url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    environment = {**os.environ, "DATABASE_URL": url}
    buyers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.concurrency.buyer", buyer, "60", "10000"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for buyer in ("anna", "ben")
    ]
    outputs = [process.communicate(timeout=60) for process in buyers]
    assert [process.returncode for process in buyers] == [0, 0], outputs
    held, refused = zip(*(map(int, out.split()) for out, _err in outputs), strict=True)
    assert (sum(held), sum(refused)) == (100, 20)
    assert Reservation.objects.count() == 100
    assert list(violations()) == []
