"""Parts-R-Us and its keys, a rival, and a small shop behind the API: one laptop, one project, two grids.

The laptop: 400 kg by its sheet, 100 kg of it use over five years at the world's grid (0.5 kg/kWh). Used in
Sweden (0.05 kg/kWh) for five years that is 310 kg, so 310,000 g.
"""

import json
import threading
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.http import HttpResponse
from django.test import Client

from accounts.models import Account, Market
from accounts.seed import load_markets
from catalog.models import GridFactor, Option, PcfSheet, Product
from partners.keys import create_key
from partners.models import ApiKey, Partner
from projects.models import Project, ProjectPrice
from tests.factories.described import assert_described
from tests.factories.offsets import make_project, stock

SKU = "LAPTOP-1"
SWEDEN_G = 310_000
OFFSETS = "/api/v1/offsets/"
_clients = threading.local()  # one per thread: a new one loads every middleware


def make_partner(name: str = "Parts-R-Us", *, verified: bool = True) -> Partner:
    """A partner whose account is a company, verified unless said otherwise."""
    account = Account.objects.create(
        kind=Account.Kind.COMPANY,
        name=name,
        country="SE",
        company_verified_at=datetime(2026, 1, 5, tzinfo=UTC) if verified else None,
    )
    return Partner.objects.create(account=account)


@dataclass(frozen=True)
class Caller:
    """Someone at the API with a key, or with none."""

    key: ApiKey | None = None
    text: str = ""

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.text}"} if self.text else {}

    def get(self, path: str) -> HttpResponse:
        return self.send("GET", path)

    def send(self, method: str, path: str, data: bytes = b"", **headers: str) -> HttpResponse:
        """One call; its answer is held against the OpenAPI document, whatever it is."""
        if not hasattr(_clients, "client"):
            _clients.client = Client(raise_request_exception=False)
        answer: HttpResponse = _clients.client.generic(
            method, path, data, content_type="application/json", headers={**self.headers(), **headers}
        )
        assert_described(method, path, answer)
        return answer

    def order(self, body: Any, *, key: str | None = None) -> HttpResponse:
        """Ask for offsets, with an idempotency key of its own unless one is named."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.send("POST", OFFSETS, data, **{"Idempotency-Key": key or str(uuid4())})


def make_caller(partner: Partner, scope: str = "write", *, livemode: bool = False) -> Caller:
    """A partner's program with a new key."""
    key, text = create_key(partner, scope, livemode)
    return Caller(key, text)


def make_product(sku: str = SKU, *, lifetime_years: int | None = 5) -> Product:
    """The laptop of this module, with memory and storage to choose."""
    sheet = PcfSheet.objects.create(
        manufacturer="Lenovo",
        name=f"Laptop {sku}",
        lineage=sku,
        total_kg=Decimal(400),
        use_kg=Decimal(100),
        lifetime_years=lifetime_years,
        source="test sheet",
    )
    product = Product.objects.create(
        sku=sku,
        slug=sku.lower(),
        manufacturer="Lenovo",
        name=f"ThinkPad {sku}",
        form_factor=Product.FormFactor.LAPTOP,
        sheet=sheet,
        base_memory_gb=16,
        base_storage_gb=512,
    )
    for kind, sizes in (("memory", (16, 32)), ("storage", (512, 1024))):
        for size in sizes:
            Option.objects.create(
                product=product,
                kind=kind,
                value=str(size),
                label=f"{size} GB",
                gigabytes=size,
                is_default=size in {16, 512},
            )
    return product


def make_shop(*, credits: int = 5) -> Project:
    """Markets, grids, the laptop, and a project for sale with `credits` tonnes in the sandbox."""
    load_markets()
    for place in ({"region": "World", "kg": "0.5"}, {"country": "SE", "kg": "0.05"}):
        GridFactor.objects.create(
            country=place.get("country", ""),
            region=place.get("region", ""),
            name=place.get("country") or "World",
            kg_co2e_per_kwh=Decimal(place["kg"]),
            year=2024,
            source="test grid",
            licence="none",
        )
    make_product()
    project = make_project()
    for market in Market.objects.filter(opened_on__lte=date(2026, 11, 24)):
        ProjectPrice.objects.create(project=project, market=market, price_minor_per_tonne=2_500)
    if credits:
        stock(project, credits=credits)
    return project


def body_for(*serials: str, **changes: Any) -> dict[str, Any]:
    """A call for these laptops, used in Sweden for five years."""
    devices = [{"device_serial": serial, "sku": SKU} for serial in serials]
    return {"project": "CL-4449", "country": "SE", "years": 5, "devices": devices, **changes}
