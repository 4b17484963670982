"""What is sold, and what is known of its footprint. A new figure of a sheet or a factor is a new row."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.guarded import require_sayable_fields
from accounts.models import Market


class Statistic(models.TextChoices):
    """Which figure of the maker's distribution `total_kg` is. They are shown and never mixed."""

    MEAN = "mean", _("mean")
    P95 = "p95", _("95th percentile")
    SINGLE = "single", _("single modelled value")
    UNKNOWN = "unknown", _("not stated")


class PcfSheet(models.Model):
    """One published product carbon footprint, as printed: kg CO2e per device, over the sheet's own lifetime.

    Never edited: the database refuses. Versions of one sheet share `lineage` (its reference) and follow each
    other by `version`; `supersedes` names the one before. Empty means not stated; nothing is interpolated.
    Eight decimals hold every product of a printed total and a printed share.
    """

    lineage = models.CharField(_("reference"), max_length=64, db_index=True)
    manufacturer = models.CharField(_("manufacturer"), max_length=60)
    name = models.CharField(_("model, as the source names it"), max_length=200)
    category = models.CharField(_("category"), max_length=40, blank=True)
    subcategory = models.CharField(_("subcategory"), max_length=40, blank=True)
    version = models.PositiveIntegerField(_("version"), default=1)
    supersedes = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="next"
    )
    report_date = models.CharField(_("date of the sheet, as printed"), max_length=40, blank=True)
    report_year = models.PositiveSmallIntegerField(_("year of the sheet"), null=True, blank=True)
    statistic = models.CharField(_("statistic"), max_length=10, choices=Statistic, default=Statistic.UNKNOWN)
    total_kg = models.DecimalField(_("total, kg"), max_digits=15, decimal_places=8)
    std_kg = models.DecimalField(
        _("standard deviation, kg"), max_digits=15, decimal_places=8, null=True, blank=True
    )
    error_ratio = models.DecimalField(
        _("error, ratio"), max_digits=10, decimal_places=6, null=True, blank=True
    )
    manufacturing_kg = models.DecimalField(
        _("manufacture, kg"), max_digits=15, decimal_places=8, null=True, blank=True
    )
    transport_kg = models.DecimalField(
        _("shipping, kg"), max_digits=15, decimal_places=8, null=True, blank=True
    )
    eol_kg = models.DecimalField(_("end of life, kg"), max_digits=15, decimal_places=8, null=True, blank=True)
    use_kg = models.DecimalField(
        _("use over the lifetime, kg"), max_digits=15, decimal_places=8, null=True, blank=True
    )
    lifetime_years = models.DecimalField(
        _("lifetime, years"), max_digits=8, decimal_places=4, null=True, blank=True
    )
    tec_kwh_per_year = models.DecimalField(
        _("TEC, kWh a year"), max_digits=12, decimal_places=5, null=True, blank=True
    )
    use_location = models.CharField(_("place of use, as printed"), max_length=60, blank=True)
    assembly_location = models.CharField(_("place of assembly, as printed"), max_length=60, blank=True)
    weight_kg = models.DecimalField(_("weight, kg"), max_digits=9, decimal_places=4, null=True, blank=True)
    screen_inch = models.DecimalField(
        _("screen, inches"), max_digits=6, decimal_places=2, null=True, blank=True
    )
    memory_gb = models.PositiveIntegerField(_("memory of the assessed device, GB"), null=True, blank=True)
    storage_gb = models.PositiveIntegerField(_("storage of the assessed device, GB"), null=True, blank=True)
    configuration = models.CharField(_("configuration, as printed"), max_length=300, blank=True)
    source = models.TextField(_("source"))
    source_kind = models.CharField(_("kind of source"), max_length=60, blank=True)
    licence = models.CharField(_("licence or attribution"), max_length=200, blank=True)
    flags = models.JSONField(_("findings of the import"), default=list, blank=True)
    note = models.TextField(_("note"), blank=True)
    imported_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["lineage", "version"], name="one_version_of_a_sheet"),
            models.CheckConstraint(condition=models.Q(total_kg__gt=0), name="sheet_total_positive"),
            models.CheckConstraint(
                condition=models.Q(lifetime_years=None) | models.Q(lifetime_years__gt=0),
                name="sheet_lifetime_positive",
            ),
            models.CheckConstraint(
                condition=models.Q(use_kg=None) | models.Q(use_kg__gte=0, use_kg__lte=models.F("total_kg")),
                name="sheet_use_within_total",
            ),
        ]
        ordering = ["manufacturer", "name", "lineage", "version"]
        verbose_name = _("PCF sheet")
        verbose_name_plural = _("PCF sheets")

    def __str__(self) -> str:
        return f"{self.manufacturer} {self.name} v{self.version}"


class GridFactor(models.Model):
    """Yearly average intensity of a country's (or a region's) electricity, kg CO2e per kWh.

    A new year, or a revised figure, is a new row; the newest year counts, and of one year the row added last.
    """

    country = models.CharField(_("country, ISO 3166 alpha-2; empty for a region"), max_length=2, blank=True)
    region = models.CharField(_("region; empty for a country"), max_length=40, blank=True)
    name = models.CharField(_("name"), max_length=60)
    kg_co2e_per_kwh = models.DecimalField(_("kg CO2e per kWh"), max_digits=8, decimal_places=5)
    year = models.PositiveSmallIntegerField(_("year"))
    source = models.CharField(_("source"), max_length=300)
    licence = models.CharField(_("licence"), max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["country", "region", "year", "kg_co2e_per_kwh"], name="grid_factor_once"
            ),
            models.CheckConstraint(condition=models.Q(kg_co2e_per_kwh__gt=0), name="grid_factor_positive"),
            models.CheckConstraint(
                condition=models.Q(country="") & ~models.Q(region="")
                | ~models.Q(country="") & models.Q(region=""),
                name="grid_factor_of_country_or_region",
            ),
        ]
        ordering = ["name", "-year", "-id"]
        verbose_name = _("grid factor")
        verbose_name_plural = _("grid factors")

    def __str__(self) -> str:
        return f"{self.name} {self.year}"


# What these rows say of a product in words of ours; the guard reads it, typed or imported.
SPOKEN_OF_PRODUCTS = ("name", "series", "summary", "price_note")
SPOKEN_OF_OPTIONS = ("label",)


class Product(models.Model):
    """A device for sale, with the sheet that its footprint is computed from."""

    class FormFactor(models.TextChoices):
        LAPTOP = "laptop", _("laptop")
        DESKTOP = "desktop", _("desktop")
        MONITOR = "monitor", _("monitor")
        SERVER = "server", _("server")
        TABLET = "tablet", _("tablet")

    sku = models.CharField(_("SKU"), max_length=40, unique=True)
    slug = models.SlugField(_("address"), max_length=80, unique=True)
    manufacturer = models.CharField(_("manufacturer"), max_length=60)
    name = models.CharField(_("name"), max_length=120)
    series = models.CharField(_("series"), max_length=60, blank=True)
    form_factor = models.CharField(_("kind"), max_length=10, choices=FormFactor)
    summary = models.CharField(_("in one line"), max_length=200, blank=True)
    sheet = models.ForeignKey(
        PcfSheet, on_delete=models.PROTECT, null=True, blank=True, related_name="products"
    )
    # What the sheet's device had; an option's effect is counted from here. Empty: the maker did not say.
    base_memory_gb = models.PositiveIntegerField(
        _("memory of the assessed device, GB"), null=True, blank=True
    )
    base_storage_gb = models.PositiveIntegerField(
        _("storage of the assessed device, GB"), null=True, blank=True
    )
    stock_units = models.PositiveIntegerField(_("in stock"), default=0)
    ships_in_days = models.PositiveSmallIntegerField(_("ships in days"), default=2)
    price_note = models.CharField(
        _("note on the price"), max_length=120, blank=True
    )  # "invented for the demonstration"
    picture = models.ImageField(_("picture"), upload_to="products/", blank=True)
    published = models.BooleanField(_("published"), default=True)
    position = models.PositiveSmallIntegerField(_("order"), default=100)

    class Meta:
        ordering = ["position", "name"]
        verbose_name = _("product")
        verbose_name_plural = _("products")

    def __str__(self) -> str:
        return f"{self.manufacturer} {self.name}"

    def clean(self) -> None:
        """A product's name is a claim about it like any other sentence on its page."""
        require_sayable_fields(self, SPOKEN_OF_PRODUCTS)


class ProductPrice(models.Model):
    """Net price of the base configuration in a market, minor units of its currency."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="prices")
    market = models.ForeignKey(Market, on_delete=models.CASCADE, related_name="product_prices")
    price_minor = models.PositiveBigIntegerField(_("price, minor units, net"))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["product", "market"], name="one_price_per_product_and_market")
        ]
        verbose_name = _("price")
        verbose_name_plural = _("prices")

    def __str__(self) -> str:
        return f"{self.product} · {self.market.code}"


class Option(models.Model):
    """One choice of a product: memory, storage, keyboard, ... Exactly one default per kind."""

    class Kind(models.TextChoices):
        MEMORY = "memory", _("Memory")
        STORAGE = "storage", _("Storage")
        KEYBOARD = "keyboard", _("Keyboard")

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="options")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    value = models.CharField(_("value"), max_length=40)  # "16", "512", "nordic": what a form and the API send
    label = models.CharField(_("label"), max_length=60)  # "16 GB"
    gigabytes = models.PositiveIntegerField(_("GB"), null=True, blank=True)
    is_default = models.BooleanField(_("default"), default=False)
    position = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["product", "kind", "value"], name="option_once_per_product"),
            models.UniqueConstraint(
                fields=["product", "kind"], condition=models.Q(is_default=True), name="one_default_per_kind"
            ),
        ]
        ordering = ["product", "kind", "position", "id"]
        verbose_name = _("option")
        verbose_name_plural = _("options")

    def __str__(self) -> str:
        return f"{self.product}: {self.label}"

    def clean(self) -> None:
        """A label stands on the product's page and on the certificate."""
        require_sayable_fields(self, SPOKEN_OF_OPTIONS)


class OptionPrice(models.Model):
    """Net surcharge of an option in a market, minor units; may be negative."""

    option = models.ForeignKey(Option, on_delete=models.CASCADE, related_name="prices")
    market = models.ForeignKey(Market, on_delete=models.CASCADE, related_name="option_prices")
    surcharge_minor = models.BigIntegerField(_("surcharge, minor units, net"))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["option", "market"], name="one_surcharge_per_option_and_market")
        ]
        verbose_name = _("surcharge")
        verbose_name_plural = _("surcharges")

    def __str__(self) -> str:
        return f"{self.option} · {self.market.code}"
