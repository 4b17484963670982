"""The files of a whole order: who gets them, and who does not."""

import io
import zipfile
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account, User
from certificates import bundles, collective, labels
from certificates.drawing import CannotDraw
from certificates.models import Certificate
from checkout import selectors, services
from checkout.models import Order
from projects.models import Project
from tests.factories.bundles import draw_all
from tests.factories.certificates import cover_promised, enter_log, issue
from tests.factories.checkout import NOON, make_order, make_shop, pay, ship
from tests.storefront.pages import text, words

FILES = ("collective.pdf", "certificates.zip", "labels.pdf")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Pages that would be drawn: who may not have a file must not make the shop draw it either."""
    pages: list[str] = []

    def note(page: str, **_more: Any) -> bytes:
        pages.append(page)
        return b"%PDF-1.7 drawn"

    monkeypatch.setattr(collective, "draw", note)
    monkeypatch.setattr(labels, "draw", note)
    return pages


@pytest.fixture
def wind(db: None, settings: Any, tmp_path: Any) -> Project:
    settings.MEDIA_ROOT = tmp_path / "media"
    return make_shop()


def certified(order: Order, *serials: str) -> Order:
    """The order paid, shipped, retired, and each device with its certificate."""
    pay(order)
    ship(order, *serials)
    services.request_offsets_for_shipped(NOON)
    cover_promised(order.lines.get().offset_line.project)
    issue()
    enter_log()
    draw_all(selectors.bundle_of(order, now=NOON))
    return order


@pytest.fixture
def order(wind: Project, alice: User, alices_company: Account) -> Order:
    """Alice's company's, of two laptops that are certified."""
    return certified(make_order(quantity=2, project=wind, user=alice, owner=alices_company), "PF-1", "PF-2")


def address(order: Order, name: str) -> str:
    return f"/orders/{order.number}/{order.token}/{name}"


def content(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


@pytest.mark.parametrize("name", FILES)
def test_every_member_of_the_account_gets_the_files(
    client: Client, order: Order, drawn: list[str], alice: User, bob: User, name: str
) -> None:
    for member in (alice, bob):
        client.force_login(member)
        answer = client.get(address(order, name))
        assert answer.status_code == 200
        assert answer["Content-Disposition"] == f'attachment; filename="{order.number}-{name}"'
        assert "no-store" in answer["Cache-Control"]
        assert "private" in answer["Cache-Control"]
        assert answer["X-Robots-Tag"] == "noindex"
        assert content(answer)[:4] in (b"%PDF", b"PK\x03\x04")


@pytest.mark.parametrize("name", FILES)
def test_nobody_else_does_though_they_know_the_address(
    client: Client, order: Order, drawn: list[str], charlie: User, dana: User, name: str
) -> None:
    path = address(order, name)
    answer = client.get(path)
    assert answer["Location"] == f"/account/login/?next={path}"
    for other in (charlie, dana):
        client.force_login(other)
        refused = client.get(path)
        assert refused.status_code == 404
        assert "PF-1" not in text(refused)
    assert drawn == []


@pytest.mark.parametrize("name", FILES)
def test_a_wrong_address_gives_nothing_even_to_the_holder(
    client: Client, order: Order, drawn: list[str], wind: Project, alice: User, name: str
) -> None:
    other = make_order(project=wind)
    client.force_login(alice)
    for number, token in ((order.number, other.token), (other.number, order.token), (order.number, "x")):
        assert client.get(f"/orders/{number}/{token}/{name}").status_code == 404
    assert client.post(address(order, name)).status_code == 405
    assert drawn == []


@pytest.mark.parametrize("name", FILES)
def test_a_guest_has_the_secret_address_and_nothing_else(
    client: Client, wind: Project, drawn: list[str], charlie: User, name: str
) -> None:
    guests = certified(make_order(project=wind), "PF-9")
    assert client.get(address(guests, name)).status_code == 200
    client.force_login(charlie)
    assert client.get(f"/orders/{guests.number}/{name}/").status_code == 404


def test_an_order_of_a_user_without_a_company_is_that_users(
    client: Client, wind: Project, drawn: list[str], alice: User, bob: User
) -> None:
    hers = certified(make_order(project=wind, user=alice), "PF-9")
    client.force_login(bob)
    assert client.get(address(hers, "collective.pdf")).status_code == 404
    client.force_login(alice)
    assert client.get(address(hers, "collective.pdf")).status_code == 200


def test_the_files_hold_this_orders_devices_and_no_others(
    client: Client, order: Order, wind: Project, drawn: list[str], alice: User
) -> None:
    certified(make_order(project=wind, user=alice), "PF-9")
    client.force_login(alice)
    for name in FILES:
        content(client.get(address(order, name)))
    assert len(drawn) == 3  # the archive has the collective document inside
    assert all("PF-1" in page and "PF-2" in page and "PF-9" not in page for page in drawn)
    packed = zipfile.ZipFile(io.BytesIO(content(client.get(address(order, "certificates.zip")))))
    codes = set(Certificate.objects.exclude(offset__device_serial="PF-9").values_list("code", flat=True))
    assert {name[13:32] for name in packed.namelist() if "/" in name} == codes


def test_the_page_offers_them_as_soon_as_a_device_has_its_own(
    client: Client, order: Order, wind: Project, alice: User
) -> None:
    page = client.get(address(order, ""))
    for name in ("collective.pdf", "certificates.zip", "labels.pdf?part=1"):
        assert f'href="{address(order, name)}"' in text(page)
    assert "You are asked to sign in." in words(page)
    client.force_login(alice)
    assert "You are asked to sign in." not in words(client.get(address(order, "")))
    early = client.get(address(make_order(project=wind), ""))
    assert "They appear here as soon as the first device has its own document." in words(early)
    assert "collective.pdf" not in text(early)
    assert "Documents for all devices" not in words(client.get(address(make_order(), "")))


def test_before_the_first_certificate_the_answer_says_when_to_come_back(
    client: Client, wind: Project, drawn: list[str]
) -> None:
    early = make_order(project=wind)
    for name in ("collective.pdf", "labels.pdf"):
        answer = client.get(address(early, name))
        assert answer.status_code == 409
        assert "no certificate" in words(answer).lower()
    assert drawn == []


@pytest.mark.parametrize("part", ["0", "2", "-1", "x", "１", "1" * 9, ""])
def test_a_part_that_is_not_there_is_refused(
    client: Client, order: Order, drawn: list[str], alice: User, part: str
) -> None:
    client.force_login(alice)
    assert client.get(address(order, "labels.pdf"), {"part": part}).status_code in (404, 409)
    assert drawn == []


def test_while_another_document_is_drawn_the_answer_says_to_try_again(
    client: Client, order: Order, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: Any, **__: Any) -> bytes:
        raise CannotDraw("Another document is being drawn. Try again in half a minute.")

    monkeypatch.setattr(collective, "draw", busy)
    client.force_login(alice)
    for name in ("collective.pdf", "certificates.zip"):
        answer = client.get(address(order, name))
        assert answer.status_code == 503
        assert "Try again in half a minute." in words(answer)


def test_who_asks_too_often_waits(
    client: Client, order: Order, drawn: list[str], alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(bundles.DOWNLOADS, "collective.pdf", 2)
    client.force_login(alice)
    statuses = [client.get(address(order, "collective.pdf")).status_code for _try in range(3)]
    assert statuses == [200, 200, 429]
    assert len(drawn) == 2
