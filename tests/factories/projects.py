"""Rows of projects/, as small as they may be."""

import factory
from factory.django import DjangoModelFactory

from projects.models import Methodology, Project, ProjectPrice, QualityFact, Registry
from tests.factories.accounts import MarketFactory


class RegistryFactory(DjangoModelFactory[Registry]):
    class Meta:
        model = Registry
        django_get_or_create = ("code",)

    code = "CAR"
    name = "Climate Action Reserve"
    url = "https://www.climateactionreserve.org/"
    unit = "CRT"
    retirement_term = "retirement"
    adapter = Registry.Adapter.SANDBOX


class MethodologyFactory(DjangoModelFactory[Methodology]):
    class Meta:
        model = Methodology
        django_get_or_create = ("code",)

    code = "Adipic Acid"


class ProjectFactory(DjangoModelFactory[Project]):
    class Meta:
        model = Project
        django_get_or_create = ("reference",)

    registry = factory.SubFactory(RegistryFactory)
    reference = factory.Sequence(lambda n: f"CAR{9000 + n}")
    name = factory.LazyAttribute(lambda project: f"Project {project.reference}")
    short_name = factory.LazyAttribute(lambda project: f"Short {project.reference}")
    country = "US"
    continent = Project.Continent.NORTH_AMERICA
    project_type = "Adipic Acid"
    methodology = factory.SubFactory(MethodologyFactory)
    registry_url = "https://thereserve2.apx.com/"
    what_it_does = "Destroys a gas that warms."
    what_the_credit_is = "One tonne of CO2e that was not emitted."
    what_is_said_against_it = "It may have happened anyway."
    source = "a test's own words, November 2026"


class ProjectPriceFactory(DjangoModelFactory[ProjectPrice]):
    class Meta:
        model = ProjectPrice

    project = factory.SubFactory(ProjectFactory)
    market = factory.SubFactory(MarketFactory)
    price_minor_per_tonne = 15_000


class QualityFactFactory(DjangoModelFactory[QualityFact]):
    class Meta:
        model = QualityFact

    project = factory.SubFactory(ProjectFactory)
    vintage = 2025
    name = "CCP Approved"
    value = "Yes"
    source = "a test's own words, November 2026"
