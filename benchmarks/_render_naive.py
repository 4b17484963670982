"""The naive way: `HTML(string=page).write_pdf()` with WeasyPrint's defaults, in a process of its own.

It is handed pages that are made already, with their QR code, and neither attaches nor saves anything.
"""

import json
import sys
import time

from weasyprint import HTML


def on_one_sheet(pages: list[str]) -> str:
    """The page that is on the paper: the first that fits."""
    return next(page for page in pages if len(HTML(string=page).render().pages) == 1)


def main() -> None:
    pages = [on_one_sheet(each) for each in json.loads(sys.stdin.readline())["pages"]]
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        took = []
        for number in range(json.loads(line)["count"]):
            began = time.perf_counter()
            HTML(string=pages[number % len(pages)]).write_pdf()
            took.append(time.perf_counter() - began)
        print(json.dumps({"took": took}), flush=True)


if __name__ == "__main__":
    main()
