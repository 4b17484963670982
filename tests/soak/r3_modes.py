"""How a broker can be hostile: what it does with an order, what it answers, and what it says when looked at.

Every mode says how a retirement must end: `confirmed` where the truth comes out later, `needs_person` where
it never does or where the broker lies.
"""

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from django.utils import timezone

from offsets.serials import format_credit_serials, parse_credit_serials
from tests.faults.broker_stand_in import Exchange, Line, Manners, Order, head

HUGE = 10**400


@dataclass
class Fate:
    """What the broker has in mind for one order."""

    wish: Order
    lag: int  # looks that do not show it yet, or are as hostile as the answer was
    for_ever: bool  # the looks stay so
    looks: int = 0


@dataclass
class Hostile(Manners):
    """Answers an order by `answer` and, while the fate is hostile, a look by `shown` (the same if None)."""

    rng: random.Random
    answer: "Answer"
    shown: "Answer | None"
    works: bool
    stubborn: float  # the share of orders whose looks stay hostile
    silence_s: float  # between two bytes
    elsewhere: str  # where a redirect leads
    fates: dict[str, Fate] = field(default_factory=dict)

    def post(self, exchange: Exchange, wish: Order) -> None:
        fate = Fate(wish, lag=self.rng.randint(0, 2), for_ever=self.rng.random() < self.stubborn)
        self.fates[wish["metadata"]["request_id"]] = fate
        if self.works:
            exchange.server.retire(wish)
        self.answer(self, exchange, fate)

    def look(self, exchange: Exchange, request_id: str) -> None:
        fate = self.fates[request_id]
        fate.looks += 1
        if fate.for_ever or fate.looks <= fate.lag:
            (self.shown or self.answer)(self, exchange, fate)
        else:
            super().look(exchange, request_id)

    def truth(self, exchange: Exchange, fate: Fate) -> Order:
        """The order as it stands."""
        lines = exchange.server.lines(fate.wish["metadata"]["request_id"])
        return exchange.server.order(lines[0]) if lines else exchange.server.pending(fate.wish)


Answer = Callable[[Hostile, Exchange, Fate], None]


# --- What is said ------------------------------------------------------------------------------------------
def tell(exchange: Exchange, order: Order) -> None:
    """One order: alone after a POST, in a list after a GET."""
    exchange.succeed(order if exchange.command == "POST" else [order])


def nothing_known(_: Hostile, exchange: Exchange, fate: Fate) -> None:
    exchange.succeed([])


def silence(_: Hostile, exchange: Exchange, fate: Fate) -> None:
    exchange.hang()


def reset(_: Hostile, exchange: Exchange, fate: Fate) -> None:
    exchange.reset()


def reset_mid_body(mood: Hostile, exchange: Exchange, fate: Fate) -> None:
    body = json.dumps({"success": True, "data": mood.truth(exchange, fate)}).encode()
    exchange.wfile.write(head(200, **{"Content-Length": str(len(body))}) + body[: len(body) // 2])
    exchange.reset()


def cut_short(mood: Hostile, exchange: Exchange, fate: Fate) -> None:
    """The length says more than comes, and what comes reads."""
    body = json.dumps({"success": True, "data": mood.truth(exchange, fate)}).encode()
    exchange.wfile.write(head(200, **{"Content-Length": str(len(body) + 9)}) + body)


def status(code: int) -> Answer:
    def answer(mood: Hostile, exchange: Exchange, fate: Fate) -> None:
        exchange.send(b'{"success": false, "error": {"message": "sorry"}, "data": null}', status=code)

    return answer


def refusal(_: Hostile, exchange: Exchange, fate: Fate) -> None:
    exchange.refuse(422, "This project is not offered any more.")


def two_answers(mood: Hostile, exchange: Exchange, fate: Fate) -> None:
    """The truth, and right behind it a second answer with more credits."""
    order = mood.truth(exchange, fate)
    data: Order | list[Order] = order if exchange.command == "POST" else [order]
    exchange.succeed(data)
    order["retirement"]["quantity"] += 1
    exchange.succeed(data)


def accepted(mood: Hostile, exchange: Exchange, fate: Fate) -> None:
    """202, and the work is done when the looks begin to show it."""
    post = exchange.command == "POST"
    order = exchange.server.pending(fate.wish, state="placed" if post else "processing")
    if fate.looks == fate.lag and not fate.for_ever:
        exchange.server.retire(fate.wish)
    exchange.succeed(order if post else [order], status=202 if post else 200)


def lie(change: Callable[[Order, Line | None], None]) -> Answer:
    """The truth but for one thing; the change may use what was retired before."""

    def answer(mood: Hostile, exchange: Exchange, fate: Fate) -> None:
        order = mood.truth(exchange, fate)
        mine = fate.wish["metadata"]["request_id"]
        others = [line for line in exchange.server.lines() if line["request_id"] != mine]
        change(order, others[-1] if others else None)
        tell(exchange, order)

    return answer


def retirement(**values: object) -> Answer:
    return lie(lambda order, _: order["retirement"].update(values))


def more(order: Order, _: Line | None) -> None:
    order["retirement"]["quantity"] += 1


def negative(order: Order, _: Line | None) -> None:
    order["retirement"]["quantity"] *= -1


def next_serials(order: Order, _: Line | None) -> None:
    asked = parse_credit_serials(order["retirement"]["serials"])
    order["retirement"]["serials"] = format_credit_serials(
        asked.series, asked.first + 100_000, asked.last + 100_000
    )


def overlapping(order: Order, other: Line | None) -> None:
    """Our credits and one that was retired before them."""
    asked = parse_credit_serials(order["retirement"]["serials"])
    first = parse_credit_serials(other["credit_serials"]).last if other else asked.first - 1
    order["retirement"]["serials"] = format_credit_serials(asked.series, first, asked.last)
    order["retirement"]["quantity"] = asked.last - first + 1


def others_receipt(order: Order, other: Line | None) -> None:
    """Our order with the receipt of another."""
    next_serials(order, None)
    order["retirement"]["reference"] = "DEMO-BROKER-000000"
    if other:
        order["retirement"].update(serials=other["credit_serials"], reference=other["registry_reference"])


def others_order(order: Order, _: Line | None) -> None:
    order["metadata"]["request_id"] = "00000000-0000-4000-8000-000000000000"


def other_mode(order: Order, _: Line | None) -> None:
    order["production"] = not order["production"]


def tomorrow(order: Order, _: Line | None) -> None:
    order["retirement"]["retired_on"] = (timezone.now().date() + timedelta(days=400)).isoformat()


def fewer(mood: Hostile, exchange: Exchange, fate: Fate) -> None:
    """It really retires less than was asked, and says so."""
    request_id = fate.wish["metadata"]["request_id"]
    if not exchange.server.lines(request_id):
        asked = parse_credit_serials(fate.wish["serials"])
        serials = format_credit_serials(asked.series, asked.first, asked.last - 1)
        exchange.server.retire(fate.wish, credit_serials=serials, credits=fate.wish["amount"] - 1)
    tell(exchange, mood.truth(exchange, fate))


def two_orders(mood: Hostile, exchange: Exchange, fate: Fate) -> None:
    """Two orders with our request id, where one was placed."""
    if exchange.command == "POST":
        exchange.reset()
        return
    order = mood.truth(exchange, fate)
    exchange.succeed([order, {**order, "id": "ord_test_again"}])


def body(text: bytes) -> Answer:
    return lambda mood, exchange, fate: exchange.send(text)


def broken(mood: Hostile, exchange: Exchange, fate: Fate) -> None:
    """One of the ways in which JSON can be broken."""
    truth = json.dumps({"success": True, "error": None, "data": mood.truth(exchange, fate)})
    ways = [
        truth[:-3],
        truth.replace('"quantity": ', '"quantity": NaN, "was": '),
        truth.replace('"success": true', '"success": false, "success": true'),
        "[" * 60_000,
        truth + truth,
        "<html>Bad gateway</html>",
        "null",
        '{"success": true, "data": {"metadata": {"request_id": "\\ud800"}}}',
    ]
    exchange.send(mood.rng.choice(ways).encode())


def ten_megabytes(mood: Hostile, exchange: Exchange, fate: Fate) -> None:
    exchange.send(b" " * 10_000_000 + json.dumps({"success": True}).encode())


def endless(mood: Hostile, exchange: Exchange, fate: Fate) -> None:
    """As much as is taken: after no length, in a chunk without end, or in the head."""
    start = mood.rng.choice(
        [head(200), head(200, **{"Transfer-Encoding": "chunked"}) + b"-1\r\n", b"HTTP/1.1 200 X\r\nX: "]
    )
    exchange.wfile.write(start)
    while True:  # until the other side breaks off
        exchange.wfile.write(b"x" * 65_536)


def drop_by_drop(mood: Hostile, exchange: Exchange, fate: Fate) -> None:
    """One byte after each pause; half the time the head already."""
    said = json.dumps({"success": True, "data": mood.truth(exchange, fate)}).encode()
    start = head(200, **{"Content-Length": str(len(said))})
    slow = start + said
    if mood.rng.random() < 0.5:
        exchange.wfile.write(start)
        slow = said
    for byte in slow:
        exchange.wfile.write(bytes([byte]))
        time.sleep(mood.silence_s)


def redirect(mood: Hostile, exchange: Exchange, fate: Fate) -> None:
    code = mood.rng.choice([301, 302, 303, 307, 308])
    exchange.send(b"", status=code, Location=f"{mood.elsewhere}{exchange.path}")


@dataclass(frozen=True)
class Mode:
    """`works`: the order is carried out before the answer. `ends`: how each retirement must end, unless its
    looks stay hostile (`stubborn` of them do): then a person is needed.
    """

    name: str
    answer: Answer
    shown: Answer | None = None
    works: bool = True
    ends: str = "confirmed"
    stubborn: float = 0.2
    least: int = 1  # credits that an order asks for


def liar(name: str, answer: Answer, *, works: bool = True, least: int = 1) -> Mode:
    return Mode(name, answer, works=works, ends="needs_person", stubborn=1, least=least)


MODES = (
    Mode("time-out before the work", silence, nothing_known, works=False, ends="needs_person", stubborn=1),
    Mode("time-out after the work", silence, nothing_known),
    Mode("time-outs of the looks too", silence),
    Mode("reset before the work", reset, nothing_known, works=False, ends="needs_person", stubborn=1),
    Mode("reset mid-body", reset_mid_body),
    Mode("length that does not come", cut_short),
    Mode("500 after the work", status(500)),
    Mode("503 before the work", status(503), nothing_known, works=False, ends="needs_person", stubborn=1),
    Mode("404 and 409 after the work", status(409), status(404)),
    Mode("422 before the work", refusal, works=False, ends="needs_person", stubborn=1),
    Mode("200 twice", two_answers, stubborn=0),
    Mode("202, then late", accepted, works=False),
    Mode("another's order", lie(others_order)),
    Mode("empty body", body(b"")),
    Mode("broken JSON", broken),
    Mode("10 MB", ten_megabytes),
    Mode("without end", endless),
    Mode("one byte a second", drop_by_drop),
    Mode("redirect elsewhere", redirect),
    Mode("an order of the other mode", lie(other_mode)),
    liar("more than asked", lie(more)),
    liar("fewer, really", fewer, works=False, least=2),
    liar("negative quantity", lie(negative)),
    liar("huge quantity", retirement(quantity=HUGE)),
    liar("quantity 1e400", retirement(quantity=1e300)),
    liar("wrong serials", lie(next_serials)),
    liar("overlapping serials", lie(overlapping)),
    liar("another's receipt", lie(others_receipt)),
    liar("another project", retirement(project="CL-9999")),
    liar("no registry reference", retirement(reference=" ")),
    liar("serials that do not read", retirement(serials="1 to 2")),
    liar("a date that has not come", lie(tomorrow)),
    liar("two orders", two_orders),
)
