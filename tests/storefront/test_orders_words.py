"""What the pages of buying say stays within the register of whoever reads them."""

import pytest
from django.test import Client

from accounts.models import Account
from checkout import services
from checkout.models import Order
from claims.guard import Quotation, check
from claims.markup import visible_text
from claims.wording import wording_by_id
from projects.models import Project
from tests.factories.checkout import LAPTOP, NOON, certify, make_order, make_shop, pay, ship

ADD = {
    "product": LAPTOP.lower(),
    "memory": "16",
    "country": "SE",
    "years": "5",
    "quantity": "2",
    "offset": "1",
}


@pytest.fixture
def wind(db: None) -> Project:
    return make_shop()


def assert_said(client: Client, path: str, register: str, project: Project) -> None:
    page = client.get(path)
    assert page.status_code == 200, path
    titles = [Quotation(project.name, "registry"), Quotation(project.short_name, "registry")]
    assert check(visible_text(page.content.decode()), register=register, quotations=titles) == [], path


def test_a_visitor_of_an_eu_market_reads_register_a(client: Client, wind: Project) -> None:
    for path in ("/basket/", "/orders/find/"):
        assert_said(client, path, "A", wind)
    client.post("/basket/add/", {**ADD, "project": wind.reference})
    for path in ("/basket/", "/checkout/"):
        assert_said(client, path, "A", wind)


@pytest.mark.parametrize("company", [False, True])
def test_an_order_is_read_in_its_own_register_at_every_step(
    client: Client, wind: Project, alices_company: Account, company: bool
) -> None:
    order = make_order(quantity=2, project=wind, owner=alices_company if company else None)
    register = wording_by_id(order.wording).register
    assert register == ("B" if company else "A")
    steps = (
        lambda: None,
        lambda: pay(order),
        lambda: ship(order),
        lambda: services.request_offsets_for_shipped(NOON),
        lambda: certify(order),
    )
    for step in steps:
        step()
        for rest in ("", "invoice/"):
            assert_said(client, address(order, rest), register, wind)


def address(order: Order, rest: str) -> str:
    return f"/orders/{order.number}/{order.token}/{rest}"
