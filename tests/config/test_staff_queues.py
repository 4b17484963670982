"""The admin opens with what waits for a person."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from offsets.models import DeviceOffset, ProjectStock
from tests.factories.offsets import make_project, open_retirements, promise, stock, wish


def waiting(page: Any) -> dict[str, int]:
    return {str(queue.label): queue.waiting for queue in page.context["queues"]}


def test_the_admin_opens_with_the_queues_and_every_number_leads_to_its_list(
    client: Client, dana: User
) -> None:
    wind = make_project(adapter="manual")
    stock(wind, credits=3)
    promise(wish(wind, "PF-1"), wish(wind, "PF-2"))
    open_retirements(wind)
    DeviceOffset.objects.filter(device_serial="PF-2").update(problem="The receipt differs.")
    client.force_login(dana)
    page = client.get("/admin/")
    counts = waiting(page)
    assert counts["Claims that need a person"] == 1
    assert counts["Retirements to file"] == 1
    assert counts["Projects with an alarm"] == 0
    ProjectStock.objects.update(alarm="Seen in other hands.")
    page = client.get("/admin/")
    assert waiting(page)["Projects with an alarm"] == 1
    assert waiting(page)["Orders to ship"] == 0
    for queue in page.context["queues"]:
        listed = client.get(queue.url)
        assert listed.status_code == 200
        if "cl" in (listed.context or {}):
            assert listed.context["cl"].result_count == queue.waiting


def test_a_person_sees_only_the_queues_of_their_role(client: Client, db: None) -> None:
    nobody = User.objects.create_user("new@example.com", "a-password-of-hers", is_staff=True)
    client.force_login(nobody)
    assert waiting(client.get("/admin/")) == {}


@pytest.mark.parametrize("path", ["/admin/login/", "/admin/"])
def test_the_admin_wears_the_shops_colours(client: Client, dana: User, path: str) -> None:
    if path == "/admin/":
        client.force_login(dana)
    page = client.get(path).content.decode()
    assert "/static/css/admin.css" in page
    assert "Clearline" in page
    assert "Django" not in page
