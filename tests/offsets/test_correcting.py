"""A mistyped serial, a project that cannot deliver: what is put right, and what stays."""

from datetime import date, timedelta

import pytest

from common.errors import Conflict, InvalidInput
from common.events import history
from offsets import selectors, services
from offsets.errors import AlreadyCovered, SoldOut
from offsets.models import Allocation, DeviceOffset, ProjectStock
from offsets.serials import InvalidDeviceSerial
from offsets.verify import violations
from projects.models import Project
from projects.services import pause_projects, resume_projects
from tests.factories.offsets import (
    NOON,
    SHOP,
    allocate,
    intervals,
    make_project,
    open_retirements,
    promise,
    stock,
    wish,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def wind() -> Project:
    project = make_project()
    stock(project, credits=4)
    return project


@pytest.fixture
def promised(wind: Project) -> DeviceOffset:
    promise(wish(wind, "PF-1", 600_000))
    return DeviceOffset.objects.get()


def cover(offset: DeviceOffset) -> None:
    for row in open_retirements(offset.project):
        services.settle(row, now=NOON)
    allocate(offset.project)
    offset.refresh_from_db()


def change(offset: DeviceOffset, serial: str) -> DeviceOffset:
    return services.change_device_serial(
        offset, device_serial=serial, reason="two figures swapped", actor="staff:1", now=NOON
    )


def kinds_of(offset: DeviceOffset) -> list[str]:
    return [event.kind for event in history(offset)]


# --- A mistyped serial --------------------------------------------------------------------------------------


def test_before_retirement_the_promise_itself_is_corrected(promised: DeviceOffset) -> None:
    right = change(promised, " pf-2 ")
    assert right.pk == promised.pk
    assert (right.device_serial, right.device_serial_typed) == ("PF-2", "pf-2")
    assert kinds_of(right) == ["offset.requested", "offset.serial_changed"]
    assert history(right).last().data == {"reason": "two figures swapped"}  # type: ignore[union-attr]
    assert DeviceOffset.objects.count() == 1
    promise(wish(promised.project, "PF-1", 100_000), key="order-2")  # the wrong one is free again
    assert list(violations()) == []


def test_after_retirement_it_is_reversed_and_issued_again_with_the_very_same_grams(
    promised: DeviceOffset,
) -> None:
    cover(promised)
    right = change(promised, "PF-2")
    promised.refresh_from_db()
    assert (promised.ended_reason, promised.device_serial) == ("reversed", "PF-1")
    assert (right.replaces_id, right.device_serial, right.amount_g) == (promised.pk, "PF-2", 600_000)
    assert right.certified_at is None
    retirement = Allocation.objects.first().span.retirement  # type: ignore[union-attr]
    assert intervals(retirement) == [("PF-1", 0, 600_000), ("PF-2", 0, 600_000)]
    assert history(promised).last().data == {  # type: ignore[union-attr]
        "reason": "two figures swapped",
        "mistyped": True,
        "to": right.pk,
    }
    assert selectors.surplus_g(project_id=promised.project_id, livemode=False) == 400_000
    assert open_retirements(promised.project) == []
    assert list(violations()) == []


@pytest.mark.parametrize("covered", [False, True])
@pytest.mark.parametrize(
    ("serial", "error"),
    [
        ("PF-9", AlreadyCovered),
        ("pf-1", Conflict),
        ("", InvalidDeviceSerial),
        ("x" * 65, InvalidDeviceSerial),
        ("PF 2", InvalidDeviceSerial),
    ],
)
def test_a_correction_that_is_wrong_itself_changes_nothing(
    promised: DeviceOffset, covered: bool, serial: str, error: type[Exception]
) -> None:
    promise(wish(promised.project, "PF-9", 100_000), key="order-2")
    if covered:
        cover(promised)
    before = list(DeviceOffset.objects.order_by("pk").values())
    with pytest.raises(error):
        change(promised, serial)
    assert list(DeviceOffset.objects.order_by("pk").values()) == before
    assert list(violations()) == []


def test_a_top_up_follows_the_first_claim_to_the_right_serial(promised: DeviceOffset) -> None:
    promise(wish(promised.project, "PF-1", 100_000, supplement=1), key="order-2")
    cover(promised)
    for offset in DeviceOffset.objects.order_by("pk"):
        change(offset, "PF-2")
    live = DeviceOffset.objects.filter(ended_at=None).values_list("device_serial", "supplement")
    assert sorted(live) == [("PF-2", 0), ("PF-2", 1)]
    assert list(violations()) == []


def test_an_ended_claim_is_not_corrected(promised: DeviceOffset) -> None:
    services.cancel_offset(promised, reason="returned", actor="staff:1", now=NOON)
    with pytest.raises(Conflict):
        change(promised, "PF-2")
    assert DeviceOffset.objects.get().device_serial == "PF-1"


# --- Another project ----------------------------------------------------------------------------------------


@pytest.fixture
def other() -> Project:
    project = make_project("PH-7980", country="PH")
    stock(project, credits=1)
    return project


def substitute(
    offset: DeviceOffset, project: Project, consent: str = "e-mail of 23 November"
) -> DeviceOffset:
    return services.substitute_project(offset, project=project, consent=consent, actor="staff:1", now=NOON)


def committed(project: Project) -> int:
    return ProjectStock.objects.get(project=project).committed_g


def test_an_uncovered_promise_moves_to_another_project(promised: DeviceOffset, other: Project) -> None:
    new = substitute(promised, other)
    promised.refresh_from_db()
    assert (promised.ended_reason, promised.covered_at) == ("cancelled", None)
    assert (new.project, new.amount_g, new.replaces_id) == (other, 600_000, promised.pk)
    assert (committed(promised.project), committed(other)) == (0, 600_000)
    assert history(promised).last().data == {  # type: ignore[union-attr]
        "reason": "e-mail of 23 November",
        "to": new.pk,
        "project": other.pk,
    }
    assert open_retirements(promised.project) == []
    cover(new)
    assert new.covered_at is not None
    assert list(violations()) == []


def test_a_project_that_is_sold_out_takes_no_promise(promised: DeviceOffset, other: Project) -> None:
    promise(wish(other, "PH-1", 500_000), key="order-2")
    with pytest.raises(SoldOut):
        substitute(promised, other)
    promised.refresh_from_db()
    assert (promised.ended_at, committed(promised.project), committed(other)) == (None, 600_000, 500_000)


def test_without_consent_or_after_retirement_nothing_moves(promised: DeviceOffset, other: Project) -> None:
    with pytest.raises(InvalidInput, match="how and when"):
        substitute(promised, other, consent=" ")
    with pytest.raises(Conflict, match="same project"):
        substitute(promised, promised.project)
    cover(promised)
    with pytest.raises(Conflict, match="retired"):
        substitute(promised, other)
    assert DeviceOffset.objects.count() == 1
    assert committed(other) == 0


@pytest.mark.parametrize("why", ["paused", "closed"])
def test_a_project_that_cannot_deliver_either_is_refused(
    promised: DeviceOffset, other: Project, why: str
) -> None:
    if why == "paused":
        pause_projects(projects=[other], reason="under review", actor="staff:1", now=NOON)
        other.refresh_from_db()
    else:
        other.registry.last_retirement_on = NOON.date()
        other.registry.save()
    with pytest.raises(Conflict, match="cannot deliver"):
        substitute(promised, other)
    assert DeviceOffset.objects.count() == 1


# --- Delays -------------------------------------------------------------------------------------------------


def note(days: int = 0) -> int:
    return services.note_delays(now=NOON + timedelta(days=days), actor=SHOP)


def test_a_pause_is_noted_once_with_each_promise_that_waits(wind: Project, promised: DeviceOffset) -> None:
    assert note() == 0
    pause_projects(projects=[wind], reason="under review", actor="staff:1", now=NOON)
    assert (note(), note()) == (1, 0)
    assert history(promised).last().data == {"cause": "paused:2026-11-24T12:00"}  # type: ignore[union-attr]
    resume_projects(projects=[wind], reason="settled", actor="staff:1")
    later = NOON + timedelta(days=3)
    pause_projects(projects=[wind], reason="again", actor="staff:1", now=later)
    assert (note(3), note(3)) == (1, 0)  # another pause is another cause


def test_a_registrys_last_day_is_noted_when_it_has_come(wind: Project, promised: DeviceOffset) -> None:
    wind.registry.last_retirement_on = date(2026, 11, 26)
    wind.registry.save()
    assert (note(1), note(2), note(3)) == (0, 1, 0)
    assert history(promised).last().data == {"cause": "closed:2026-11-26"}  # type: ignore[union-attr]


def test_what_is_covered_or_ended_waits_for_nothing(wind: Project, promised: DeviceOffset) -> None:
    cover(promised)
    promise(wish(wind, "PF-2", 100_000), key="order-2")
    ended = DeviceOffset.objects.get(device_serial="PF-2")
    services.cancel_offset(ended, reason="returned", actor="staff:1", now=NOON)
    pause_projects(projects=[wind], reason="under review", actor="staff:1", now=NOON)
    assert note() == 0
