"""S16: n claims that nobody may make, in five languages, dressed up so that the eye still reads them, typed
wherever staff, partners and files bring words in: each is refused there, with a reason.

What the shop then says is read as its readers read it: PDF text, badge, mails, API, meta tags and pages, in
every language and register, about a project whose registry title holds such words and stands.
"""

import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from django.contrib import admin
from django.db.models import Model
from django.test import RequestFactory

from accounts.models import MarketCountry, User
from catalog.models import Option, Product
from catalog.products import import_products
from claims import guard
from claims.folding import Folded
from claims.languages import languages
from common.errors import DomainError
from projects.models import Project, Registry
from tests.factories.partners import Caller, body_for
from tests.soak import claimed_said, world
from tests.soak.bars import Bar, say
from tests.soak.eye import CLAIMS, LOOKS

NOTHING = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u2063"
MARKS = "\u0301\u0308\u0323\u0336\u0327"
NARROW = "\u2009\u200a\u202f\u205f"
BETWEEN = (" ", ".", "·")


@dataclass(frozen=True)
class Typed:
    """A claim in its disguise, and where it is typed."""

    claim: str
    disguise: str
    text: str
    place: str

    def __str__(self) -> str:
        return f"{self.place}, {self.disguise}: {self.text!r}"


def _into(characters: str) -> Callable[[str, random.Random], str]:
    """Some of these characters after some of the letters."""

    def dress(claim: str, rng: random.Random) -> str:
        places = set(rng.sample(range(len(claim) - 1), k=rng.randint(1, min(3, len(claim) - 1))))
        return "".join(c + (rng.choice(characters) if i in places else "") for i, c in enumerate(claim))

    return dress


def _looks(claim: str, rng: random.Random) -> str:
    swapped = [i for i, letter in enumerate(claim) if letter in LOOKS]
    places = set(rng.sample(swapped, k=rng.randint(1, len(swapped))))
    return "".join(rng.choice(LOOKS[c]) if i in places else c for i, c in enumerate(claim))


def _shifted(first: int) -> Callable[[str, random.Random], str]:
    """The alphabet as Unicode has it once more from this place on."""
    return lambda claim, _rng: "".join(
        chr(first + ord(c) - ord("a")) if c.isascii() and c.isalpha() else c for c in claim
    )


def _entities(claim: str, rng: random.Random) -> str:
    twice = rng.choice(("&", "&amp;"))
    forms = ("{c}", twice + "#{n};", twice + "#x{n:x};", "{c}" + twice + "shy;", "{c}" + twice + "zwnj;")
    return "".join(rng.choice(forms).format(c=c, n=ord(c)) for c in claim)


def _apart(claim: str, rng: random.Random) -> str:
    return rng.choice(BETWEEN).join(claim) if " " not in claim else claim.replace(" ", rng.choice("-\u00a0_"))


DISGUISES: dict[str, Callable[[str, random.Random], str]] = {
    "none": lambda claim, _rng: claim,
    "capitals": lambda claim, rng: rng.choice((claim.upper(), claim.title())),
    "look-alikes": _looks,
    "no width": _into(NOTHING),
    "marks": _into(MARKS),
    "narrow blanks": _into(NARROW),
    "entities": _entities,
    "full width": _shifted(0xFF41),
    "bold": _shifted(0x1D41A),
    "on discs": _shifted(0x24D0),
    "on black squares": _shifted(0x1F170),
    "apart": _apart,
}
HIDDEN = [name for name in DISGUISES if name not in {"none", "capitals", "apart"}]


def _staff(model: type[Model], name: str) -> Callable[[str, Caller], list[str]]:
    def enter(text: str, _caller: Caller) -> list[str]:
        request = RequestFactory().get("/")
        request.user = User(is_superuser=True, is_staff=True, is_active=True)
        form = admin.site._registry[model].get_form(request)({name: text})
        return [str(error) for error in form.errors.get(name, [])]

    return enter


def _partner(field: str) -> Callable[[str, Caller], list[str]]:
    def enter(text: str, caller: Caller) -> list[str]:
        answer = caller.order(body_for("S16-TYPED", **{field: text}))
        return [] if answer.status_code == 201 else [str(answer.json()["error"]["fields"][0]["detail"])]

    return enter


def _file(text: str, _caller: Caller) -> list[str]:
    """A file of products, of whose only row this is the summary."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "products.csv"
        quoted = text.replace('"', '""')
        path.write_text(f'sku,slug,manufacturer,name,form_factor,summary\nS16,s16,A,B,laptop,"{quoted}"\n')
        try:
            import_products([path])
        except DomainError as error:
            return [str(detail["message"]) for detail in error.details]
    return []


PLACES: dict[str, Callable[[str, Caller], list[str]]] = {
    "product's name": _staff(Product, "name"),
    "product's line": _staff(Product, "summary"),
    "option": _staff(Option, "label"),
    "short name": _staff(Project, "short_name"),
    "what it does": _staff(Project, "what_it_does"),
    "registry's end": _staff(Registry, "sunset_note"),
    "note on tax": _staff(MarketCountry, "tax_note"),
    "beneficiary": _partner("beneficiary"),
    "reference": _partner("buyer_reference"),
    "file": _file,
}


def payloads(n: int, seed: int, *, disguises: list[str], spoken: list[str]) -> Iterator[tuple[str, Typed]]:
    """`n` claims with their language: languages, disguises and places in turn, claims at random."""
    rng = random.Random(seed)
    places = list(PLACES)
    for number in range(n):
        language = spoken[number % len(spoken)]
        disguise = disguises[number // len(spoken) % len(disguises)]
        claim = rng.choice(CLAIMS[language])
        text = f"{rng.choice(('', 'Nord ', '14″ '))}{DISGUISES[disguise](claim, rng)}"
        yield language, Typed(claim, disguise, text, places[(number + number // len(places)) % len(places)])


def run(n: int, seed: int) -> list[str]:
    return play(n, seed, disguises=list(DISGUISES), spoken=sorted(languages()))


def control(n: int, seed: int) -> list[str]:
    """The guard reads a text as it is written, and not as the eye sees it."""
    with as_written():
        return play(n, seed, disguises=HIDDEN, spoken=["fr"])


@contextmanager
def as_written() -> Iterator[None]:
    def unfolded(text: str) -> Folded:
        return Folded(text, tuple(range(len(text))), tuple(range(1, len(text) + 1)))

    with patch.object(guard, "fold", unfolded):
        yield


def play(n: int, seed: int, *, disguises: list[str], spoken: list[str]) -> list[str]:
    """Type the claims; then let the shop speak in every language, and read it."""
    found: list[str] = []
    typed: dict[str, list[Typed]] = {language: [] for language in spoken}
    for language, one in payloads(n, seed, disguises=disguises, spoken=spoken):
        typed[language].append(one)
    counted: Counter[str] = Counter()
    for language, ones in typed.items():
        world.fresh()
        shop = claimed_said.open_shop(language)
        accepted = [one for one in ones if not _refused(one, shop.partner, found)]
        found += [f"{language}: accepted: {one}" for one in accepted]
        counted["typed"] += len(ones)
        counted["refused"] += len(ones) - len(accepted)
        texts = claimed_said.speak(shop, {one.place: one.text for one in accepted})
        counted["texts"] += len(texts)
        found += claimed_said.wrong_in(texts, shop)
    say(f"S16: {dict(counted)}")
    return found


def _refused(one: Typed, caller: Caller, found: list[str]) -> bool:
    errors = PLACES[one.place](one.text, caller)
    if errors and not all(errors):
        found.append(f"refused without a reason: {one}")
    return bool(errors)


BAR = Bar(
    name="S16",
    title="claims in disguise, in five languages, typed and said",
    gate=1_000,
    goal=1_000,
    small=60,
    control_n=30,
    run=run,
    control=control,
)
