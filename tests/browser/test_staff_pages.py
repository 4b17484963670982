"""The admin is readable in both schemes, without a complaint of the browser; and Enter never buys."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.shop import PATIENCE_MS, Shop

STAFF_PAGES = (
    "/admin/",
    "/admin/checkout/order/",
    "/admin/offsets/deviceoffset/",
    "/admin/offsets/retirement/worklist/",
    "/admin/catalog/product/1/change/",
)
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_staff_can_read_every_kind_of_admin_page(shop: Shop, browser: Browser, scheme: str) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(f"{shop.url}/admin/login/")
    assert [each["nodes"] for each in Axe().run(page, options=CONTRAST).response["violations"]] == []
    page.fill("input[name=username]", shop.log_ins["admin"]["email"])
    page.fill("input[name=password]", shop.log_ins["admin"]["password"])
    page.click("input[type=submit]")
    expect(page.get_by_role("heading", name="What waits for a person")).to_be_visible()
    for path in STAFF_PAGES:
        page.goto(shop.url + path)
        found = Axe().run(page, options=CONTRAST).response["violations"]
        assert [(path, node["html"]) for each in found for node in each["nodes"]] == []
    assert complaints == []
    context.close()


def test_enter_in_the_quantity_shows_and_puts_nothing_into_the_basket(shop: Shop, page: Page) -> None:
    page.goto(f"{shop.url}/products/thinkpad-t490/")
    page.get_by_label("Quantity").fill("4")
    page.get_by_label("Quantity").press("Enter")
    page.wait_for_url("**quantity=4**")
    expect(page.locator(".offer").get_by_role("button")).to_contain_text("4 laptops")
    assert page.locator("a.chip").inner_text() == "Basket (0)"
