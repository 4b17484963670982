#!/usr/bin/env python3
"""A partner's whole way through the API, with the standard library only.

    CLEARLINE_API_KEY=clk_test_... python3 examples/partner.py --url http://127.0.0.1:8000 --serial PF-1234

It looks up a footprint and a project, has the footprint retired for the device, waits for the certificate and
saves its PDF, JSON and badge. The last line is JSON. Run twice with the same --order, it does nothing twice.
"""

import argparse
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from pathlib import Path
from typing import Any

TIMEOUT_S = 30
TRIES = 4
FILES = {"pdf": "certificate.pdf", "json": "certificate.json", "badge": "badge.svg"}


class Refused(Exception):
    """The API refused: `status`, and `error` with its code, detail and fields."""

    def __init__(self, status: int, error: dict[str, Any]) -> None:
        super().__init__(f"{status} {error['code']}: {error['detail']} {error['fields'] or ''}".rstrip())
        self.status, self.error = status, error


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A key is never sent on to another address."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


class Api:
    """One partner's view of the API."""

    def __init__(self, url: str, key: str) -> None:
        self.url, self.key = url.rstrip("/"), key
        self.opener = urllib.request.build_opener(NoRedirect)

    def bytes_of(self, method: str, path: str, body: Any = None, *, idempotency_key: str = "") -> bytes:
        """The body of the answer. Raises Refused.

        A call lost on the way is repeated: reading changes nothing, and writing carries an idempotency key.
        """
        headers = {"Authorization": f"Bearer {self.key}"} | (
            {"Content-Type": "application/json", "Idempotency-Key": idempotency_key}
            if body is not None
            else {}
        )
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)
        for tried in range(1, TRIES + 1):
            try:
                with self.opener.open(request, timeout=TIMEOUT_S) as answer:
                    return bytes(answer.read())
            except urllib.error.HTTPError as error:
                if error.code < 500 or tried == TRIES:
                    raise _refusal(error) from None
            except (urllib.error.URLError, TimeoutError):
                if tried == TRIES:
                    raise
            time.sleep(2**tried / 4)
        raise AssertionError("the loop returns or raises")

    def get(self, path: str, **query: Any) -> Any:
        """Read something."""
        given = {name: value for name, value in query.items() if value is not None}
        return json.loads(self.bytes_of("GET", f"{path}?{urllib.parse.urlencode(given)}" if given else path))

    def request_offsets(self, body: Any, *, idempotency_key: str) -> Any:
        """Have devices' footprints retired; the same key and body again give the same answer."""
        return json.loads(self.bytes_of("POST", "/api/v1/offsets/", body, idempotency_key=idempotency_key))

    def devices(self, offsets_id: str) -> list[dict[str, Any]]:
        """Where every device of a request stands, page by page."""
        devices: list[dict[str, Any]] = []
        while True:
            page = self.get(f"/api/v1/offsets/{offsets_id}/", offset=len(devices))
            devices += page["devices"]
            if page["next"] is None:
                return devices

    def save_files(self, code: str, folder: Path) -> dict[str, str]:
        """The certificate's files, saved in `folder`; their absolute paths."""
        folder.mkdir(parents=True, exist_ok=True)
        saved = {}
        for kind, name in FILES.items():
            path = folder / f"{code}-{name}"
            path.write_bytes(self.bytes_of("GET", f"/api/v1/certificates/{code}/{name}"))
            saved[kind] = str(path.resolve())
        return saved


def _refusal(error: urllib.error.HTTPError) -> Refused:
    try:
        return Refused(error.code, json.loads(error.read())["error"])
    except (ValueError, KeyError):
        return Refused(error.code, {"code": "no_json", "detail": error.reason, "fields": []})


def order(api: Api, options: argparse.Namespace) -> Any:
    """Look up footprint and project, say them, and ask for the offsets."""
    sku = options.sku or _first_offered(api)
    footprint = api.get(
        f"/api/v1/products/{urllib.parse.quote(sku)}/footprint/",
        country=options.country,
        years=options.years,
        ram=options.ram,
    )
    print(f"{footprint['product']}, {footprint['configuration']}: {footprint['total_kg']} kg")
    print(f"Source: {footprint['source']}")
    project = options.project or _first_with(
        api, footprint["amount_g"] * len(options.serial), options.country
    )
    devices = [
        {"device_serial": serial, "sku": sku} | ({"ram": options.ram} if options.ram else {})
        for serial in options.serial
    ]
    body = {"project": project, "country": options.country, "years": options.years, "devices": devices}
    return api.request_offsets(body, idempotency_key=options.order)


def _first_offered(api: Api) -> str:
    products = api.get("/api/v1/products/", limit=200)["results"]
    return next(str(product["sku"]) for product in products if product["offered"])


def _first_with(api: Api, amount_g: int, country: str) -> str:
    projects = api.get("/api/v1/projects/", country=country, limit=200)["results"]
    return next(str(project["reference"]) for project in projects if project["available_g"] >= amount_g)


def wait_for_files(api: Api, offsets_id: str, *, wait_s: float, pause_s: float = 1) -> list[dict[str, Any]]:
    """The devices, once each has a certificate whose PDF is drawn. Raises TimeoutError."""
    end = time.monotonic() + wait_s
    while True:
        devices = api.devices(offsets_id)
        codes = [device["certificate"]["code"] for device in devices if device["certificate"]]
        if len(codes) == len(devices) and all(
            api.get(f"/api/v1/certificates/{code}/")["files"]["pdf"] for code in codes
        ):
            return devices
        if time.monotonic() >= end:
            states = sorted({device["state"] for device in devices})
            raise TimeoutError(f"{offsets_id} is not certified yet ({', '.join(states)}); ask again later.")
        time.sleep(pause_s)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Retire a device's footprint through the partner API.")
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="address of the shop")
    parser.add_argument("--serial", action="append", required=True, help="device serial; may be given again")
    parser.add_argument("--sku", help="product; the first one offered if left out")
    parser.add_argument("--ram", help="memory in GB, if not the default")
    parser.add_argument("--project", help="reference; the first project with enough credits if left out")
    parser.add_argument("--country", default="SE", help="country of use (SE)")
    parser.add_argument("--years", type=int, default=5, help="years of use (5)")
    parser.add_argument(
        "--order", default=str(uuid.uuid4()), help="your own order number: the idempotency key"
    )
    parser.add_argument("--out", type=Path, default=Path("."), help="folder for the certificates' files")
    parser.add_argument("--wait", type=float, default=120, help="seconds to wait for the certificates (120)")
    options = parser.parse_args(arguments)
    api = Api(options.url, os.environ.get("CLEARLINE_API_KEY", ""))
    try:
        asked = order(api, options)
        print(f"{asked['id']}: {asked['amount_g']} g promised from {asked['project']}")
        devices = wait_for_files(api, asked["id"], wait_s=options.wait)
        for device in devices:
            device["files"] = api.save_files(device["certificate"]["code"], options.out)
    except (Refused, TimeoutError, urllib.error.URLError) as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps({"id": asked["id"], "amount_g": asked["amount_g"], "devices": devices}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
