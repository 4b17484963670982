"""A shop in processes of its own, for tests that kill them: `python -m tests.faults.shop STEP [REGISTRY]`.

`prepare` makes the database and fills it. `buy` orders and pays one laptop with its credits and runs a round
of sweeps; CLEARLINE_FAULT_POINT says where it dies. `finish` is the restart: the payment's notice comes once
more, sweeps run, and one JSON line says what there is now. REGISTRY is `sandbox`, `careless` (retires as
often as it is asked, and admits it) or `lying` (does the same and says that it does not).
"""

import json
import os
import sys
from datetime import UTC, datetime

import django

ROUNDS = 2


def prepare() -> None:
    from django.core.management import call_command  # noqa: PLC0415 Django is ready only now

    from tests.factories.checkout import make_shop  # noqa: PLC0415

    call_command("migrate", verbosity=0, interactive=False)
    make_shop()


def buy() -> None:
    from accounts.models import MarketCountry  # noqa: PLC0415
    from checkout import baskets  # noqa: PLC0415
    from config.management.commands.work import run_round  # noqa: PLC0415
    from projects.models import Project  # noqa: PLC0415
    from tests.factories import checkout as shop  # noqa: PLC0415

    now = datetime.now(tz=UTC)
    sweden = MarketCountry.objects.select_related("market").get(country="SE")
    basket = baskets.create_basket(market_country=sweden, user=None, now=now)
    shop.add(basket, project=Project.objects.get(), now=now)
    order = shop.place(basket, now=now)
    shop.pay(order, now=now)
    run_round()


def finish() -> None:
    from checkout.models import Order  # noqa: PLC0415
    from config.management.commands.work import run_round  # noqa: PLC0415
    from tests.factories import checkout as shop  # noqa: PLC0415

    shop.pay(Order.objects.get(), now=datetime.now(tz=UTC))
    for _round in range(ROUNDS):
        run_round()
    print(json.dumps(what_there_is()))


def what_there_is() -> dict[str, object]:
    """Everything that must be there once, and nothing twice."""
    from django.conf import settings  # noqa: PLC0415
    from django.core.files.storage import default_storage  # noqa: PLC0415

    from certificates.models import Certificate  # noqa: PLC0415
    from checkout.models import Order, OrderedDevice, Payment, Shipment  # noqa: PLC0415
    from offsets.models import Allocation, Attempt, Credit, DeviceOffset, Retirement  # noqa: PLC0415
    from offsets.verify import violations  # noqa: PLC0415

    path = settings.SANDBOX_JOURNAL
    journal = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    certificates = list(Certificate.objects.all())
    return {
        "orders": Order.objects.count(),
        "payments": Payment.objects.count(),
        "shipments": Shipment.objects.count(),
        "devices_with_offset": OrderedDevice.objects.filter(offset__isnull=False).count(),
        "offsets": DeviceOffset.objects.count(),
        "covered": DeviceOffset.objects.filter(covered_at__isnull=False).count(),
        "retirements": [row.state for row in Retirement.objects.order_by("pk")],
        "attempts": Attempt.objects.count(),
        "retired_credits": Credit.objects.filter(retirement__state="confirmed").count(),
        "allocations": [[row.from_g, row.to_g] for row in Allocation.objects.order_by("pk")],
        "certificates": [[row.state, row.rendered_at is not None] for row in certificates],
        "pdfs": sum(default_storage.exists(row.pdf.name) for row in certificates),
        "requests_in_journal": [line["request_id"] for line in journal],
        "credits_in_journal": [line["credit_serials"] for line in journal],
        "violations": [violation.as_json() for violation in violations()],
    }


def use_registry(name: str) -> None:
    """In place of the sandbox: a registry that writes a line however often it is asked."""
    from offsets import registries  # noqa: PLC0415
    from tests.soak.registry import CarelessRegistry  # noqa: PLC0415

    if name != "sandbox":
        registries.ADAPTERS["sandbox"] = CarelessRegistry(claims_idempotent=name == "lying")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    use_registry(sys.argv[2] if len(sys.argv) > 2 else "sandbox")
    {"prepare": prepare, "buy": buy, "finish": finish}[sys.argv[1]]()
