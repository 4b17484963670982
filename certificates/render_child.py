"""The process that renders: reads one request a time from stdin, answers on stdout, ends when stdin
closes.

A message is four bytes of length and JSON; an answer is one byte (1 = PDF, 0 = what is wrong), four bytes
of length and the content. Memory is limited here, time by the parent, which kills a child that takes too
long.
"""

import json
import os
import resource
import struct
import sys
from typing import BinaryIO

MEMORY_LIMIT = 1_500_000_000  # address space; a page takes about 70 MB of memory


def main(requests: BinaryIO, answers: BinaryIO) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import django  # noqa: PLC0415 after the limits

    django.setup()
    from certificates.rendering import render_pdf  # noqa: PLC0415 needs Django's templates

    while header := requests.read(4):
        message = json.loads(requests.read(struct.unpack(">I", header)[0]))
        try:
            content, fine = (
                render_pdf(**{**message, "certificate_json": message["certificate_json"].encode()}),
                1,
            )
        except Exception as error:  # noqa: BLE001 whatever it is, the parent is told and the next one is tried
            content, fine = f"{type(error).__name__}: {error}".encode()[:1000], 0
        answers.write(struct.pack(">BI", fine, len(content)) + content)
        answers.flush()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not stand between answers
    main(sys.stdin.buffer, answers)
