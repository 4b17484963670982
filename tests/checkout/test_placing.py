"""A basket becomes an order, once: frozen, with its grams reserved."""

from datetime import timedelta

import pytest
from django.conf import LazySettings

from accounts.errors import VatIdDoesNotCheck
from accounts.models import Account, Membership, User
from catalog.models import ProductPrice
from checkout import services
from checkout.errors import BasketEmpty, BasketExpired, BasketRefused, PaymentMethodRefused, PriceChanged
from checkout.models import Basket, BasketLine, Order, OrderedDevice, OrderLine
from claims.wording import say, wording_by_id
from common.models import Event
from offsets.errors import SoldOut
from offsets.models import Reservation
from offsets.selectors import available_g
from projects.models import Project, ProjectPrice
from tests.factories.checkout import (
    LAPTOP_MINOR,
    NOON,
    OFFSET_MINOR,
    SWEDEN_G,
    add,
    make_basket,
    make_buyer,
    make_order,
    make_sold_project,
    place,
    units,
)


def test_everything_is_computed_on_the_server_and_frozen(wind: Project) -> None:
    basket = make_basket()
    add(basket, quantity=3, project=wind)
    services_line = basket.lines.get()
    services_line.offset_units = 2
    services_line.save()
    order = place(basket, po_number="PO-7", cost_centre="IT")
    line = order.lines.get()
    assert (line.sku, line.quantity, line.unit_net_minor, line.net_minor) == (
        "LAPTOP-1",
        3,
        LAPTOP_MINOR,
        3_000_000,
    )
    assert (line.tax_minor, line.vat_basis_points) == (750_000, 2500)
    assert line.footprint["amount_g"] == SWEDEN_G
    offset_line = line.offset_line
    assert (offset_line.units, offset_line.unit_amount_g, offset_line.net_minor) == (
        2,
        SWEDEN_G,
        2 * OFFSET_MINOR,
    )
    wording = wording_by_id(order.wording)
    assert offset_line.text == say("order_line", wording=wording, kg="310", project=wind.name)
    assert order.gross_minor == 3_000_000 + 750_000 + 9_300 + 2_325
    assert (order.audience, order.language, wording.register) == ("consumer", "en", "A")
    assert (order.po_number, order.cost_centre, order.currency, order.livemode) == (
        "PO-7",
        "IT",
        "SEK",
        False,
    )
    ProductPrice.objects.update(price_minor=1)
    ProjectPrice.objects.update(price_minor_per_tonne=1)
    order.refresh_from_db()
    assert order.lines.get().net_minor == 3_000_000
    assert [device.with_offset for device in units(order)] == [True, True, False]


def test_grams_are_reserved_per_unit_until_it_ships(wind: Project) -> None:
    order = make_order(quantity=2, project=wind)
    reserved = Reservation.objects.order_by("pk")
    assert [row.holder for row in reserved] == [device.holder for device in units(order)]
    assert {(row.amount_g, row.expires_at, row.livemode) for row in reserved} == {(SWEDEN_G, None, False)}
    assert available_g(project=wind, livemode=False) == 5_000_000 - 2 * SWEDEN_G


def test_a_double_click_finds_the_same_order(wind: Project) -> None:
    basket = make_basket()
    add(basket, project=wind)
    first = place(basket)
    second = place(basket)
    assert first == second
    assert Order.objects.count() == Reservation.objects.count() == OrderedDevice.objects.count() == 1
    assert Event.objects.filter(kind="order.placed").count() == 1
    assert Basket.objects.count() == BasketLine.objects.count() == 0


def test_sold_out_names_the_project_and_moves_nothing(wind: Project) -> None:
    basket = make_basket()
    add(basket, quantity=17, project=wind)  # 17 x 310 kg are more than 5 t
    with pytest.raises(SoldOut, match="5000 kg"):
        place(basket)
    assert Order.objects.count() == OrderLine.objects.count() == Reservation.objects.count() == 0
    assert available_g(project=wind, livemode=False) == 5_000_000
    assert basket.lines.get().quantity == 17  # the buyer can mend it
    assert not Event.objects.filter(kind="order.placed").exists()


def test_two_projects_are_reserved_each_from_its_own_stock(wind: Project) -> None:
    other = make_sold_project("MX-4634", first=10_000, credits=1)
    basket = make_basket()
    add(basket, project=wind)
    add(basket, quantity=2, project=other)
    place(basket)
    assert available_g(project=wind, livemode=False) == 5_000_000 - SWEDEN_G
    assert available_g(project=other, livemode=False) == 1_000_000 - 2 * SWEDEN_G


def test_an_empty_basket_is_not_ordered(wind: Project) -> None:
    with pytest.raises(BasketEmpty):
        place(make_basket())
    assert Order.objects.count() == 0


def test_an_expired_basket_is_not_ordered(wind: Project) -> None:
    basket = make_basket()
    add(basket)
    with pytest.raises(BasketExpired):
        place(basket, now=NOON + timedelta(hours=24))
    assert Order.objects.count() == 0


def test_a_line_that_cannot_be_sold_stops_the_order_and_is_named(wind: Project) -> None:
    basket = make_basket()
    line = add(basket)
    ProductPrice.objects.all().delete()
    with pytest.raises(BasketRefused) as refused:
        place(basket)
    assert [detail["line"] for detail in refused.value.details] == [str(line.pk)]
    assert Order.objects.count() == 0


def test_a_price_that_changed_meanwhile_is_not_charged(wind: Project) -> None:
    basket = make_basket()
    add(basket)
    with pytest.raises(PriceChanged, match="12\u202f500\u00a0kr"):
        services.place_order(
            basket=basket,
            buyer=make_buyer(),
            payment_method="card",
            user=None,
            owner=None,
            actor="guest",
            now=NOON,
            seen_gross_minor=1_000_000,
        )
    assert Order.objects.count() == 0
    assert place(basket).gross_minor == 1_250_000


def test_the_sandbox_card_is_not_taken_where_real_credits_are_retired(
    wind: Project, settings: LazySettings
) -> None:
    settings.LIVEMODE = True
    basket = make_basket()
    add(basket)
    with pytest.raises(PaymentMethodRefused, match="invoice"):
        place(basket)
    order = place(basket, method="invoice")
    assert order.livemode is True


def test_an_unknown_way_to_pay_is_refused(wind: Project) -> None:
    basket = make_basket()
    add(basket)
    with pytest.raises(PaymentMethodRefused):
        place(basket, method="shells")


def test_a_card_order_waits_a_day_and_an_invoice_two_weeks(wind: Project) -> None:
    assert make_order(method="card").expires_at == NOON + timedelta(hours=24)
    assert make_order(method="invoice").expires_at == NOON + timedelta(days=14)


def test_an_account_on_terms_orders_without_paying_first(
    wind: Project, alice: User, alices_company: Account
) -> None:
    alices_company.may_pay_on_terms = True
    alices_company.save()
    order = make_order(method="invoice", user=alice, owner=alices_company)
    assert (order.on_terms, order.expires_at) == (True, None)
    card = make_order(method="card", user=alice, owner=alices_company)
    assert card.on_terms is False


def test_a_verified_company_reads_as_one(wind: Project, alice: User, alices_company: Account) -> None:
    order = make_order(project=wind, user=alice, owner=alices_company)
    assert (order.owner, order.audience) == (alices_company, "company")
    assert wording_by_id(order.wording).register == "B"


def test_a_guest_whose_vat_id_checks_orders_as_a_company(wind: Project) -> None:
    order = make_order(project=wind, company="Guest AB", vat_id="SE556012579001")
    assert order.owner is not None
    assert (order.owner.name, order.owner.kind, order.audience) == ("Guest AB", "company", "company")
    assert order.owner.company_verified_at == NOON
    assert Membership.objects.count() == 0


def test_a_company_of_another_country_is_checked_by_its_own_rules(wind: Project) -> None:
    order = make_order(company="Parts-R-Us GmbH", vat_id="DE136695976")
    assert order.owner is not None
    assert (str(order.owner.country), order.owner.vat_id) == ("DE", "DE136695976")
    assert order.tax_minor == LAPTOP_MINOR // 4  # Swedish VAT all the same: reverse charge is not offered


def test_a_vat_id_that_does_not_check_orders_nothing(wind: Project) -> None:
    basket = make_basket()
    add(basket)
    with pytest.raises(VatIdDoesNotCheck):
        place(basket, company="Guest AB", vat_id="SE1234567890")
    assert Order.objects.count() == Account.objects.count() == 0


def test_a_company_name_alone_makes_nobody_a_company(wind: Project) -> None:
    order = make_order(project=wind, company="Guest AB")
    assert (order.audience, order.owner, order.company) == ("consumer", None, "Guest AB")


def test_a_person_who_signed_in_owns_the_order_through_an_account(wind: Project, charlie: User) -> None:
    order = make_order(user=charlie)
    assert order.owner is not None
    assert order.owner.members.get() == charlie


def test_consent_is_kept_only_where_there_is_something_to_consent_to(
    wind: Project, alices_company: Account
) -> None:
    assert make_order(project=wind).early_retirement_consent_at == NOON
    assert make_order(project=wind, early_retirement_consent=False).early_retirement_consent_at is None
    assert make_order().early_retirement_consent_at is None
    assert make_order(project=wind, owner=alices_company).early_retirement_consent_at is None


def test_numbers_are_short_and_addresses_cannot_be_guessed(wind: Project) -> None:
    first, second = make_order(), make_order()
    assert first.number != second.number
    assert len(first.number) == 9
    assert len(first.token) >= 22
    assert first.token != second.token
