"""One offset that can never be covered stops nobody else."""

import pytest
from django.db import OperationalError, connection

from common import events
from common.errors import Conflict
from common.models import Event
from offsets import selectors, services, tasks
from offsets.models import Allocation, DeviceOffset
from offsets.verify import violations
from tests.factories.offsets import SHOP, make_project, promise, stock, wish

pytestmark = pytest.mark.django_db


def poison(offset: DeviceOffset) -> None:
    """The database refuses every allocation of this offset, whatever asks for it."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                f"CREATE TRIGGER poison BEFORE INSERT ON offsets_allocation WHEN NEW.offset_id = {offset.pk}"
                " BEGIN SELECT RAISE(ABORT, 'poison'); END"
            )
        else:
            cursor.execute(
                "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                f" IF NEW.offset_id = {offset.pk} THEN RAISE EXCEPTION 'poison'; END IF; RETURN NEW; END $$"
            )
            cursor.execute(
                "CREATE TRIGGER poison BEFORE INSERT ON offsets_allocation"
                " FOR EACH ROW EXECUTE FUNCTION poison()"
            )


def cure() -> None:
    on = "" if connection.vendor == "sqlite" else " ON offsets_allocation"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER poison{on}")


def promised(count: int) -> list[DeviceOffset]:
    project = make_project()
    stock(project, credits=count)
    promise(*(wish(project, f"PF-{number}") for number in range(count)))
    tasks.open_retirements()
    tasks.retire_credits()
    return list(DeviceOffset.objects.order_by("pk"))


@pytest.mark.parametrize("place", [0, 12, 24])
def test_an_offset_that_always_raises_is_set_aside_and_the_rest_are_covered(place: int) -> None:
    offsets = promised(25)
    poison(offsets[place])
    for _round in range(3):
        tasks.allocate_grams()
    sick = offsets[place]
    sick.refresh_from_db()
    assert sick.problem.startswith("Credits could not be allocated")
    assert "poison" in sick.problem
    assert selectors.state_of(sick) == "needs_person"
    assert DeviceOffset.objects.filter(covered_at__isnull=False).count() == 24
    assert not Allocation.objects.filter(offset=sick).exists()
    assert Event.objects.filter(kind="offset.needs_person").count() == 1
    assert list(violations()) == []


def test_a_person_sends_it_back_into_the_queue() -> None:
    offsets = promised(3)
    poison(offsets[0])
    tasks.allocate_grams()
    cure()
    sick = DeviceOffset.objects.get(pk=offsets[0].pk)
    services.resume_offset(sick, reason="the trigger is gone", actor=SHOP)
    tasks.allocate_grams()
    sick.refresh_from_db()
    assert selectors.state_of(sick) == "retired"
    kinds = [event.kind for event in events.history(sick)]
    assert kinds == ["offset.requested", "offset.needs_person", "offset.resumed", "offset.covered"]
    with pytest.raises(Conflict, match="does not wait"):
        services.resume_offset(sick, reason="again", actor=SHOP)


def test_a_lost_connection_sets_nothing_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    promised(3)

    def lost(**_: object) -> None:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr("offsets.ledger.allocate", lost)
    assert tasks.allocate_grams() == 0
    assert not DeviceOffset.objects.exclude(problem="").exists()
