"""R7: 200 buyers at the same moment want the last 10 tonnes of a project, over real HTTP.

Never a gram too much; nobody is refused while what he asks for still fits; no answer is an error of ours.
"""

import http.client
import json
import random
import threading
from dataclasses import dataclass
from datetime import date

from django.db import connection

from accounts.models import Market
from common import triggers
from offsets.models import DeviceOffset, ProjectStock
from projects.models import Project, ProjectPrice
from tests.factories import partners as shop
from tests.factories.offsets import make_project
from tests.soak import registry as registries
from tests.soak import world
from tests.soak.bars import Bar
from tests.soak.checker import judge
from tests.soak.server import Server, serving

BUYERS = 200
CREDITS = 10
STOCK_G = CREDITS * 1_000_000
TIMEOUT_S = 120


@dataclass(frozen=True)
class Answer:
    """What one buyer asked for, and what he was told; status 0: nothing came back."""

    key: str
    devices: int
    status: int
    code: str

    @property
    def amount_g(self) -> int:
        return self.devices * shop.SWEDEN_G


def run(n: int, seed: int) -> list[str]:
    """`n` rounds, each with a project of its own."""
    world.fresh()
    caller = open_shop()
    found: list[str] = []
    acknowledged: dict[str, int] = {}
    with serving() as server:
        for number in range(n):
            answers = rush(server, caller.text, seed=seed + number, number=number)
            acknowledged |= {answer.key: answer.devices for answer in answers if answer.status == 201}
            found += [f"round {number}: {text}" for text in wrong_in(answers, number=number)]
        found += [f"web log: {line}" for line in server.complaints()]
    world.settle()
    return found + judge(journal=registries.read_journal(), acknowledged=acknowledged, settled=True)


def control(n: int, seed: int) -> list[str]:
    """The guards off: no condition on the counter's update, no CHECK."""
    world.fresh()
    caller = open_shop()
    constraints = ProjectStock._meta.constraints
    check = next(row for row in constraints if row.name == "never_sell_more_than_stock")
    ProjectStock._meta.constraints = [row for row in constraints if row is not check]
    with connection.schema_editor() as editor:
        editor.remove_constraint(ProjectStock, check)
    try:
        with serving("tests.soak.unguarded:application") as server:
            found = []
            for number in range(n):
                answers = rush(server, caller.text, seed=seed + number, number=number)
                found += wrong_in(answers, number=number)
        return [text for text in found if "too much" in text]
    finally:
        ProjectStock._meta.constraints = constraints
        world.fresh()
        if connection.vendor == "postgresql":  # on SQLite the fresh world brings its own schema
            with connection.schema_editor() as editor:
                editor.add_constraint(ProjectStock, check)
            triggers.install()


def open_shop() -> shop.Caller:
    shop.make_shop(credits=0)
    return shop.make_caller(shop.make_partner())


def rush(server: Server, key: str, *, seed: int, number: int) -> list[Answer]:
    """Everybody at once; one connection each, one to three laptops."""
    rng = random.Random(seed)
    project = last_tonnes(number)
    gate = threading.Barrier(BUYERS)
    answers: list[Answer] = []

    def buy(buyer: int, devices: int) -> None:
        serials = [f"R{number}-B{buyer}-{device}" for device in range(devices)]
        body = json.dumps(shop.body_for(*serials, project=project.reference))
        idempotency_key = f"round-{number}-buyer-{buyer}"
        headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
            "Idempotency-Key": idempotency_key,
        }
        gate.wait()
        status, code = post(server.port, body, headers)
        answers.append(Answer(idempotency_key, devices, status, code))

    threads = [threading.Thread(target=buy, args=(buyer, rng.randint(1, 3))) for buyer in range(BUYERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def last_tonnes(number: int) -> Project:
    """A project of this round with ten tonnes left."""
    project = make_project(f"CL-{7000 + number}")
    for market in Market.objects.filter(opened_on__lte=date(2026, 11, 24)):
        ProjectPrice.objects.create(project=project, market=market, price_minor_per_tonne=2_500)
    world.take_into_stock(project, credits=CREDITS, first=1 + number * CREDITS)
    return project


def post(port: int, body: str, headers: dict[str, str]) -> tuple[int, str]:
    connection_ = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection_.request("POST", shop.OFFSETS, body, headers)
        answer = connection_.getresponse()
        content = json.loads(answer.read())
        return answer.status, content.get("error", {}).get("code", "")
    except (OSError, http.client.HTTPException, ValueError) as error:
        return 0, type(error).__name__
    finally:
        connection_.close()


def wrong_in(answers: list[Answer], *, number: int) -> list[str]:
    """What this round did that it must not."""
    stock = ProjectStock.objects.get(project__reference=f"CL-{7000 + number}")
    offsets = DeviceOffset.objects.filter(project_id=stock.project_id)
    promised_g = sum(offsets.values_list("amount_g", flat=True))
    sold_g = sum(answer.amount_g for answer in answers if answer.status == 201)
    refused = [answer for answer in answers if (answer.status, answer.code) == (409, "sold_out")]
    other = [answer for answer in answers if answer.status != 201 and answer not in refused]
    found = [f"a buyer was answered {answer.status} {answer.code}" for answer in other]
    if promised_g > STOCK_G or stock.committed_g > STOCK_G:
        found.append(f"{promised_g - STOCK_G} g too much were promised")
    if not promised_g == sold_g == stock.committed_g:
        found.append(f"sold {sold_g} g, promised {promised_g} g, counted {stock.committed_g} g")
    left_g = STOCK_G - promised_g
    if any(answer.amount_g <= left_g for answer in refused):
        found.append(f"a buyer was refused although {left_g} g were left")
    return found


BAR = Bar(
    name="R7",
    title="200 parallel buyers for the last 10 t over HTTP",
    gate=20,
    goal=20,
    small=1,
    control_n=1,
    run=run,
    control=control,
)
