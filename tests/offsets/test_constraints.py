"""Each constraint of the ledger refuses by itself what it is there for: no trigger stands before it here."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction

from common import triggers
from offsets import services
from offsets.models import AttemptOutcome
from tests.factories.offsets import NOON, SHOP, allocate, make_project, open_retirements, promise, stock, wish

pytestmark = pytest.mark.django_db


@pytest.fixture
def bare_ledger() -> Iterator[None]:
    """A covered device, a held unit, a second open retirement; and no trigger."""
    project = make_project()
    stock(project, credits=9)
    promise(wish(project, "PF-1"))
    [retirement] = open_retirements(project)
    services.settle(retirement, now=NOON)
    allocate(project)
    services.hold([services.Hold(project=project, livemode=False, holder="unit:1", amount_g=250_000)])
    open_retirements(project, ahead_credits=2)
    with triggers.lifted():
        yield


UPDATES = {
    "never_sell_more_than_stock": "UPDATE offsets_projectstock SET committed_g = stocked_g + 1",
    "kept_not_negative": "UPDATE offsets_projectstock SET kept_g = -1",
    "block_range_forward": "UPDATE offsets_creditblock SET last_number = first_number - 1",
    "block_numbers_not_negative": "UPDATE offsets_creditblock SET first_number = -1",
    "retirement_range_forward": "UPDATE offsets_retirement SET last_number = first_number - 1",
    "confirmed_names_its_proof": "UPDATE offsets_retirement SET registry_reference = ''",
    "offset_amount_positive": "UPDATE offsets_deviceoffset SET amount_g = 0",
    "ended_says_how": "UPDATE offsets_deviceoffset SET ended_at = created_at",
    "reservation_amount_positive": "UPDATE offsets_reservation SET amount_g = 0",
    "span_counter_inside": "UPDATE offsets_span SET next_g = to_g + 1",
    "allocation_not_empty": "UPDATE offsets_allocation SET to_g = from_g",
    "one_ledger_epoch": "UPDATE offsets_ledgerepoch SET id = 2",
}
# The unique constraint, and what a second row of the table has of its own besides its key.
DOUBLES = {
    "one_stock_per_project_and_mode": ("offsets_projectstock", {}),
    "block_starts_once": ("offsets_creditblock", {}),
    "credit_exists_once": ("offsets_credit", {}),
    "idempotency_key_once": ("offsets_offsetrequest", {"public_id": "'ofr_other'"}),
    "one_live_offset_per_device": ("offsets_deviceoffset", {}),
    "one_first_span_per_retirement": ("offsets_span", {}),
    "gram_allocated_once": ("offsets_allocation", {}),
    "confirmed_once": ("offsets_attemptoutcome", {}),
    "event_sequence_once": ("common_event", {}),
}
# Of rows that this ledger does not have; their own tests make them.
ELSEWHERE = {"one_copy_of_an_attestation", "one_verdict_per_report", "event_consumed_once"}


@pytest.mark.parametrize("name", UPDATES)
def test_a_check_refuses_the_change(bare_ledger: None, name: str) -> None:
    with pytest.raises(IntegrityError, match=name), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(UPDATES[name])


@pytest.mark.parametrize("name", DOUBLES)
def test_a_second_row_like_the_first_is_refused(bare_ledger: None, name: str) -> None:
    table, own = DOUBLES[name]
    with pytest.raises(IntegrityError, match="(?i)unique"), transaction.atomic():
        double(table, own)


def test_an_attempt_is_made_once_for_each_retirement(bare_ledger: None) -> None:
    with pytest.raises(IntegrityError, match="(?i)unique"), transaction.atomic():
        double("offsets_attempt", {})


def test_a_retirement_has_a_reference_and_a_request_id_of_its_own(bare_ledger: None) -> None:
    with pytest.raises(IntegrityError, match="(?i)unique"), transaction.atomic():
        double("offsets_retirement", {"reference": "'CL-OTHER'"})
    with pytest.raises(IntegrityError, match="(?i)unique"), transaction.atomic():
        double("offsets_retirement", {"request_id": "'0123456789abcdef0123456789abcdef'"})


def test_looks_are_not_final_and_may_be_noted_again(bare_ledger: None) -> None:
    outcome = AttemptOutcome.objects.get()
    for _look in range(2):
        AttemptOutcome.objects.create(
            attempt=outcome.attempt, kind=AttemptOutcome.Kind.UNKNOWN, actor=SHOP, created_at=NOON
        )
    assert AttemptOutcome.objects.count() == 3


def test_every_constraint_of_the_ledger_is_attacked_here() -> None:
    tables = [*apps.get_app_config("offsets").get_models(), *apps.get_app_config("common").get_models()]
    names = {row.name for model in tables for row in model._meta.constraints}
    assert names == {*UPDATES, *DOUBLES, *ELSEWHERE}


def double(table: str, own: dict[str, str]) -> None:
    """Insert the table's first row once more under another key."""
    [model] = [model for model in apps.get_models() if model._meta.db_table == table]
    fields: list[models.Field] = [field for field in model._meta.concrete_fields if not field.primary_key]
    quoted = [connection.ops.quote_name(field.column) for field in fields]
    values = [own.get(field.column, name) for field, name in zip(fields, quoted, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (id, {', '.join(quoted)}) SELECT 999999, {', '.join(values)}"  # noqa: S608
            f" FROM {table} ORDER BY id LIMIT 1"
        )
