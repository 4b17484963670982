"""S9: badges of hostile facts, asked for as a browser does: nothing but listed tags and attributes, headers
that let nothing run, and a PNG that opens.
"""

import random
import re
from io import BytesIO
from itertools import product
from unittest.mock import patch
from xml.etree import ElementTree

from django.conf import settings
from django.test import Client
from PIL import Image

from certificates.badges import THEMES
from certificates.models import Certificate
from claims.wording import all_wordings
from storefront.views import pictures
from tests.soak import world
from tests.soak.bars import Bar

SVG = "{http://www.w3.org/2000/svg}"
ATTRIBUTES = {
    "svg": {"width", "height", "viewBox", "role", "aria-labelledby"},
    "title": {"id"},
    "rect": {"x", "y", "width", "height", "rx", "fill", "stroke"},
    "path": {"d", "stroke", "stroke-width"},
    "circle": {"cx", "cy", "r", "fill", "stroke", "stroke-width"},
    "text": {"x", "y", "font-family", "font-size", "font-weight", "fill"},
}
HEADERS = {
    "Content-Type": "image/svg+xml",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "X-Robots-Tag": "noindex",
}
SERIAL = "SECRET-WHOLE-9876"
STATES = ("valid", "reversed", "moved", "superseded")
MARKUP = (
    *("<script>alert(1)</script>", "</text><script/>", '"/><image href="http://x/"/>', "]]>", "<![CDATA["),
    *("<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>", "&e;", "&#x3c;script&#x3e;", "<?xml x?>"),
    *('" onload="alert(1)', "' style='x", "javascript:alert(1)", "url(http://x/)", "<foreignObject>", "-->"),
    *("<a href=x>", "{{ 7*7 }}", "{% load %}", "{kg}", "%s%n"),
)
CHARACTERS = (
    *("\x00", "\x0b", "\x1b[31m", "\ud800", "\ufffe", "\ufeff", "\u202e", "\u2066", "\u200b", "\u00ad"),
    *("e\u0301" * 9, "W" * 500, "日本", "العربية", "😀", "\n\t", "\uff34\uff30"),
)
PNG_EVERY = 10


def run(n: int, seed: int) -> list[str]:
    """`n` sets of facts, each in a state and a wording at random, on a light or a dark page."""
    return _run(n, seed)


def control(n: int, seed: int) -> list[str]:
    """A badge that puts one name in without escaping it."""
    drawn = pictures.badge_svg

    def careless(facts: dict[str, str | int], **how: str) -> str:
        name = str(facts["product"]).encode(errors="replace").decode()
        planted = f"<text>{name}</text><script>alert(1)</script></svg>"
        return drawn(facts, **how).replace("</svg>", planted)

    with patch.object(pictures, "badge_svg", careless):
        found = _run(n, seed)
    return [text for text in found if "script" in text or "does not read" in text]


def _run(n: int, seed: int) -> list[str]:
    world.fresh()
    rng = random.Random(seed)
    settings.ALLOWED_HOSTS = ["testserver"]
    client, found = Client(), []
    choices = list(product(all_wordings(), STATES, sorted(THEMES)))
    for number in range(n):
        wording, state, theme = rng.choice(choices)
        facts = hostile_facts(rng, wording.id)
        made = Certificate(code="7Q2M-K4VX-09AB-DJ3T", state=state, facts=facts, wording=wording.id)
        with patch.object(pictures, "certificate_by_code", lambda code, made=made: made):
            wrong = wrong_svg(client, f"/c/{made.code}/badge.svg?theme={theme}")
            if number % PNG_EVERY == 0:
                wrong += wrong_png(client, f"/c/{made.code}/badge.png?theme={theme}&scale=2")
        found += [f"facts {number} ({state}, {wording.id}): {text}" for text in wrong]
    return found


def hostile_facts(rng: random.Random, wording: str) -> dict[str, str | int]:
    def name() -> str:
        pieces = rng.choices(
            [*MARKUP, *CHARACTERS, "ThinkPad", "T490", chr(rng.randrange(0x110000))], k=rng.randint(1, 4)
        )
        return "".join(pieces)[:600]

    return {
        "certificate": "7Q2M-K4VX-09AB-DJ3T",
        "product": name(),
        "project_title": name(),
        "device_serial": rng.choice([SERIAL, SERIAL + '"<&', SERIAL + "\u202e"]),
        "amount_g": rng.choice([1, 386_000, 10**15]),
        "wording": wording,
        "issued_at": "2026-11-24T12:05:00+00:00",
        "livemode": rng.randint(0, 1),
    }


def wrong_svg(client: Client, address: str) -> list[str]:
    """What is wrong with the answer, in words."""
    answer = client.get(address)
    if answer.status_code != 200:
        return [f"answered {answer.status_code}"]
    found = [
        f"{name} is {answer.headers.get(name)!r}"
        for name, value in HEADERS.items()
        if answer.headers.get(name) != value
    ]
    markup = answer.content.decode()
    if SERIAL in markup:
        found.append("the whole serial stands in it")
    if re.search(r"<!|<\?|[\u202a-\u202e\u2066-\u2069]", markup):
        found.append("it holds a declaration or a mark that turns text around")
    try:
        root = ElementTree.fromstring(markup)  # noqa: S314 our own drawing; it has no declaration
    except ElementTree.ParseError as error:
        return [*found, f"it does not read: {error}"]
    for element in root.iter():
        tag = element.tag.removeprefix(SVG)
        if tag not in ATTRIBUTES or not element.tag.startswith(SVG):
            found.append(f"it has a <{element.tag}>")
        elif extra := set(element.attrib) - ATTRIBUTES[tag]:
            found.append(f"<{tag}> has {sorted(extra)}")
    return found


def wrong_png(client: Client, address: str) -> list[str]:
    answer = client.get(address)
    if answer.status_code != 200 or answer.headers["X-Content-Type-Options"] != "nosniff":
        return [f"the PNG was answered {answer.status_code}"]
    image = Image.open(BytesIO(answer.content))
    return [] if (image.format, image.size) == ("PNG", (536, 184)) else [f"the PNG is {image.size}"]


BAR = Bar(
    name="S9",
    title="badges of hostile facts: listed tags and attributes, headers that let nothing run",
    gate=5_000,
    goal=5_000,
    small=100,
    control_n=20,
    run=run,
    control=control,
)
