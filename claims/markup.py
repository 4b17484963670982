"""What a reader of HTML or SVG sees or hears, as the plain text that the guard reads."""

from collections.abc import Sequence
from html.parser import HTMLParser

_INLINE = frozenset(
    {"a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "dfn", "em", "i", "ins", "kbd", "mark", "q", "s"}
    | {"samp", "small", "span", "strong", "sub", "sup", "time", "u", "var", "wbr"}
)
_LINE = frozenset({"br", "tspan"})
_UNREAD = frozenset({"script", "style", "template"})
_READ_ATTRIBUTES = frozenset(
    {"alt", "aria-description", "aria-label", "content", "label", "placeholder", "title", "value"}
)
_BLOCK_END = "\n\n"


def visible_text(markup: str) -> str:
    """Text, alternative text, labels, button values and meta contents of a page or a drawing.

    Inline tags leave no trace, so "neu<b>tral</b>" reads as one word; blocks are parted by an empty line, so
    that words of two table cells never read as a phrase. Scripts and styles are left out.
    """
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    return "".join(reader.parts).strip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unread_depth = 0

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self._part(tag)
        self._unread_depth += tag in _UNREAD
        for name, value in attrs:
            if name in _READ_ATTRIBUTES and value:
                self.parts.append(f"{_BLOCK_END}{value}{_BLOCK_END}")

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        self._part(tag)
        if tag in _UNREAD and self._unread_depth:
            self._unread_depth -= 1

    def handle_data(self, data: str) -> None:
        if not self._unread_depth:
            self.parts.append(data)

    def _part(self, tag: str) -> None:
        if tag in _LINE:
            self.parts.append("\n")
        elif tag not in _INLINE:
            self.parts.append(_BLOCK_END)
