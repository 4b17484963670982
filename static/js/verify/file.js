/* The certificate in a file that was chosen: certificate.json itself, or the PDF that carries it. */

import { BadJson, parseJson } from "./json.js";

export const MAX_BYTES = 20_000_000;
const LATIN1 = new TextDecoder("latin1"); // one character a byte, so that places are the same

/** The file is no certificate; the code says why. */
export class Unreadable extends Error {
  constructor(code, values = {}) {
    super(code);
    this.code = code;
    this.values = values;
  }
}

/** The parsed JSON. Throws Unreadable. */
export async function readCertificate(file) {
  if (file.size > MAX_BYTES) throw new Unreadable("too_long");
  const data = await bytesIn(file);
  const isPdf = LATIN1.decode(data.subarray(0, 4)) === "%PDF";
  const content = isPdf ? await attachmentOf(data) : data;
  try {
    return parseJson(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content));
  } catch (error) {
    if (error instanceof BadJson || error instanceof TypeError) {
      throw new Unreadable(isPdf ? "attachment_text" : "no_json");
    }
    throw error;
  }
}

async function bytesIn(file) {
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch (error) {
    if (error instanceof DOMException) throw new Unreadable("file_gone"); // a folder, or moved since
    throw error;
  }
}

/** The one attached file of a PDF. A stream is an object of its own, so it is found wherever others are packed. */
async function attachmentOf(data) {
  const pdf = LATIN1.decode(data);
  const places = Array.from(pdf.matchAll(/\/EmbeddedFile\b/g), (match) => match.index);
  if (places.length !== 1) throw new Unreadable("attachments", { count: places.length });
  const word = pdf.indexOf("stream", places[0]);
  if (word < 0) throw new Unreadable("attachment_text");
  const head = pdf.slice(pdf.lastIndexOf(" obj", places[0]), word);
  const start = word + "stream".length + (pdf.startsWith("\r\n", word + "stream".length) ? 2 : 1);
  const end = pdf.indexOf("endstream", start);
  const ends = endsOf(pdf, { head, start, end });
  if (!ends.length) throw new Unreadable("attachment_text");
  if (!head.includes("/FlateDecode")) return data.subarray(start, ends[0]);
  for (const each of ends) {
    const content = await inflate(data.subarray(start, each));
    if (content) return content;
  }
  throw new Unreadable("attachment_text");
}

/** Where the stream's bytes may end: by its length where that stands in place, else before `endstream`. */
function endsOf(pdf, { head, start, end }) {
  const length = /\/Length\s+([0-9]{1,9})\b(?!\s+[0-9]+\s+R)/.exec(head);
  const ends = length && start + Number(length[1]) <= pdf.length ? [start + Number(length[1])] : [];
  if (end < 0) return ends;
  const line = pdf.endsWith("\r\n", end) ? [end - 2] : [];
  return [...ends, ...line, end - 1, end].filter((place) => place >= start);
}

/** What was deflated; null when these bytes are not the whole of it. */
async function inflate(data) {
  if (typeof DecompressionStream === "undefined") throw new Unreadable("no_inflate");
  const pieces = [];
  let length = 0;
  try {
    const stream = new Blob([data]).stream().pipeThrough(new DecompressionStream("deflate"));
    const reader = stream.getReader();
    for (let step = await reader.read(); !step.done; step = await reader.read()) {
      length += step.value.length;
      if (length > MAX_BYTES) {
        await reader.cancel();
        throw new Unreadable("too_long");
      }
      pieces.push(step.value);
    }
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}
