"""A broker that retires over HTTP: an order with our request id, and a look for the orders that carry it.

docs/brokers.md says what is sent and what each answer means. The call is not idempotent: a broker that gets
an order twice retires twice, so after an attempt we only look. Whatever does not say for certain what
happened is Unknown; only an answer that the broker documents as *nothing was done* is Refused.
"""

import json
import logging
import re
from datetime import date, timedelta
from typing import Any, NoReturn
from urllib.parse import urlencode

from django.conf import settings
from django.utils import timezone

from offsets.registries.base import Confirmed, Intent, Outcome, Receipt, Refused, Unknown
from offsets.registries.http import Limits, NoReply, Reply, ask, unsafe_address
from offsets.serials import InvalidCreditSerials, parse_credit_serials

log = logging.getLogger(__name__)

TAKEN = {200, 201, 202}
# Refused before an order exists: the key is not known, or the order does not validate.
NOT_TAKEN = {401, 422}
ON_ITS_WAY = {"draft", "placed", "processing"}
MAX_QUANTITY = 10**15
FIRST_DAY = date(2000, 1, 1)
_KEY = re.compile(r"[!-~]{8,400}")
_LINE = re.compile(r"[ -~]*")


class Unreadable(ValueError):
    """The answer is not of the documented form; the text says where, and quotes nothing of it."""


class BrokerRegistry:
    """Orders at settings.BROKER_URL with settings.BROKER_API_KEY."""

    unattended = True
    idempotent_on_request_id = False

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()

    def retire(self, intent: Intent) -> Outcome:
        if problem := configuration_problem():
            return Refused(f"Nothing was asked of the broker: {problem}")
        reply = self._ask("POST", "", order_of(intent), reference=intent.reference)
        return outcome_of_order(reply, intent) if isinstance(reply, Reply) else reply

    def find(self, intent: Intent) -> Outcome:
        if problem := configuration_problem():
            return Unknown(f"Nothing was asked of the broker: {problem}")
        query = "?" + urlencode({"metadata[request_id]": intent.request_id})
        reply = self._ask("GET", query, None, reference=intent.reference)
        return outcome_of_look(reply, intent) if isinstance(reply, Reply) else reply

    def _ask(
        self, method: str, query: str, order: dict[str, Any] | None, *, reference: str
    ) -> Reply | Unknown:
        key = settings.BROKER_API_KEY
        headers = {"Authorization": f"Bearer {key}", "Accept": "application/json"}
        body = None
        if order is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(order).encode()
        url = f"{settings.BROKER_URL.rstrip('/')}/v1/orders{query}"
        try:
            reply = ask(method, url, headers=headers, body=body, limits=self.limits)
        except NoReply as error:
            log.warning("broker gave no reply method=%s reference=%s error=%s", method, reference, error)
            return Unknown(f"The broker gave no whole reply: {error}")
        log.info("broker replied method=%s reference=%s status=%s", method, reference, reply.status)
        if key.encode() in reply.body:
            return Unknown("The broker's reply repeats our key; nothing of it is kept.")
        return reply


def configuration_problem() -> str:
    """Why the broker cannot be asked, as a sentence that says what to set; empty when it can."""
    if not settings.BROKER_URL or not settings.BROKER_API_KEY:
        return "BROKER_URL and BROKER_API_KEY are not both set."
    if problem := unsafe_address(settings.BROKER_URL):
        return f"BROKER_URL cannot be used: {problem}."
    if not _KEY.fullmatch(settings.BROKER_API_KEY):
        return "BROKER_API_KEY is not 8 to 400 visible ASCII characters."
    return ""


def order_of(intent: Intent) -> dict[str, Any]:
    """The order that asks for exactly this."""
    return {
        "state": "placed",
        "project_id": intent.project,
        "serials": intent.credit_serials,
        "amount": intent.credits,
        "unit": "t",
        "issued_to": {"name": intent.beneficiary},
        "reason": intent.reason,
        "metadata": {"request_id": intent.request_id, "reference": intent.reference},
    }


def outcome_of_order(reply: Reply, intent: Intent) -> Outcome:
    """What the answer to our order means."""
    try:
        if reply.status in NOT_TAKEN:
            return Refused(f"The broker took no order ({reply.status}): {_error_message(reply)}")
        if reply.status not in TAKEN:
            return Unknown(f"The broker answered {reply.status}.")
        order = _data(reply)
        if not isinstance(order, dict) or _request_id(order) != intent.request_id:
            return Unknown("The broker answered with an order that does not carry our request id.")
        return _outcome(order, intent)
    except Unreadable as error:
        return Unknown(f"The broker's answer does not read: {error}")


def outcome_of_look(reply: Reply, intent: Intent) -> Outcome:
    """What the list of orders means; that ours is not in it says nothing, since the list may lag."""
    try:
        if reply.status != 200:
            return Unknown(f"The broker answered {reply.status}.")
        orders = _data(reply)
        if not isinstance(orders, list):
            return Unknown("The broker's answer does not read: data is no list")
        ours = [row for row in orders if isinstance(row, dict) and _request_id(row) == intent.request_id]
        if not ours:
            return Unknown("The broker shows no order with our request id; it may yet.")
        if len(ours) > 1:
            return Unknown(f"The broker shows {len(ours)} orders with our request id; one was placed.")
        return _outcome(ours[0], intent)
    except Unreadable as error:
        return Unknown(f"The broker's answer does not read: {error}")


def _outcome(order: dict[str, Any], intent: Intent) -> Outcome:
    name, state = _line(order, "id", 80), _line(order, "state", 20)
    if order.get("production") is not intent.livemode:
        return Unknown(f"Order {name} is not of the {'live' if intent.livemode else 'test'} mode.")
    if state in ON_ITS_WAY:
        return Unknown(f"Order {name} is {state}.")
    if state == "cancelled":
        return Refused(f"Order {name} was cancelled before it was carried out.")
    if state != "complete":
        raise Unreadable("state is none that is documented")
    return Confirmed(_receipt(order.get("retirement")))


def _receipt(data: Any) -> Receipt:
    """The receipt of a complete order, whatever it claims; the ledger compares it with the intent."""
    if not isinstance(data, dict):
        raise Unreadable("a complete order has no retirement")
    return Receipt(
        registry_reference=_line(data, "reference", 80),
        project=_line(data, "project", 40),
        credit_serials=_serials(data),
        credits=_quantity(data),
        retired_on=_day(data),
    )


def _request_id(order: dict[str, Any]) -> object:
    metadata = order.get("metadata")
    return metadata.get("request_id") if isinstance(metadata, dict) else None


def _line(data: dict[str, Any], name: str, longest: int) -> str:
    text = data.get(name)
    if not isinstance(text, str) or len(text) > longest or not _LINE.fullmatch(text):
        raise Unreadable(f"{name} is no line of at most {longest} ASCII characters")
    return text


def _serials(data: dict[str, Any]) -> str:
    """As we print them. What does not read stays as it came: it differs, and a person wants to see how."""
    text = _line(data, "serials", 200)
    try:
        return str(parse_credit_serials(text))
    except InvalidCreditSerials:
        return text


def _quantity(data: dict[str, Any]) -> int:
    quantity = data.get("quantity")
    if type(quantity) is not int or abs(quantity) > MAX_QUANTITY:
        raise Unreadable(f"quantity is no whole number up to {MAX_QUANTITY}")
    return quantity


def _day(data: dict[str, Any]) -> date:
    text = _line(data, "retired_on", 10)
    try:
        day = date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else None
    except ValueError:
        day = None
    if day is None or not FIRST_DAY <= day <= timezone.now().date() + timedelta(days=1):
        raise Unreadable("retired_on is no past date written like 2026-11-24")
    return day


def _data(reply: Reply) -> object:
    answer = _json(reply.body)
    if answer.get("success") is not True:
        raise Unreadable("it does not say that it succeeded")
    return answer.get("data")


def _error_message(reply: Reply) -> str:
    answer = _json(reply.body)
    error = answer.get("error")
    if answer.get("success") is not False or answer.get("data") is not None or not isinstance(error, dict):
        raise Unreadable("a refusal of another form than the documented one")
    return _line(error, "message", 200)


def _json(body: bytes) -> dict[str, Any]:
    """One JSON object in UTF-8, no name twice, nothing that JSON has not."""
    try:
        answer = json.loads(body.decode(), object_pairs_hook=_once, parse_constant=_no_constant)
    except Unreadable:
        raise
    except (ValueError, RecursionError) as error:
        raise Unreadable("it is no JSON") from error
    if not isinstance(answer, dict):
        raise Unreadable("it is no JSON object")
    return answer


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unreadable("a name stands twice in one object")
    return found


def _no_constant(text: str) -> NoReturn:
    raise Unreadable("it holds a number that JSON has not")
