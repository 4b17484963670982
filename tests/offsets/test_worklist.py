"""What a person files with a registry: by project and month, and entered in batches."""

import html
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from common import triggers
from offsets import selectors, services
from offsets.models import Retirement, RetirementEntry, Span
from projects.models import Project
from tests.factories.offsets import NOON, make_project, open_retirements, promise, stock, wish

pytestmark = pytest.mark.django_db
WORKLIST = "admin:offsets_retirement_worklist"


@pytest.fixture
def chile() -> Project:
    """Three lines wait: of one, two and twelve credits, in one month."""
    project = make_project(adapter="manual")
    stock(project, credits=20)
    for number, amount_g in enumerate((1_000_000, 2_000_000, 12_000_000), start=1):
        promise(wish(project, f"CL-{number}", amount_g), key=f"cl-{number}")
        open_retirements(project)
    return project


def lines() -> list[Retirement]:
    return list(Retirement.objects.order_by("first_number"))


def batch(project: Project, month: str = "2026-11") -> str:
    return reverse("admin:offsets_retirement_batch", args=[project.pk, month])


def entry(row: Retirement, serials: str, **other: str) -> dict[str, str]:
    fields = {"registry_reference": f"VC-{row.pk}", "credit_serials": serials, "retired_on": "2026-11-24"}
    return {f"r{row.pk}-{name}": value for name, value in {**fields, **other}.items()}


def test_the_worklist_groups_by_project_and_month(client: Client, dana: User, chile: Project) -> None:
    other = make_project("PH-7980", country="PH", adapter="manual")
    stock(other, credits=2)
    promise(wish(other, "PH-1", 600_000), key="ph")
    services.open_retirements(
        project=other, livemode=False, now=NOON - timedelta(days=40), actor="test", ahead_credits=0
    )
    client.force_login(dana)
    answer = client.get(reverse(WORKLIST))
    found = [(pool.project.reference, str(pool.month), pool.credits) for pool in answer.context["pools"]]
    assert found == [("PH-7980", "2026-10-01", 1), ("CL-4449", "2026-11-01", 15)]
    text = answer.content.decode()
    first = lines()[0]
    assert text.index(f'value="{first.reference}"') < text.index("DEMO-CDM-CL-CER-2-1 to 1")
    assert f'value="{html.escape(first.reason)}"' in text
    assert batch(chile) in text
    assert "No pool of this project was confirmed yet" in text


def test_the_worklist_says_how_long_earlier_pools_took(client: Client, dana: User, chile: Project) -> None:
    for row, days in zip(lines()[:2], (2, 6), strict=True):
        services.confirm_by_person(
            row,
            registry_reference="VC-1",
            credit_serials=f"DEMO-CDM-CL-CER-2-{row.first_number} to {row.last_number}",
            retired_on=NOON.date(),
            actor="staff:1",
            now=NOON + timedelta(days=days),
        )
    assert selectors.pool_durations({chile.pk}) == {chile.pk: selectors.PoolDurations(timedelta(days=4), 2)}
    client.force_login(dana)
    text = client.get(reverse(WORKLIST)).content.decode().replace("\xa0", " ")
    assert "The last 2 took 4 days (median)." in text


def test_only_the_newest_twenty_pools_count(chile: Project) -> None:
    project = make_project("IN-1254", country="IN")
    stock(project, credits=22)
    for number in range(22):
        [row] = open_retirements(project, ahead_credits=1)
        services.settle(row, now=NOON)
        took = timedelta(days=100 if number < 2 else 1)
        opened = Retirement.objects.get(pk=row.pk).confirmed_at
        assert opened is not None
        _backdate(row, opened - took)
    assert selectors.pool_durations({project.pk})[project.pk] == selectors.PoolDurations(
        timedelta(days=1), 20
    )
    assert selectors.pool_durations(set()) == {}


def _backdate(row: Retirement, created_at: object) -> None:
    with triggers.lifted():
        Retirement.objects.filter(pk=row.pk).update(created_at=created_at)


def test_several_lines_are_entered_in_one_form_and_empty_ones_stay(
    client: Client, dana: User, chile: Project
) -> None:
    one, two, twelve = lines()
    client.force_login(dana)
    form = client.get(batch(chile)).content.decode()
    assert form.count("credit_serials") >= 3
    posted = {
        **entry(one, "DEMO-CDM-CL-CER-2-1 to 1"),
        **entry(twelve, "DEMO-CDM-CL-CER-2-4 to 15"),
        "reason": "account page",
    }
    answer = client.post(batch(chile), posted, follow=True)
    said = [str(message) for message in answer.context["messages"]]
    assert said == [
        "1 retirement is confirmed.",
        "1 entry is kept and waits for a second person.",
    ]
    states = dict(Retirement.objects.values_list("first_number", "state"))
    assert states == {1: "confirmed", 2: "open", 4: "open"}
    assert RetirementEntry.objects.get().retirement_id == twelve.pk
    assert two.attempted_at is None


def test_a_wrong_row_is_named_and_the_others_are_done(client: Client, dana: User, chile: Project) -> None:
    one, two, _twelve = lines()
    client.force_login(dana)
    posted = {
        **entry(one, "DEMO-CDM-CL-CER-2-1 to 1"),
        **entry(two, "DEMO-CDM-CL-CER-2-2 to 4"),
        "reason": "account page",
    }
    answer = client.post(batch(chile), posted)
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "asked for" in text
    assert [row.retirement.first_number for row in answer.context["pool"].rows] == [2, 4]
    states = dict(Retirement.objects.values_list("first_number", "state"))
    assert states == {1: "confirmed", 2: "open", 4: "open"}


@pytest.mark.parametrize("missing", ["registry_reference", "credit_serials", "retired_on"])
def test_a_row_that_is_half_filled_confirms_nothing(
    client: Client, dana: User, chile: Project, missing: str
) -> None:
    one = lines()[0]
    client.force_login(dana)
    posted = {**entry(one, "DEMO-CDM-CL-CER-2-1 to 1", **{missing: " "}), "reason": "account page"}
    assert client.post(batch(chile), posted).status_code == 422
    assert Span.objects.count() == 0


def test_a_batch_says_where_it_was_read(client: Client, dana: User, chile: Project) -> None:
    client.force_login(dana)
    posted = {**entry(lines()[0], "DEMO-CDM-CL-CER-2-1 to 1"), "reason": " "}
    assert client.post(batch(chile), posted).status_code == 422
    assert Span.objects.count() == 0


def test_who_may_not_confirm_enters_no_batch(client: Client, sales_person: User, chile: Project) -> None:
    client.force_login(sales_person)
    posted = {**entry(lines()[0], "DEMO-CDM-CL-CER-2-1 to 1"), "reason": "account page"}
    assert client.get(batch(chile)).status_code == 403
    assert client.post(batch(chile), posted).status_code == 403
    assert Span.objects.count() == 0


@pytest.mark.parametrize("month", ["2026-12", "2026-13", "soon", "2026-10"])
def test_a_pool_that_has_nothing_waiting_is_not_found(
    client: Client, dana: User, chile: Project, month: str
) -> None:
    client.force_login(dana)
    assert client.get(batch(chile, month)).status_code == 404
