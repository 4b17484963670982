"""The demo shop: 41 devices with real figures and invented prices, read by the same code as any import."""

from pathlib import Path

from catalog.products import import_products
from catalog.services import import_grid_factors, import_pcf

DATA = Path(__file__).parent / "data"


def load_catalogue() -> None:
    """Load grid factors, sheets, products, options and prices. A second call changes nothing.

    The markets must be there (`accounts.seed.load_markets`). Raises BadFile.
    """
    import_grid_factors(DATA / "grid-factors.csv")
    import_pcf(DATA / "pcf-sheets.csv")
    import_products([DATA / "products.csv", DATA / "options.csv"])
