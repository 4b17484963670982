"""Which projects are sold, where, at what price."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from accounts.reasons import ReasonMissing
from common.events import history
from projects.errors import NotSold, UnknownProject
from projects.events import PROJECT_PAUSED, PROJECT_RESUMED
from projects.models import Project, ProjectPrice
from projects.pricing import offset_price_minor
from projects.selectors import price_per_tonne, project_by_reference, projects_for_sale
from projects.services import pause_projects, resume_projects
from tests.factories.accounts import MarketFactory
from tests.factories.projects import ProjectFactory, ProjectPriceFactory, RegistryFactory

TODAY = date(2026, 11, 24)
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("amount_g", "price", "minor"),
    [
        (508_000, 1_150, 585),  # 584.2 cents
        (1_000_000, 1_150, 1_150),
        (1, 1_150, 1),
        (0, 1_150, 0),
        (10_000 * 508_000, 15_550, 78_994_000),
    ],
)
def test_an_amount_costs_its_share_of_a_tonne_rounded_up(amount_g: int, price: int, minor: int) -> None:
    assert offset_price_minor(amount_g=amount_g, price_minor_per_tonne=price) == minor


@given(st.integers(0, 10**12), st.integers(1, 10**9))
def test_rounding_never_gives_money_away_and_never_takes_a_whole_unit(amount_g: int, price: int) -> None:
    minor = offset_price_minor(amount_g=amount_g, price_minor_per_tonne=price)
    assert 0 <= minor * 1_000_000 - amount_g * price < 1_000_000


@pytest.mark.parametrize(("amount_g", "price"), [(-1, 1_150), (1, 0), (1, -5)])
def test_negative_amounts_and_prices_of_nothing_are_refused(amount_g: int, price: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        offset_price_minor(amount_g=amount_g, price_minor_per_tonne=price)


@pytest.mark.django_db
def test_a_market_sells_the_projects_it_has_a_price_for_continent_by_continent(
    django_assert_num_queries: Any,
) -> None:
    nordics, emea = MarketFactory(), MarketFactory(code="emea", name="EMEA", currency="EUR", position=2)
    for reference, continent in [
        ("P-1", "south-america"),
        ("P-2", "africa"),
        ("P-3", "asia"),
        ("P-4", "africa"),
    ]:
        ProjectPriceFactory(project=ProjectFactory(reference=reference, continent=continent), market=nordics)
    ProjectPriceFactory(
        project=Project.objects.get(reference="P-3"), market=emea, price_minor_per_tonne=1_000
    )
    with django_assert_num_queries(1):
        offered = projects_for_sale(market=nordics, on=TODAY)
        assert [(o.project.reference, o.project.registry.code, o.price_minor_per_tonne) for o in offered] == [
            ("P-2", "CAR", 15_000),
            ("P-4", "CAR", 15_000),
            ("P-3", "CAR", 15_000),
            ("P-1", "CAR", 15_000),
        ]
    assert [o.price_minor_per_tonne for o in projects_for_sale(market=emea, on=TODAY)] == [1_000]


@pytest.mark.django_db
def test_a_paused_project_is_not_sold_until_it_is_resumed() -> None:
    price = ProjectPriceFactory()
    assert pause_projects(projects=[price.project], reason="audit", actor="staff:5", now=NOON) == 1
    assert projects_for_sale(market=price.market, on=TODAY) == []
    with pytest.raises(NotSold, match="Choose another project"):
        price_per_tonne(project=price.project, market=price.market, on=TODAY)
    assert resume_projects(projects=[price.project], reason="audit passed", actor="staff:5") == 1
    assert price_per_tonne(project=price.project, market=price.market, on=TODAY) == 15_000
    assert [(e.kind, e.actor, e.data) for e in history(price.project)] == [
        (PROJECT_PAUSED, "staff:5", {"reason": "audit"}),
        (PROJECT_RESUMED, "staff:5", {"reason": "audit passed"}),
    ]


@pytest.mark.django_db
def test_pausing_twice_keeps_the_first_reason_and_one_event() -> None:
    project = ProjectFactory()
    pause_projects(projects=[project], reason="audit", actor="staff:5", now=NOON)
    assert pause_projects(projects=[project], reason="other", actor="staff:6", now=NOON) == 0
    project.refresh_from_db()
    assert (project.paused_at, project.pause_reason) == (NOON, "audit")
    assert history(project).count() == 1


@pytest.mark.django_db
def test_pausing_without_a_reason_changes_nothing() -> None:
    project = ProjectFactory()
    with pytest.raises(ReasonMissing):
        pause_projects(projects=[project], reason=" ", actor="staff:5", now=NOON)
    project.refresh_from_db()
    assert project.paused_at is None
    assert not history(project).exists()


@pytest.mark.django_db
def test_sales_stop_before_the_last_retirement_date_of_the_registry() -> None:
    registry = RegistryFactory(code="CDM", last_retirement_on=date(2026, 12, 31))
    price = ProjectPriceFactory(project=ProjectFactory(registry=registry))
    assert len(projects_for_sale(market=price.market, on=date(2026, 12, 30))) == 1
    assert projects_for_sale(market=price.market, on=date(2026, 12, 31)) == []
    with pytest.raises(NotSold):
        price_per_tonne(project=price.project, market=price.market, on=date(2027, 1, 1))


@pytest.mark.django_db
def test_a_project_without_a_price_is_not_sold_there() -> None:
    price = ProjectPriceFactory()
    emea = MarketFactory(code="emea", name="EMEA")
    with pytest.raises(NotSold, match="not sold in EMEA") as caught:
        price_per_tonne(project=price.project, market=emea)
    assert (caught.value.code, caught.value.status) == ("project_not_sold", 404)


@pytest.mark.django_db
def test_a_project_is_found_by_its_reference_in_any_case() -> None:
    project = ProjectFactory(reference="CAR1480")
    assert project_by_reference(" car1480 ") == project
    with pytest.raises(UnknownProject):
        project_by_reference("CAR148")


@pytest.mark.django_db
@pytest.mark.parametrize("price", [0, -1])
def test_the_database_refuses_a_price_of_nothing(price: int) -> None:
    row = ProjectPriceFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        ProjectPrice.objects.filter(pk=row.pk).update(price_minor_per_tonne=price)
    row.refresh_from_db()
    assert row.price_minor_per_tonne == 15_000
