/* Ed25519 after RFC 8032, as tools/verify_certificate.py has it: one form of a point, one form of a scalar.
 * Browsers' own Ed25519 is younger than many browsers, and leaves odd points to each of them. */

const P = 2n ** 255n - 19n;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const D = mod(-121665n * power(121666n, P - 2n));
const ROOT_OF_MINUS_ONE = power(2n, (P - 1n) / 4n);
const BASE = decodePoint(mod(4n * power(5n, P - 2n)));

function mod(number) {
  const rest = number % P;
  return rest < 0n ? rest + P : rest;
}

function power(base, exponent) {
  let result = 1n;
  for (let square = base; exponent; exponent >>= 1n) {
    if (exponent & 1n) result = mod(result * square);
    square = mod(square * square);
  }
  return result;
}

/** The number that bytes are, the least first. */
function numberOf(bytes) {
  return bytes.reduceRight((number, byte) => (number << 8n) | BigInt(byte), 0n);
}

/** Extended coordinates of a point's number; null when it is none in its one form. */
function decodePoint(number) {
  const sign = number >> 255n;
  const y = number & (2n ** 255n - 1n);
  if (y >= P) return null;
  const square = mod((y * y - 1n) * power(D * y * y + 1n, P - 2n));
  let x = power(square, (P + 3n) / 8n);
  if (mod(x * x) !== square) x = mod(x * ROOT_OF_MINUS_ONE);
  if (mod(x * x) !== square || (x === 0n && sign)) return null;
  if ((x & 1n) !== sign) x = P - x;
  return [x, y, 1n, mod(x * y)];
}

function add(one, other) {
  const a = mod((one[1] - one[0]) * (other[1] - other[0]));
  const b = mod((one[1] + one[0]) * (other[1] + other[0]));
  const c = mod(2n * one[3] * other[3] * D);
  const d = mod(2n * one[2] * other[2]);
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
}

function multiply(scalar, point) {
  let result = [0n, 1n, 1n, 0n];
  for (let rest = scalar, double = point; rest; rest >>= 1n) {
    if (rest & 1n) result = add(result, double);
    double = add(double, double);
  }
  return result;
}

function samePoint(one, other) {
  return mod(one[0] * other[2] - other[0] * one[2]) === 0n && mod(one[1] * other[2] - other[1] * one[2]) === 0n;
}

/** Whether the 64 bytes are this key's signature of the message. */
export async function isSigned(publicKey, message, signature) {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  const key = decodePoint(numberOf(publicKey));
  const commitment = decodePoint(numberOf(signature.subarray(0, 32)));
  const scalar = numberOf(signature.subarray(32));
  if (!key || !commitment || scalar >= ORDER) return false;
  const hashed = new Uint8Array([...signature.subarray(0, 32), ...publicKey, ...message]);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-512", hashed));
  const challenge = numberOf(digest) % ORDER;
  return samePoint(multiply(scalar, BASE), add(commitment, multiply(challenge, key)));
}
