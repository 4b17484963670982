"""A worker of the rendering benchmark: told what to do by lines of JSON on stdin, it answers with one each.

It renders certificates as the sweep does: page and QR code made, rendered in the process that renders, saved
through to the disk, and its row and event written. Each worker has a database and a home of its own.
"""

import json
import sys
import time
from html import escape
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.utils import timezone

LANGUAGES = ("en", "de", "sv", "fr", "es")


class Work:
    """Five certificates, one in each language, rendered again and again."""

    def __init__(self) -> None:
        from certificates import rendering_pool, services  # noqa: PLC0415 the settings come first
        from certificates.models import Certificate  # noqa: PLC0415
        from tests.factories.certificates import make_certificate  # noqa: PLC0415

        call_command("migrate", verbosity=0)
        self.pool, self.services, self.table = rendering_pool, services, Certificate.objects
        self.certificates = [
            make_certificate(
                f"PF{number}X1234",
                wording=f"eu-consumer-{language}-1",
                language=language,
                beneficiary="Zoë & Søn AB",
            )
            for number, language in enumerate(LANGUAGES)
        ]

    def facts(self) -> dict[str, Any]:
        """Each certificate's pages, from much air to little; its texts block by block; its code's address."""
        from claims.markup import visible_text  # noqa: PLC0415

        pages = [self.pool.request_for(certificate)["pages"] for certificate in self.certificates]
        return {
            "pages": pages,
            "texts": [
                [escape(block) for block in visible_text(each[0]).split("\n\n") if block.strip()]
                for each in pages
            ],
            "addresses": [f"{settings.SITE_URL}/c/{each.code}/" for each in self.certificates],
        }

    def render(self, *, count: int = 0, until: float = 0.0) -> dict[str, Any]:
        """So many certificates, or as many as there is time for; wall seconds each, without the resetting."""
        took: list[float] = []
        while len(took) < count or time.time() < until:
            certificate = self.certificates[len(took) % len(self.certificates)]
            default_storage.delete(self.services.file_name(certificate.code))
            self.table.filter(pk=certificate.pk).update(rendered_at=None, pdf="")
            began = time.perf_counter()
            done = self.services.render_certificate(certificate, now=timezone.now(), actor="bench")
            took.append(time.perf_counter() - began)
            assert done, "a certificate was not rendered"
        return {"took": took}

    def size(self) -> dict[str, Any]:
        """The largest of the files, in bytes."""
        names = [self.services.file_name(certificate.code) for certificate in self.certificates]
        return {"bytes": max(default_storage.size(name) for name in names)}

    def memory(self, *, count: int) -> dict[str, Any]:
        """Resident memory of the rendering process after so many more, in KiB; it is not started anew."""
        self.pool.RENDERS_PER_PROCESS = 10**9
        for number in range(count):
            self.pool.render(self.certificates[number % len(self.certificates)])
        child = self.pool.renderer._child
        assert child is not None
        status = Path(f"/proc/{child.pid}/status").read_text()
        return {"kib": int(status.partition("VmRSS:")[2].split()[0]), "process": child.pid}

    def loop(self, *, until: float) -> dict[str, Any]:
        """How often a bare loop of the processor goes round."""
        rounds, total = 0, 0
        while time.time() < until:
            for number in range(20_000):
                total += number * number % 7
            rounds += 1
        return {"rounds": rounds}


def main() -> None:
    django.setup()
    work = Work()
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(getattr(work, order.pop("do"))(**order)), flush=True)


if __name__ == "__main__":
    main()
