"""The process that renders: reads one request a time from stdin, answers on stdout, ends when stdin closes.

It knows no database, no settings and no secrets. A message is four bytes of length and JSON; an answer is one
byte (1 = PDF, 0 = what is wrong with the page, 2 = what went wrong in this process, which must not be asked
again), four bytes of length and the content. Memory is limited here, to what the parent says; time by the
parent, which kills a child that takes too long.
"""

import json
import os
import resource
import signal
import struct
import sys
from datetime import datetime
from typing import Any, BinaryIO


def main(requests: BinaryIO, answers: BinaryIO, *, memory_limit: int) -> None:
    """Answer until the input ends. Ctrl-C is for the parent: we end when it does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (memory_limit, memory_limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from certificates import rendering  # noqa: PLC0415 after the limits

    rendering.glyphs()
    answers.write(b"\x01")  # ready: whatever fails from here on is the page's fault
    answers.flush()
    while header := requests.read(4):
        message = json.loads(requests.read(struct.unpack(">I", header)[0]))
        fine, content = answer(message)
        answers.write(struct.pack(">BI", fine, len(content)) + content)
        answers.flush()


def answer(message: dict[str, Any]) -> tuple[int, bytes]:
    """1 and the PDF, 0 and what is wrong with the page, or 2 and what went wrong here."""
    from certificates import rendering  # noqa: PLC0415 after the limits

    identifier = bytes.fromhex(message["digest"])[:16]
    try:
        if "sheet" in message:
            file = message["attached"]
            content = rendering.render_sheets(
                page=message["sheet"],
                attached=rendering.AttachedFile(**file | {"content": file["content"].encode()})
                if file
                else None,
                created=datetime.fromisoformat(message["created"]),
                identifier=identifier,
            )
        else:
            content = rendering.render_pdf(
                pages=message["pages"],
                certificate_json=message["certificate_json"].encode(),
                issued_at=datetime.fromisoformat(message["issued_at"]),
                identifier=identifier,
            )
    except rendering.CannotRender as error:
        return 0, str(error).encode()
    except MemoryError:
        return 2, b"wanted more memory than its limit"
    # Whatever one page raises, a bug of the renderer too, or a library that is out of memory and does not say
    # so: the parent is told, and tries the next page in a process whose state is known.
    except Exception as error:  # noqa: BLE001 the parent is told, and replaces this process
        return 2, f"failed with {type(error).__name__}: {error}".encode()[:1000]
    return 1, content


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not stand between answers
    main(sys.stdin.buffer, answers, memory_limit=int(sys.argv[1]))
