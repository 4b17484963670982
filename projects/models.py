"""Mitigation projects whose credits we sell, where, and at what price per tonne."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField

from accounts.guarded import require_sayable_fields
from accounts.models import Market
from claims.guard import Quotation


class Registry(models.Model):
    """A register of credits, and the adapter by which we retire there."""

    class Adapter(models.TextChoices):
        MANUAL = "manual", _("a person files each retirement")
        SANDBOX = "sandbox", _("sandbox (demonstration)")
        BROKER = "broker", _("a broker retires over HTTP")

    code = models.CharField(_("code"), max_length=20, unique=True)  # "CAR", "CDM"
    name = models.CharField(_("name"), max_length=120)
    url = models.URLField(_("web address"))
    unit = models.CharField(_("name of a credit"), max_length=60)  # "CER", "CRT"
    retirement_term = models.CharField(
        _("its word for a retirement"), max_length=60
    )  # CDM: voluntary cancellation
    adapter = models.CharField(_("how we retire"), max_length=20, choices=Adapter, default=Adapter.MANUAL)
    last_retirement_on = models.DateField(_("last retirement date"), null=True, blank=True)
    sunset_note = models.TextField(_("what is known of its end"), blank=True)

    class Meta:
        verbose_name = _("registry")
        verbose_name_plural = _("registries")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """The note is ours; name, unit and term are the registry's own."""
        require_sayable_fields(self, ["sunset_note"], quotations=[Quotation(self.name or "?", "registry")])


class Methodology(models.Model):
    """The rules by which a project's reductions are measured."""

    code = models.CharField(_("code"), max_length=120, unique=True)
    name = models.CharField(_("name"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("methodology")
        verbose_name_plural = _("methodologies")

    def __str__(self) -> str:
        return self.code


OUR_SENTENCES = ("what_it_does", "what_the_credit_is", "what_is_said_against_it")


class Project(models.Model):
    """A registered project. `reference` is the registry's own and the page's address."""

    class Continent(models.TextChoices):
        AFRICA = "africa", _("Africa")
        ASIA = "asia", _("Asia")
        EUROPE = "europe", _("Europe")
        NORTH_AMERICA = "north-america", _("North America")
        OCEANIA = "oceania", _("Oceania")
        SOUTH_AMERICA = "south-america", _("South America")

    registry = models.ForeignKey(Registry, on_delete=models.PROTECT, related_name="projects")
    reference = models.CharField(_("reference"), max_length=40, unique=True)  # "CAR1480", "PH-7980"
    name = models.CharField(_("title in the registry"), max_length=200)
    short_name = models.CharField(_("short name"), max_length=60)
    country = CountryField(_("country"))
    region = models.CharField(_("place"), max_length=80, blank=True)
    continent = models.CharField(_("continent"), max_length=20, choices=Continent)
    southern_hemisphere = models.BooleanField(_("south of the equator"), default=False)
    project_type = models.CharField(_("type"), max_length=120)
    methodology = models.ForeignKey(Methodology, on_delete=models.PROTECT, related_name="projects")
    supplied_through = models.CharField(_("supplied through"), max_length=80, blank=True)
    developer = models.CharField(_("developer"), max_length=120, blank=True)
    registry_url = models.URLField(_("page in the registry"))
    what_it_does = models.TextField(_("what it does"))
    what_the_credit_is = models.TextField(_("what a credit is"))
    what_is_said_against_it = models.TextField(_("what is said against it"))
    source = models.CharField(_("source of these facts"), max_length=300)
    paused_at = models.DateTimeField(_("paused"), null=True, blank=True)
    pause_reason = models.CharField(_("reason of the pause"), max_length=200, blank=True)

    class Meta:
        ordering = ["continent", "short_name"]
        permissions = [("pause_project", "Can pause and resume the sale of a project")]
        verbose_name = _("project")
        verbose_name_plural = _("projects")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Our sentences may be read in every market, so the narrowest register's guard reads them first.

        The title and the type are the registry's words: they may be quoted. The short name may be made of
        the title's words.
        """
        quoted = [Quotation(text, "registry") for text in (self.name, self.project_type) if text.strip()]
        require_sayable_fields(self, OUR_SENTENCES, quotations=quoted)
        words = [Quotation(word, "title in the registry") for word in self.name.split()]
        require_sayable_fields(self, ["short_name"], quotations=[*quoted, *words])


class ProjectPrice(models.Model):
    """The project is sold in this market at this net price per tonne, in minor units of its currency."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="prices")
    market = models.ForeignKey(Market, on_delete=models.CASCADE, related_name="project_prices")
    price_minor_per_tonne = models.PositiveBigIntegerField(_("price per tonne, minor units, net"))
    note = models.CharField(_("note"), max_length=120, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "market"], name="one_price_per_project_and_market"),
            models.CheckConstraint(
                condition=models.Q(price_minor_per_tonne__gt=0), name="price_per_tonne_positive"
            ),
        ]
        verbose_name = _("price per tonne")
        verbose_name_plural = _("prices per tonne")

    def __str__(self) -> str:
        return f"{self.project.reference} · {self.market.code}"


class QualityFact(models.Model):
    """A dated statement about one vintage of a project, quoted from the registry (never our own sentence)."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="quality_facts")
    vintage = models.PositiveSmallIntegerField(_("vintage"))
    issued_on = models.DateField(_("issued on"), null=True, blank=True)
    name = models.CharField(_("field"), max_length=60)  # "CCP Approved", "Reduction/Removal"
    value = models.CharField(_("value, as the registry prints it"), max_length=300, blank=True)
    source = models.CharField(_("source"), max_length=300)

    class Meta:
        ordering = ["project", "-vintage", "name"]
        verbose_name = _("quality fact")
        verbose_name_plural = _("quality facts")

    def __str__(self) -> str:
        return f"{self.project.reference} {self.vintage} {self.name}"
