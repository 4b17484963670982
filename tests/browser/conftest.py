"""One shop and one browser for the whole folder: one worker runs all of it (tests/conftest.py)."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.shop import PATIENCE_MS, Shop, chromium, open_browser, open_shop


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs Chromium; without it, it is said that it was skipped."""
    here = [item for item in items if "tests/browser/" in item.nodeid]
    for item in here:
        item.add_marker(pytest.mark.browser)
        item.add_marker(pytest.mark.embedded)
        if chromium() is None:
            item.add_marker(pytest.mark.skip(reason="Chromium is not installed; browser tests were skipped"))


@pytest.fixture(scope="package")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with open_shop(tmp_path_factory.mktemp("shop") / "home") as running:
        yield running


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with open_browser() as running:
        yield running


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A visitor nobody knows, on a desktop."""
    visitor = browser.new_context(viewport={"width": 1440, "height": 900})
    visitor.set_default_timeout(PATIENCE_MS)
    yield visitor
    visitor.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()
