/* Whether a certificate is borne out by the log: the rules of tools/verify_certificate.py, in the browser.
 * Every refusal has a code, for which the page has the sentence, and the values that the sentence names. */

import { bytesOf, fromBase64, fromHex, sameBytes, sha256, toBase64, toHex } from "./bytes.js";
import { isSigned } from "./ed25519.js";

export const GRAMS_PER_CREDIT = 1_000_000n;
const MAX_PARTS = 10_000;
const MAX_FACT = 2n ** 53n;
const REQUIRED_FACTS = ["amount_g", "certificate", "device_serial", "manufacturer", "product", "wording"];
const NUM = "(?:0|[1-9][0-9]{0,17})";
const WHOLE_NUM = new RegExp(`^${NUM}$`);
const INDEX = new RegExp(`^index (${NUM})$`);
const RETIRE = new RegExp(
  "^clearline/1 retire\n([!-~]{1,40})\n([!-~]{0,200}-)" +
    `(${NUM}) to (${NUM})\n(${NUM})\n([0-9]{4}-[0-9]{2}-[0-9]{2})\n$`,
);
const LATER_ORIGIN = new RegExp(`^(.+)/([1-9][0-9]{0,5})/(${NUM})/([0-9a-f]{64})$`);
const DASH = "\u2014";
const HALF_CHARACTER = /\p{Surrogate}/u; // has no bytes in UTF-8

/** The log does not bear the certificate out. */
export class NotValid extends Error {
  constructor(code, values = {}) {
    super(code);
    this.code = code;
    this.values = values;
  }
}

function demand(condition, code, values) {
  if (!condition) throw new NotValid(code, values);
}

function demandBytes(text, length) {
  const bytes = fromBase64(text);
  demand(bytes && (length === undefined || bytes.length === length), "base64", { text: text.slice(0, 60) });
  return bytes;
}

/** What stands before and after the first separator; the second is null where there is none. */
function partition(text, separator) {
  const place = text.indexOf(separator);
  return place < 0 ? [text, null] : [text.slice(0, place), text.slice(place + separator.length)];
}

// The log: key, checkpoint, proofs

/** The log's key, from origin+keyid+key; null when the text is none. */
export async function readKey(text) {
  const [origin, rest] = partition(text.trim(), "+");
  const [keyId, encoded] = partition(rest ?? "", "+");
  const raw = encoded === null ? null : fromBase64(encoded);
  if (!raw || raw.length !== 33 || raw[0] !== 1 || HALF_CHARACTER.test(origin)) return null;
  const digest = await sha256(bytesOf(`${origin}\n`), raw);
  if (toHex(digest.subarray(0, 4)) !== keyId) return null;
  return { origin, id: digest.subarray(0, 4), publicKey: raw.subarray(1) };
}

/** Size and root of a checkpoint that one of the keys has signed, and which key that is. */
async function openCheckpoint(text, keys) {
  const [body, signatures] = partition(text, "\n\n");
  const lines = body.split("\n");
  const signed = (signatures ?? "").split("\n");
  demand(signed.pop() === "" && signed.length > 0 && signed.length <= 16, "no_signature");
  demand(lines.length === 3 && WHOLE_NUM.test(lines[1]), "checkpoint_lines");
  const [origin, size, encodedRoot] = lines;
  const known = keys.filter((key) => key.origin === origin);
  demand(known.length > 0, "other_log", { origin, known: keys.map((key) => key.origin).join(", ") });
  const root = demandBytes(encodedRoot, 32);
  for (const line of signed) {
    const parts = line.split(" ");
    demand(parts.length === 3 && parts[0] === DASH, "signature_line");
    const signature = demandBytes(parts[2]);
    for (const key of known) {
      const ours = parts[1] === origin && sameBytes(signature.subarray(0, 4), key.id);
      if (ours && (await isSigned(key.publicKey, bytesOf(`${body}\n`), signature.subarray(4)))) {
        demandBeforeEnd({ origin, size: BigInt(size), root }, keys);
        return { size: BigInt(size), root, key };
      }
    }
  }
  throw new NotValid("not_signed");
}

/** A later key's origin, BASE/N/SIZE/ROOT, names how the log ended under the key before. */
function demandBeforeEnd({ origin, size, root }, keys) {
  for (const key of keys) {
    const [, base, number, end, endRoot] = LATER_ORIGIN.exec(key.origin) ?? [];
    const former = Number(number) - 1;
    const follows = former === 1 ? origin === `${base}/1` : origin.startsWith(`${base}/${former}/`);
    if (base === undefined || !follows) continue;
    const within = size < BigInt(end) || (size === BigInt(end) && toHex(root) === endRoot);
    demand(within, "ended_key", { origin, size, end: BigInt(end) });
  }
}

function readProof(text) {
  demand(typeof text === "string", "proof_text");
  const [head, checkpoint] = partition(text, "\n\n");
  const lines = head.split("\n");
  const index = INDEX.exec(lines[1] ?? "");
  const known = checkpoint !== null && lines[0] === "c2sp.org/tlog-proof@v1" && lines.length <= 65;
  demand(known && index, "proof_text");
  return { index: BigInt(index[1]), path: lines.slice(2).map((line) => demandBytes(line, 32)), checkpoint };
}

const node = (left, right) => sha256(Uint8Array.of(1), left, right);

/** The root that a proof of inclusion leads to (RFC 9162, 2.1.3.2). */
async function rootOfPath(entry, index, size, path) {
  demand(index < size, "no_entry", { index, size });
  let value = await sha256(Uint8Array.of(0), bytesOf(entry));
  let place = index;
  let last = size - 1n;
  for (const sibling of path) {
    demand(last > 0n, "proof_long");
    if (place & 1n || place === last) {
      value = await node(sibling, value);
      while (place && !(place & 1n)) [place, last] = [place >> 1n, last >> 1n];
    } else {
      value = await node(value, sibling);
    }
    [place, last] = [place >> 1n, last >> 1n];
  }
  demand(last === 0n, "proof_short");
  return value;
}

// One certificate

function hasExactly(value, ...names) {
  return value instanceof Map && value.size === names.length && names.every((name) => value.has(name));
}

/** SHA-256 over tag, nonce and the facts in their canonical form (RFC 8785). */
async function commitmentOf(facts, nonce) {
  demand(facts instanceof Map, "no_facts");
  const isFact = (value) =>
    typeof value === "bigint"
      ? value < MAX_FACT && -value < MAX_FACT
      : typeof value === "string" && !HALF_CHARACTER.test(value);
  for (const [name, value] of facts) {
    demand(/^[\x00-\x7f]*$/.test(name) && isFact(value), "no_fact", { name });
  }
  demand(typeof nonce === "string" && /^[0-9a-f]{64}$/.test(nonce), "nonce");
  const canonical = [...facts.keys()].sort().map((name) => {
    const value = facts.get(name);
    return `${JSON.stringify(name)}:${typeof value === "bigint" ? value : JSON.stringify(value)}`;
  });
  return sha256(bytesOf("clearline/1 cert\n"), fromHex(nonce), bytesOf(`{${canonical.join(",")}}`));
}

function isDay(text) {
  const day = new Date(`${text}T00:00:00Z`);
  return !text.startsWith("0000") && !Number.isNaN(day.valueOf()) && day.toISOString().startsWith(text);
}

/** The retirement that an entry of the log names. */
function readRetirement(text) {
  const match = typeof text === "string" ? RETIRE.exec(text) : null;
  demand(match, "no_retirement");
  const [first, last, credits] = [match[3], match[4], match[5]].map(BigInt);
  demand(last - first + 1n === credits && credits > 0n, "credits_differ");
  demand(isDay(match[6]), "no_retirement");
  return { registry: match[1], prefix: match[2], first, last, credits, retiredOn: match[6] };
}

/** What one part proves. */
async function provePart(part, commitment, checkpointText, { size, root }) {
  demand(hasExactly(part, "retire", "retire_proof", "from_g", "to_g", "alloc_proof"), "part_fields");
  const [fromG, toG, text] = [part.get("from_g"), part.get("to_g"), part.get("retire")];
  const retirement = readRetirement(text);
  demand(typeof fromG === "bigint" && typeof toG === "bigint", "whole_numbers");
  const inside = 0n <= fromG && fromG < toG && toG <= retirement.credits * GRAMS_PER_CREDIT;
  demand(inside, "outside", { from: fromG, to: toG });
  const [retire, alloc] = [readProof(part.get("retire_proof")), readProof(part.get("alloc_proof"))];
  demand(retire.index < alloc.index, "before_retirement");
  const one = retire.checkpoint === checkpointText && alloc.checkpoint === checkpointText;
  demand(one, "two_checkpoints");
  const given = `clearline/1 alloc\n${retire.index} ${fromG} ${toG}\n${toBase64(commitment)}\n`;
  for (const [entry, proof] of [[text, retire], [given, alloc]]) {
    const found = await rootOfPath(entry, proof.index, size, proof.path);
    demand(sameBytes(found, root), "not_in_log", { index: proof.index });
  }
  const start = retirement.first * GRAMS_PER_CREDIT;
  return {
    ...retirement, fromG, toG, firstG: start + fromG, lastG: start + toG, retire: retire.index, alloc: alloc.index,
  };
}

function compare(one, other) {
  return one < other ? -1 : Number(one > other);
}

/** Whether two parts name the same grams of the same credits. */
function overlap(parts) {
  const ordered = [...parts].sort(
    (one, other) =>
      compare(one.registry, other.registry) ||
      compare(one.prefix, other.prefix) ||
      compare(one.firstG, other.firstG),
  );
  return ordered.slice(1).some((part, place) => {
    const before = ordered[place];
    return part.registry === before.registry && part.prefix === before.prefix && before.lastG > part.firstG;
  });
}

/** What the parsed certificate proves, given the keys of the logs that are known. Throws NotValid. */
export async function verify(certificate, keys) {
  demand(hasExactly(certificate, "facts", "nonce", "parts"), "fields");
  const [facts, parts] = [certificate.get("facts"), certificate.get("parts")];
  const commitment = await commitmentOf(facts, certificate.get("nonce"));
  demand(REQUIRED_FACTS.every((name) => facts.has(name)), "facts_missing");
  demand(Array.isArray(parts) && parts.length > 0 && parts.length <= MAX_PARTS, "no_part");
  demand(parts[0] instanceof Map, "part_fields");
  const text = readProof(parts[0].get("alloc_proof")).checkpoint;
  const checkpoint = await openCheckpoint(text, keys);
  const proven = [];
  for (const part of parts) proven.push(await provePart(part, commitment, text, checkpoint));
  const total = proven.reduce((sum, part) => sum + part.toG - part.fromG, 0n);
  const amount = facts.get("amount_g");
  demand(typeof amount === "bigint" && total === amount, "amount", { total, amount });
  demand(!overlap(proven), "twice");
  return { facts, parts: proven, size: checkpoint.size, root: toBase64(checkpoint.root), key: checkpoint.key };
}

/** The very credits of a part's grams, as the registry prints them. */
export function creditsOf(part) {
  return `${part.prefix}${part.firstG / GRAMS_PER_CREDIT} to ${(part.lastG - 1n) / GRAMS_PER_CREDIT}`;
}
