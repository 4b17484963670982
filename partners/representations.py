"""What the API answers, as the OpenAPI document describes it. A test holds every answer against it."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from offsets.models import Boundary

DEVICE_STATES = [
    ("promised", _("waits for a retirement")),
    ("retired", _("retired; the certificate follows")),
    ("certified", _("retired, with a certificate")),
    ("cancelled", _("cancelled before retirement")),
    ("reversed", _("reversed after retirement")),
    ("moved", _("moved to a replacement device")),
    ("withdrawn", _("certificate withdrawn at the holder's request")),
    ("needs_person", _("waits for a person of our staff")),
]

Answer = serializers.Serializer[Any]
# Fields named `label` or `source` shadow attributes of the framework; its metaclass takes them out in time.


class WrongField(Answer):
    """One wrong field; refusals of the domain may add what they know, such as `allowed` or `available_g`."""

    field = serializers.CharField(help_text=_("Path of the field, such as devices.3.sku; empty: the whole."))
    detail = serializers.CharField()


class ErrorBody(Answer):
    code = serializers.CharField(help_text=_("Stable: decide by it."))
    detail = serializers.CharField(help_text=_("For a person: what is wrong and what to do."))
    fields_ = WrongField(many=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`fields` is a name that serializers use themselves."""
        declared = super().get_fields()
        declared["fields"] = declared.pop("fields_")
        return declared


class Error(Answer):
    error = ErrorBody()


class CertificateLinks(Answer):
    code = serializers.CharField()
    state = serializers.CharField()
    issued_at = serializers.DateTimeField()
    record_url = serializers.URLField(help_text=_("Public page of the record."))
    url = serializers.URLField(help_text=_("This certificate in the API."))


class RetirementPart(Answer):
    reference = serializers.CharField(help_text=_("Our public reference of the retirement."))
    registry = serializers.CharField()
    registry_reference = serializers.CharField(allow_blank=True)
    retired_on = serializers.DateField(allow_null=True)
    vintage = serializers.IntegerField()
    credit_serials = serializers.CharField(help_text=_("The credits on which these grams lie."))
    from_g = serializers.IntegerField(help_text=_("First gram of the retirement that is this device's."))
    to_g = serializers.IntegerField(help_text=_("The gram after the last one."))


class Device(Answer):
    device_serial = serializers.CharField()
    manufacturer = serializers.CharField()
    product = serializers.CharField()
    sku = serializers.CharField(allow_blank=True)
    configuration = serializers.CharField(allow_blank=True)
    amount_g = serializers.IntegerField(min_value=1)
    state = serializers.ChoiceField(choices=DEVICE_STATES)
    certificate = CertificateLinks(allow_null=True)
    retirements = RetirementPart(many=True, help_text=_("Empty until the registry has confirmed."))


class OffsetsSummary(Answer):
    id = serializers.CharField()
    livemode = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    device_count = serializers.IntegerField(min_value=1)
    amount_g = serializers.IntegerField(min_value=1)
    project = serializers.CharField(help_text=_("Reference of the project."))
    country = serializers.CharField()
    years = serializers.IntegerField()
    buyer_reference = serializers.CharField(allow_blank=True)
    beneficiary = serializers.CharField(allow_blank=True)
    url = serializers.URLField()


class Offsets(OffsetsSummary):
    devices = Device(many=True)
    next = serializers.URLField(allow_null=True, help_text=_("The next devices of this request."))
    previous = serializers.URLField(allow_null=True)


class CertificateFiles(Answer):
    pdf = serializers.URLField(allow_null=True, help_text=_("Null until it is drawn."))
    json = serializers.URLField(allow_null=True)
    badge = serializers.URLField(allow_null=True)


class CertificateAnswer(CertificateLinks):
    livemode = serializers.BooleanField()
    digest = serializers.CharField(help_text=_("Commitment to the facts."))
    facts = serializers.DictField(
        child=serializers.JSONField(),
        allow_null=True,
        help_text=_("Frozen when it was issued; null: withdrawn."),
    )
    pdf_sha256 = serializers.CharField(allow_blank=True)
    replaces = serializers.CharField(allow_null=True, help_text=_("Code of the certificate before this one."))
    replaced_by = serializers.CharField(allow_null=True)
    offsets = serializers.URLField(
        allow_null=True, help_text=_("The request that asked for it; null: an order.")
    )
    files = CertificateFiles()


class OptionAnswer(Answer):
    value = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    is_default = serializers.BooleanField()


class ProductAnswer(Answer):
    sku = serializers.CharField()
    manufacturer = serializers.CharField()
    name = serializers.CharField()
    series = serializers.CharField(allow_blank=True)
    form_factor = serializers.CharField()
    summary = serializers.CharField(allow_blank=True)
    offered = serializers.BooleanField(
        help_text=_("Whether its footprint is known well enough to be retired.")
    )
    options = serializers.DictField(
        child=OptionAnswer(many=True), help_text=_("By kind: memory, storage, ...")
    )
    footprint_url = serializers.URLField()
    page_url = serializers.URLField()


class StageAnswer(Answer):
    key = serializers.CharField(help_text=_("manufacture, transport, eol, not_parted (all but use) or use."))
    kg = serializers.CharField()
    estimate = serializers.BooleanField(help_text=_("Changed by an estimate of ours."))


class AdjustmentAnswer(Answer):
    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    kg = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]


class FootprintAnswer(Answer):
    sku = serializers.CharField()
    product = serializers.CharField()
    configuration = serializers.CharField(allow_blank=True)
    country = serializers.CharField()
    years = serializers.IntegerField()
    total_kg = serializers.CharField()
    amount_g = serializers.IntegerField(
        help_text=_("The total, rounded up to the whole gram: what is retired.")
    )
    statistic = serializers.CharField(help_text=_("Which figure of the maker's distribution the total is."))
    error_ratio = serializers.CharField(
        allow_null=True, help_text=_("As the source prints it; null: it does not.")
    )
    error_meaning = serializers.CharField(allow_blank=True)
    boundary = serializers.ChoiceField(choices=Boundary.choices)
    stages = StageAnswer(many=True)
    adjustments = AdjustmentAnswer(many=True)
    source = serializers.CharField()  # type: ignore[assignment]
    source_date = serializers.CharField(allow_blank=True)
    licence = serializers.CharField(allow_blank=True)
    grid_note = serializers.CharField(allow_blank=True)
    method = serializers.CharField()
    sheet_version = serializers.IntegerField(allow_null=True)


class RegistryAnswer(Answer):
    code = serializers.CharField()
    name = serializers.CharField()
    url = serializers.URLField()
    unit = serializers.CharField()
    retirement_term = serializers.CharField()
    last_retirement_on = serializers.DateField(allow_null=True)


class QualityFactAnswer(Answer):
    vintage = serializers.IntegerField()
    issued_on = serializers.DateField(allow_null=True)
    name = serializers.CharField()
    value = serializers.CharField(allow_blank=True)
    source = serializers.CharField()  # type: ignore[assignment]


class ProjectAnswer(Answer):
    reference = serializers.CharField()
    name = serializers.CharField(help_text=_("Title as its registry writes it."))
    short_name = serializers.CharField()
    country = serializers.CharField()
    region = serializers.CharField(allow_blank=True)
    continent = serializers.CharField()
    project_type = serializers.CharField()
    methodology = serializers.CharField()
    developer = serializers.CharField(allow_blank=True)
    supplied_through = serializers.CharField(allow_blank=True)
    registry = RegistryAnswer()
    registry_url = serializers.URLField()
    what_it_does = serializers.CharField()
    what_the_credit_is = serializers.CharField()
    what_is_said_against_it = serializers.CharField()
    quality_facts = QualityFactAnswer(many=True)
    market = serializers.CharField()
    currency = serializers.CharField()
    price_minor_per_tonne = serializers.IntegerField(help_text=_("Net, in minor units of the currency."))
    available_g = serializers.IntegerField(min_value=0)
    url = serializers.URLField()


def page_answer(row: type[Answer]) -> Answer:
    """A list of rows with its neighbours."""
    return inline_serializer(
        name=f"{row.__name__.removesuffix('Answer')}List",
        fields={
            "count": serializers.IntegerField(min_value=0),
            "next": serializers.URLField(allow_null=True),
            "previous": serializers.URLField(allow_null=True),
            "results": row(many=True),
        },
    )
