/* Bytes: SHA-256 by the browser (which offers it on https and localhost only), base64 in its one form. */

const encoder = new TextEncoder();

export function bytesOf(text) {
  return encoder.encode(text);
}

export async function sha256(...pieces) {
  const whole = await new Blob(pieces).arrayBuffer();
  return new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
}

export function sameBytes(one, other) {
  return one.length === other.length && one.every((byte, place) => byte === other[place]);
}

export function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function fromHex(text) {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export function toBase64(bytes) {
  return btoa(String.fromCharCode(...bytes));
}

/** Bytes of base64; null when the text is not the one form that base64 gives them. */
export function fromBase64(text) {
  try {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    return btoa(atob(text)) === text ? bytes : null;
  } catch (error) {
    if (error instanceof DOMException) return null;
    throw error;
  }
}
