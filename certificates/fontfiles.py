"""Embedded fonts as small as they can be: bare outlines, keyed by the numbers that the page's text uses.

The renderer embeds OpenType files whose glyphs keep their numbers, with an empty outline and a name for each
of the thousands that are not used. A PDF needs neither names nor empty glyphs: it reads outlines, and the
number (CID) of each (ISO 32000-1, 9.9, `CIDFontType0C`; Adobe Technical Note 5176). The outlines' bytes are
copied, so nothing looks different. Without this a certificate is half as large again.
"""

import io
import struct
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

import pydyf  # type: ignore[import-untyped]  # ships no types
from fontTools.cffLib import CFFFontSet, Index  # type: ignore[import-untyped]  # ships no types
from fontTools.misc.psCharStrings import encodeFloat, encodeIntCFF  # type: ignore[import-untyped]
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]  # ships no types

# Operators of a CFF dictionary.
FONT_BBOX, CHARSET, CHAR_STRINGS, PRIVATE = b"\x05", b"\x0f", b"\x11", b"\x12"
FONT_MATRIX, ROS, CID_COUNT = b"\x0c\x07", b"\x0c\x1e", b"\x0c\x22"
FD_ARRAY, FD_SELECT = b"\x0c\x24", b"\x0c\x25"
DEFAULT_WIDTH, NOMINAL_WIDTH = b"\x14", b"\x15"
OWN_STRINGS = 391  # a font's own strings are numbered from here


def slim(pdf: pydyf.PDF) -> None:
    """Replace each OpenType file with CFF outlines by its bare outlines, in place."""
    for descriptor, cids in _used(pdf):
        stream = pdf.objects[_number(descriptor["FontFile3"])]
        [file] = stream.stream
        if outlines := bare_outlines(file, cids=cids, name=descriptor["FontName"].lstrip(b"/")):
            stream.stream = [outlines]
            stream.extra["Subtype"] = "/CIDFontType0C"


class Written(pydyf.Stream):  # type: ignore[misc]  # ships no types
    """A stream that is compressed once, and not again each time that its bytes are asked for."""

    def __init__(self, stream: pydyf.Stream) -> None:
        super().__init__()
        self.number = stream.number
        self._data: bytes = stream.data

    @property
    def data(self) -> bytes:
        return self._data


def compress_once(pdf: pydyf.PDF) -> None:
    """The writer wants every object's bytes twice, for the file and for its identifier."""
    for place, stream in enumerate(pdf.objects):
        if isinstance(stream, pydyf.Stream):
            pdf.objects[place] = Written(stream)


def _used(pdf: pydyf.PDF) -> Iterable[tuple[pydyf.Dictionary, set[int]]]:
    """A descriptor of each OpenType file, with every CID that some font of the PDF takes from it."""
    found: dict[bytes, tuple[pydyf.Dictionary, set[int]]] = {}
    for font in pdf.objects:
        if isinstance(font, pydyf.Dictionary) and font.get("Subtype") == "/CIDFontType0":
            descriptor = pdf.objects[_number(font["FontDescriptor"])]
            found.setdefault(descriptor["FontFile3"], (descriptor, set()))[1].update(_cids(font["W"]))
    return found.values()


def _cids(widths: Sequence[int | Sequence[float]]) -> Iterable[int]:
    """The CIDs of a font's widths, which are [first [width, width, ...] first [...] ...]."""
    for first, run in zip(widths[::2], widths[1::2], strict=True):
        yield from range(first, first + len(run))  # type: ignore[arg-type, operator]  # alternating


def _number(reference: bytes) -> int:
    """The object that "12 0 R" refers to."""
    return int(reference.split()[0])


def bare_outlines(file: bytes, *, cids: Iterable[int], name: bytes) -> bytes | None:
    """The glyphs with these numbers of an OpenType file, as a CID-keyed CFF font of this name.

    None when the file is keyed or shares parts of outlines in a way that this cannot copy.
    """
    table, font = io.BytesIO(TTFont(io.BytesIO(file)).reader["CFF "]), CFFFontSet()
    font.decompile(table, otFont=None)
    top = font.topDictIndex[0]
    private = top.Private.rawDict
    if font.GlobalSubrs or "Subrs" in private or "ROS" in top.rawDict:
        return None
    table.seek(top.rawDict["CharStrings"])
    outlines = Index(
        table
    )  # by number: reading the names that `top.CharStrings` goes by takes most of the time
    kept = [0, *sorted(set(cids) - {0})]
    return _cff(
        name=name,
        cids=kept,
        outlines=[outlines[cid] for cid in kept],
        box=top.rawDict.get("FontBBox", [0, 0, 0, 0]),
        matrix=top.rawDict.get("FontMatrix", [0.001, 0, 0, 0.001, 0, 0]),
        private=private,
    )


def _cff(
    *,
    name: bytes,
    cids: Sequence[int],
    outlines: Sequence[bytes],
    box: Sequence[float],
    matrix: Sequence[float],
    private: Mapping[str, float],
) -> bytes:
    """A CID-keyed CFF font with one font dictionary. Offsets have five bytes, so lengths are known before."""
    charset = b"\0" + b"".join(struct.pack(">H", cid) for cid in cids[1:])
    select = b"\x03" + struct.pack(">HHBH", 1, 0, 0, len(cids))  # every glyph has dictionary 0
    widths = _operator(DEFAULT_WIDTH, private.get("defaultWidthX", 0)) + _operator(
        NOMINAL_WIDTH, private.get("nominalWidthX", 0)
    )
    glyphs = _index(outlines)

    def top(charset_at: int, select_at: int, glyphs_at: int, fonts_at: int) -> bytes:
        return _index(
            [
                _operator(ROS, OWN_STRINGS, OWN_STRINGS + 1, 0)
                + _operator(FONT_BBOX, *box)
                + _operator(FONT_MATRIX, *matrix)
                + _operator(CID_COUNT, max(cids) + 1)
                + _offset(CHARSET, charset_at)
                + _offset(FD_SELECT, select_at)
                + _offset(CHAR_STRINGS, glyphs_at)
                + _offset(FD_ARRAY, fonts_at)
            ]
        )

    head, strings = b"\x01\x00\x04\x04" + _index([name]), _index([b"Adobe", b"Identity"]) + _index([])
    begin = len(head) + len(top(0, 0, 0, 0)) + len(strings)
    parts = (charset, select, widths, glyphs)
    charset_at, select_at, widths_at, glyphs_at, fonts_at = accumulate(map(len, parts), initial=begin)
    fonts = _index([_offset(PRIVATE, len(widths), widths_at)])
    return b"".join((head, top(charset_at, select_at, glyphs_at, fonts_at), strings, *parts, fonts))


def _index(items: Sequence[bytes]) -> bytes:
    """An INDEX: how many, where each begins, and all of them."""
    if not items:
        return b"\0\0"
    ends = list(accumulate(map(len, items), initial=1))
    size = (ends[-1].bit_length() + 7) // 8
    return b"".join(
        [struct.pack(">HB", len(items), size), *(end.to_bytes(size, "big") for end in ends), *items]
    )


def _operator(operator: bytes, *numbers: float) -> bytes:
    """An entry of a dictionary."""
    encoded: list[bytes] = [
        encodeIntCFF(int(number)) if number == int(number) else encodeFloat(number) for number in numbers
    ]
    return b"".join(encoded) + operator


def _offset(operator: bytes, *numbers: int) -> bytes:
    """An entry whose numbers always have five bytes, whatever they are."""
    return b"".join(b"\x1d" + struct.pack(">i", number) for number in numbers) + operator
