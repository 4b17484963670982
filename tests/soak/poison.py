"""R16: one offset that always raises, among n: the others are done, it waits for a person.

Once the database refuses to cover it, once no certificate can be made of its frozen footprint.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from django.db import connection

from certificates.models import Certificate
from certificates.tasks import issue_certificates
from offsets import covering, selectors, tasks
from offsets.models import DeviceOffset
from tests.factories.offsets import make_project
from tests.soak import registry as registries
from tests.soak import world
from tests.soak.bars import Bar
from tests.soak.checker import judge

ROUNDS = 4


def run(n: int, seed: int) -> list[str]:
    """One poisonous offset among `n`, at a place that the seed chooses; both kinds of poison."""
    return [*cannot_be_covered(n, seed), *cannot_be_certified(n, seed)]


def cannot_be_certified(n: int, seed: int) -> list[str]:
    """Covered, and of no use for a certificate: the others have theirs, and it says why it has none."""
    sick_place = random.Random(seed).randrange(n)
    world.fresh()
    project = make_project()
    world.take_into_stock(project, credits=n)
    wishes = [world.wish(project, f"PF-{number}", 310_000) for number in range(n)]
    wishes[sick_place] = replace(wishes[sick_place], footprint={"amount_g": 310_000})
    world.promise(wishes, key="all")
    world.settle()
    found = judge(journal=registries.read_journal(), acknowledged={"all": n}, settled=True)
    sick = DeviceOffset.objects.exclude(problem="").values_list("device_serial", flat=True)
    if list(sick) != [f"PF-{sick_place}"] or Certificate.objects.count() != n - 1:
        found.append(f"{Certificate.objects.count()} certificates of {n - 1}; needing a person: {list(sick)}")
    return found


def cannot_be_covered(n: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    world.fresh()
    project = make_project()
    world.take_into_stock(project, credits=n)
    keys = {}
    for start in range(0, n, 250):
        batch = [world.wish(project, f"PF-{number}", 310_000) for number in range(start, min(start + 250, n))]
        world.promise(batch, key=f"batch-{start}")
        keys[f"batch-{start}"] = len(batch)
    sick = rng.choice(list(DeviceOffset.objects.order_by("pk")))
    with refused_by_database(sick):
        for _round in range(ROUNDS):
            tasks.open_retirements()
            tasks.retire_credits()
            tasks.allocate_grams()
            issue_certificates()
    found = judge(journal=registries.read_journal(), acknowledged=keys, settled=True)
    states = [selectors.state_of(offset) for offset in DeviceOffset.objects.order_by("pk")]
    if (states.count("retired"), states.count("needs_person")) != (n - 1, 1):
        found.append(
            f"{states.count('retired')} of {n - 1} done, {states.count('needs_person')} need a person"
        )
    if Certificate.objects.count() != n - 1:
        found.append(f"{Certificate.objects.count()} certificates for {n - 1} covered devices")
    sick.refresh_from_db()
    if not sick.problem:
        found.append(f"the refused offset {sick.pk} does not say what is wrong with it")
    return found


def control(n: int, seed: int) -> list[str]:
    """The guard off: a batch that is refused is not parted."""
    guard = covering.REFUSED_BY_DATABASE
    covering.REFUSED_BY_DATABASE = ()  # type: ignore[assignment]
    try:
        return cannot_be_covered(n, seed)
    finally:
        covering.REFUSED_BY_DATABASE = guard


@contextmanager
def refused_by_database(offset: DeviceOffset) -> Iterator[None]:
    """Every allocation of this offset fails, whoever makes it."""
    pk, table = int(offset.pk), "offsets_allocation"
    if connection.vendor == "sqlite":
        make = [
            f"CREATE TRIGGER poison BEFORE INSERT ON {table} WHEN NEW.offset_id = {pk}"
            " BEGIN SELECT RAISE(ABORT, 'poison'); END"
        ]
        drop = ["DROP TRIGGER poison"]
    else:
        make = [
            "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF NEW.offset_id = {pk} THEN RAISE EXCEPTION 'poison'; END IF; RETURN NEW; END $$",
            f"CREATE TRIGGER poison BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION poison()",
        ]
        drop = [f"DROP TRIGGER poison ON {table}", "DROP FUNCTION poison"]
    with connection.cursor() as cursor:
        for statement in make:
            cursor.execute(statement)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            for statement in drop:
                cursor.execute(statement)


BAR = Bar(
    name="R16",
    title="one offset that always raises among n",
    gate=1_000,
    goal=1_000,
    small=100,
    control_n=50,
    run=run,
    control=control,
)
