"""`./run screenshots`: the pictures of the README, of a shop that is set up for them and gone at the end."""

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser

from tests.browser.shop import ROOT, Shop, open_browser, open_shop

COLOURS = 256
PICTURES = ROOT / "docs" / "img"
PAGES = {
    "product": ("/products/thinkpad-t490/", 1200, 1260),
    "product-phone": ("/products/thinkpad-t490/", 360, 740),
    "record": ("/c/{code}/", 1200, 1200),
}


def main() -> None:
    """Take them all; raises when a page does not answer."""
    PICTURES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        open_shop(Path(folder) / "home") as shop,
        open_browser() as browser,
    ):
        for name, (path, width, height) in PAGES.items():
            take(shop, browser, name, path, width, height)
        certificate(shop)


def take(shop: Shop, browser: Browser, name: str, path: str, width: int, height: int) -> None:
    """One page at one width."""
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme="light")
    answer = page.goto(shop.url + path.format(code=shop.purchase["certificate_code"]))
    if answer is None or not answer.ok:
        raise RuntimeError(f"{path} did not answer.")
    page.screenshot(path=PICTURES / f"{name}.png")
    page.close()
    shrink(PICTURES / f"{name}.png")
    sys.stdout.write(f"docs/img/{name}.png\n")


def certificate(shop: Shop) -> None:
    """The PDF's page, as pdftoppm draws it."""
    target = PICTURES / "certificate"
    command = ["pdftoppm", "-r", "84", "-png", "-singlefile", shop.purchase["pdf"], str(target)]
    subprocess.run(command, check=True, timeout=60)
    shrink(PICTURES / "certificate.png")
    sys.stdout.write("docs/img/certificate.png\n")


def shrink(picture: Path) -> None:
    """These pages need few colours: a palette makes a file of a third, and the eye sees no difference."""
    with Image.open(picture) as image:
        few = image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(picture, optimize=True)


if __name__ == "__main__":
    main()
