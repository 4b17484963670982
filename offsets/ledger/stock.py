"""The project's lock and its counter: grams are promised and given back, blocks come in."""

from datetime import date, datetime

from django.db import connection, transaction
from django.db.models import F

from offsets import named
from offsets.errors import OutsideTransaction, SoldOut, StockStopped
from offsets.models import GRAMS_PER_CREDIT, Credit, CreditBlock, DeviceOffset, ProjectStock, Retirement
from offsets.serials import CreditRange
from projects.models import Project


def require_transaction() -> None:
    """Raise OutsideTransaction where the caller has opened none."""
    if not transaction.get_connection().in_atomic_block:
        raise OutsideTransaction(
            "The ledger moves grams only inside a transaction; call a service of offsets/."
        )


def lock(*, project_id: int, livemode: bool) -> ProjectStock:
    """Take the project's one lock (PostgreSQL; on SQLite the transaction is its own lock) and make its
    counter if new.
    """
    require_transaction()
    ProjectStock.objects.get_or_create(project_id=project_id, livemode=livemode)
    return ProjectStock.objects.select_for_update().get(project_id=project_id, livemode=livemode)


def lock_running(*, project_id: int, livemode: bool) -> ProjectStock:
    """`lock`, and refuse with StockStopped while a registry's report has raised an alarm on the project."""
    stock = lock(project_id=project_id, livemode=livemode)
    if stock.alarm:
        raise StockStopped(f"An alarm stops this project until staff clear it: {stock.alarm}")
    return stock


def raise_alarm(*, project_id: int, livemode: bool, detail: str) -> ProjectStock:
    """Stop a project's sales, retirements and allocations until staff clear it; the caller records why."""
    stock = lock(project_id=project_id, livemode=livemode)
    ProjectStock.objects.filter(pk=stock.pk).update(alarm=detail[:300])
    return stock


# As plain SQL: it is a third of what a single request costs when the ORM builds it anew each time.
_COMMIT = (
    f"UPDATE {ProjectStock._meta.db_table} SET committed_g = committed_g + %s"  # noqa: S608 constants only
    " WHERE project_id = %s AND livemode = %s AND alarm = '' AND committed_g + kept_g <= stocked_g - %s"
)


def commit_g(*, project_id: int, livemode: bool, amount_g: int) -> None:
    """Promise grams to buyers. Raises SoldOut, naming what is left, and StockStopped under an alarm."""
    require_transaction()
    if amount_g == 0:
        return
    with connection.cursor() as cursor:
        cursor.execute(_COMMIT, [amount_g, project_id, livemode, amount_g])
        changed = cursor.rowcount
    if not changed:
        stock = (
            ProjectStock.objects.filter(project_id=project_id, livemode=livemode)
            .select_related("project")
            .first()
        )
        if stock and stock.alarm:
            raise StockStopped(f"{stock.project.short_name} is stopped for now. Choose another project.")
        left_g = stock.available_g if stock else 0
        name = stock.project.short_name if stock else Project.objects.get(pk=project_id).short_name
        raise SoldOut(
            f"{name} has {left_g // 1000} kg of credits left, "
            f"fewer than the {-(-amount_g // 1000)} kg asked for. "
            "Choose another project or fewer devices.",
            details=[{"project_id": project_id, "available_g": left_g}],
        )


def uncommit_g(*, project_id: int, livemode: bool, amount_g: int) -> None:
    """Give promised grams back to the stock."""
    require_transaction()
    ProjectStock.objects.filter(project_id=project_id, livemode=livemode).update(
        committed_g=F("committed_g") - amount_g
    )


def keep_for_names(*, project_id: int, livemode: bool) -> None:
    """Count again what stands in companies' names beyond their own promises; nobody else is sold it.

    Called whenever a promise or a retirement in a name begins or ends. Takes the project's lock.
    """
    stock = lock(project_id=project_id, livemode=livemode)
    kept_g = named.kept_g(project_id=project_id, livemode=livemode)
    if kept_g != stock.kept_g:
        ProjectStock.objects.filter(pk=stock.pk).update(kept_g=kept_g)


def name_changed(row: DeviceOffset | Retirement) -> None:
    """`keep_for_names`, when this row stands in a name."""
    if row.beneficiary:
        keep_for_names(project_id=row.project_id, livemode=row.livemode)


def add_block(
    serials: CreditRange,
    *,
    project: Project,
    livemode: bool,
    vintage: int,
    monitoring_period: str,
    acquired_on: date,
    source: str,
    now: datetime,
) -> CreditBlock:
    """Take a block into stock: one row for the block, one per credit. The unique constraint refuses a known
    credit.
    """
    require_transaction()
    stock = lock(project_id=project.pk, livemode=livemode)
    block = CreditBlock.objects.create(
        project=project,
        livemode=livemode,
        series=serials.series,
        first_number=serials.first,
        last_number=serials.last,
        vintage=vintage,
        unit=serials.unit,
        monitoring_period=monitoring_period,
        acquired_on=acquired_on,
        source=source,
        created_at=now,
    )
    numbers = (
        "SELECT generate_series(%s::bigint, %s::bigint) AS number"
        if connection.vendor == "postgresql"
        else "WITH RECURSIVE run(number) AS"
        " (SELECT %s UNION ALL SELECT number + 1 FROM run WHERE number < %s)"
        " SELECT number FROM run"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {Credit._meta.db_table} (series, number, block_id)"  # noqa: S608 constants only
            f" SELECT %s, run.number, %s FROM ({numbers}) AS run",
            [serials.series, block.pk, serials.first, serials.last],
        )
    ProjectStock.objects.filter(pk=stock.pk).update(
        stocked_g=F("stocked_g") + block.credits * GRAMS_PER_CREDIT
    )
    return block
