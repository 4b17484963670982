"""An empty database again and again, a clock that the run moves, and a small stock to sell from."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from catalog.pcf.footprint import NOT_PARTED, Footprint, Stage
from certificates.tasks import issue_certificates
from offsets import services, tasks
from offsets.importing import BlockRow, import_blocks
from offsets.models import OffsetRequest
from offsets.serials import parse_credit_serials
from projects.models import Project
from tests.factories import offsets as factories
from tests.factories.offsets import make_project

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SHOP = "shop:soak"
# Filled by migrations, the same in every world.
KEPT = {"auth_group", "auth_permission", "auth_group_permissions", "django_content_type"}

_template: list[sqlite3.Connection] = []


def build() -> None:
    """Migrate the run's own database and remember it empty."""
    call_command("migrate", verbosity=0)
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        copy = sqlite3.connect(":memory:", check_same_thread=False)
        connection.connection.backup(copy)
        _template[:] = [copy]


def fresh() -> None:
    """Empty the database and forget the registry's journal, as after the first migration."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        _template[0].backup(connection.connection)
    else:
        tables = sorted({model._meta.db_table for model in apps.get_models(include_auto_created=True)} - KEPT)
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")  # no trigger, no foreign key
            for table in tables:
                cursor.execute(f'DELETE FROM "{table}"')  # noqa: S608 our own tables
            cursor.execute("SET session_replication_role = origin")
    for path in (settings.SANDBOX_JOURNAL, getattr(settings, "LEDGER_EPOCH_FILE", None)):
        if path is not None:
            path.unlink(missing_ok=True)


class Clock:
    """What `timezone.now()` says inside `running()`: the true time, put off by `skew` for whoever acts."""

    def __init__(self, start: datetime = NOON) -> None:
        self.now = start
        self.skew = timedelta(0)

    def read(self) -> datetime:
        return self.now + self.skew

    def advance(self, **parts: float) -> None:
        self.now += timedelta(**parts)

    @contextmanager
    def running(self) -> Iterator[None]:
        original = timezone.now
        timezone.now = self.read
        try:
            yield
        finally:
            timezone.now = original


def take_into_stock(project: Project, *, credits: int, first: int = 1, vintage: int = 2021) -> None:
    """A demonstration block of this many credits."""
    serials = f"DEMO-CDM-{project.country.code}-CER-2-{first} to {first + credits - 1}"
    row = BlockRow(
        row=1,
        project=project,
        serials=parse_credit_serials(serials),
        vintage=vintage,
        monitoring_period=str(vintage),
        acquired_on=date(2026, 1, 5),
        source="soak",
    )
    import_blocks([row], actor=SHOP, now=NOON)


def stocked_projects(rng: random.Random) -> list[Project]:
    """Two projects; the first has two vintages and its older one runs out early."""
    one, two = make_project("CL-4449"), make_project("CL-0096", country="BR")
    take_into_stock(one, credits=rng.randint(1, 4), first=1, vintage=2020)
    take_into_stock(one, credits=rng.randint(3, 8), first=1_000, vintage=2021)
    take_into_stock(two, credits=rng.randint(3, 8), first=1)
    return [one, two]


def promise(wishes: list[services.OffsetWish], *, key: str, now: datetime | None = None) -> OffsetRequest:
    return services.request_offsets(
        wishes, owner=None, livemode=False, actor=SHOP, scope="shop", key=key, now=now or timezone.now()
    )


def wish(project: Project, device_serial: str, amount_g: int = 500_000, **more: Any) -> services.OffsetWish:
    """An offset with everything that its certificate will need."""
    footprint = Footprint(
        stages=(Stage(NOT_PARTED, Decimal(amount_g) / 1_000, estimate=False),),
        adjustments=(),
        years=5,
        country="SE",
        statistic="mean",
        error_ratio=None,
        boundary="manufacture-transport-use-eol",
        source="soak",
        source_date="2026",
        licence="none",
        sheet_id=None,
        sheet_version=None,
        method="clearline-pcf-1",
        grid_note="Sweden",
    )
    return replace(factories.wish(project, device_serial, amount_g, **more), footprint=footprint.as_json())


# The ledger's sweeps, up to the certificate; what renders and mails it comes after.
SWEEPS = (
    tasks.expire_reservations,
    tasks.open_retirements,
    tasks.retire_credits,
    tasks.allocate_grams,
    issue_certificates,
)


def settle(*, rounds: int = 60) -> None:
    """Rounds of the ledger's sweeps until one finds nothing to do."""
    for _round in range(rounds):
        did = [sweep() for sweep in SWEEPS]
        if not any(did):
            return
