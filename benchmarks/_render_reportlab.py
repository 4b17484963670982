"""The same facts drawn by reportlab, with its own QR code, and saved: no tags, no attachment, no PDF/A.

Run by an environment of its own, which has nothing of ours: `python _render_reportlab.py FONT FOLDER`.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from reportlab.graphics import renderPDF  # type: ignore[import-not-found]
from reportlab.graphics.barcode.qr import QrCodeWidget  # type: ignore[import-not-found]
from reportlab.graphics.shapes import Drawing  # type: ignore[import-not-found]
from reportlab.lib.pagesizes import A4  # type: ignore[import-not-found]
from reportlab.lib.styles import ParagraphStyle  # type: ignore[import-not-found]
from reportlab.pdfbase import pdfmetrics  # type: ignore[import-not-found]
from reportlab.pdfbase.ttfonts import TTFont  # type: ignore[import-not-found]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-not-found]
from reportlab.platypus import Paragraph  # type: ignore[import-not-found]

MARGIN, MM = 56.7, 72 / 25.4
STYLE = ParagraphStyle("fact", fontName="Text", fontSize=9, leading=12)


def draw(path: Path, texts: list[str], address: str) -> None:
    """One A4 page: every text as a paragraph that wraps, and the code in the corner."""
    canvas = Canvas(str(path), pagesize=A4)
    height = A4[1] - MARGIN
    for text in texts:
        paragraph = Paragraph(text, STYLE)
        _width, needed = paragraph.wrap(A4[0] - 2 * MARGIN, height)
        height -= needed + 3
        paragraph.drawOn(canvas, MARGIN, height)
    code = QrCodeWidget(address, barLevel="M")
    x1, y1, x2, y2 = code.getBounds()
    side = 26 * MM
    drawing = Drawing(side, side, transform=[side / (x2 - x1), 0, 0, side / (y2 - y1), 0, 0])
    drawing.add(code)
    renderPDF.draw(drawing, canvas, MARGIN, 20)
    canvas.save()
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def main() -> None:
    pdfmetrics.registerFont(TTFont("Text", sys.argv[1]))
    folder = Path(sys.argv[2])
    told: dict[str, Any] = json.loads(sys.stdin.readline())
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        took = []
        for number in range(json.loads(line)["count"]):
            place = number % len(told["texts"])
            began = time.perf_counter()
            draw(folder / f"{place}.pdf", told["texts"][place], told["addresses"][place])
            took.append(time.perf_counter() - began)
        print(json.dumps({"took": took}), flush=True)


if __name__ == "__main__":
    main()
