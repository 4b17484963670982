"""What a call may hold: unknown fields are refused, texts are texts, numbers are whole."""

import unicodedata
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.printed import require_printable

MAX_YEARS = 5
MAX_OFFSET = 10**9
MAX_DEVICES_PER_PAGE = 10_000
DEVICES_PER_PAGE = 1_000


class StrictSerializer(serializers.Serializer[Any]):
    """A serializer that names every field it does not know, instead of dropping it."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and (unknown := sorted(set(data) - set(self.fields))):
            known = ", ".join(self.fields) or _("none")
            message = _("Unknown field. Known here: %(known)s.") % {"known": known}
            raise serializers.ValidationError({name[:80]: [message] for name in unknown})
        return super().to_internal_value(data)


class Text(serializers.CharField):
    """A JSON string: a number is not one (it would lose its leading zeros)."""

    default_error_messages = {"invalid": _("Write this as a string.")}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class PrintedText(Text):
    """Text that is printed on a certificate: one line, in letters that its font has."""

    def to_internal_value(self, data: Any) -> str:
        text = unicodedata.normalize("NFC", super().to_internal_value(data))
        require_printable(text)
        return text


class WholeNumber(serializers.IntegerField):
    """A JSON number: neither a string nor a truth value."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return super().to_internal_value(data)


@extend_schema_field({"oneOf": [{"type": "integer", "minimum": 1}, {"type": "string", "minLength": 1}]})
class OptionValue(serializers.CharField):
    """The value of an option, such as 32 or "32"; the product's page of the API lists them."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=40, **kwargs)


class CountryCode(Text):
    """ISO 3166 alpha-2, in either case."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_length=2, max_length=2, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        return super().to_internal_value(data).upper()


class ConfigurationFields(StrictSerializer):
    """Options that change a footprint; one left out is the product's default."""

    memory = OptionValue(required=False, help_text=_("Memory in GB, one of the product's options."))
    ram = OptionValue(required=False, help_text=_("Another name of memory."))
    storage = OptionValue(required=False, help_text=_("Storage in GB, one of the product's options."))

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "ram" in attrs:
            if "memory" in attrs:
                raise serializers.ValidationError({"ram": _("Send memory or ram, not both.")})
            attrs["memory"] = attrs.pop("ram")
        return attrs


class DeviceBody(ConfigurationFields):
    """One device. Its amount is the footprint that we compute; a caller cannot set it."""

    device_serial = Text(max_length=80, help_text=_("Serial number on the device, as a string."))
    sku = Text(max_length=40, help_text=_("One of /api/v1/products/."))
    manufacturer = Text(
        max_length=60,
        required=False,
        help_text=_("Known from the SKU; when it is sent, it must be the same."),
    )


class OffsetsBody(StrictSerializer):
    """Devices whose footprint is to be retired in one project."""

    project = Text(max_length=40, help_text=_("Reference of one of /api/v1/projects/."))
    country = CountryCode(help_text=_("Country of use, ISO 3166 alpha-2."))
    years = WholeNumber(min_value=1, max_value=MAX_YEARS, default=MAX_YEARS, help_text=_("Years of use."))
    buyer_reference = PrintedText(
        max_length=80, required=False, allow_blank=True, default="", help_text=_("Your own reference.")
    )
    beneficiary = PrintedText(
        max_length=120,
        required=False,
        allow_blank=True,
        default="",
        help_text=_("A company that agreed to be named, publicly and for ever. Left out: nobody is named."),
    )
    devices = serializers.ListField(
        child=DeviceBody(),
        min_length=1,
        max_length=settings.MAX_DEVICES_PER_ORDER,
        help_text=_("1 to 10,000 devices."),
    )


class NoQuery(StrictSerializer):
    """No query parameters."""


class PageQuery(StrictSerializer):
    """Which part of a list."""

    limit = serializers.IntegerField(min_value=1, max_value=200, default=50, help_text=_("Rows of a page."))
    offset = serializers.IntegerField(
        min_value=0, max_value=MAX_OFFSET, default=0, help_text=_("Rows to skip.")
    )


class OffsetsQuery(PageQuery):
    """Which of your requests."""

    device_serial = Text(max_length=80, required=False, help_text=_("Only requests that hold this device."))
    buyer_reference = Text(max_length=80, required=False, help_text=_("Only requests with your reference."))


class DevicesQuery(StrictSerializer):
    """Which of a request's devices."""

    limit = serializers.IntegerField(
        min_value=1,
        max_value=MAX_DEVICES_PER_PAGE,
        default=DEVICES_PER_PAGE,
        help_text=_("Devices of a page."),
    )
    offset = serializers.IntegerField(
        min_value=0, max_value=MAX_OFFSET, default=0, help_text=_("Devices to skip.")
    )


class PartQuery(StrictSerializer):
    """Which part of a file that is too long for one."""

    part = serializers.IntegerField(min_value=1, max_value=MAX_OFFSET, default=1, help_text=_("Which part."))


class ProductsQuery(PageQuery):
    """Which products."""

    q = Text(
        max_length=80,
        required=False,
        default="",
        allow_blank=True,
        help_text=_("Words of the name or the SKU."),
    )


class FootprintQuery(ConfigurationFields):
    """The configuration and where and how long it is used."""

    country = CountryCode(
        required=False, help_text=_("Country of use; left out: the country that the shop shows first.")
    )
    years = serializers.IntegerField(
        min_value=1, max_value=MAX_YEARS, default=MAX_YEARS, help_text=_("Years of use.")
    )


class MarketQuery(StrictSerializer):
    """In which market."""

    country = CountryCode(
        required=False, help_text=_("The buyer's country; left out: the country that the shop shows first.")
    )


class ProjectsQuery(PageQuery, MarketQuery):
    """Which projects, and in which market."""
