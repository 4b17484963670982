"""The database itself refuses to change what must stay."""

import pytest
from django.db import IntegrityError, connection, transaction

from common import triggers
from common.models import Event
from offsets import services
from offsets.models import (
    Allocation,
    Attempt,
    AttemptOutcome,
    Attestation,
    Credit,
    CreditBlock,
    DeviceOffset,
    OffsetRequest,
    Retirement,
    RetirementEntry,
    Span,
)
from tests.factories.offsets import NOON, allocate, make_project, open_retirements, promise, stock, wish

pytestmark = pytest.mark.django_db

APPEND_ONLY = [
    *(Allocation, Attestation, Attempt, AttemptOutcome, CreditBlock, Event, OffsetRequest, RetirementEntry)
]
NEVER_DELETED = [*APPEND_ONLY, Credit, DeviceOffset, Retirement, Span]


@pytest.fixture
def covered() -> DeviceOffset:
    project = make_project()
    stock(project, credits=2)
    promise(wish(project, "PF-1", 600_000))
    [retirement] = open_retirements(project)
    services.settle(retirement, now=NOON)
    facts = {"retirement": retirement, "actor": "staff:1", "created_at": NOON}
    RetirementEntry.objects.create(kind="confirm", evidence="page", **facts)
    Attestation.objects.create(sha256="0" * 64, media_type="image/png", size=9, name="a.png", **facts)
    allocate(project)
    return DeviceOffset.objects.get()


def refused(statement: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_every_registered_trigger_is_in_the_database() -> None:
    names = {trigger.name for trigger in triggers.registered()}
    assert names == triggers.installed()
    assert {"offsets_allocation_no_update", "offsets_credit_retired_once", "common_event_no_delete"} <= names


@pytest.mark.parametrize("model", NEVER_DELETED)
def test_rows_of_the_ledger_are_never_deleted(covered: DeviceOffset, model: type) -> None:
    table = model._meta.db_table  # type: ignore[attr-defined]
    refused(f"DELETE FROM {table}")  # noqa: S608
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # or it is the open transaction that refuses
        refused(f"TRUNCATE {table} CASCADE")


@pytest.mark.parametrize("model", APPEND_ONLY)
def test_rows_of_history_are_never_changed(covered: DeviceOffset, model: type) -> None:
    refused(f"UPDATE {model._meta.db_table} SET id = id")  # type: ignore[attr-defined]  # noqa: S608


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE offsets_credit SET retirement_id = NULL WHERE retirement_id IS NOT NULL",
        "UPDATE offsets_credit SET number = number + 100",
        "UPDATE offsets_retirement SET state = 'open'",
        "UPDATE offsets_retirement SET registry_reference = 'other'",
        "UPDATE offsets_span SET next_g = 0",
        "UPDATE offsets_span SET to_g = to_g + 1",
        "UPDATE offsets_deviceoffset SET amount_g = amount_g + 1",
        "UPDATE offsets_deviceoffset SET device_serial = 'OTHER'",
        "UPDATE offsets_deviceoffset SET covered_at = NULL",
        "UPDATE offsets_deviceoffset SET manufacturer = 'OTHER'",
        "UPDATE offsets_deviceoffset SET boundary = 'manufacture-transport-use'",
        "UPDATE offsets_deviceoffset SET period = 'years-1'",
        "UPDATE offsets_deviceoffset SET supplement = 1",
        "UPDATE offsets_deviceoffset SET livemode = NOT livemode",
        "UPDATE offsets_retirement SET reference = 'other'",
        "UPDATE offsets_retirement SET last_number = last_number + 1",
        "UPDATE offsets_span SET from_g = from_g - 1",
        "UPDATE offsets_credit SET series = 'other'",
        "UPDATE offsets_credit SET block_id = block_id + 1",
    ],
)
def test_a_confirmed_line_cannot_be_rewritten(covered: DeviceOffset, statement: str) -> None:
    refused(statement)


def test_insert_or_replace_does_not_slip_past_the_triggers(covered: DeviceOffset) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("INSERT OR REPLACE is SQLite's")
    refused("INSERT OR REPLACE INTO offsets_allocation SELECT * FROM offsets_allocation")


def test_a_free_credit_can_still_be_set_aside(covered: DeviceOffset) -> None:
    [retirement] = open_retirements(covered.project, ahead_credits=1)
    assert Credit.objects.filter(retirement=retirement).count() == 1


def test_lifting_is_undone_at_the_end(covered: DeviceOffset) -> None:
    with triggers.lifted():
        assert triggers.installed() == set()
    assert triggers.installed() == {trigger.name for trigger in triggers.registered()}
