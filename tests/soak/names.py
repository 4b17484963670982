"""S8: n hostile names, typed where staff, buyers and partners type them: printed as typed, or refused there.

What is accepted is promised, retired, allocated, certified and rendered as always, and poppler reads the text
off the page. Each page takes at most 2 s and 300 MB, and nobody is called and no file is read for it.
"""

import random
import socket
import subprocess
import tempfile
import threading
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.contrib import admin
from django.template import Context, Engine
from django.test import RequestFactory

from accounts.models import Account, User
from catalog.models import Product
from certificates import document, rendering_pool, sheet
from certificates.models import Certificate
from certificates.rendering_pool import RenderingFailed
from claims.wording import wording_by_id
from partners.serializers import OffsetsBody
from storefront.forms_checkout import CheckoutForm
from tests.factories.certificates import enter_log
from tests.factories.offsets import make_project
from tests.soak import world
from tests.soak.bars import Bar, say

SECONDS, KIB = 2.0, 300 * 1_024
A_SECRET = "SOAKCANARY"
DEVICE_G = 310_000

MARKUP = (
    '<img src="{canary}">',
    "<link rel=attachment href={file}>",
    "</style><style>@import '{canary}'",
    "<iframe src={file}></iframe>",
    "<b>bold</b><script>x()</script>",
    "&lt;b&gt; &amp;amp; <b>",
    '" onload="x" a="',
    "<!-- a -->b<![CDATA[c]]>",
    "</p></div></body></html>",
    "<object data={file}>",
    "<svg><image href='{canary}'/></svg>",
    "<meta name=author content=x>",
)
STYLES = (
    "}}*{{content:url({canary})}}",
    "/* */ body {{display:none}}",
    "a:before{{content:attr(x)}}",
    "\\0000 \\a \\22",
    ";color:red;position:fixed",
    "@page{{size:A0}}",
)
TEMPLATES = (
    "{{{{ facts }}}}",
    "{{% include 'x' %}}",
    "{{{{ settings.SECRET_KEY }}}}",
    "%(name)s %s %d",
    "{{0}} {{name!r}} $HOME `id`",
    "{{# a #}}{{% comment %}}b",
)
PLAIN = (
    "Zoë Žižková-Ångström & Søn",
    "3x4 and 3×4, 10x8, 12:30",
    "a -> b => c <- d <= e --> f",
    "“Q” – ’n’ … ‹x›",
    "£1 = 1,17 € ₿ № ™",
    "e\u0301e\u0323\u0302 A\u030a",
    "Nguyễn Văn Ước",
    "O'Brien \\ Co. 100 %",
    "¼ ½ ² ³ ª º µ",
)
GREEK = ("Ελληνική Εταιρεία Α.Ε.", "Άννα Ώρα ΐ ΰ", "ΩΜΕΓΑ Ω\u2126")
CYRILLIC = ("ООО Жуковский", "Љубав Ђорђевић", "Їжак і ґанок", "Ѐ ѝ Ӹ")
ARABIC = ("شركة النور", "شركة AB 123", "חברה בע״מ", "שָׁלוֹם")
CHINESE = ("机械革命", "株式会社テスト", "주식회사", "AB 机械 CD")
EMOJI = ("Firm 😀", "👩\u200d💻 Oy", "🇸🇪 AB", "❤\ufe0f")
OTHER_SCRIPTS = ("บริษัท ไทย", "कंपनी", "ԱՐՄԵՆ", "ქართული", "ᚠᚢᚦ", "𝔉𝔯𝔞𝔨", "\U0001f9ff\u1d400")
HIDES = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u061c\u180e\U000e0041\ue000\ufff9\x00\x07\x1b\x85\u2028"
TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f"
MARKS = "\u0300\u0335\u0489\u20dd\u0f39"


@dataclass(frozen=True)
class Named:
    """A name as typed, and where."""

    typed: str
    place: str

    def __str__(self) -> str:
        return f"{self.place} {self.typed[:60]!r}"


def one_of(*texts: str) -> Callable[[random.Random], str]:
    return lambda rng: rng.choice(texts)


def _with(characters: str, rng: random.Random) -> str:
    """A plain name with some of these characters inside."""
    text = list(rng.choice(("Acme AB", "Northwind Traders", "ThinkPad T490")))
    for _ in range(rng.randint(1, 4)):
        text.insert(rng.randrange(1, len(text)), rng.choice(characters))
    return "".join(text)


def _long(rng: random.Random) -> str:
    """As long as a field takes, a little longer, or 10,000 characters; with or without blanks."""
    length = rng.choice((60, 119, 120, 121, 1_000, 10_000))
    return (rng.choice(("W", "ab ", "Ω", "<b>", "x y z ")) * 10_000)[:length].strip()


def _anything(rng: random.Random) -> str:
    """Characters from all over."""
    return "".join(chr(rng.randrange(0x20, 0x3000)) for _ in range(rng.randint(1, 12)))


def _allowed(rng: random.Random) -> str:
    """Characters that a certificate can show, in an order that nobody would write."""
    from common.printable import _RANGES  # noqa: PLC0415 only this reads them

    drawn = (rng.choice(_RANGES) for _ in range(rng.randint(4, 20)))
    return "".join(chr(rng.randint(first, last)) for first, last in drawn)


FAMILIES: dict[str, Callable[[random.Random], str]] = {
    "markup": one_of(*MARKUP),
    "plain": one_of(*PLAIN),
    "bidi": lambda rng: _with(TURNS, rng),
    "allowed": _allowed,
    "zero-width": lambda rng: _with(HIDES, rng),
    "template": one_of(*TEMPLATES),
    "Arabic": one_of(*ARABIC),
    "Greek": one_of(*GREEK),
    "Chinese": one_of(*CHINESE),
    "Cyrillic": one_of(*CYRILLIC),
    "emoji": one_of(*EMOJI),
    "style": one_of(*STYLES),
    "marks": lambda rng: _with(MARKS, rng),
    "long": _long,
    "scripts": one_of(*OTHER_SCRIPTS),
    "anything": _anything,
}


def payloads(n: int, seed: int, *, canary: str, file: str, families: list[str]) -> list[Named]:
    """`n` names, each family as often as the others, typed in each place in turn."""
    rng = random.Random(seed)
    places, made = list(ENTRIES), []
    for number in range(n):
        family = families[number % len(families)]
        text = FAMILIES[family](rng)
        if family in {"markup", "style", "template"}:
            text = text.format(canary=canary, file=file)
        made.append(Named(text, places[(number + number // len(families)) % len(places)]))
    return made


# What each place makes of a text: the text as it goes on, and why it does not.
Entered = tuple[str, list[str]]


def _beneficiary(typed: str) -> Entered:
    """A partner's call."""
    field = OffsetsBody().fields["beneficiary"]
    try:
        return str(field.run_validation(typed)), []
    except Exception as error:  # noqa: BLE001 DRF's and Django's refusals have no base of their own
        return "", [str(error)]


def _company(typed: str) -> Entered:
    """The checkout, where the company's account gets its name."""
    form = CheckoutForm({"kind": "business", "company": typed}, companies=[], consent_text="")
    return _of_form(form, "company")


def _staff(model: Any, name: str) -> Callable[[str], Entered]:
    def enter(typed: str) -> Entered:
        request = RequestFactory().get("/")
        request.user = User(is_superuser=True, is_staff=True, is_active=True)
        form = admin.site._registry[model].get_form(request)({name: typed})
        return _of_form(form, name)

    return enter


def _of_form(form: Any, name: str) -> Entered:
    errors = [str(error) for error in form.errors.get(name, [])]
    return str(form.cleaned_data.get(name, "")), errors


# The fact that it becomes, and who takes it in.
ENTRIES: dict[str, tuple[str, Callable[[str], Entered]]] = {
    "beneficiary": ("beneficiary", _beneficiary),
    "product": ("product", _staff(Product, "name")),
    "company": ("beneficiary", _company),
    "maker": ("manufacturer", _staff(Product, "manufacturer")),
    "account": ("beneficiary", _staff(Account, "name")),
}


def run(n: int, seed: int) -> list[str]:
    return play(n, seed, families=list(FAMILIES))


def control(n: int, seed: int) -> list[str]:
    """Nothing is escaped: markup is obeyed, so what is read off the page is not what was typed."""
    escaped = document.render_to_string
    engine = Engine.get_default()

    def unescaped(name: str, context: dict[str, Any]) -> str:
        return str(engine.get_template(name).render(Context(context, autoescape=False)))

    document.render_to_string = unescaped  # type: ignore[assignment]
    try:
        return play(n, seed, families=["markup"])
    finally:
        document.render_to_string = escaped


def play(n: int, seed: int, *, families: list[str]) -> list[str]:
    """Type the names, render what was accepted, and tell what went wrong."""
    world.fresh()
    with canary() as (address, calls), tempfile.TemporaryDirectory() as folder:
        secret = Path(folder) / "s"
        secret.write_text(A_SECRET)
        accepted, found = [], []
        for named in payloads(n, seed, canary=address, file=secret.as_uri(), families=families):
            entered, errors = ENTRIES[named.place][1](named.typed)
            if errors == [""]:
                found.append(f"{named} is refused without a reason")
            elif not errors and entered.strip():
                accepted.append((named, entered))
        if len(accepted) * 5 < n:
            found.append(f"hollow: {len(accepted)} of {n} names were accepted")
        found += rendered(accepted)
        found += [f"somebody was called: {call!r}" for call in calls]
    places = Counter(named.place for named, _entered in accepted)
    say(f"S8: {len(accepted)} of {n} names were accepted and rendered: {dict(places)}")
    return found


def rendered(accepted: list[tuple[Named, str]]) -> list[str]:
    """Certificates on these names, each looked at."""
    project = make_project()
    world.take_into_stock(project, credits=len(accepted) // 3 + 2)
    wishes = []
    for place, (named, entered) in enumerate(accepted):
        changed: dict[str, Any] = {ENTRIES[named.place][0]: entered}
        wishes.append(replace(world.wish(project, f"PF-{place}", DEVICE_G), **changed))
    world.promise(wishes, key="names")
    world.settle()
    enter_log()
    certificates = {row.offset.device_serial: row for row in Certificate.objects.select_related("offset")}
    found = []
    for place, (named, _entered) in enumerate(accepted):
        certificate = certificates.get(f"PF-{place}")
        if certificate is None:
            found.append(f"{named} was accepted and has no certificate")
        else:
            found += looked_at(certificate, named)
    rendering_pool.renderer.close()
    return found


def looked_at(certificate: Certificate, named: Named) -> list[str]:
    """What is wrong with this certificate's page."""
    began = time.monotonic()
    try:
        content = rendering_pool.render(certificate)
    except RenderingFailed as error:
        return [f"{named} was accepted and cannot be rendered: {error}"]
    seconds, kib = time.monotonic() - began, _most_kib()
    read = text_of(content)
    found = [
        f"{named}: the page says {read[max(0, read.find(line[:6])) :][:90]!r}, not {line!r}"
        for line in lines(certificate, named)
        if line not in read
    ]
    if seconds > SECONDS:
        found.append(f"{named} took {seconds:.1f} s")
    if kib > KIB:
        found.append(f"{named} took {kib // 1_024} MB")
    if A_SECRET in read or A_SECRET.encode() in content:
        found.append(f"{named}: a file was read")
    return found


def lines(certificate: Certificate, named: Named) -> list[str]:
    """What the page must say, made from what was typed: the device's line and the registry's."""
    wording = wording_by_id(certificate.wording)
    facts = {**(certificate.facts or {}), ENTRIES[named.place][0]: named.typed}
    steps = sheet.steps(facts, wording, device_serial=str(facts["device_serial"]))
    shown = {step.key: step for step in steps}
    device, registry = shown["device"].parts, shown["registry"].more
    return [_bare("".join(part.text for part in parts)) for parts in (device, registry)]


def text_of(content: bytes) -> str:
    """The page's text as poppler reads it."""
    read = subprocess.run(["pdftotext", "-raw", "-", "-"], input=content, capture_output=True, check=True)
    return _bare(read.stdout.decode())


def _bare(text: str) -> str:
    """Composed, without blanks and breaks: where a line wraps is the page's own business."""
    return "".join(unicodedata.normalize("NFC", text).split())


def _most_kib() -> int:
    """The most memory that the rendering process has taken so far."""
    child = rendering_pool.renderer._child
    assert child is not None
    status = Path(f"/proc/{child.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


@contextmanager
def canary() -> Iterator[tuple[str, list[bytes]]]:
    """A server on loopback that nobody may call, and the calls that it got."""
    calls: list[bytes] = []
    server = socket.create_server(("127.0.0.1", 0))
    stopped = threading.Event()

    def listen() -> None:
        server.settimeout(0.2)
        while not stopped.is_set():
            try:
                connection, _address = server.accept()
            except TimeoutError:
                continue
            with connection:
                calls.append(connection.recv(200))

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/", calls
    finally:
        stopped.set()
        thread.join()
        server.close()


BAR = Bar(
    name="S8",
    title="names in certificates",
    gate=300,
    goal=300,
    small=16,
    control_n=6,
    run=run,
    control=control,
)
