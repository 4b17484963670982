#!/usr/bin/env python3
"""Recompute every invariant of an exported ledger. Standard library only; imports nothing of the project.

Usage: python3 -I tools/verify_export.py DIR
Prints each row that is wrong and ends with 1; 0 when all is well, 2 when the files do not read.
"""

import hashlib
import json
import sys
from collections import defaultdict
from pathlib import Path

GRAMS_PER_CREDIT = 1_000_000
FORMAT = "clearline-ledger/2"


class Unreadable(Exception):
    """The folder is not an export, or a file of it was cut or changed."""


def read(folder):
    """Every table as {id: row}; raises Unreadable when a file is missing, changed, cut, or not in order."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="ascii"))
        if manifest["format"] != FORMAT:
            raise Unreadable(f"format is {manifest['format']!r}, not {FORMAT!r}")
        tables = {}
        for name, entry in manifest["files"].items():
            content = (folder / f"{name}.jsonl").read_bytes()
            if hashlib.sha256(content).hexdigest() != entry["sha256"]:
                raise Unreadable(f"{name}.jsonl is not the file that was written")
            rows = [json.loads(line) for line in content.splitlines()]
            tables[name] = {row["id"]: row for row in rows}
            if len(tables[name]) != entry["rows"]:
                raise Unreadable(f"{name}.jsonl has {len(tables[name])} rows, not {entry['rows']}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from error
    return tables


def credits_of(row):
    return row["last_number"] - row["first_number"] + 1


def serials_of(row, blocks):
    return f"{blocks[row['block_id']]['series']}-{row['first_number']} to {row['last_number']}"


def check_credits(tables):
    """Each credit stands once, inside its block; a retirement has exactly its run, a void one nothing."""
    blocks, seen = tables["blocks"], set()
    per_block, per_retirement = defaultdict(set), defaultdict(set)
    for row in tables["credits"].values():
        block, unit = blocks[row["block_id"]], (row["series"], row["number"])
        if unit in seen:
            yield f"credit {row['id']}", f"{row['series']}-{row['number']} stands twice"
        seen.add(unit)
        if (
            row["series"] != block["series"]
            or not block["first_number"] <= row["number"] <= block["last_number"]
        ):
            yield f"credit {row['id']}", "lies outside its block"
        per_block[row["block_id"]].add(row["number"])
        if row["retirement_id"] is not None:
            per_retirement[row["retirement_id"]].add((row["block_id"], row["number"]))
    for row in blocks.values():
        if len(per_block[row["id"]]) != credits_of(row):
            yield (
                f"block {row['id']}",
                f"has {len(per_block[row['id']])} credits, its range {credits_of(row)}",
            )
    for row in tables["retirements"].values():
        run = {(row["block_id"], number) for number in range(row["first_number"], row["last_number"] + 1)}
        if per_retirement[row["id"]] != (set() if row["state"] == "void" else run):
            yield f"retirement {row['id']}", f"{row['reference']} does not hold exactly its run"
        block = blocks[row["block_id"]]
        if (row["project_id"], row["livemode"]) != (block["project_id"], block["livemode"]):
            yield (
                f"retirement {row['id']}",
                f"{row['reference']} is of another project or mode than its block",
            )


def check_proof(tables):
    """A confirmed retirement has an attempt for exactly its run, and a receipt that says the same."""
    attempts = {row["retirement_id"]: row for row in tables["attempts"].values()}
    outcomes = {row["attempt_id"]: row for row in tables["outcomes"].values() if row["kind"] == "confirmed"}
    for row in tables["retirements"].values():
        attempt = attempts.get(row["id"])
        outcome = outcomes.get(attempt["id"]) if attempt else None
        asked = {"credit_serials": serials_of(row, tables["blocks"]), "credits": credits_of(row)}
        if (row["attempted_at"] is None) != (attempt is None):
            yield f"retirement {row['id']}", "attempted_at and the attempt disagree"
        if attempt and any(attempt["intent"].get(key) != value for key, value in asked.items()):
            yield f"attempt {attempt['id']}", "asked for something else"
        if attempt and attempt["intent"].get("request_id") != row["request_id"]:
            yield f"attempt {attempt['id']}", "carries another request id"
        if (row["state"] == "confirmed") != (outcome is not None):
            yield f"retirement {row['id']}", f"is {row['state']}, its outcome says otherwise"
        if outcome:
            said = {**asked, "registry_reference": row["registry_reference"], "retired_on": row["retired_on"]}
            if any(outcome["receipt"].get(key) != value for key, value in said.items()):
                yield f"outcome {outcome['id']}", "the receipt is not what was recorded"


def check_spans(tables):
    """Spans are whole confirmed retirements or reversed intervals; allocations tile them up to `next_g`."""
    firsts, intervals = {}, defaultdict(list)
    allocations, spans = tables["allocations"], tables["spans"]
    for row in allocations.values():
        intervals[row["span_id"]].append((row["from_g"], row["to_g"], row["id"]))
    for span in spans.values():
        if span["reverses_id"] is None:
            if span["retirement_id"] in firsts:
                yield f"span {span['id']}", "is a second whole span of its retirement"
            firsts[span["retirement_id"]] = span
        else:
            old = allocations[span["reverses_id"]]
            same = (spans[old["span_id"]]["retirement_id"], old["from_g"], old["to_g"])
            if (span["retirement_id"], span["from_g"], span["to_g"]) != same:
                yield f"span {span['id']}", "is not the interval that it reverses"
        end = span["from_g"]
        for from_g, to_g, number in sorted(intervals[span["id"]]):
            if from_g != end or to_g <= from_g:
                yield f"allocation {number}", f"[{from_g}, {to_g}) does not follow the interval before it"
            end = to_g
        if end != span["next_g"] or end > span["to_g"]:
            yield f"span {span['id']}", f"next_g is {span['next_g']}, its intervals end at {end}"
    for row in tables["retirements"].values():
        span = firsts.get(row["id"])
        whole = (0, credits_of(row) * GRAMS_PER_CREDIT) if row["state"] == "confirmed" else None
        if (span and (span["from_g"], span["to_g"])) != whole:
            yield f"retirement {row['id']}", f"is {row['state']} and its span is not the whole of it"


def check_offsets(tables):
    """No gram has two owners; a covered live offset has exactly its grams, any other none; one per device."""
    spans, retirements, offsets = tables["spans"], tables["retirements"], tables["offsets"]
    reversed_ids = {span["reverses_id"] for span in spans.values()} - {None}
    given, held, per_retirement, devices = defaultdict(int), defaultdict(int), defaultdict(list), {}
    for row in tables["allocations"].values():
        retirement, offset = retirements[spans[row["span_id"]]["retirement_id"]], offsets[row["offset_id"]]
        if (retirement["project_id"], retirement["livemode"]) != (offset["project_id"], offset["livemode"]):
            yield f"allocation {row['id']}", "crosses projects or modes"
        if retirement["beneficiary"] not in ("", offset["beneficiary"]):
            yield f"allocation {row['id']}", "gives grams that were retired in another's name"
        given[offset["id"]] += row["to_g"] - row["from_g"]
        if row["id"] in reversed_ids:
            continue
        held[offset["id"]] += row["to_g"] - row["from_g"]
        per_retirement[retirement["id"]].append((row["from_g"], row["to_g"], row["id"]))
    for rows in per_retirement.values():
        end = 0
        for from_g, to_g, number in sorted(rows):
            if from_g < end:
                yield f"allocation {number}", f"[{from_g}, {to_g}) overlaps another device's grams"
            end = max(end, to_g)
    for row in offsets.values():
        live = row["ended_at"] is None
        if given[row["id"]] != (row["amount_g"] if row["covered_at"] else 0):
            yield f"offset {row['id']}", f"was given {given[row['id']]} g of {row['amount_g']} g"
        if held[row["id"]] != (row["amount_g"] if live and row["covered_at"] else 0):
            yield f"offset {row['id']}", f"holds {held[row['id']]} g of {row['amount_g']} g"
        columns = ("manufacturer", "device_serial", "boundary", "period", "supplement", "livemode")
        device = tuple(row[name] for name in columns)
        if live and devices.setdefault(device, row["id"]) != row["id"]:
            yield f"offset {row['id']}", "covers a device that is covered already"


def check_counters(tables):
    """stocked = credits; committed = reservations + live offsets; kept = what names have beyond their own
    promises; never more promised than stocked.
    """
    stocked, committed = defaultdict(int), defaultdict(int)
    for row in tables["blocks"].values():
        stocked[row["project_id"], row["livemode"]] += credits_of(row) * GRAMS_PER_CREDIT
    live = [row for row in tables["offsets"].values() if row["ended_at"] is None]
    for row in [*tables["reservations"].values(), *live]:
        committed[row["project_id"], row["livemode"]] += row["amount_g"]
    kept = kept_for_names(tables)
    counters = {(row["project_id"], row["livemode"]): row for row in tables["stocks"].values()}
    for pair in sorted(stocked.keys() | committed.keys() | counters.keys()):
        row = counters.get(pair, {"id": None, "stocked_g": 0, "committed_g": 0, "kept_g": 0})
        sums = (stocked[pair], committed[pair], kept[pair])
        if (row["stocked_g"], row["committed_g"], row["kept_g"]) != sums:
            yield f"stock {row['id']}", f"project {pair[0]}: the counters are not the sum of the rows"
        if committed[pair] > stocked[pair]:
            yield f"stock {row['id']}", f"project {pair[0]}: more is promised than stocked"


def kept_for_names(tables):
    """Grams by project and mode that are or will be retired in a name, beyond what its devices wait for."""
    stands, kept = defaultdict(int), defaultdict(int)
    for row in tables["retirements"].values():
        if row["state"] in ("open", "needs_person"):
            stands[row["project_id"], row["livemode"], row["beneficiary"]] += (
                credits_of(row) * GRAMS_PER_CREDIT
            )
    for span in tables["spans"].values():
        row = tables["retirements"][span["retirement_id"]]
        stands[row["project_id"], row["livemode"], row["beneficiary"]] += span["to_g"] - span["next_g"]
    for row in tables["offsets"].values():
        if row["covered_at"] is None and row["ended_at"] is None:
            stands[row["project_id"], row["livemode"], row["beneficiary"]] -= row["amount_g"]
    for (project, livemode, name), amount_g in stands.items():
        if name:
            kept[project, livemode] += max(0, amount_g)
    return kept


CHECKS = (check_credits, check_proof, check_spans, check_offsets, check_counters)


def main(arguments):
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        tables = read(Path(arguments[0]))
        wrong = [(check.__name__, row, detail) for check in CHECKS for row, detail in check(tables)]
    except Unreadable as error:
        print(f"not a readable export: {error}", file=sys.stderr)
        return 2
    except (KeyError, TypeError) as error:
        print(f"a row names another that is not there: {error!r}", file=sys.stderr)
        return 1
    for check, row, detail in wrong:
        print(f"{check}: {row}: {detail}")
    counts = ", ".join(f"{len(rows)} {name}" for name, rows in tables.items())
    print(f"{'WRONG' if wrong else 'ok'}: {counts}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
