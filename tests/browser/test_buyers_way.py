"""A buyer's whole way: on a phone without JavaScript, and on a desktop with it."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.shop import PATIENCE_MS, Shop


def wait_until_certified(page: Page) -> None:
    """Reload the order page, as a buyer without JavaScript would, until its device is recorded."""
    for _ in range(60):
        if page.locator(".devices li a").count():
            return
        page.wait_for_timeout(500)
        page.reload()
    pytest.fail(f"not certified after 30 s: {page.locator('.what-next').first.inner_text()}")


def test_on_a_phone_without_javascript(shop: Shop, browser: Browser) -> None:
    phone = browser.new_context(viewport={"width": 360, "height": 740}, java_script_enabled=False)
    phone.set_default_timeout(PATIENCE_MS)
    page = phone.new_page()
    page.goto(f"{shop.url}/")
    page.get_by_role("link", name="See all devices").first.click()
    page.get_by_label("Search").fill("T490s")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="ThinkPad T490s").click()

    # The choice changes price and footprint.
    price, sentence = page.locator(".price-line strong"), page.locator(".emits .sentence")
    before = (price.inner_text(), sentence.inner_text())
    page.get_by_label("Memory").select_option("32")
    page.get_by_label("Country of use").select_option("PL")
    page.get_by_label("Years of use").select_option("3")
    page.get_by_role("button", name="Show price and footprint").click()
    assert "memory=32" in page.url
    assert (price.inner_text(), sentence.inner_text()) != before
    assert "three years" in sentence.inner_text()

    # One click takes the credits; nothing was ticked before it.
    assert page.locator("[checked]").count() == 0
    page.locator(".offer").get_by_role("button", name=re.compile("^Retire .* kg of carbon credits")).click()
    expect(page.get_by_role("heading", name="Basket")).to_be_visible()
    line = page.locator(".basket-line")
    assert "Retirement of" in line.inner_text()
    line.get_by_label("Quantity").fill("2")
    line.get_by_role("button", name="Change").first.click()
    line.get_by_label("Project").select_option("CL-4449")
    line.get_by_label("For how many").fill("1")
    line.locator(".credits-form").get_by_role("button", name="Change").click()
    assert "Monte Redondo" in line.inner_text()

    # A guest orders, asks for an early retirement, and pays with the sandbox card.
    page.get_by_role("link", name="Go to checkout").click()
    consent = page.get_by_label(re.compile("I ask you to retire"))
    assert not consent.is_checked()
    page.get_by_label("E-mail").fill("guest@example.com")
    page.get_by_label("Name", exact=True).fill("Guest Andersson")
    page.get_by_label("Delivery address").fill("Storgatan 1\n111 22 Stockholm")
    consent.check()
    page.get_by_role("button", name="Order with obligation to pay").click()
    page.get_by_role("button", name=re.compile("^Pay ")).click()
    wait_until_certified(page)

    # The record opens for anybody; the file for whoever knows the serial.
    device = page.locator(".devices li").filter(has=page.get_by_role("link")).first
    serial, code = device.locator(".mono").first.inner_text(), device.get_by_role("link").first.inner_text()
    device.get_by_role("link").first.click()
    assert f"/c/{code}/" in page.url
    assert serial not in page.content()
    assert f"…{serial[-4:]}" in page.content()
    page.get_by_role("link", name="PDF", exact=True).click()
    page.get_by_label("Device serial number").fill(serial.lower())
    with page.expect_download() as download:
        page.get_by_role("button", name=re.compile("^Open")).click()
    assert download.value.path().read_bytes().startswith(b"%PDF-")
    phone.close()


def test_on_a_desktop_with_javascript_as_a_company(shop: Shop, page: Page) -> None:
    alice = shop.log_ins["alice"]
    page.goto(f"{shop.url}/account/login/")
    page.get_by_label("Email").or_(page.get_by_label("E-mail")).first.fill(alice["email"])
    page.get_by_label("Password").first.fill(alice["password"])
    page.locator("main").get_by_role("button").first.click()

    # htmx swaps the figures; the page is not loaded anew, and its address follows.
    page.goto(f"{shop.url}/products/thinkpad-t490/")
    page.evaluate("window.notReloaded = true")
    price = page.locator(".price-line strong")
    before = price.inner_text()
    page.get_by_label("Memory").select_option("32")
    expect(price).not_to_have_text(before)
    page.get_by_label("Quantity").fill("3")
    page.get_by_label("Quantity").press("Tab")
    offer = page.locator(".offer").get_by_role("button")
    expect(offer).to_contain_text("3 laptops")
    assert page.evaluate("window.notReloaded") is True
    assert "memory=32" in page.url
    assert "csrf" not in page.url
    offer.click()

    page.get_by_role("link", name="Go to checkout").click()
    page.get_by_label("Name", exact=True).fill("Alice Andersson")
    page.get_by_label("E-mail").fill(alice["email"])
    page.get_by_label("Delivery address").fill("Storgatan 2\n111 22 Stockholm")
    page.get_by_label("for a company").check()
    page.get_by_label("Company account").select_option("another company")
    page.get_by_label("Company", exact=True).fill("Andersson Data AB")
    page.get_by_label("VAT id").fill("SE556012579001")
    page.get_by_label("PO number").fill("PO-77")
    page.get_by_label("invoice", exact=False).first.check()
    page.locator("aside").get_by_role("button").click()
    expect(page.get_by_role("heading", name=re.compile("^Order "))).to_be_visible()
    text = page.locator("main").inner_text()
    assert "PO-77" in text
    assert "SE556012579001" in text
    assert "3 × ThinkPad T490" in text
