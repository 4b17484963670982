"""Triggers do not stand in the way of a migration, and are there again after it."""

import pytest
from django.core.management import call_command
from django.db import connection

from common import triggers

pytestmark = pytest.mark.django_db(transaction=True)

READ_ANOTHER_TABLE = {"offsets_credit_retired_once", "certificates_loghead_only_grows"}


def test_a_migration_finds_no_trigger_that_reads_another_table() -> None:
    """SQLite refuses to rebuild a table that a trigger of another table reads; PostgreSQL does not mind."""
    triggers.drop_before_migrate(plan=[("a migration", False)])
    gone = {trigger.name for trigger in triggers.registered()} - triggers.installed()
    assert gone == (READ_ANOTHER_TABLE if connection.vendor == "sqlite" else set())
    call_command("migrate", verbosity=0)
    assert triggers.installed() >= READ_ANOTHER_TABLE


def test_a_migrate_command_that_has_nothing_to_do_leaves_every_trigger_alone() -> None:
    triggers.drop_before_migrate(plan=[])
    assert triggers.installed() == {trigger.name for trigger in triggers.registered()}
