"""A partner walks its whole way over HTTP, with the program that we give partners as an example."""

import hashlib
import json
from importlib import util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from celery import current_app
from pytest_django.live_server_helper import LiveServer

from certificates.models import Certificate
from config.wakeups import SWEEPS
from offsets.models import Allocation, DeviceOffset, Retirement
from tests.factories.partners import SKU, SWEDEN_G, make_caller, make_partner, make_shop

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "partner.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = util.spec_from_file_location("example_partner", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sweep() -> None:
    """One round of every sweep, as the worker without a broker does it."""
    current_app.loader.import_default_modules()
    for name in SWEEPS:
        current_app.tasks[name]()


def last_json(output: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(output.strip().splitlines()[-1])
    return document


def test_a_partner_walks_from_a_key_to_two_certificates(
    transactional_db: None,
    live_server: LiveServer,
    example: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    make_shop()
    partner = make_caller(make_partner())
    monkeypatch.setenv("CLEARLINE_API_KEY", partner.text)
    way = [
        "--url",
        live_server.url,
        "--serial",
        "PF-1",
        "--serial",
        "PF-2",
        "--order",
        "o-1",
        "--out",
        str(tmp_path),
    ]

    assert (
        example.main([*way, "--wait", "0"]) == 1
    )  # promised; nothing is claimed before the registry says so
    assert "is not certified yet (promised)" in capsys.readouterr().err
    assert (Retirement.objects.count(), Certificate.objects.count()) == (0, 0)

    sweep()
    assert (
        example.main([*way, "--wait", "0"]) == 0
    )  # the same order number: the same request, now with its certificates
    walked = last_json(capsys.readouterr().out)
    assert DeviceOffset.objects.count() == 2
    assert walked["amount_g"] == 2 * SWEDEN_G
    assert [device["device_serial"] for device in walked["devices"]] == ["PF-1", "PF-2"]
    for device in walked["devices"]:
        assert (device["state"], device["sku"], device["amount_g"]) == ("certified", SKU, SWEDEN_G)
        [part] = device["retirements"]
        assert part["to_g"] - part["from_g"] == SWEDEN_G
        assert part["credit_serials"] == "DEMO-CDM-CL-CER-2-1 to 1"  # both devices share the first credit
        certificate = Certificate.objects.get(code=device["certificate"]["code"])
        assert certificate.offset.device_serial == device["device_serial"]
        pdf, facts, badge = (Path(device["files"][kind]).read_bytes() for kind in ("pdf", "json", "badge"))
        assert pdf.startswith(b"%PDF-")
        assert hashlib.sha256(pdf).hexdigest() == certificate.pdf_sha256
        assert device["device_serial"].encode() in facts
        assert badge.lstrip().startswith(b"<svg")
    assert sum(row.to_g - row.from_g for row in Allocation.objects.all()) == 2 * SWEDEN_G

    files = f"/api/v1/certificates/{walked['devices'][0]['certificate']['code']}"
    served = {
        name: partner.get(f"{files}/{name}") for name in ("certificate.pdf", "certificate.json", "badge.svg")
    }
    assert [answer["Content-Type"] for answer in served.values()] == [
        "application/pdf",
        "application/json",
        "image/svg+xml",
    ]
    assert all(answer["X-Content-Type-Options"] == "nosniff" for answer in served.values())
    assert all(answer["Cache-Control"] == "private, no-store" for answer in served.values())
    assert served["badge.svg"]["Content-Security-Policy"].endswith("sandbox")

    sweep()
    assert example.main(way) == 0
    again = last_json(capsys.readouterr().out)
    assert again == walked
    assert (Retirement.objects.count(), Certificate.objects.count()) == (1, 2)


def test_a_refusal_is_said_in_one_line(
    transactional_db: None,
    live_server: LiveServer,
    example: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_shop()
    monkeypatch.setenv("CLEARLINE_API_KEY", "clk_test_wrong")
    assert example.main(["--url", live_server.url, "--serial", "PF-1"]) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith("401 authentication_failed: ")
    assert not DeviceOffset.objects.exists()
