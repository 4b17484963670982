/* JSON as tools/verify_certificate.py reads it: objects are Maps whose names stand once, whole numbers are
 * BigInts of any size. 1.0 and 1e3 are fractions, and no fraction, true or null is a whole number. */

export class BadJson extends Error {}

/** A number that is not written as a whole one: whoever looks for grams or for text refuses it. */
export const FRACTION = Symbol("fraction");

const MAX_DEPTH = 64;
const MAX_DIGITS = 4_300;
const BLANK = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/y;
const WORDS = [["true", true], ["false", false], ["null", null]];

/** The value that the text is. Throws BadJson. */
export function parseJson(text) {
  let place = 0;

  function take(pattern) {
    pattern.lastIndex = place;
    const match = pattern.exec(text);
    if (match) place = pattern.lastIndex;
    return match;
  }

  function taken(sign) {
    take(BLANK);
    if (!text.startsWith(sign, place)) return false;
    place += sign.length;
    take(BLANK);
    return true;
  }

  function must(condition) {
    if (!condition) throw new BadJson(`character ${place + 1}`);
  }

  function string() {
    const start = place;
    must(text[place] === '"');
    for (place += 1; text[place] !== '"'; place += text[place] === "\\" ? 2 : 1) must(place < text.length);
    place += 1;
    try {
      return JSON.parse(text.slice(start, place));
    } catch {
      throw new BadJson(`character ${start + 1}`);
    }
  }

  function number() {
    const match = take(NUMBER);
    must(match && match[0].length <= MAX_DIGITS);
    return match[1] || match[2] ? FRACTION : BigInt(match[0]);
  }

  function object(depth) {
    const found = new Map();
    if (taken("}")) return found;
    do {
      const name = string();
      must(!found.has(name) && taken(":"));
      found.set(name, value(depth));
    } while (taken(","));
    must(taken("}"));
    return found;
  }

  function array(depth) {
    const found = [];
    if (taken("]")) return found;
    do found.push(value(depth)); while (taken(","));
    must(taken("]"));
    return found;
  }

  function value(depth) {
    must(depth < MAX_DEPTH);
    if (taken("{")) return object(depth + 1);
    if (taken("[")) return array(depth + 1);
    if (text[place] === '"') return string();
    for (const [word, meaning] of WORDS) if (taken(word)) return meaning;
    return number();
  }

  take(BLANK);
  const whole = value(0);
  take(BLANK);
  must(place === text.length);
  return whole;
}
