"""Staff's view of projects: paused and resumed with a reason, by those who may."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from common.events import history
from projects.models import Project, ProjectPrice
from tests.factories.projects import ProjectFactory, ProjectPriceFactory, QualityFactFactory


def act(client: Client, action: str, project: Project, reason: str = "") -> str:
    answer = client.post(
        reverse("admin:projects_project_changelist"),
        {"action": action, "_selected_action": [project.pk], "reason": reason},
        follow=True,
    )
    return answer.content.decode()


def test_a_manager_pauses_and_resumes_a_project_with_a_reason(client: Client, dana: User) -> None:
    project = ProjectFactory()
    client.force_login(dana)
    assert "Say why" in act(client, "pause_projects", project)
    project.refresh_from_db()
    assert project.paused_at is None
    assert "1 project paused" in act(client, "pause_projects", project, "audit")
    project.refresh_from_db()
    assert project.paused_at is not None
    assert project.pause_reason == "audit"
    assert "1 project resumed" in act(client, "resume_projects", project, "audit passed")
    project.refresh_from_db()
    assert project.paused_at is None
    assert [event.actor for event in history(project)] == [f"staff:{dana.pk}"] * 2


def test_sales_and_buyers_may_not_pause_a_project(client: Client, sales_person: User, alice: User) -> None:
    project = ProjectFactory()
    for user in (sales_person, alice):
        client.force_login(user)
        act(client, "pause_projects", project, "please")
    project.refresh_from_db()
    assert project.paused_at is None
    assert not history(project).exists()


def test_sales_change_a_price_but_not_what_is_said_of_a_project(client: Client, sales_person: User) -> None:
    price = ProjectPriceFactory()
    client.force_login(sales_person)
    url = reverse("admin:projects_projectprice_change", args=[price.pk])
    form = {
        "project": price.project.pk,
        "market": price.market.pk,
        "price_minor_per_tonne": 16_000,
        "note": "",
    }
    assert client.post(url, form).status_code == 302
    assert ProjectPrice.objects.get().price_minor_per_tonne == 16_000
    assert client.post(url, form | {"price_minor_per_tonne": 0}).status_code == 200
    assert ProjectPrice.objects.get().price_minor_per_tonne == 16_000
    project_url = reverse("admin:projects_project_change", args=[price.project.pk])
    client.post(project_url, {"what_is_said_against_it": "nothing"})
    price.project.refresh_from_db()
    assert price.project.what_is_said_against_it == "It may have happened anyway."
    assert client.post(reverse("admin:projects_project_add"), {}).status_code == 403


def test_the_guard_reads_what_staff_write_of_a_project(client: Client, dana: User) -> None:
    project = ProjectFactory()
    client.force_login(dana)
    form = {
        "registry": project.registry.pk,
        "reference": project.reference,
        "name": "N2O Emission Reduction in Onsan",
        "short_name": "Onsan",
        "country": "KR",
        "continent": "asia",
        "project_type": "N2O",
        "methodology": project.methodology.pk,
        "registry_url": "https://cdm.unfccc.int/",
        "what_it_does": "Makes your laptop climate neutral.",
        "what_the_credit_is": "One tonne.",
        "what_is_said_against_it": "Its title, N2O Emission Reduction in Onsan, may be quoted.",
        "source": "a test",
        "prices-TOTAL_FORMS": 0,
        "prices-INITIAL_FORMS": 0,
        "quality_facts-TOTAL_FORMS": 0,
        "quality_facts-INITIAL_FORMS": 0,
    }
    url = reverse("admin:projects_project_change", args=[project.pk])
    refused = client.post(url, form)
    assert refused.status_code == 200
    assert "A page about a product may not say: “climate neutral”" in refused.content.decode()
    project.refresh_from_db()
    assert project.short_name != "Onsan"
    assert client.post(url, form | {"what_it_does": "Destroys nitrous oxide."}).status_code == 302
    project.refresh_from_db()
    assert project.short_name == "Onsan"


@pytest.mark.parametrize("name", ["registry", "methodology", "project", "projectprice", "qualityfact"])
def test_staff_find_what_there_is(client: Client, dana: User, name: str) -> None:
    project = ProjectFactory(reference="CAR1480", name="Phlogiston Phase I")
    ProjectPriceFactory(project=project)
    QualityFactFactory(project=project)
    client.force_login(dana)
    query = {"registry": "CAR", "methodology": "Adipic"}.get(name, "CAR1480")
    found = client.get(reverse(f"admin:projects_{name}_changelist"), {"q": query})
    assert found.status_code == 200
    assert found.context["cl"].result_count == 1
