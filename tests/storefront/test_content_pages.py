"""Pages that explain, addresses that do not exist, what machines ask for."""

import pytest
from django.test import Client

from common.errors import DomainError
from projects.models import Project
from storefront.views import content
from tests.factories.checkout import make_shop
from tests.storefront.pages import text, words


@pytest.fixture
def wind(db: None) -> Project:
    return make_shop()


@pytest.mark.parametrize("path", ["/how-it-works/", "/terms/", "/privacy/", "/imprint/", "/verify/"])
def test_a_page_has_one_title_a_way_past_the_menu_and_a_description(
    client: Client, wind: Project, path: str
) -> None:
    page = client.get(path)
    assert page.status_code == 200
    assert text(page).count("<h1") == 1
    assert '<a class="skip" href="#content">' in text(page)
    assert '<meta name="description" content="Laptops and other devices' in text(page)
    assert client.post(path).status_code == 405


def test_how_it_works_says_that_devices_share_a_retirement_and_what_is_not_proved(
    client: Client, wind: Project
) -> None:
    page = words(client.get("/how-it-works/"))
    assert "A registry retires whole tonnes, a device needs some hundred kilograms." in page
    assert "How good the project is, or that the maker's estimate is exact." in page
    assert "The CDM calls a retirement a voluntary cancellation." in page


def test_terms_say_that_a_retirement_cannot_be_taken_back(client: Client, wind: Project) -> None:
    page = words(client.get("/terms/"))
    assert "A retirement cannot be taken back." in page
    assert "Without this consent we retire the credits when the 14 days have passed." in page


def test_an_address_that_does_not_exist_is_a_page_that_helps(client: Client, wind: Project) -> None:
    page = client.get("/nowhere/")
    assert page.status_code == 404
    for link in ("/products/", "/verify/", "/orders/find/"):
        assert f'href="{link}"' in text(page)


def test_every_page_says_that_this_is_a_demonstration_and_a_live_shop_does_not(
    client: Client, wind: Project, settings: object
) -> None:
    assert 'class="demo-bar"' in text(client.get("/imprint/"))
    settings.LIVEMODE = True  # type: ignore[attr-defined]
    assert "emonstration" not in text(client.get("/how-it-works/"))


def test_a_shop_whose_markets_have_not_opened_says_so_on_every_page(client: Client, db: None) -> None:
    page = client.get("/")
    assert page.status_code == 404
    assert "No market is open on this day" in words(page)


@pytest.mark.parametrize("status", [404, 409, 410, 422])
def test_an_error_of_the_domain_is_a_page_with_its_message_and_status(
    client: Client, wind: Project, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    class Refused(DomainError):
        code = "refused"

    Refused.status = status
    monkeypatch.setattr(content, "connection", _Raises(Refused("Do it <b>another</b> way.")))
    page = client.get("/healthz")
    assert page.status_code == status
    assert "Do it <b>another</b> way." in words(page)
    assert "<b>another" not in text(page)


class _Raises:
    """Stands where the database's connection is asked, and raises."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def cursor(self) -> None:
        raise self.error


def test_any_other_error_is_not_hidden(
    client: Client, wind: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content, "connection", _Raises(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        client.get("/healthz")


def test_the_load_balancer_gets_an_answer_that_no_cache_keeps(client: Client, db: None) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert "no-store" in answer["Cache-Control"]


def test_no_page_lets_a_browser_run_or_load_anything_from_elsewhere(client: Client, wind: Project) -> None:
    policy = client.get("/")["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "style-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    page = text(client.get("/products/laptop-1/"))
    assert "<script>" not in page
    assert " style=" not in page
    assert " onclick" not in page


def test_search_engines_are_kept_from_what_is_somebodys_own(client: Client, db: None) -> None:
    answer = client.get("/robots.txt")
    assert answer["Content-Type"].startswith("text/plain")
    assert text(answer).splitlines()[0] == "User-agent: *"
    for path in ("/account/", "/admin/", "/basket/", "/checkout/", "/orders/"):
        assert f"Disallow: {path}" in text(answer)
    assert "Disallow: /products/" not in text(answer)


@pytest.mark.parametrize(
    ("path", "title", "description"),
    [
        ("/", "One line from your device to the registry", "Laptops and other devices"),
        ("/products/laptop-1/", "ThinkPad LAPTOP-1", "Making, shipping and using it for five years causes"),
        ("/projects/CL-4449/", "CL-4449 Wind Farm Project", "Makes electricity from wind."),
        ("/impact/", "Carbon credits retired so far", "0 t of carbon credits retired"),
    ],
)
def test_a_page_that_is_shared_says_what_it_is_under_its_one_address(
    client: Client, wind: Project, path: str, title: str, description: str
) -> None:
    page = text(client.get(f"{path}?memory=32&x=1" if path == "/products/laptop-1/" else path))
    assert f'<meta property="og:title" content="{title}">' in page
    assert f'<meta property="og:description" content="{description}' in page
    assert f'<link rel="canonical" href="http://testserver{path}">' in page
