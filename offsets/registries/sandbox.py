"""A registry for demonstrations, with a journal of its own: a file outside our database, one JSON line a
retirement.

It behaves as a careful registry would: a request id retires once however often it is sent, and a credit that
was retired before is refused. Only serials that begin with `DEMO-` are accepted.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import IO, Any

from django.conf import settings

from offsets.registries.base import Confirmed, Intent, Outcome, Receipt, Refused, Unknown
from offsets.serials import parse_credit_serials


class SandboxRegistry:
    """Retires at once, in its journal (settings.SANDBOX_JOURNAL)."""

    unattended = True
    idempotent_on_request_id = True

    def retire(self, intent: Intent) -> Outcome:
        wanted = parse_credit_serials(intent.credit_serials)
        if intent.livemode or not wanted.demo:
            return Refused("The sandbox registry takes demonstration credits only.")
        with _journal() as file:
            lines = _read(file)
            for line in lines:
                if line["request_id"] == intent.request_id:
                    return Confirmed(_receipt(line))
                held = parse_credit_serials(line["credit_serials"])
                if held.series == wanted.series and held.first <= wanted.last and wanted.first <= held.last:
                    return Refused(f"Credits of {intent.credit_serials} were retired before.")
            line = {
                "request_id": intent.request_id,
                "registry_reference": f"DEMO-{intent.registry}-{len(lines) + 1:06d}",
                "project": intent.project,
                "credit_serials": intent.credit_serials,
                "credits": intent.credits,
                "retired_on": datetime.now(tz=UTC).date().isoformat(),
                "beneficiary": intent.beneficiary,
                "reason": intent.reason,
            }
            file.write(json.dumps(line, sort_keys=True) + "\n")
            file.flush()
            os.fsync(file.fileno())
        return Confirmed(_receipt(line))

    def find(self, intent: Intent) -> Outcome:
        with _journal() as file:
            for line in _read(file):
                if line["request_id"] == intent.request_id:
                    return Confirmed(_receipt(line))
        return Unknown("The sandbox registry knows no such request.")


@contextmanager
def _journal() -> Iterator[IO[str]]:
    """The journal, locked against other processes."""
    path = settings.SANDBOX_JOURNAL
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _read(file: IO[str]) -> list[dict[str, Any]]:
    """Whole lines only: a line cut off by a crash was never answered."""
    file.seek(0)
    text = file.read()
    whole = text[: text.rfind("\n") + 1]
    if len(whole) < len(text):
        file.truncate(len(whole.encode()))
    file.seek(0, os.SEEK_END)
    return [json.loads(line) for line in whole.splitlines()]


def _receipt(line: dict[str, Any]) -> Receipt:
    return Receipt(
        registry_reference=line["registry_reference"],
        project=line["project"],
        credit_serials=line["credit_serials"],
        credits=line["credits"],
        retired_on=date.fromisoformat(line["retired_on"]),
    )
