"""What the shop says to anybody: a shop of one language, and its PDFs, badges, mails, answers and pages."""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any

from django.conf import settings
from django.core import mail
from django.core.files.base import ContentFile
from django.core.mail import EmailMessage
from django.test import Client, override_settings
from django.utils import timezone

from accounts.models import Account, Market, MarketCountry
from catalog.models import Option, Product
from certificates import rendering_pool
from certificates.models import Certificate
from checkout import mailing, services
from checkout.models import Order
from claims.guard import Quotation, check
from claims.markup import visible_text
from claims.wording import wording_by_id
from partners.models import Partner
from projects.models import Project, Registry
from tests.factories.certificates import enter_log
from tests.factories.checkout import NOON, add, make_basket, make_shop, pay, place, ship
from tests.factories.partners import Caller, body_for, make_caller
from tests.soak import world
from tests.soak.eye import claims_in

TITLE = "N2O Emission Reduction and Clean Offset in Onsan"
COMPANY = "Gröna Verket AB"
ABROAD = ("DE", "GB", "US")  # registers A, CQ and C; the shop's own orders are A and B
META = ("description", "og:title", "og:description", "og:image:alt", "twitter:description")


@dataclass(frozen=True)
class Shop:
    """A shop whose markets all speak this language, a verified company and its program."""

    language: str
    project: Project
    company: Account
    partner: Caller


@dataclass(frozen=True)
class Said:
    """A text, where it was said, and in whose words."""

    where: str
    text: str
    register: str
    language: str


def open_shop(language: str) -> Shop:
    """A shop whose project has a title that no sentence of ours may have."""
    project = make_shop(credits=20)
    Project.objects.update(name=TITLE, short_name="Onsan Reduction", project_type="N2O Emission Reduction")
    Market.objects.update(language=language)
    project.refresh_from_db()
    company = Account.objects.create(
        kind=Account.Kind.COMPANY,
        name=COMPANY,
        country="SE",
        company_verified_at=timezone.now(),
        named_in_registries=True,
    )
    return Shop(language, project, company, make_caller(Partner.objects.create(account=company)))


def speak(shop: Shop, accepted: dict[str, str]) -> list[Said]:
    """Orders and calls of every register, all the way to the certificate, and everything that is then said.

    `accepted` are texts that got in, by the place where they were typed: they are used there.
    """
    settings.ALLOWED_HOSTS = ["testserver"]
    _use(accepted)
    beneficiary, reference = accepted.get("beneficiary", COMPANY), accepted.get("reference", "PO 77")
    for country in ABROAD:
        facts = {"country": country, "beneficiary": beneficiary, "buyer_reference": reference}
        answer = shop.partner.order(body_for(f"S16-{country}", **facts))
        assert answer.status_code == 201, answer.content
    orders = [_buy(shop, owner=None), _buy(shop, owner=shop.company)]
    services.request_offsets_for_shipped(NOON)
    world.settle()
    enter_log()
    return [*_certificates(), *_mails(orders), *_answers(shop), *_pages(shop)]


def _use(accepted: dict[str, str]) -> None:
    fields: dict[str, tuple[Any, str]] = {
        "product's name": (Product, "name"),
        "product's line": (Product, "summary"),
        "option": (Option, "label"),
        "short name": (Project, "short_name"),
        "what it does": (Project, "what_it_does"),
        "registry's end": (Registry, "sunset_note"),
        "note on tax": (MarketCountry, "tax_note"),
        "file": (Product, "summary"),
    }
    for where, text in accepted.items():
        if where in fields:
            model, name = fields[where]
            model.objects.update(**{name: text})


def _buy(shop: Shop, *, owner: Account | None) -> Order:
    basket = make_basket()
    add(basket, project=shop.project)
    order = place(basket, owner=owner)
    pay(order)
    ship(order, f"S16-{'B' if owner else 'A'}")
    return order


def _certificates() -> Iterator[Said]:
    """The page, the badge and the public record of each certificate, with what others read of the record."""
    client = Client()
    for certificate in Certificate.objects.select_related("offset").order_by("pk"):
        wording = wording_by_id(certificate.wording)
        how = (str(wording.register), wording.language)
        content = rendering_pool.render(certificate)
        certificate.pdf.save("s16.pdf", ContentFile(content))
        Certificate.objects.filter(pk=certificate.pk).update(rendered_at=timezone.now())
        read = subprocess.run(["pdftotext", "-", "-"], input=content, capture_output=True, check=True)
        yield Said("PDF", read.stdout.decode(), *how)
        badge = client.get(f"/c/{certificate.code}/badge.svg").content.decode()
        yield Said("badge", visible_text(badge), *how)
        page = client.get(f"/c/{certificate.code}/").content.decode()
        yield from (Said(f"meta {name}", unescape(_meta(page, name)), *how) for name in META)
        yield Said("record", visible_text(page), *how)
    rendering_pool.renderer.close()


def _meta(page: str, name: str) -> str:
    """The content of a meta tag of this name; a page without it is no record that others can quote."""
    found = re.search(rf'<meta (?:name|property)="{re.escape(name)}" content="([^"]+)"', page)
    assert found, f"the record has no {name}"
    return found[1]


def _mails(orders: list[Order]) -> Iterator[Said]:
    with override_settings(EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend"):
        mail.outbox = []
        mailing.send_order_mails(timezone.now())
        mailing.send_certificate_mails(timezone.now())
    sent: list[EmailMessage] = mail.outbox
    for order in orders:
        wording = wording_by_id(order.wording)
        own = [message for message in sent if order.number in message.subject]
        texts = [f"{message.subject}\n\n{message.body}" for message in own]
        assert len(texts) == 2, f"{len(texts)} mails came of order {order.number}"
        for text in texts:
            yield Said("mail", text, str(wording.register), wording.language)


def _answers(shop: Shop) -> Iterator[Said]:
    """What a partner's program reads: what is for sale in the narrowest register, records in their own."""
    offered = ("products/", "products/LAPTOP-1/", "projects/", f"projects/{shop.project.reference}/")
    paths = dict.fromkeys(offered, "A")
    for certificate in Certificate.objects.filter(offset__owner=shop.company, offset__group=""):
        paths[f"certificates/{certificate.code}/"] = wording_by_id(certificate.wording).register
    for path, register in paths.items():
        answer = shop.partner.get(f"/api/v1/{path}")
        assert answer.status_code == 200, answer.content
        text = "\n\n".join(_texts(json.loads(answer.content)))
        yield Said(f"API {path.partition('/')[0]}", text, register, shop.language)


def _texts(value: Any) -> Iterator[str]:
    """Every text of a document that is no address and no machine's word."""
    if isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str) and not value.startswith("http"):
        yield value


def _pages(shop: Shop) -> Iterator[Said]:
    """Pages that anybody reads, as a consumer of Sweden: register A."""
    client = Client()
    reference = shop.project.reference
    for path in (
        "/",
        "/products/",
        "/products/laptop-1/",
        "/projects/",
        f"/projects/{reference}/",
        "/impact/",
    ):
        yield Said(f"page {path}", visible_text(client.get(path).content.decode()), "A", shop.language)


def wrong_in(said: list[Said], shop: Shop) -> list[str]:
    """What the eye reads, and what the guard finds, beside what registries and companies are called."""
    project = shop.project
    quoted = [TITLE, "Onsan Reduction", "N2O Emission Reduction", COMPANY, project.registry.name]
    quotations = [Quotation(text, "registry") for text in quoted]
    found = []
    for one in said:
        place = f"{one.where} ({one.register}, {one.language})"
        ours = one.text
        for text in quoted:
            ours = ours.replace(text, "…")
        found += [f"{place} says {claim!r}" for claim in claims_in(ours)]
        found += [
            f"{place}: the guard finds {finding.word!r} in {finding.excerpt!r}"
            for finding in check(
                one.text, register=one.register, language=one.language, quotations=quotations
            )
        ]
    kinds = {one.where.partition(" ")[0] for one in said}
    if not {"PDF", "badge", "record", "mail", "API", "page", "meta"} <= kinds:
        found.append(f"hollow: only {sorted(kinds)} were read")
    if not any("Onsan" in one.text for one in said if one.where == "PDF"):
        found.append("hollow: no PDF names the project")
    return found
