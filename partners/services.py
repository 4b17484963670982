"""What a partner can have done: one call that promises grams to its devices."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import Account
from accounts.selectors import market_for_country, register_for
from accounts.services import audience_for
from catalog.errors import UnknownOption
from catalog.models import Option, Product
from catalog.pcf.footprint import Footprint
from catalog.selectors import (
    choose_options,
    configuration_text,
    footprints_of,
    published_products,
    why_unknown,
)
from claims.guard import ANY_LANGUAGE, Quotation, check
from claims.registers import Audience, Register
from claims.wording import Wording, current_wording
from common.errors import DomainError, InvalidInput
from common.printed import require_printable
from offsets.errors import AlreadyCovered
from offsets.models import OffsetRequest
from offsets.serials import normalise_device
from offsets.services import OffsetWish, request_offsets
from partners.idempotency import scope_of
from partners.models import ApiKey
from projects.models import Project
from projects.selectors import projects_for_sale

OPTION_FIELDS = ("memory", "storage")
Problem = dict[str, str]
Choice = tuple[str, ...]  # SKU, then the value of each option field; "" is the product's default


@dataclass(frozen=True)
class Configured:
    """A configuration that devices of one call share; its footprint is computed once."""

    product: Product
    options: Sequence[Option]
    footprint: Footprint


@dataclass(frozen=True)
class Sale:
    """What all devices of one call have in common."""

    project: Project
    country: str
    audience: Audience
    wording: Wording
    beneficiary: str
    buyer_reference: str
    years: int


def order_offsets(
    *, key: ApiKey, body: Mapping[str, Any], idempotency_key: str, body_digest: str, now: datetime
) -> OffsetRequest:
    """Promise the footprints of all devices of a valid body (serializers.OffsetsBody), or of none.

    The same idempotency key and digest give the first request back with `replayed` set, though projects or
    products have changed since. Raises IdempotencyConflict, InvalidInput naming each wrong device,
    AlreadyCovered, SoldOut. Statements do not grow with the number of devices.
    """
    scope = scope_of(key)
    earlier = OffsetRequest.objects.filter(scope=scope, key=idempotency_key, body_digest=body_digest).first()
    if earlier:
        earlier.replayed = True
        return earlier
    wishes = _wishes(_sale(account=key.partner.account, body=body, on=now.date()), body["devices"])
    try:
        return request_offsets(
            wishes,
            owner=key.partner.account,
            livemode=key.livemode,
            actor=f"partner:{key.partner_id}",
            scope=scope,
            key=idempotency_key,
            body_digest=body_digest,
            now=now,
        )
    except AlreadyCovered as error:
        raise AlreadyCovered(error.message, details=list(_covered(error, wishes))) from error


def _sale(*, account: Account, body: Mapping[str, Any], on: date) -> Sale:
    """Market, project and words of a call. Raises InvalidInput."""
    market_country = market_for_country(body["country"], on=on)
    if market_country is None:
        raise _wrong("country", _("We do not sell in this country yet."))
    for_sale = projects_for_sale(market=market_country.market, on=on)
    project = next((sold.project for sold in for_sale if sold.project.reference == body["project"]), None)
    if project is None:
        raise _wrong(
            "project",
            _("No such project is for sale there; /api/v1/projects/?country=%(country)s lists them.")
            % {"country": body["country"]},
        )
    audience = audience_for(account)
    if body["beneficiary"] and audience is not Audience.COMPANY:
        raise _wrong(
            "beneficiary", _("Only a verified company may have a beneficiary named; ask us to verify yours.")
        )
    register = register_for(market_country, audience)
    wording = current_wording(register=register, language=market_country.market.language)
    _require_sayable(body, account=account, register=register)
    return Sale(
        project=project,
        country=body["country"],
        audience=audience,
        wording=wording,
        beneficiary=body["beneficiary"],
        buyer_reference=body["buyer_reference"],
        years=body["years"],
    )


def _require_sayable(body: Mapping[str, Any], *, account: Account, register: Register) -> None:
    """What a partner types may claim nothing, in any language; a verified company's own name is a fact.

    Raises InvalidInput.
    """
    verified = [Quotation(account.name, "company register")] if account.company_verified_at else []
    for field in ("beneficiary", "buyer_reference"):
        findings = check(body[field], register=register, language=ANY_LANGUAGE, quotations=verified)
        if findings:
            words = ", ".join(f"“{finding.word}”" for finding in findings)
            raise _wrong(
                field,
                _("This is printed on a certificate, where %(words)s must not stand.") % {"words": words},
            )


def _wishes(sale: Sale, devices: Sequence[Mapping[str, Any]]) -> list[OffsetWish]:
    """A wish per device. Raises InvalidInput that names every wrong device by its place in the list."""
    configured, problems = _configure({_choice(device) for device in devices}, sale=sale)
    texts = {choice: configuration_text(known.options) for choice, known in configured.items()}
    footprints = {choice: known.footprint.as_json() for choice, known in configured.items()}
    wishes: list[OffsetWish] = []
    wrong: list[Problem] = []
    for index, device in enumerate(devices):
        choice = _choice(device)
        if choice in problems:
            field, detail = problems[choice]
            wrong.append({"field": f"devices.{index}.{field}", "detail": detail})
            continue
        known = configured[choice]
        if problem := _device_problem(device, known.product):
            field, detail = problem
            wrong.append({"field": f"devices.{index}.{field}", "detail": detail})
            continue
        wishes.append(
            OffsetWish(
                project=sale.project,
                manufacturer=known.product.manufacturer,
                device_serial=device["device_serial"],
                product=known.product.name,
                sku=known.product.sku,
                configuration=texts[choice],
                amount_g=known.footprint.amount_g,
                footprint=footprints[choice],
                boundary=known.footprint.boundary,
                period=f"years-{sale.years}",
                country=sale.country,
                audience=sale.audience,
                language=sale.wording.language,
                wording=sale.wording.id,
                beneficiary=sale.beneficiary,
                buyer_reference=sale.buyer_reference,
            )
        )
    if wrong:
        raise InvalidInput(_("Some devices are wrong; nothing was done. “fields” names each."), details=wrong)
    return wishes


def _choice(device: Mapping[str, Any]) -> Choice:
    return (device["sku"], *(device.get(field, "") for field in OPTION_FIELDS))


def _configure(
    choices: set[Choice], *, sale: Sale
) -> tuple[dict[Choice, Configured], dict[Choice, tuple[str, str]]]:
    """Each choice with its footprint, and those that cannot be had with the field and the reason."""
    found = published_products().filter(sku__in={choice[0] for choice in choices})
    products = {product.sku: product for product in found}
    chosen: dict[Choice, tuple[Product, Sequence[Option]]] = {}
    problems: dict[Choice, tuple[str, str]] = {}
    for choice in choices:
        sku, *values = choice
        named = {field: value for field, value in zip(OPTION_FIELDS, values, strict=True) if value}
        if sku not in products:
            problems[choice] = ("sku", _("No such product; /api/v1/products/ lists them."))
            continue
        try:
            chosen[choice] = products[sku], choose_options(product=products[sku], values=named)
        except UnknownOption as error:
            problems[choice] = (str(error.details[0]["field"]), error.message)
    footprints = footprints_of(list(chosen.values()), country=sale.country, years=sale.years)
    configured: dict[Choice, Configured] = {}
    for (choice, (product, options)), footprint in zip(chosen.items(), footprints, strict=True):
        if footprint is None:
            why = {"product": product.name, "why": why_unknown(product)}
            problems[choice] = ("sku", _("%(product)s cannot be offered: %(why)s.") % why)
        else:
            configured[choice] = Configured(product, options, footprint)
    return configured, problems


def _device_problem(device: Mapping[str, Any], product: Product) -> tuple[str, str] | None:
    """Field and reason when the device is not one of this product, or its serial does not read."""
    maker = device.get("manufacturer", product.manufacturer)
    if maker.strip().casefold() != product.manufacturer.casefold():
        return "manufacturer", _("%(sku)s is made by %(maker)s.") % {
            "sku": product.sku,
            "maker": product.manufacturer,
        }
    try:
        _maker, serial = normalise_device(product.manufacturer, device["device_serial"])
        require_printable(serial)
    except DomainError as error:
        return "device_serial", error.message
    except ValidationError as error:
        return "device_serial", " ".join(error.messages)
    return None


def _covered(error: AlreadyCovered, wishes: Sequence[OffsetWish]) -> Iterator[Problem]:
    """The ledger's refusal, device by device, with its place in the caller's list."""
    refused = {(row["manufacturer"], row["device_serial"]) for row in error.details}
    for index, wish in enumerate(wishes):
        if normalise_device(wish.manufacturer, wish.device_serial) in refused:
            yield {"field": f"devices.{index}.device_serial", "detail": _("Covered already, or named twice.")}


def _wrong(field: str, detail: str) -> InvalidInput:
    return InvalidInput(detail, details=[{"field": field, "detail": detail}])
