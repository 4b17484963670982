"""Every page at three widths: nothing wider than the screen, no complaint of the browser, axe content."""

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.shop import PATIENCE_MS, Shop

PAGES = {
    "home": "/",
    "products": "/products/",
    "nothing-found": "/products/?q=zzz",
    "product": "/products/thinkpad-t490/",
    "product-parted": "/products/lenovo-e41-45/",
    "product-without-offer": "/products/thinkpad-x1-carbon-gen-9/",
    "product-bad-choice": "/products/thinkpad-t490/?memory=9&years=7",
    "projects": "/projects/",
    "project": "/projects/CAR1480/",
    "un-project": "/projects/PH-7980/",
    "impact": "/impact/",
    "how-it-works": "/how-it-works/",
    "verify": "/verify/",
    "terms": "/terms/",
    "privacy": "/privacy/",
    "imprint": "/imprint/",
    "login": "/account/login/",
    "signup": "/account/signup/",
    "find-order": "/orders/find/",
    "missing": "/nowhere/",
    "basket": "/basket/",
    "checkout": "/checkout/",
    "record": "/c/{code}/",
    "files": "/c/{code}/certificate.pdf",
    "retirement": "/retirements/{retirement}/",
    "retirements": "/retirements/",
    "credits-not-ours": "/retirements/?q=CDM-PH-CER-2-619879%20to%20620095",
    "find-record": "/find/",
}
EXPECTED_STATUS = {"missing": 404, "files": 403, "product-bad-choice": 422, "credits-not-ours": 404}


@pytest.fixture(scope="module")
def visitor(shop: Shop, browser: Browser) -> Iterator[BrowserContext]:
    """Somebody with a device and its credits in the basket."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(f"{shop.url}/products/thinkpad-t490/")
    page.locator(".offer").get_by_role("button").click()
    page.close()
    yield context
    context.close()


def open_page(shop: Shop, page: Page, name: str) -> list[str]:
    """Open it; returns what the browser complained of."""
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    code = shop.purchase["certificate_code"]
    path = PAGES[name].format(
        code=code, retirement=retirement_of(shop, page) if "{retirement}" in PAGES[name] else ""
    )
    answer = page.goto(shop.url + path)
    assert answer is not None
    assert answer.status == EXPECTED_STATUS.get(name, 200)
    return [text for text in complaints if "the server responded with a status of" not in text]


def retirement_of(shop: Shop, page: Page) -> str:
    page.goto(f"{shop.url}/projects/CAR1480/")
    return page.locator("a[href^='/retirements/']").first.inner_text()


def assert_fits_and_is_accessible(page: Page) -> None:
    """Nothing wider than the screen, one title, nothing of the offer ticked, and no finding of axe."""
    for width in (360, 768, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"wider than {width} px"
    assert page.locator("h1").count() == 1
    assert page.locator("input[name=offset][checked], input[name=project][checked]").count() == 0
    problems = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for violation in Axe().run(page).response["violations"]:
            nodes = "; ".join(node["html"][:120] for node in violation["nodes"][:3])
            problems.append(f"{scheme}: {violation['id']}: {nodes}")
    assert problems == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_every_screen_and_is_accessible_in_both_schemes(
    shop: Shop, visitor: BrowserContext, name: str
) -> None:
    page = visitor.new_page()
    complaints = open_page(shop, page, name)
    assert_fits_and_is_accessible(page)
    assert complaints == []
    page.close()


def test_an_order_and_its_invoice_fit_every_screen_and_are_accessible(shop: Shop, page: Page) -> None:
    page.goto(f"{shop.url}/orders/find/")
    page.get_by_label("Order number").fill(shop.purchase["order"])
    page.get_by_label("E-mail").fill("alice@clearline.example")
    page.get_by_role("button", name="Find the order").click()
    expect(page.get_by_role("heading", name="Where your devices stand")).to_be_visible()
    assert page.evaluate("typeof htmx") == "object"  # news of the devices come without a page load
    assert_fits_and_is_accessible(page)
    page.get_by_role("link", name="Invoice to print").click()
    expect(page.get_by_role("heading", name=re.compile("^Invoice "))).to_be_visible()
    assert_fits_and_is_accessible(page)


def log_in(shop: Shop, page: Page, who: str) -> None:
    page.goto(f"{shop.url}/account/login/")
    page.get_by_label("Email").first.fill(shop.log_ins[who]["email"])
    page.get_by_label("Password").first.fill(shop.log_ins[who]["password"])
    page.locator("main").get_by_role("button").first.click()
    expect(page.get_by_role("heading", name="Your orders")).to_be_visible()


def test_an_account_fits_every_screen_and_is_accessible(shop: Shop, page: Page) -> None:
    log_in(shop, page, "alice")
    expect(page.get_by_role("button", name="Retire in the company's name").first).to_be_visible()
    for path in ("/account/", "/account/email/", "/account/password/change/", "/account/logout/"):
        page.goto(shop.url + path)
        assert_fits_and_is_accessible(page)


def test_staff_see_the_shop_as_somebody_else_and_come_back(shop: Shop, page: Page) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    log_in(shop, page, "manager")
    page.goto(f"{shop.url}/admin/")
    page.get_by_role("button", name="a company in Sweden", exact=True).click()
    expect(page.get_by_text("Preview: you read this as a verified company in Sweden.")).to_be_visible()
    page.goto(f"{shop.url}/products/thinkpad-t490/")
    expect(page.locator(".offer").get_by_role("button")).to_contain_text("CO2 Offset Service")
    assert_fits_and_is_accessible(page)
    page.get_by_role("button", name="Leave the preview").click()
    expect(page.locator(".offer").get_by_role("button")).to_contain_text("of carbon credits")
    assert complaints == []


def test_the_keyboard_reaches_the_content_and_the_offer(shop: Shop, page: Page) -> None:
    page.goto(f"{shop.url}/products/thinkpad-t490/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["y"] >= 0  # type: ignore[index]
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")
    for _ in range(30):
        page.keyboard.press("Tab")
        if (
            page.evaluate("document.activeElement.closest('.offer') && document.activeElement.tagName")
            == "BUTTON"
        ):
            break
    else:
        pytest.fail("the offer's button cannot be reached with the keyboard")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"


@pytest.mark.parametrize("width", [360, 1440])
def test_targets_are_large_enough_for_a_finger(shop: Shop, visitor: BrowserContext, width: int) -> None:
    page = visitor.new_page()
    page.set_viewport_size({"width": width, "height": 900})
    for path in ("/products/thinkpad-t490/", "/basket/", "/checkout/"):
        page.goto(shop.url + path)
        small = page.evaluate(
            "[...document.querySelectorAll('button, nav a, select, .chip, input')]"
            ".filter(e => !['hidden', 'radio', 'checkbox'].includes(e.type) && !e.ariaHidden)"
            ".filter(e => e.offsetParent && e.getBoundingClientRect().height < 44)"
            ".map(e => e.outerHTML.slice(0, 80))"
        )
        assert small == [], path
    page.close()
