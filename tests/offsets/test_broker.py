"""The broker: what its recorded replies mean, and real HTTP with a stand-in on loopback."""

import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from offsets import registries, services, tasks
from offsets.models import AttemptOutcome, Retirement, Span
from offsets.registries.base import Confirmed, Intent, Receipt, Refused, Unknown
from offsets.registries.broker import (
    BrokerRegistry,
    configuration_problem,
    order_of,
    outcome_of_look,
    outcome_of_order,
)
from offsets.registries.http import Limits, NoReply, Reply, ask, unsafe_address
from offsets.verify import violations
from tests.factories.offsets import (
    NOON,
    allocate,
    intervals,
    make_project,
    open_retirements,
    promise,
    stock,
    wish,
)
from tests.faults.broker_stand_in import KEY, Exchange, Manners, Order, StandIn, head

RECORDED = sorted((Path(__file__).parent / "recorded").glob("*.json"))
QUICK = Limits(connect_s=0.5, read_s=0.3, total_s=0.6)
INTENT = Intent(
    request_id="0b8f2d6a-5d0e-4a55-9d0f-6f4f2f1c7a10",
    reference="CL-2026-11-7Q2M",
    registry="CDM",
    project="PH-7980",
    credit_serials="CDM-PH-CER-2-700101 to 700102",
    credits=2,
    beneficiary="",
    reason="CL-2026-11-7Q2M Retired for devices",
    livemode=True,
)
RECEIPT = Receipt(
    registry_reference="VC18834/2026",
    project="PH-7980",
    credit_serials="CDM-PH-CER-2-700101 to 700102",
    credits=2,
    retired_on=date(2026, 11, 24),
)


@pytest.fixture
def broker(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """The stand-in, and the adapter that asks it, with time-outs below a second."""
    with StandIn(tmp_path / "broker.jsonl") as stand_in:
        settings.BROKER_URL, settings.BROKER_API_KEY = stand_in.url, KEY
        monkeypatch.setitem(registries.ADAPTERS, "broker", BrokerRegistry(QUICK))
        yield stand_in
        assert stand_in.mistakes == []


def opened() -> Retirement:
    project = make_project(adapter="broker")
    stock(project, credits=5)
    promise(wish(project, "PF-1", 600_000), wish(project, "PF-2", 900_000))
    [retirement] = open_retirements(project)
    return retirement


def settle(retirement: Retirement) -> Retirement:
    services.settle(retirement, now=NOON)
    retirement.refresh_from_db()
    return retirement


# --- Recorded replies ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_recorded_reply_means_what_it_says_and_no_more(path: Path) -> None:
    recorded = json.loads(path.read_text())
    body = recorded["body"]
    reply = Reply(recorded["status"], (body if isinstance(body, str) else json.dumps(body)).encode())
    read = outcome_of_order if recorded["call"] == "retire" else outcome_of_look
    outcome = read(reply, INTENT)
    match recorded["means"]:
        case "confirmed":
            assert outcome == Confirmed(RECEIPT)
            assert RECEIPT.differences(INTENT) == []
        case "differs":
            assert isinstance(outcome, Confirmed)
            assert outcome.receipt.differences(INTENT) != []
        case "refused":
            assert outcome == Refused(recorded["detail"])
        case _:
            assert isinstance(outcome, Unknown)
            assert outcome.detail == recorded.get("detail", outcome.detail)


def test_every_kind_of_outcome_is_recorded() -> None:
    means = {json.loads(path.read_text())["means"] for path in RECORDED}
    assert means == {"confirmed", "differs", "refused", "unknown"}


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"[" * 60_000, b"null", b"[]", b'{"success": true}', b"9" * 5_000, b'"\\ud800"']
)
def test_what_does_not_read_says_nothing(body: bytes) -> None:
    assert isinstance(outcome_of_order(Reply(200, body), INTENT), Unknown)
    assert isinstance(outcome_of_look(Reply(200, body), INTENT), Unknown)
    assert isinstance(outcome_of_order(Reply(422, body), INTENT), Unknown)


def test_the_order_says_exactly_what_we_want() -> None:
    assert order_of(INTENT) == {
        "state": "placed",
        "project_id": "PH-7980",
        "serials": "CDM-PH-CER-2-700101 to 700102",
        "amount": 2,
        "unit": "t",
        "issued_to": {"name": ""},
        "reason": "CL-2026-11-7Q2M Retired for devices",
        "metadata": {
            "request_id": "0b8f2d6a-5d0e-4a55-9d0f-6f4f2f1c7a10",
            "reference": "CL-2026-11-7Q2M",
        },
    }


# --- Over HTTP ----------------------------------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.usefixtures("dealt_in_order")
def test_a_promise_is_retired_through_the_broker_and_covered(broker: StandIn) -> None:
    retirement = settle(opened())
    [line] = broker.lines()
    assert (retirement.state, retirement.registry_reference) == ("confirmed", "DEMO-BROKER-000001")
    assert (line["credit_serials"], line["credits"]) == ("DEMO-CDM-CL-CER-2-1 to 2", 2)
    assert line["request_id"] == str(retirement.request_id)
    assert allocate(retirement.project) == 2
    assert intervals(retirement) == [("PF-1", 0, 600_000), ("PF-2", 600_000, 1_500_000)]
    assert list(violations()) == []
    settle(retirement)
    assert (len(broker.posts), len(broker.looks)) == (1, 0)


@pytest.mark.django_db
def test_the_broker_retires_again_when_it_is_asked_again_so_it_is_asked_once(broker: StandIn) -> None:
    registry = registries.ADAPTERS["broker"]
    intent = services.intent_of(opened())
    assert not registry.idempotent_on_request_id
    assert isinstance(registry.retire(intent), Confirmed)
    assert isinstance(registry.retire(intent), Confirmed)
    assert len(broker.lines(intent.request_id)) == 2  # what the ledger must never let happen
    assert isinstance(registry.find(intent), Unknown)


class LostAnswer(Manners):
    """Does the work, breaks off, and shows it only at the third look."""

    def post(self, exchange: Exchange, wish: Order) -> None:
        exchange.server.retire(wish)
        exchange.reset()

    def look(self, exchange: Exchange, request_id: str) -> None:
        if len(exchange.server.looks) < 3:
            exchange.succeed([])
        else:
            super().look(exchange, request_id)


@pytest.mark.django_db
def test_after_a_lost_answer_we_look_until_the_broker_shows_it(broker: StandIn) -> None:
    broker.manners = LostAnswer()
    retirement = opened()
    for looks in (1, 2, 3):
        settle(retirement)
        assert (retirement.state, retirement.looks) == ("open", looks)
    settle(retirement)
    assert retirement.state == "confirmed"
    assert broker.posts == [str(retirement.request_id)]
    assert len(broker.lines()) == 1


class Silent(Manners):
    """Takes the order and never answers; finds nothing."""

    def post(self, exchange: Exchange, wish: Order) -> None:
        exchange.hang()

    def look(self, exchange: Exchange, request_id: str) -> None:
        exchange.succeed([])


@pytest.mark.django_db
def test_an_order_that_is_never_seen_again_needs_a_person_and_is_not_placed_again(broker: StandIn) -> None:
    broker.manners = Silent()
    retirement = opened()
    for _ in range(services.MAX_LOOKS):
        settle(retirement)
    assert retirement.state == "needs_person"
    assert len(broker.posts) == 1
    assert Span.objects.count() == 0
    assert open_retirements(retirement.project) == []


class Liar(Manners):
    def post(self, exchange: Exchange, wish: Order) -> None:
        order = exchange.server.order(exchange.server.retire(wish))
        order["retirement"]["quantity"] += 1
        exchange.succeed(order)


@pytest.mark.django_db
def test_a_lie_of_the_broker_is_kept_for_a_person_and_never_confirmed(broker: StandIn) -> None:
    broker.manners = Liar()
    retirement = settle(opened())
    assert retirement.state == "needs_person"
    assert AttemptOutcome.objects.get().kind == "differs"
    assert AttemptOutcome.objects.get().receipt["credits"] == 3
    assert Span.objects.count() == 0


@pytest.mark.django_db
def test_a_broker_that_is_not_configured_is_not_asked(broker: StandIn, settings: Settings) -> None:
    settings.BROKER_API_KEY = ""
    retirement = settle(opened())
    assert (retirement.state, broker.posts) == ("needs_person", [])
    assert retirement.problem.endswith(
        "Nothing was asked of the broker: BROKER_URL and BROKER_API_KEY are not both set."
    )


@pytest.mark.django_db
def test_a_sweep_begins_no_call_after_ten_seconds(broker: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    project = make_project(adapter="broker")
    stock(project, credits=5)
    for number in range(3):
        promise(wish(project, f"PF-{number}", 1_000_000), key=f"order-{number}")
        open_retirements(project)
    now_s = [0.0]

    def slow(self: BrokerRegistry, intent: Intent) -> Unknown:
        now_s[0] += 6
        return Unknown("slow")

    monkeypatch.setattr(BrokerRegistry, "retire", slow)
    monkeypatch.setattr("offsets.tasks.time.monotonic", lambda: now_s[0])
    assert tasks.retire_credits() == 2
    assert Retirement.objects.filter(attempted_at=None).count() == 1
    assert tasks.retire_credits() == 1


# --- The client ---------------------------------------------------------------------------------------------
@pytest.fixture
def answering() -> Iterator[Any]:
    """A server that sends these pieces, with a pause between them, to whoever connects."""
    servers: list[socket.socket] = []

    def serve(*pieces: bytes, pause_s: float = 0, for_ever: bytes = b"") -> str:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def run() -> None:
            try:
                visitor, _ = server.accept()
                with visitor:
                    visitor.recv(65_536)
                    for piece in pieces:
                        visitor.sendall(piece)
                        time.sleep(pause_s)
                    while for_ever:
                        visitor.sendall(for_ever)
            except OSError:
                return

        threading.Thread(target=run, daemon=True).start()
        return f"http://127.0.0.1:{server.getsockname()[1]}/v1/orders"

    yield serve
    for server in servers:
        server.close()


def get(url: str, limits: Limits = QUICK) -> Reply:
    return ask("GET", url, headers={"Authorization": f"Bearer {KEY}"}, limits=limits)


def test_a_whole_reply_is_read(answering: Any) -> None:
    assert get(answering(head(200, **{"Content-Length": "2"}) + b"{}")) == Reply(200, b"{}")


def one_by_one(text: bytes) -> list[bytes]:
    return [bytes([byte]) for byte in text]


@pytest.mark.parametrize(
    ("pieces", "pause_s"),
    [
        ([], 5),
        (one_by_one(head(200, **{"Content-Length": "90"}) + b"x" * 90), 0.1),
        ([head(200, **{"Content-Length": "90"}), *one_by_one(b"x" * 90)], 0.1),
        ([head(100)] * 100, 0.05),
    ],
    ids=["silence", "head by the byte", "body by the byte", "interim answers"],
)
def test_every_exchange_ends_by_its_deadline(answering: Any, pieces: list[bytes], pause_s: float) -> None:
    began = time.monotonic()
    with pytest.raises(NoReply):
        get(answering(*pieces, pause_s=pause_s))
    assert time.monotonic() - began < QUICK.total_s + 0.5


@pytest.mark.parametrize(
    "start",
    [
        head(200),
        head(200, **{"Content-Length": "10000000"}),
        head(200, **{"Transfer-Encoding": "chunked"}) + b"-1\r\n",
        b"HTTP/1.1 200 OK\r\nX: ",
        b"",
    ],
    ids=["no length", "10 MB", "chunk of -1", "head", "no status"],
)
def test_no_reply_is_read_beyond_its_limit(answering: Any, start: bytes) -> None:
    began = time.monotonic()
    with pytest.raises(NoReply):
        get(answering(start, for_ever=b"x" * 65_536), Limits(total_s=10))
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"SSH-2.0-x\r\n",
        head(200, **{"Content-Length": "3"}) + b"{}",
        head(200, **{"Transfer-Encoding": "chunked"}) + b"2\r\n{}",
        b"HTTP/1.1 99999 X\r\n\r\n",
    ],
)
def test_half_a_reply_is_none(answering: Any, reply: bytes) -> None:
    with pytest.raises(NoReply):
        get(answering(reply))


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_like_another_and_the_key_stays_here(answering: Any, code: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as canary:
        canary.setblocking(False)
        there = f"http://127.0.0.1:{canary.getsockname()[1]}/"
        reply = get(answering(head(code, Location=there, **{"Content-Length": "0"})))
        assert reply.status == code
        with pytest.raises(BlockingIOError):
            canary.accept()


def test_no_proxy_of_the_environment_sees_the_key(answering: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        proxy.setblocking(False)
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.getsockname()[1]}")
        assert get(answering(head(200, **{"Content-Length": "0"}))).status == 200
        with pytest.raises(BlockingIOError):
            proxy.accept()


def test_a_server_without_a_certificate_that_checks_gets_nothing(answering: Any) -> None:
    url = answering(b"not TLS").replace("http://", "https://")
    with pytest.raises(NoReply, match="SSLError"):
        get(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.broker.example",
        "ftp://127.0.0.1",
        "https://",
        "https://user:secret@api.broker.example",
        "https://api.broker.example/?key=1",
        "https://api.broker.example:99999",
        "http://127.0.0.1.broker.example",
        "",
    ],
)
def test_an_address_to_which_the_key_must_not_go_is_refused(url: str, settings: Settings) -> None:
    assert unsafe_address(url)
    settings.BROKER_URL, settings.BROKER_API_KEY = url, KEY
    assert isinstance(BrokerRegistry(QUICK).retire(INTENT), Refused)


def test_an_https_address_with_a_path_is_fine(settings: Settings) -> None:
    settings.BROKER_URL, settings.BROKER_API_KEY = "https://api.broker.example/live", KEY
    assert configuration_problem() == ""


# --- The key ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("key", ["short", "with blank inside it", "line\r\nX-Injected: 1", "schlüssel-mit-ü"])
def test_a_key_that_cannot_be_a_header_is_not_sent_and_not_repeated(
    broker: StandIn, settings: Settings, key: str
) -> None:
    settings.BROKER_API_KEY = key
    outcome = registries.ADAPTERS["broker"].retire(INTENT)
    assert outcome == Refused(
        "Nothing was asked of the broker: BROKER_API_KEY is not 8 to 400 visible ASCII characters."
    )
    assert broker.posts == []


class Echo(Manners):
    """Repeats what it was sent."""

    def post(self, exchange: Exchange, wish: Order) -> None:
        exchange.refuse(422, f"bad header Authorization: {exchange.headers['Authorization']}")


@pytest.mark.django_db
def test_our_key_is_in_no_log_line_and_no_row_even_if_the_broker_repeats_it(
    broker: StandIn, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    broker.manners = Echo()
    retirement = settle(opened())
    broker.manners = Silent()
    settle(retirement)
    assert retirement.state == "open"
    assert "broker replied method=POST" in caplog.text
    rows = [retirement.problem, *AttemptOutcome.objects.values_list("detail", flat=True)]
    out, err = capfd.readouterr()
    assert not any(KEY in text for text in [caplog.text, out, err, *rows])
