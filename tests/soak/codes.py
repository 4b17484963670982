"""S7: somebody guesses codes over four web processes, with a forged X-Forwarded-For on every guess.

All of them together let through what one would: then even a code that exists is refused. Another network is
served as ever, however often it shows a badge.
"""

import http.client
import random
import threading
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from django.core.cache import caches

from certificates.models import Certificate
from common.codes import random_code
from common.counting import seconds_left
from storefront.throttling import MISSES, SPAN_S
from tests.factories.certificates import make_certificate
from tests.soak import world
from tests.soak.bars import Bar
from tests.soak.server import Server, serving

WORKERS = 4
CALLERS = 8
CALLS_A_CONNECTION = 5  # a new connection may be another process's
TIMEOUT_S = 60
SHOWN = 200
GUESSER, ANOTHER = "127.0.0.1", "127.0.0.2"
ADDRESSES = ("", "badge.svg", "badge.png", "card.png", "certificate.pdf", "certificate.json")


def run(n: int, seed: int) -> list[str]:
    return _run(n, seed, application="config.wsgi")


def control(n: int, seed: int) -> list[str]:
    """Each process counts for itself: together they let through too much."""
    found = _run(n, seed, application="tests.soak.unshared:application")
    return [text for text in found if "were let through" in text]


def _run(n: int, seed: int, *, application: str) -> list[str]:
    world.fresh()
    caches["counts"].clear()  # this run's own folder
    certificate = make_certificate(f"S7-{seed}")
    with serving(application, workers=WORKERS, preload=True) as server:
        spans_before = seconds_left(SPAN_S)
        answers = guess(server, n, seed)
        spans = 1 if seconds_left(SPAN_S) <= spans_before else 2
        found = wrong_in(answers, n=n, spans=spans)
        if spans == 1:
            found += wrong_afterwards(server, certificate)
        found += [f"web log: {line}" for line in server.complaints()]
    return found


def guess(server: Server, n: int, seed: int) -> "Counter[tuple[int, bool]]":
    """So many guesses by callers at once: how often each status came, and whether it said when to retry."""
    paths = guesses(n, random.Random(seed))
    lock, answers = threading.Lock(), Counter[tuple[int, bool]]()

    def call(rng: random.Random) -> None:
        while True:
            with lock:
                batch = list(islice(paths, CALLS_A_CONNECTION))
            if not batch:
                return
            seen = list(ask(server, batch, rng=rng))
            with lock:
                answers.update(seen)

    threads = [threading.Thread(target=call, args=(random.Random(seed + k),)) for k in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def guesses(n: int, rng: random.Random) -> Iterator[str]:
    """Addresses that take a code, with codes that no record has: well-formed ones and others."""
    for _number in range(n):
        code = rng.choice([random_code(groups=4), random_code(groups=3), "x"])
        rest = rng.choice([*ADDRESSES, "verify"])
        yield f"/verify/?code={code}" if rest == "verify" else f"/c/{code}/{rest}"


def ask(
    server: Server, paths: list[str], *, rng: random.Random, source: str = GUESSER
) -> Iterator[tuple[int, bool]]:
    """Status and presence of Retry-After, one connection for these paths."""
    caller = http.client.HTTPConnection(
        "127.0.0.1", server.port, timeout=TIMEOUT_S, source_address=(source, 0)
    )
    for path in paths:
        forged = f"{rng.randrange(1, 224)}.{rng.randrange(256)}.2.{rng.randrange(256)}"
        try:
            caller.request("GET", path, headers={"X-Forwarded-For": rng.choice([forged, ANOTHER])})
            answer = caller.getresponse()
            answer.read()
            yield answer.status, answer.headers.get("Retry-After", "").isdigit()
        except (OSError, http.client.HTTPException):
            caller.close()
            yield 0, False
    caller.close()


def wrong_in(answers: "Counter[tuple[int, bool]]", *, n: int, spans: int) -> list[str]:
    """What the answers to the guesses must not be."""
    found = []
    let_through = answers[404, False]
    if let_through > MISSES * spans:
        found.append(f"{let_through} guesses were let through, not {MISSES * spans}")
    if n > MISSES * spans and let_through < MISSES:
        found.append(f"only {let_through} guesses were answered: others than guessers were refused")
    for (status, says_when), times in answers.items():
        if (status, says_when) not in {(404, False), (429, True)}:
            found.append(f"{times} answers were {status} with Retry-After: {says_when}")
    if sum(answers.values()) != n:
        found.append(f"{sum(answers.values())} answers to {n} guesses")
    return found


def wrong_afterwards(server: Server, certificate: Certificate) -> list[str]:
    """The guesser learns nothing about a code that exists; somebody else sees its badge however often."""
    rng = random.Random(0)
    found = []
    real = [f"/c/{certificate.code}/{rest}" for rest in ADDRESSES]
    learnt = Counter(status for status, _says in ask(server, real * 4, rng=rng))
    if set(learnt) != {429}:
        found.append(f"a code that exists was answered {dict(learnt)} to the guesser")
    badge = [f"/c/{certificate.code}/badge.svg"] * SHOWN
    shown = Counter(status for status, _says in ask(server, badge, rng=rng, source=ANOTHER))
    if set(shown) != {200}:
        found.append(f"a badge that somebody else shows was answered {dict(shown)}")
    return found


BAR = Bar(
    name="S7",
    title="codes are guessed over four processes, and throttled together",
    gate=10_000,
    goal=10_000,
    small=200,
    control_n=200,
    run=run,
    control=control,
)
