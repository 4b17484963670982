"""R18: the ledger's guards, deleted one at a time in a copy of the checkout; the tests named must turn red.

A guard that no test misses is one that nobody would miss when it is lost. At least 95 % must be missed.
"""

import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

from tests.soak.bars import Bar, say

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns(".venv", ".git", "var", "__pycache__", "*.pyc", "staticfiles")
ENOUGH = 0.95
TEST_S = 300

STOCK, HOLDING = "offsets/ledger/stock.py", "offsets/ledger/holding.py"
SETTING_ASIDE, DEALING = "offsets/ledger/setting_aside.py", "offsets/ledger/dealing.py"
RETIRING, PROMISING = "offsets/retiring.py", "offsets/promising.py"
CORRECTING, TRIGGERS = "offsets/correcting.py", "offsets/triggers.py"
CONSTRAINTS = ("tests/offsets/test_constraints.py",)
MET = "tests/offsets/test_guards.py"
REFUSALS = ("tests/offsets/test_refusals.py",)
HISTORY = (MET, "tests/offsets/test_triggers.py")
CREDITS = ("tests/concurrency/test_last_credits.py", "tests/offsets/test_ledger.py")
SWEEPS = (MET, "tests/concurrency/test_sweeps_beside_themselves.py", "tests/offsets/test_settle.py")
BOTH = ("tests/offsets/test_ledger.py", *SWEEPS)


@dataclass(frozen=True)
class Guard:
    """`old` stands once in `file`; with `new` in its place the guard is gone."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    postgresql: bool = False  # a row lock, which SQLite has not


def constraint(name: str, file: str) -> Guard:
    return Guard(name, file, f'name="{name}"', "", CONSTRAINTS)


def trigger(old: str, new: str = "") -> Guard:
    return Guard(f"trigger {old}", TRIGGERS, old, new, HISTORY)


GUARDS = (
    *(
        constraint(name, f"offsets/models/{file}.py")
        for file, names in {
            "stock": (
                *("never_sell_more_than_stock", "one_stock_per_project_and_mode", "block_range_forward"),
                *("block_starts_once", "reservation_amount_positive"),
            ),
            "retirements": (
                *("credit_exists_once", "retirement_range_forward", "confirmed_names_its_proof"),
                "confirmed_once",
            ),
            "devices": (
                *("idempotency_key_once", "one_live_offset_per_device", "offset_amount_positive"),
                "ended_says_how",
            ),
            "grams": (
                *("span_counter_inside", "one_first_span_per_retirement", "gram_allocated_once"),
                "allocation_not_empty",
            ),
        }.items()
        for name in names
    ),
    constraint("event_sequence_once", "common/models.py"),
    Guard(
        "one attempt for each retirement",
        "offsets/models/retirements.py",
        'retirement = models.OneToOneField(Retirement, on_delete=models.PROTECT, related_name="attempt")',
        'retirement = models.ForeignKey(Retirement, on_delete=models.PROTECT, related_name="attempt")',
        CONSTRAINTS,
    ),
    trigger('*append_only("offsets.CreditBlock"),'),
    trigger('*append_only("offsets.Attempt"),'),
    trigger('*append_only("offsets.AttemptOutcome"),'),
    trigger('*append_only("offsets.Allocation"),'),
    trigger('*append_only("offsets.OffsetRequest"),'),
    trigger('no_delete("offsets.Credit"),'),
    trigger('no_delete("offsets.Retirement"),'),
    trigger('no_delete("offsets.Span"),'),
    trigger('no_delete("offsets.DeviceOffset"),'),
    trigger('no_delete("offsets.ProjectStock"),'),
    trigger('condition=f"{_SAME_RANGE} OR {_CONFIRMED}"', 'condition=f"{_SAME_RANGE}"'),
    trigger("OLD.state IN ('confirmed', 'void') OR ", ""),
    trigger('condition="NEW.next_g < OLD.next_g OR NEW.from_g', 'condition="NEW.from_g'),
    trigger("OLD.ended_at IS NOT NULL OR NEW.amount_g <> OLD.amount_g", "OLD.ended_at IS NOT NULL"),
    Guard(
        "history is append-only",
        "common/apps.py",
        'triggers.register(*triggers.append_only("common.Event"))',
        "",
        HISTORY,
    ),
    Guard(
        "no more than the stock is promised",
        STOCK,
        " AND committed_g + kept_g <= stocked_g - %s",
        " AND %s > 0",
        CREDITS,
    ),
    Guard(
        "what stands in a name is sold to nobody else",
        STOCK,
        " AND committed_g + kept_g <= stocked_g - %s",
        " AND committed_g <= stocked_g - %s",
        ("tests/offsets/test_own_name.py",),
    ),
    Guard(
        "an alarm stops selling",
        STOCK,
        " AND alarm = ''",
        "",
        ("tests/offsets/test_reconcile.py",),
    ),
    Guard(
        "the ledger refuses to run outside a transaction",
        STOCK,
        "if not transaction.get_connection().in_atomic_block:",
        "if False:",
        CREDITS,
    ),
    Guard(
        "a free credit only is set aside, and the whole run",
        SETTING_ASIDE,
        "if moved != retirement.credits:",
        "if False:",
        (*BOTH, "tests/offsets/test_hold.py"),
    ),
    Guard(
        "each span moves from where it was read",
        DEALING,
        ' AND {table}.next_g = wanted.old_g"',
        '"',
        SWEEPS,
    ),
    Guard(
        "a claim ends once",
        DEALING,
        "DeviceOffset.objects.filter(pk=offset.pk, ended_at=None).update(\n        ended_at=now",
        "DeviceOffset.objects.filter(pk=offset.pk).update(\n        ended_at=now",
        BOTH,
    ),
    Guard(
        "only what waits is covered",
        DEALING,
        "pk__in=keys, covered_at=None, ended_at=None",
        "pk__in=keys",
        BOTH,
    ),
    Guard(
        "an offset is covered whole or not at all",
        DEALING,
        "if offset.amount_g > surplus_g:",
        "if surplus_g <= 0:",
        BOTH,
    ),
    Guard(
        "the project's lock",
        STOCK,
        "return ProjectStock.objects.select_for_update().get(",
        "return ProjectStock.objects.get(",
        SWEEPS,
        postgresql=True,
    ),
    Guard(
        "reservations are locked before they are consumed",
        HOLDING,
        "rows = list(reservations.select_for_update().order_by",
        "rows = list(reservations.order_by",
        CREDITS,
        postgresql=True,
    ),
    Guard(
        "one caller begins the attempt",
        RETIRING,
        "filter(pk=retirement.pk, state=Retirement.State.OPEN, attempted_at=None).update(",
        "filter(pk=retirement.pk, state=Retirement.State.OPEN).update(",
        SWEEPS,
    ),
    Guard(
        "what ended is not asked for",
        RETIRING,
        "if not asks and not Retirement.objects.filter(pk=retirement.pk, state=Retirement.State.OPEN)"
        ".exists():",
        "if False:",
        SWEEPS,
    ),
    Guard(
        "after an attempt we only look",
        RETIRING,
        "if not asks and registry.idempotent_on_request_id:",
        "if not asks:",
        SWEEPS,
    ),
    Guard(
        "a receipt that differs is not confirmed",
        RETIRING,
        "            differences = receipt.differences(intent)",
        "            differences: list[str] = []",
        SWEEPS,
    ),
    Guard(
        "an outcome is recorded under the row's lock",
        RETIRING,
        "    locked = Retirement.objects.select_for_update().get(pk=retirement.pk)\n"
        "    if locked.state in {Retirement.State.CONFIRMED, Retirement.State.VOID}:",
        "    locked = Retirement.objects.get(pk=retirement.pk)\n"
        "    if locked.state in {Retirement.State.CONFIRMED, Retirement.State.VOID}:",
        SWEEPS,
        postgresql=True,
    ),
    Guard(
        "what is settled is not settled again",
        RETIRING,
        "    if locked.state in {Retirement.State.CONFIRMED, Retirement.State.VOID}:",
        "    if False:",
        SWEEPS,
    ),
    Guard(
        "what may have happened is not freed",
        RETIRING,
        "if locked.attempted_at and not certainly_refused(locked):",
        "if False:",
        SWEEPS,
    ),
    Guard(
        "one refusal of two calls does not free",
        RETIRING,
        "outcomes.isdisjoint({kind.AGAIN, kind.DIFFERS})",
        "True",
        SWEEPS,
    ),
    Guard(
        "a registry that refuses and confirms is not believed",
        RETIRING,
        "if AttemptOutcome.Kind.REFUSED in _outcomes(locked):",
        "if False:",
        SWEEPS,
    ),
    Guard(
        "what was freed and is retired after all stops its project",
        RETIRING,
        "            _stop_freed(",
        "            (lambda *_, **__: None)(",
        SWEEPS,
    ),
    Guard(
        "who looked before the registry was asked looks again",
        RETIRING,
        "if locked.state == Retirement.State.NEEDS_PERSON != (seen or retirement.state):",
        "if False:",
        REFUSALS,
    ),
    Guard(
        "what another person entered as done is not freed",
        RETIRING,
        "if done := second_person.entered_as_done(locked, besides=actor, now=now):",
        'if done := "":',
        REFUSALS,
    ),
    Guard(
        "two persons contradict a refusal",
        RETIRING,
        " or certainly_refused(retirement)",
        "",
        REFUSALS,
    ),
    Guard(
        "a slip of staff is compared with the intent",
        RETIRING,
        "    if differences:\n        raise ReceiptDiffers",
        "    if False:\n        raise ReceiptDiffers",
        SWEEPS,
    ),
    Guard(
        "staff do not enter what an adapter answers",
        RETIRING,
        "if registry_for(retirement.adapter).unattended and",
        "if False and",
        SWEEPS,
    ),
    Guard(
        "a second click retires nothing",
        RETIRING,
        "if seen is not None and",
        "if False and",
        SWEEPS,
    ),
    Guard(
        "a restored database calls no registry",
        RETIRING,
        "    epoch.require_running(now=now)\n",
        "",
        ("tests/offsets/test_hold.py",),
    ),
    Guard(
        "the same key with another body is refused",
        PROMISING,
        "if existing.body_digest != digest:",
        "if False:",
        CREDITS,
    ),
    Guard(
        "a device named twice is refused",
        PROMISING,
        "    if doubled:\n",
        "    if False:\n",
        CREDITS,
    ),
    Guard(
        "a covered claim is not cancelled",
        CORRECTING,
        "if offset.covered_at or offset.ended_at:\n"
        '        raise Conflict("Credits were retired for this device already; reverse',
        'if False:\n        raise Conflict("Credits were retired for this device already; reverse',
        BOTH,
    ),
    Guard(
        "an uncovered claim is not reversed",
        CORRECTING,
        "if not offset.covered_at or offset.ended_at:\n"
        '        raise Conflict("Only a claim that credits were retired for can be reversed.")',
        "",
        BOTH,
    ),
    Guard(
        "cancelling takes the project's lock",
        CORRECTING,
        '"""Take back a promise before its grams are covered. Raises Conflict when it is covered or has '
        'ended."""\n    ledger.lock(project_id=offset.project_id, livemode=offset.livemode)\n',
        '"""Take back a promise."""\n',
        SWEEPS,
        postgresql=True,
    ),
    Guard(
        "opening takes the project's lock",
        RETIRING,
        "ledger.lock_running(\n        project_id=project.pk, livemode=livemode\n    )",
        "(\n        None\n    )",
        SWEEPS,
        postgresql=True,
    ),
    Guard(
        "a second person enters the same",
        "offsets/second_person.py",
        "return bool(others)",
        "return True",
        ("tests/offsets/test_second_person.py",),
    ),
    Guard(
        "a differing second entry is refused",
        "offsets/second_person.py",
        "if differences := _differences(other, kind=kind, entry=entry):",
        "if differences := []:",
        ("tests/offsets/test_second_person.py",),
    ),
    Guard(
        "only credits that are free are adopted",
        "offsets/deciding.py",
        "return None if block is None or taken.exists() else block",
        "return block",
        ("tests/offsets/test_second_person.py",),
    ),
    Guard(
        "grams in a name go to that beneficiary",
        DEALING,
        'queues[names.get(span, "")].append(span)',
        'queues[""].append(span)',
        ("tests/offsets/test_own_name.py",),
    ),
    Guard(
        "allocating takes the project's lock",
        "offsets/covering.py",
        "    ledger.lock_running(project_id=project_id, livemode=livemode)\n    covered =",
        "    covered =",
        SWEEPS,
        postgresql=True,
    ),
)


def run(n: int, seed: int) -> list[str]:
    """Up to `n` guards, in an order that the seed chooses; on SQLite all but the row locks."""
    guards = [guard for guard in GUARDS if connection.vendor == "postgresql" or not guard.postgresql]
    random.Random(seed).shuffle(guards)
    chosen = guards[:n]
    survived = [text for guard in chosen if (text := survives(guard))]
    for text in survived:
        say(f"R18 survived: {text}")
    say(f"R18: {len(chosen) - len(survived)} of {len(chosen)} guards were missed by a test")
    return survived if len(survived) > len(chosen) * (1 - ENOUGH) else []


def control(n: int, seed: int) -> list[str]:
    """Nothing is deleted: the tests stay green, and that is reported as a guard that nobody misses."""
    same = Guard("nothing", DEALING, "import json\n", "import json\n", CONSTRAINTS)
    return [text for _ in range(n) if (text := survives(same))]


def survives(guard: Guard) -> str:
    """Delete the guard in a copy and run its tests; returns what is wrong when they stay green."""
    with tempfile.TemporaryDirectory(prefix="clearline-guards-", dir=os.environ["CLEARLINE_HOME"]) as folder:
        copy = Path(folder) / "checkout"
        shutil.copytree(ROOT, copy, ignore=LEFT_OUT, symlinks=True)
        path = copy / guard.file
        text = path.read_text()
        if text.count(guard.old) != 1:
            return f"{guard.name}: stands {text.count(guard.old)} times in {guard.file}; mend the list"
        path.write_text(without(text, guard))
        environment = {**os.environ, "TMPDIR": folder, "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", "pytest", "-q", "-x", "--no-header", "--nomigrations"]
        command += ["-p", "no:cacheprovider", *(test for test in guard.tests if (copy / test).exists())]
        done = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, timeout=TEST_S
        )
    if done.returncode == 0:
        return f"{guard.name}: {', '.join(guard.tests)} stay green without it"
    if done.returncode != 1:
        return f"{guard.name}: the tests could not run: {(done.stdout + done.stderr)[-500:]}"
    return ""


def without(text: str, guard: Guard) -> str:
    """The file without the guard; a constraint goes with the whole call that names it."""
    if not guard.old.startswith("name="):
        return text.replace(guard.old, guard.new)
    place = text.index(guard.old)
    start = max(match.start() for match in re.finditer(r"models\.\w+Constraint\(", text[:place]))
    depth, end = 0, start
    for end in range(text.index("(", start), len(text)):
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        if depth == 0:
            break
    return text[:start] + text[end + 1 :].removeprefix(",")


BAR = Bar(
    name="R18",
    title="guards deleted one at a time",
    gate=len(GUARDS),
    goal=len(GUARDS),
    small=1,
    control_n=1,
    run=run,
    control=control,
)
