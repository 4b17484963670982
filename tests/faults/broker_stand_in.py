"""A broker on loopback that answers as docs/brokers.md says and keeps a journal of its own, synced line by
line, in the sandbox registry's form: a file outside our database.

It retires whatever it is asked, as often as it is asked. What it says over HTTP can be changed (`Manners`);
tests/soak/r3_modes.py holds the hostile ones. By hand:
`python -m tests.faults.broker_stand_in --journal FILE [--port N]`.
"""

import argparse
import fcntl
import json
import os
import socket
import struct
import sys
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import parse_qs, urlsplit

from django.utils import timezone

KEY = "stand-in-key-2f6c1d0a9b"
Line = dict[str, Any]
Order = dict[str, Any]


class Exchange(BaseHTTPRequestHandler):
    """One request to the stand-in, and the ways of answering it well and badly."""

    protocol_version = "HTTP/1.1"
    server: "StandIn"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self._admitted() and urlsplit(self.path).path == "/v1/orders":
            wish = json.loads(body)
            self.server.posts.append(wish["metadata"]["request_id"])
            with suppress(ConnectionError):
                self.server.manners.post(self, wish)

    def do_GET(self) -> None:
        if self._admitted() and urlsplit(self.path).path == "/v1/orders":
            [request_id] = parse_qs(urlsplit(self.path).query)["metadata[request_id]"]
            self.server.looks.append(request_id)
            with suppress(ConnectionError):
                self.server.manners.look(self, request_id)

    def _admitted(self) -> bool:
        self.close_connection = True
        if self.headers.get("Authorization") == f"Bearer {KEY}":
            return True
        self.refuse(401, "The key is not known.")
        return False

    def succeed(self, data: Order | list[Order], *, status: int = 200) -> None:
        self.send(json.dumps({"success": True, "error": None, "data": data}).encode(), status=status)

    def refuse(self, status: int, message: str) -> None:
        error = {"code": status, "message": message}
        self.send(json.dumps({"success": False, "error": error, "data": None}).encode(), status=status)

    def send(self, body: bytes, *, status: int = 200, **headers: str) -> None:
        self.wfile.write(head(status, **{"Content-Length": str(len(body)), **headers}) + body)

    def hang(self) -> None:
        """Say nothing until the other side has gone."""
        with suppress(OSError):
            self.connection.recv(1)

    def reset(self) -> None:
        """Break the connection off: the other side gets a reset, not an end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:
        pass


def head(status: int, **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode()


class Manners:
    """Honest: carries out the order and says so; finds what it has carried out."""

    def post(self, exchange: Exchange, wish: Order) -> None:
        if problem := invalid(wish):
            exchange.refuse(422, problem)
        else:
            exchange.succeed(exchange.server.order(exchange.server.retire(wish)), status=201)

    def look(self, exchange: Exchange, request_id: str) -> None:
        server = exchange.server
        exchange.succeed([server.order(line) for line in server.lines(request_id)])


class StandIn(ThreadingHTTPServer):
    """The broker, serving from `with` on. `posts` and `looks` hold the request ids in their order."""

    daemon_threads = True
    request_queue_size = 128
    production: ClassVar[bool] = False

    def __init__(self, journal: Path, *, manners: Manners | None = None, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Exchange)
        self.journal, self.manners = journal, manners or Manners()
        self.posts: list[str] = []
        self.looks: list[str] = []
        self.mistakes: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def retire(self, wish: Order, **differently: Any) -> Line:
        """Do it, once more if it was done before: one line, synced."""
        line: Line = {
            "request_id": wish["metadata"]["request_id"],
            "project": wish["project_id"],
            "credit_serials": wish["serials"],
            "credits": wish["amount"],
            "retired_on": timezone.now().date().isoformat(),
            "beneficiary": wish["issued_to"]["name"],
            "reason": wish["reason"],
            **differently,
        }
        self.journal.parent.mkdir(parents=True, exist_ok=True)
        with self.journal.open("a+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            line["registry_reference"] = f"DEMO-BROKER-{sum(1 for _ in file) + 1:06d}"
            file.write(json.dumps(line, sort_keys=True) + "\n")
            file.flush()
            os.fsync(file.fileno())
        return line

    def lines(self, request_id: str = "") -> list[Line]:
        """What was retired, of one request or of all."""
        text = self.journal.read_text(encoding="utf-8") if self.journal.exists() else ""
        lines = [json.loads(line) for line in text.splitlines()]
        return [line for line in lines if request_id in ("", line["request_id"])]

    def order(self, line: Line) -> Order:
        """The complete order of a retirement, as it is documented."""
        return {
            "id": f"ord_test_{line['registry_reference'].rpartition('-')[2]}",
            "production": self.production,
            "state": "complete",
            "amount": line["credits"],
            "unit": "t",
            "metadata": {"request_id": line["request_id"]},
            "retirement": {
                "reference": line["registry_reference"],
                "project": line["project"],
                "serials": line["credit_serials"],
                "quantity": line["credits"],
                "retired_on": line["retired_on"],
            },
        }

    def pending(self, wish: Order, state: str = "placed") -> Order:
        """An order that is not carried out yet."""
        request_id = wish["metadata"]["request_id"]
        return {
            "id": f"ord_test_{request_id[:8]}",
            "production": self.production,
            "state": state,
            "amount": wish["amount"],
            "unit": "t",
            "metadata": {"request_id": request_id},
            "retirement": None,
        }

    def handle_error(self, request: Any, client_address: Any) -> None:
        """That the other side has gone is what many tests are about; anything else is our own mistake."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            self.mistakes.append(repr(error))

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        self.shutdown()
        self.server_close()


def invalid(wish: Order) -> str:
    """Why the order does not validate; empty when it does."""
    if type(wish.get("amount")) is not int or wish["amount"] < 1 or wish.get("unit") != "t":
        return "amount must be a positive whole number of t"
    if not wish.get("serials") or not wish.get("project_id"):
        return "serials and project_id must be given"
    return ""


def main() -> None:
    from django.conf import settings  # noqa: PLC0415 only by hand

    settings.configure(USE_TZ=True)
    parser = argparse.ArgumentParser(prog="python -m tests.faults.broker_stand_in")
    parser.add_argument("--journal", type=Path, required=True)
    parser.add_argument("--port", type=int, default=8099)
    arguments = parser.parse_args()
    with StandIn(arguments.journal, port=arguments.port) as stand_in:
        print(f"BROKER_URL={stand_in.url} BROKER_API_KEY={KEY}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
