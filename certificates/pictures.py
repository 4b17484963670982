"""The badge as PNG, and the picture that other sites show beside a link to a record. No database.

Drawn large and scaled down, from the same facts as the SVG. The same facts give the same bytes on machines
with the same fonts: nothing of the moment is in the file.
"""

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from io import BytesIO
from itertools import groupby

from fontTools.ttLib import TTFont  # type: ignore[import-untyped]  # ships no types
from PIL import Image, ImageDraw, ImageFont

from certificates import badges, sheet
from certificates.badges import BadgeText, Theme
from claims.wording import Wording, say, wording_by_id

FONT = "Inter"
OVER = 4  # drawn so much larger than it is shown
SCALES = (1, 2)
CARD_WIDTH, CARD_HEIGHT = 1200, 630
CARD_OVER = 2
COLOURS = 128
PAPER, RULE, INK, SOFT, LINE = "#faf8f3", "#dfdbd0", "#14202b", "#566370", "#1d4ed8"
DONE, WAITING = "#1b6b4a", "#8a5a00"
STEPS = ("device", "amount", "grams", "credits", "registry", "log")
LEFT, RIGHT = 80, CARD_WIDTH - 80
SPINE_ROOM = 860  # of the labels under the line
Facts = Mapping[str, str | int]
Font = ImageFont.FreeTypeFont


@dataclass(frozen=True)
class CardText:
    """What the picture of a record says."""

    state: str
    title: str
    product: str
    project: str
    code: str
    demo: str
    steps: tuple[str, ...]
    done: bool


class Canvas:
    """Draws in the units of the finished picture."""

    def __init__(self, width: int, height: int, *, scale: int, over: int, background: str) -> None:
        self.factor, self._over = scale * over, over
        self._inks: dict[tuple[int, ...], None] = {}
        size = (width * self.factor, height * self.factor)
        self._image = Image.new("RGBA", size, self._ink(background))
        self._draw = ImageDraw.Draw(self._image)

    def box(
        self, left: float, top: float, right: float, bottom: float, *, radius: float, fill: str, rule: str
    ) -> None:
        """A rounded box with a rule of one unit inside its edge."""
        edges = tuple(self._units(edge) for edge in (left, top, right, bottom))
        corner = self._units(radius)
        self._draw.rounded_rectangle(
            (edges[0], edges[1], edges[2] - 1, edges[3] - 1),
            corner,
            fill=self._ink(fill),
            outline=self._ink(rule),
            width=self.factor,
        )

    def stroke(self, left: float, right: float, y: float, *, width: float, fill: str) -> None:
        """A level line."""
        top = self._units(y - width / 2)
        self._draw.rectangle(
            (self._units(left), top, self._units(right) - 1, top + self._units(width) - 1),
            fill=self._ink(fill),
        )

    def node(self, x: float, y: float, radius: float, *, fill: str) -> None:
        """A filled circle."""
        edges = (x - radius, y - radius, x + radius, y + radius)
        self._draw.ellipse(tuple(self._units(edge) for edge in edges), fill=self._ink(fill))

    def text(self, x: float, y: float, text: str, *, size: float, fill: str, bold: bool = False) -> None:
        """One line from x, on the baseline y."""
        left = float(self._units(x))
        for font, run in _runs(text, size=size * self.factor, bold=bold):
            self._draw.text((left, self._units(y)), run, font=font, fill=self._ink(fill), anchor="ls")
            left += font.getlength(run)

    def width_of(self, text: str, *, size: float, bold: bool = False) -> float:
        """How wide the line is."""
        runs = _runs(text, size=size * self.factor, bold=bold)
        return sum(font.getlength(run) for font, run in runs) / self.factor

    def fitted(self, text: str, *, size: float, width: float, bold: bool = False) -> str:
        """The text, or as much of it as fits with an ellipsis."""
        length = len(text)
        while length > 1 and self.width_of(sheet.cut(text, length), size=size, bold=bold) > width:
            length -= 1
        return sheet.cut(text, length)

    def png(self) -> bytes:
        """The finished picture, in as many colours as its few inks and their edges need; the inks exactly."""
        small = self._image.reduce(self._over).quantize(COLOURS, method=Image.Quantize.FASTOCTREE)
        flat = small.getpalette("RGBA") or []
        entries = [tuple(flat[place : place + 4]) for place in range(0, len(flat), 4)]
        exact = [next((ink for ink in self._inks if _near(ink, entry)), entry) for entry in entries]
        small.putpalette([part for entry in exact for part in entry], "RGBA")
        file = BytesIO()
        small.save(file, "PNG", optimize=True)
        return file.getvalue()

    def _ink(self, colour: str) -> str:
        """Keep in mind that it is used."""
        self._inks[tuple(bytes.fromhex(colour[1:].ljust(8, "f")))] = None
        return colour

    def _units(self, length: float) -> int:
        return int(length * self.factor + 0.5)


def badge_png(facts: Facts, *, state: str = "valid", theme: str = "light", scale: int = 1) -> bytes:
    """The badge of these facts as PNG, 268 x 92 times `scale`, transparent outside its corners.

    Raises KeyError for an unknown theme, ValueError for a scale that there is not, and as `badge_text` does.
    """
    if scale not in SCALES:
        raise ValueError(f"The badge is drawn at {SCALES}, not at {scale}.")
    return _badge(badges.badge_text(facts, state=state), badges.THEMES[theme], scale)


@lru_cache(maxsize=256)
def _badge(text: BadgeText, colours: Theme, scale: int) -> bytes:
    canvas = Canvas(badges.WIDTH, badges.HEIGHT, scale=scale, over=OVER, background=colours.card + "00")
    canvas.box(0, 0, badges.WIDTH, badges.HEIGHT, radius=10, fill=colours.card, rule=colours.rule)
    canvas.stroke(25, 49, 23, width=3, fill=colours.line)
    canvas.node(21, 23, 6, fill=colours.line)
    canvas.node(21, 23, 3, fill=colours.card)
    canvas.node(52, 23, 5, fill=colours.line)
    for x, y, line, size, fill, bold in (
        (66, 27, text.title, text.title_size, colours.ink, True),
        (16, 47, text.device, 11, colours.ink, False),
        (16, 63, text.project, 10.5, colours.soft, False),
        (16, 79, text.code, 9.5, colours.line, False),
    ):
        fitting = canvas.fitted(line, size=size, width=badges.WIDTH - 12 - x, bold=bold)
        canvas.text(x, y, fitting, size=size, fill=fill, bold=bold)
    return canvas.png()


def card_text(facts: Facts, *, state: str = "valid") -> CardText:
    """The picture's words: the amount, or the state that took its place."""
    wording = wording_by_id(str(facts["wording"]))
    text = badges.badge_text(facts, state=state)
    day = sheet.day_text(str(facts["issued_at"]), wording)
    return CardText(
        state=_state_label(state, wording),
        title=text.title,
        product=badges.shown(str(facts["product"])),
        project=f"{badges.shown(str(facts['project_title']))} · {day}",
        code=str(facts["certificate"]),
        demo="" if facts["livemode"] else say("certificate_demo", wording=wording),
        steps=tuple(say(f"step_{step}", wording=wording) for step in STEPS),
        done=state == "valid",
    )


def _state_label(state: str, wording: Wording) -> str:
    return say("state_certified", wording=wording) if state == "valid" else badges.state_title(state, wording)


def card_png(facts: Facts, *, state: str = "valid") -> bytes:
    """The picture of a record, 1200 x 630: the amount or the state, product, project, code and the line.

    Names no owner and no serial number.
    """
    return _card(card_text(facts, state=state))


@lru_cache(maxsize=64)
def _card(text: CardText) -> bytes:
    canvas = Canvas(CARD_WIDTH, CARD_HEIGHT, scale=1, over=CARD_OVER, background=PAPER)
    canvas.stroke(LEFT + 14, LEFT + 62, 92, width=7, fill=LINE)
    canvas.node(LEFT + 12, 92, 12, fill=LINE)
    canvas.node(LEFT + 12, 92, 6, fill=PAPER)
    canvas.node(LEFT + 66, 92, 12, fill=LINE)
    canvas.text(LEFT + 96, 103, "Clearline", size=34, fill=INK, bold=True)
    pill = DONE if text.done else WAITING
    if text.done:  # else the title says it
        label = canvas.width_of(text.state, size=24, bold=True)
        canvas.box(RIGHT - label - 48, 68, RIGHT, 118, radius=25, fill=PAPER, rule=pill)
        canvas.text(RIGHT - label - 24, 102, text.state, size=24, fill=pill, bold=True)
    size = next(
        (s for s in (76, 64, 54) if canvas.width_of(text.title, size=s, bold=True) <= RIGHT - LEFT), 44
    )
    title = canvas.fitted(text.title, size=size, width=RIGHT - LEFT, bold=True)
    canvas.text(LEFT, 258, title, size=size, fill=INK if text.done else pill, bold=True)
    for y, line, size, fill in ((330, text.product, 42, INK), (386, text.project, 30, SOFT)):
        canvas.text(LEFT, y, canvas.fitted(line, size=size, width=RIGHT - LEFT), size=size, fill=fill)
    _spine(canvas, text)
    canvas.text(LEFT, 580, text.code, size=28, fill=LINE)
    if text.demo:
        left = RIGHT - canvas.width_of(text.demo, size=24)
        canvas.text(left, 580, text.demo, size=24, fill=WAITING)
    return canvas.png()


def _spine(canvas: Canvas, text: CardText) -> None:
    """The line from the device to the public log; its nodes are open when it does not hold any more."""
    size = next(
        (s for s in (22, 20, 18) if sum(canvas.width_of(label, size=s) for label in text.steps) < SPINE_ROOM),
        16,
    )
    widths = [canvas.width_of(label, size=size) for label in text.steps]
    gap = (RIGHT - LEFT - sum(widths)) / (len(widths) - 1)
    places = [LEFT + sum(widths[:number]) + gap * number for number in range(len(widths))]
    canvas.stroke(places[0] + 12, places[-1] + 12, 460, width=6, fill=LINE)
    for left, label in zip(places, text.steps, strict=True):
        canvas.node(left + 12, 460, 12, fill=LINE)
        if not text.done:
            canvas.node(left + 12, 460, 6, fill=PAPER)
        canvas.text(left, 506, label, size=size, fill=SOFT)


def _near(ink: tuple[int, ...], colour: tuple[int, ...]) -> bool:
    """Whether two colours differ by no more than merging does; what is not seen is left alone."""
    return ink[3] == 255 and all(abs(one - other) <= 3 for one, other in zip(ink, colour, strict=True))


def _runs(text: str, *, size: float, bold: bool) -> Iterator[tuple[Font, str]]:
    """The text in pieces, each with a font that has its characters."""
    for path, characters in groupby(text, key=lambda character: _font_for(character, bold)):
        yield _font(path, size), "".join(characters)


@lru_cache(maxsize=128)
def _font(path: str, size: float) -> Font:
    return ImageFont.truetype(path, size)


@lru_cache(maxsize=4_096)
def _font_for(character: str, bold: bool) -> str:
    """The certificate's font, or another one that has the character; where none has, its box is drawn."""
    path = _matching(f"{FONT}:bold" if bold else FONT)
    if ord(character) in _characters(path):
        return path
    other = _matching(f"sans-serif:scalable=true:color=false:charset={ord(character):x}")
    return other if ord(character) in _characters(other) else path


@lru_cache(maxsize=4_096)
def _matching(pattern: str) -> str:
    answer = subprocess.run(  # noqa: S603 a fixed program, and a pattern of ours
        ["fc-match", "-f", "%{file}", pattern],  # noqa: S607 wherever the system keeps it
        capture_output=True,
        text=True,
        check=True,
        timeout=10,
    )
    return answer.stdout


@cache
def _characters(path: str) -> frozenset[int]:
    with TTFont(path, fontNumber=0, lazy=True) as font:
        return frozenset(font.getBestCmap())
