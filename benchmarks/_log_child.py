"""A process of the log's benchmark: a log of so many entries, and the services on it. See _ledger_child."""

import statistics
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from random import Random
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any

import django

from benchmarks._ledger_child import Meter, Work, answer

CHECKPOINT_EVERY = 1_000
RETIRE_EVERY = 250  # so many claims to a retirement
COLUMNS = "livemode, index, data, retirement_id, certificate_id, allocation_id, created_at"


class LogWork(Work):
    """Fills the sandbox's log, and works on it through the services."""

    def fill_log(self, *, entries: int) -> dict[str, Any]:
        """Claims, certificates and retirements, and a log of them as the sequencer writes it."""
        from django.db import connection  # noqa: PLC0415 the settings come first

        from benchmarks import _ledger_floor  # noqa: PLC0415

        _ledger_floor.fill(self.project(0), devices=entries - entries // RETIRE_EVERY)
        with without_triggers() as cursor:
            cursor.execute(CERTIFICATES)
            cursor.execute("UPDATE offsets_deviceoffset SET certified_at = now()")
            cursor.execute(RETIREMENTS, [entries // RETIRE_EVERY])
            cursor.execute(ENTRIES)
            rows = cursor.fetchall()
            size = write_log(cursor, rows)
            cursor.execute("UPDATE certificates_certificate SET checkpoint_id = (SELECT max(id) FROM"
                           " certificates_logcheckpoint)")  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        return {"size": size}

    def append(self, *, count: int) -> dict[str, Any]:
        """Enter and sign `count` certificates, issued before the clock starts."""
        from django.utils import timezone  # noqa: PLC0415

        from certificates import publiclog, services  # noqa: PLC0415

        facts: dict[str, Any] = {"now": timezone.now(), "actor": "bench"}
        self.cycle(project=1, count=count)
        while services.issue_certificates(**facts):
            pass
        began, entered = Meter(), 0
        while checkpoint := publiclog.append(livemode=False, **facts):
            entered = checkpoint.size
        publiclog.sign_checkpoints(livemode=False)
        return {"size": entered, **began.read()}

    def prove(self, *, count: int, seed: int) -> dict[str, Any]:
        """Proofs of `count` entries anywhere in the log, one at a time, each with its checkpoint as a
        certificate holds it; milliseconds of the median one.
        """
        from certificates.logtree import inclusion_proofs  # noqa: PLC0415
        from certificates.models import LogCheckpoint  # noqa: PLC0415
        from certificates.translog.proofs import Proof  # noqa: PLC0415

        rng, took = Random(seed), []  # noqa: S311 no secret
        newest = LogCheckpoint.objects.filter(livemode=False).latest("size").size
        for _ in range(count):
            index = rng.randrange(newest)
            began = time.perf_counter()
            checkpoint = LogCheckpoint.objects.get(livemode=False, size=newest)
            [path] = inclusion_proofs([index], checkpoint)
            text = str(Proof(index, tuple(path), checkpoint.text))
            took.append(1_000 * (time.perf_counter() - began))
            assert len(text) > len(checkpoint.text)
        return {"ms": statistics.median(took)}

    def certify(self, *, count: int) -> dict[str, Any]:
        """`certificate.json` of the newest `count` certificates; milliseconds of the median one."""
        from certificates.models import Certificate  # noqa: PLC0415
        from certificates.publiclog import certificate_json  # noqa: PLC0415

        took = []
        for row in Certificate.objects.select_related("checkpoint").order_by("-pk")[:count]:
            began = time.perf_counter()
            certificate_json(row)
            took.append(1_000 * (time.perf_counter() - began))
        return {"ms": statistics.median(took)}

    def mirror(self, *, path: str) -> dict[str, Any]:
        """Write the whole log as files."""
        from certificates.mirroring import mirror  # noqa: PLC0415

        began = time.perf_counter()
        size = mirror(Path(path), livemode=False)
        return {"size": size, "seconds": time.perf_counter() - began}

    def audit(self, *, path: str) -> dict[str, Any]:
        """The stranger's tool on these files, from its start to its verdict: wall and CPU seconds."""
        tool = Path(__file__).resolve().parents[1] / "tools" / "audit_log.py"
        before, began = getrusage(RUSAGE_CHILDREN), time.perf_counter()
        said = subprocess.run([sys.executable, "-I", tool, path], stdout=subprocess.PIPE, text=True)
        seconds, after = time.perf_counter() - began, getrusage(RUSAGE_CHILDREN)
        assert said.returncode == 0, said.stdout
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return {"seconds": seconds, "cpu": cpu}


CERTIFICATES = """
INSERT INTO certificates_certificate (code, offset_id, livemode, state, facts, nonce, digest, wording,
    language, issued_at, rendered_at, render_attempts, problem, pdf, pdf_sha256)
SELECT 'BENCH-' || id, id, false, 'valid', '{"amount_g": 500000}', sha256(id::text::bytea),
    encode(sha256(('d' || id)::bytea), 'hex'), wording, language, now(), now(), 0, '', 'x.pdf', ''
FROM offsets_deviceoffset WHERE id NOT IN (SELECT offset_id FROM certificates_certificate)"""

# Retirements beside the one that holds the filled claims, so that there are as many as a log would have.
RETIREMENTS = """
INSERT INTO offsets_retirement (reference, request_id, project_id, block_id, livemode, adapter,
    first_number, last_number, state, beneficiary, reason, created_at, attempted_at, looks, confirmed_at,
    registry_reference, retired_on, problem)
SELECT 'CL-B-' || number, gen_random_uuid(), project_id, block_id, livemode, adapter,
    last_number + 125 * number - 124, last_number + 125 * number, state, '', 'bench', created_at,
    attempted_at, looks, confirmed_at, 'BENCH', retired_on, ''
FROM offsets_retirement, generate_series(1, %s) AS run(number) WHERE reference = 'CL-FILL'"""

# Every retirement, its range and day; then every interval, its retirement and its certificate's digest.
ENTRIES = """
SELECT 0 AS kind, retirement.id, NULL AS certificate, registry.code, block.series || '-',
    retirement.first_number, retirement.last_number, retirement.retired_on::text
FROM offsets_retirement AS retirement JOIN offsets_creditblock AS block ON block.id = retirement.block_id
    JOIN projects_project AS project ON project.id = retirement.project_id
    JOIN projects_registry AS registry ON registry.id = project.registry_id
WHERE retirement.state = 'confirmed'
UNION ALL
SELECT 1, allocation.id, certificate.id, span.retirement_id::text, '', allocation.from_g, allocation.to_g,
    certificate.digest
FROM offsets_allocation AS allocation JOIN offsets_span AS span ON span.id = allocation.span_id
    JOIN certificates_certificate AS certificate ON certificate.offset_id = allocation.offset_id
ORDER BY 1, 2"""


@contextmanager
def without_triggers() -> Iterator[Any]:
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        yield cursor
        cursor.execute("SET session_replication_role = origin")


def write_log(cursor: Any, rows: list[tuple[Any, ...]]) -> int:
    """Entries, nodes and signed checkpoints of these rows; the log's size."""
    from certificates.logkeys import key_of, signer_of  # noqa: PLC0415
    from certificates.translog.checkpoints import Checkpoint  # noqa: PLC0415
    from certificates.translog.merkle import Tree, leaf_hash  # noqa: PLC0415

    tree, signer, key = Tree(), signer_of(livemode=False), key_of(livemode=False)
    entries, nodes, checkpoints, indexes = StringIO(), StringIO(), StringIO(), {}
    for index, row in enumerate(rows):
        if row[0] == 0:
            indexes[row[1]] = index
        text = retire_text(row) if row[0] == 0 else alloc_text(row, indexes[int(row[3])])
        names = (row[1], "\\N", "\\N") if row[0] == 0 else ("\\N", row[2], row[1])
        data = text.replace("\n", "\\n")
        entries.write("\t".join(map(str, ("f", index, data, *names, "2026-11-24 12:00+00"))) + "\n")
        for level, place, value in tree.append(leaf_hash(text.encode())):
            nodes.write(f"f\t{level}\t{place}\t\\\\x{value.hex()}\n")
        if (index + 1) % CHECKPOINT_EVERY == 0 or index + 1 == len(rows):
            root = tree.root()
            signed = signer.sign(Checkpoint(signer.origin, index + 1, root)).replace("\n", "\\n")
            checkpoints.write(f"f\t{index + 1}\t{b64encode(root).decode()}\t{signed}\t2026-11-24 12:00+00\n")
    for table, columns, content in (
        ("logentry", COLUMNS, entries),
        ("lognode", "livemode, level, index, hash", nodes),
        ("logcheckpoint", "livemode, size, root, text, created_at", checkpoints),
    ):
        content.seek(0)
        cursor.cursor.copy_expert(f"COPY certificates_{table} ({columns}) FROM STDIN", content)
    cursor.execute(
        "INSERT INTO certificates_loghead (livemode, size, origin, public_key) VALUES (false, %s, %s, %s)",
        [len(rows), key.origin, key.public.hex()],
    )
    return len(rows)


def retire_text(row: tuple[Any, ...]) -> str:
    registry, prefix, first, last, day = row[3:]
    return f"clearline/1 retire\n{registry}\n{prefix}{first} to {last}\n{last - first + 1}\n{day}\n"


def alloc_text(row: tuple[Any, ...], retire: int) -> str:
    from_g, to_g, digest = row[5:]
    commitment = b64encode(bytes.fromhex(digest)).decode()
    return f"clearline/1 alloc\n{retire} {from_g} {to_g}\n{commitment}\n"


def main() -> None:
    django.setup()
    answer(LogWork())


if __name__ == "__main__":
    main()
