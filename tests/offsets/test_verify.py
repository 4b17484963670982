"""Rows are changed behind the application's back; `verify_ledger` finds each change and names the row."""

# ruff: noqa: S608 every statement is this file's own

import json
from collections.abc import Callable

import pytest
from django.core.management import call_command
from django.db import connection

from common import triggers
from offsets import services
from offsets.models import CreditBlock, DeviceOffset, ProjectStock, Retirement, Span
from offsets.verify import CHECKS, violations
from tests.factories.offsets import (
    NOON,
    allocate,
    make_project,
    open_retirements,
    promise,
    stock,
    wish,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def ledger(dealt_in_order: None) -> None:
    """One of everything: two blocks; retirements confirmed, open and void; claims live, reversed, moved,
    cancelled and waiting; grams handed out twice after a reversal; a reservation.
    """
    wind = make_project()
    stock(wind, credits=5, first=1)
    stock(wind, credits=5, first=11, vintage=2022)
    promise(wish(wind, "PF-1", 1_600_000), wish(wind, "PF-2", 300_000), wish(wind, "PF-3", 40_000), key="a")
    [first] = open_retirements(wind)  # credits 1 and 2
    services.settle(first, now=NOON)
    allocate(wind)
    services.reverse_offset(device("PF-2"), reason="returned", actor="staff:1", now=NOON)
    promise(wish(wind, "PF-4", 320_000), key="b")  # takes the 60 kg that were left, and 260 of PF-2's
    allocate(wind)
    services.move_to_replacement(
        device("PF-3"), device_serial="PF-9", reason="repair", actor="staff:1", now=NOON
    )
    [ahead] = open_retirements(wind, ahead_credits=1)  # credit 3: no device claims it yet
    services.settle(ahead, now=NOON)
    [void] = open_retirements(wind, ahead_credits=1)  # credit 4
    services.void_retirement(void, reason="never filed", actor="staff:1", now=NOON)
    promise(wish(wind, "PF-5", 50_000), key="c")
    services.cancel_offset(device("PF-5"), reason="returned", actor="staff:1", now=NOON)
    promise(wish(wind, "PF-6", 2_500_000), key="d")
    open_retirements(wind)  # credits 4 and 5
    services.hold([services.Hold(project=wind, livemode=False, holder="basket:1", amount_g=70_000)])


def device(serial: str) -> DeviceOffset:
    return DeviceOffset.objects.get(device_serial=serial)


def retirement(first_number: int, **more: object) -> Retirement:
    return Retirement.objects.get(first_number=first_number, **more)


def behind_the_back(statement: str) -> None:
    """Run SQL that no trigger sees; it must hit a row."""
    with triggers.lifted(), connection.cursor() as cursor:
        cursor.execute(statement)
        assert cursor.rowcount != 0


def found() -> set[tuple[str, str]]:
    return {(violation.check, violation.row) for violation in violations()}


def test_a_ledger_that_only_services_wrote_is_healthy(
    ledger: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert list(violations()) == []
    call_command("verify_ledger")
    assert f"{len(CHECKS)} checks passed: 10 credits, 4 retirements, 7 offsets" in capsys.readouterr().out


Row = Callable[[], str]


def block(first_number: int) -> Row:
    return lambda: f"creditblock:{CreditBlock.objects.get(first_number=first_number).pk}"


def claim(serial: str) -> Row:
    return lambda: f"deviceoffset:{device(serial).pk}"


def line(first_number: int, **more: object) -> Row:
    return lambda: f"retirement:{retirement(first_number, **more).pk}"


def attempt_of(first_number: int) -> Row:
    return lambda: f"attempt:{retirement(first_number).attempt.pk}"


def outcome_of(first_number: int) -> Row:
    return lambda: f"attemptoutcome:{retirement(first_number).attempt.outcomes.get().pk}"


def interval(serial: str, index: int = 0) -> Row:
    return lambda: f"allocation:{device(serial).allocations.order_by('pk')[index].pk}"


def reversal_of(serial: str) -> Row:
    return lambda: f"span:{device(serial).allocations.get().reversal.pk}"


def span_of(first_number: int) -> Row:
    return lambda: f"span:{Span.objects.get(retirement=retirement(first_number), reverses=None).pk}"


def counter() -> str:
    return f"projectstock:{ProjectStock.objects.get().pk}"


CREDIT = "UPDATE offsets_credit SET"
BLOCK = "UPDATE offsets_creditblock SET"
LINE = "UPDATE offsets_retirement SET"
CLAIM = "UPDATE offsets_deviceoffset SET"
SPAN = "UPDATE offsets_span SET"
INTERVAL = "UPDATE offsets_allocation SET"
PF4 = "(SELECT max(id) FROM offsets_deviceoffset WHERE device_serial = 'PF-4')"
PF1 = "(SELECT max(id) FROM offsets_deviceoffset WHERE device_serial = 'PF-1')"
PF2 = "(SELECT max(id) FROM offsets_deviceoffset WHERE device_serial = 'PF-2')"
RUN_1 = "(SELECT id FROM offsets_retirement WHERE first_number = 1)"
RUN_3 = "(SELECT id FROM offsets_retirement WHERE first_number = 3)"
IS_OPEN = "state = 'open'"

# check, statement, the row that must be named
MUTATIONS: list[tuple[str, str, Row]] = [
    ("blocks_are_disjoint", f"{BLOCK} first_number = 5 WHERE first_number = 11", block(5)),
    ("blocks_hold_their_credits", "DELETE FROM offsets_credit WHERE number = 15", block(11)),
    ("blocks_hold_their_credits", f"{CREDIT} number = 99 WHERE number = 13", block(11)),
    ("blocks_hold_their_credits", f"{CREDIT} series = 'DEMO-CDM-CL-CER-1' WHERE number = 13", block(11)),
    ("blocks_hold_their_credits", f"{BLOCK} last_number = 16 WHERE first_number = 11", block(11)),
    ("blocks_are_what_their_serials_say", f"{BLOCK} unit = 'CRT' WHERE first_number = 1", block(1)),
    (
        "blocks_are_what_their_serials_say",
        f"{BLOCK} livemode = NOT livemode WHERE first_number = 1",
        block(1),
    ),
    ("blocks_are_what_their_serials_say", f"{BLOCK} series = 'X' WHERE first_number = 1", block(1)),
    ("retirements_hold_their_credits", f"{CREDIT} retirement_id = NULL WHERE number = 2", line(1)),
    ("retirements_hold_their_credits", f"{CREDIT} retirement_id = {RUN_1} WHERE number = 12", line(1)),
    ("retirements_hold_their_credits", f"{CREDIT} retirement_id = {RUN_3} WHERE number = 2", line(3)),
    ("retirements_hold_their_credits", f"{LINE} last_number = 3 WHERE first_number = 1", line(1)),
    ("retirements_hold_their_credits", f"{LINE} livemode = NOT livemode WHERE first_number = 3", line(3)),
    ("retirements_hold_their_credits", f"{LINE} first_number = 0 WHERE first_number = 1", line(0)),
    ("retirements_hold_their_credits", f"{LINE} state = 'void' WHERE {IS_OPEN}", line(4, last_number=5)),
    ("retirements_hold_their_credits", f"{LINE} state = 'open' WHERE state = 'void'", line(4, last_number=4)),
    (
        "confirmed_retirements_have_proof",
        f"DELETE FROM offsets_attemptoutcome WHERE attempt_id IN"
        f" (SELECT id FROM offsets_attempt WHERE retirement_id = {RUN_1})",
        line(1),
    ),
    (
        "confirmed_retirements_have_proof",
        f"UPDATE offsets_attemptoutcome SET kind = 'unknown' WHERE attempt_id IN"
        f" (SELECT id FROM offsets_attempt WHERE retirement_id = {RUN_1})",
        line(1),
    ),
    (
        "confirmed_retirements_have_proof",
        f"UPDATE offsets_attemptoutcome SET receipt = '{{}}' WHERE attempt_id IN"
        f" (SELECT id FROM offsets_attempt WHERE retirement_id = {RUN_1})",
        outcome_of(1),
    ),
    (
        "confirmed_retirements_have_proof",
        f"{LINE} registry_reference = 'VC-9' WHERE first_number = 1",
        outcome_of(1),
    ),
    (
        "confirmed_retirements_have_proof",
        f"{LINE} retired_on = '2020-01-01' WHERE first_number = 1",
        outcome_of(1),
    ),
    (
        "confirmed_retirements_have_proof",
        f"UPDATE offsets_attempt SET intent = '{{}}' WHERE retirement_id = {RUN_1}",
        attempt_of(1),
    ),
    ("confirmed_retirements_have_proof", f"{LINE} reason = 'for me' WHERE first_number = 1", attempt_of(1)),
    ("confirmed_retirements_have_proof", f"{LINE} beneficiary = 'me' WHERE first_number = 1", attempt_of(1)),
    ("confirmed_retirements_have_proof", f"{LINE} reference = 'CL-X' WHERE first_number = 1", attempt_of(1)),
    ("confirmed_retirements_have_proof", f"{LINE} attempted_at = NULL WHERE first_number = 1", line(1)),
    (
        "confirmed_retirements_have_proof",
        f"{LINE} state = 'confirmed', confirmed_at = created_at, retired_on = '2026-11-24',"
        f" registry_reference = 'VC-9' WHERE {IS_OPEN}",
        line(4, last_number=5),
    ),
    (
        "freed_retirements_did_not_happen",
        f"{LINE} attempted_at = created_at WHERE state = 'void'",
        line(4, last_number=4),
    ),
    ("spans_are_grams_of_retirements", f"DELETE FROM offsets_span WHERE retirement_id = {RUN_3}", line(3)),
    ("spans_are_grams_of_retirements", f"{SPAN} to_g = to_g + 1 WHERE retirement_id = {RUN_3}", line(3)),
    (
        "spans_are_grams_of_retirements",
        f"{SPAN} to_g = to_g + 1 WHERE reverses_id IN"
        f" (SELECT id FROM offsets_allocation WHERE offset_id = {PF2})",
        reversal_of("PF-2"),
    ),
    (
        "spans_are_grams_of_retirements",
        f"{SPAN} retirement_id = {RUN_3} WHERE reverses_id IN"
        f" (SELECT id FROM offsets_allocation WHERE offset_id = {PF2})",
        reversal_of("PF-2"),
    ),
    (
        "spans_are_grams_of_retirements",
        f"{CLAIM} ended_at = NULL, ended_reason = '' WHERE device_serial = 'PF-2'",
        reversal_of("PF-2"),
    ),
    ("allocations_tile_their_spans", f"{SPAN} next_g = next_g - 1 WHERE retirement_id = {RUN_1}", span_of(1)),
    ("allocations_tile_their_spans", f"{SPAN} next_g = 5 WHERE retirement_id = {RUN_3}", span_of(3)),
    (
        "allocations_tile_their_spans",
        f"{INTERVAL} to_g = to_g - 1 WHERE offset_id = {PF1}",
        interval("PF-2"),
    ),
    (
        "allocations_tile_their_spans",
        f"{INTERVAL} from_g = from_g + 1 WHERE offset_id = {PF2}",
        interval("PF-2"),
    ),
    (
        "live_intervals_are_disjoint",  # the reversal of PF-2 now reverses PF-4's first interval
        f"{SPAN} reverses_id = (SELECT min(id) FROM offsets_allocation WHERE offset_id = {PF4})"
        f" WHERE reverses_id IN (SELECT id FROM offsets_allocation WHERE offset_id = {PF2})",
        interval("PF-4", 1),
    ),
    (
        "offsets_are_covered_whole",
        f"{CLAIM} amount_g = amount_g + 1 WHERE device_serial = 'PF-4'",
        claim("PF-4"),
    ),
    ("offsets_are_covered_whole", f"{CLAIM} covered_at = NULL WHERE device_serial = 'PF-4'", claim("PF-4")),
    (
        "offsets_are_covered_whole",
        f"{CLAIM} ended_at = created_at, ended_reason = 'reversed' WHERE device_serial = 'PF-4'",
        claim("PF-4"),
    ),
    ("offsets_are_covered_whole", f"{INTERVAL} offset_id = {PF4} WHERE offset_id = {PF1}", claim("PF-4")),
    (
        "offsets_are_covered_whole",
        f"{CLAIM} livemode = NOT livemode WHERE device_serial = 'PF-4'",
        interval("PF-4"),
    ),
    ("offsets_are_covered_whole", f"{LINE} state = 'open' WHERE first_number = 1", interval("PF-1")),
    (
        "devices_are_covered_once",
        f"{CLAIM} device_serial = 'PF-7' WHERE device_serial = 'PF-6'",
        claim("PF-7"),
    ),
    (
        "devices_are_covered_once",
        f"{CLAIM} device_serial_typed = ' ' WHERE device_serial = 'PF-6'",
        claim("PF-6"),
    ),
    (
        "devices_are_covered_once",
        f"{CLAIM} manufacturer = 'Lenovo' WHERE device_serial = 'PF-6'",
        claim("PF-6"),
    ),
    ("counters_agree", "UPDATE offsets_projectstock SET committed_g = committed_g - 1", counter),
    ("counters_agree", "UPDATE offsets_projectstock SET stocked_g = stocked_g + 1000000", counter),
    ("counters_agree", "UPDATE offsets_projectstock SET kept_g = kept_g + 1", counter),
    ("counters_agree", "UPDATE offsets_reservation SET amount_g = amount_g + 1", counter),
    ("counters_agree", "DELETE FROM offsets_reservation", counter),
    (
        "events_are_complete",
        "DELETE FROM common_event WHERE sequence = 1 AND subject = 'deviceoffset:{PF-4}'",
        lambda: f"event:deviceoffset:{device('PF-4').pk}",
    ),
    (
        "states_have_their_events",
        "DELETE FROM common_event WHERE kind = 'offset.covered' AND subject = 'deviceoffset:{PF-4}'",
        claim("PF-4"),
    ),
    (
        "states_have_their_events",
        "UPDATE common_event SET kind = 'offset.moved' WHERE kind = 'offset.cancelled'",
        claim("PF-5"),
    ),
    (
        "states_have_their_events",
        "DELETE FROM common_event WHERE kind = 'retirement.void'",
        line(4, state="void"),
    ),
    (
        "states_have_their_events",
        f"{LINE} state = 'needs_person' WHERE {IS_OPEN}",
        line(4, state="needs_person"),
    ),
]


@pytest.mark.parametrize(("check", "statement", "row"), MUTATIONS)
def test_a_row_changed_behind_the_back_is_named(ledger: None, check: str, statement: str, row: Row) -> None:
    behind_the_back(statement.replace("{PF-4}", str(device("PF-4").pk)))
    assert (check, row()) in found()


def test_a_missing_trigger_is_named(ledger: None) -> None:
    name = "offsets_allocation_no_update"
    table = " ON offsets_allocation" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {name}{table}")
    assert found() == {("triggers_are_installed", f"trigger:{name}")}


def test_a_device_with_two_live_claims_is_named_even_without_the_constraint(ledger: None) -> None:
    """The unique index is dropped first, as somebody with the database's password could."""
    promise(wish(make_project(), "PF-5", 50_000), key="anew")
    first, second = DeviceOffset.objects.filter(device_serial="PF-5").order_by("pk")
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX one_live_offset_per_device")
    behind_the_back(f"{CLAIM} ended_at = NULL, ended_reason = '' WHERE id = {first.pk}")
    assert ("devices_are_covered_once", f"deviceoffset:{second.pk}") in found()


def test_an_oversold_stock_is_named_even_when_counter_and_constraint_agree(ledger: None) -> None:
    behind_the_back("DELETE FROM offsets_credit WHERE retirement_id IS NULL")
    details = [violation.detail for violation in violations() if violation.check == "counters_agree"]
    assert any("committed" in detail for detail in details)
    behind_the_back(f"{CLAIM} amount_g = 90000000 WHERE device_serial = 'PF-6'")
    details = [violation.detail for violation in violations() if violation.check == "counters_agree"]
    assert any("more promised than stocked" in detail for detail in details)


def test_every_check_is_attacked_here() -> None:
    attacked = {check for check, _statement, _row in MUTATIONS} | {"triggers_are_installed"}
    assert attacked == {check.__name__ for check in CHECKS}


def test_the_command_exits_1_and_names_the_first_row_that_is_wrong(
    ledger: None, capsys: pytest.CaptureFixture[str]
) -> None:
    behind_the_back("DELETE FROM offsets_credit WHERE number = 15")
    with pytest.raises(SystemExit) as ended:
        call_command("verify_ledger")
    assert ended.value.code == 1
    first = capsys.readouterr().err.splitlines()[0]
    assert first.startswith(
        f"blocks_hold_their_credits: {block(11)()}: DEMO-CDM-CL-CER-2-11 to 15 has 4 credits"
    )


def test_the_command_speaks_json(ledger: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("verify_ledger", "--json")
    healthy = json.loads(capsys.readouterr().out)
    assert (healthy["ok"], healthy["violations"], healthy["credits"]) == (True, [], 10)
    behind_the_back("DELETE FROM offsets_reservation")
    with pytest.raises(SystemExit) as ended:
        call_command("verify_ledger", "--json")
    assert ended.value.code == 1
    wrong = json.loads(capsys.readouterr().out)
    assert wrong["ok"] is False
    assert [(item["check"], item["row"]) for item in wrong["violations"]] == [("counters_agree", counter())]


def test_an_empty_ledger_is_healthy(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("verify_ledger", "--json")
    assert json.loads(capsys.readouterr().out)["ok"] is True
