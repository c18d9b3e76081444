const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const WELL_FORMED = /^[A-Za-z0-9+/_-]*={0,2}$/;

/** Standard base64 with padding (RFC 4648 section 4). Written out because neither `Buffer` nor `btoa` is everywhere that this runs. */
export function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let pos = 0; pos < bytes.length; pos += 3) {
    const left = bytes.length - pos;
    const bits = (bytes[pos]! << 16) | ((left > 1 ? bytes[pos + 1]! : 0) << 8) | (left > 2 ? bytes[pos + 2]! : 0);
    text += DIGITS.charAt(bits >> 18) + DIGITS.charAt((bits >> 12) & 63);
    text += left > 1 ? DIGITS.charAt((bits >> 6) & 63) : '=';
    text += left > 2 ? DIGITS.charAt(bits & 63) : '=';
  }
  return text;
}

/** Reads standard or URL-safe base64, padded or not; undefined when it is neither. */
export function parseBase64(text: string): Uint8Array | undefined {
  if (!WELL_FORMED.test(text)) return undefined;
  const digits = text.replace(/=+$/, '');
  if (digits.length % 4 === 1) return undefined;
  const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4));
  let bits = 0;
  let at = 0;
  for (let index = 0; index < digits.length; index++) {
    bits = (bits << 6) | digitValue(digits.charCodeAt(index));
    if (index % 4 === 3) {
      bytes[at++] = (bits >> 16) & 255;
      bytes[at++] = (bits >> 8) & 255;
      bytes[at++] = bits & 255;
      bits = 0;
    }
  }
  if (digits.length % 4 === 2) bytes[at] = (bits >> 4) & 255;
  if (digits.length % 4 === 3) {
    bytes[at++] = (bits >> 10) & 255;
    bytes[at] = (bits >> 2) & 255;
  }
  return bytes;
}

/** Value of a digit of either alphabet, given its character code. */
function digitValue(code: number): number {
  if (code >= 97) return code === 95 ? 63 : code - 71;
  if (code >= 65) return code === 95 ? 63 : code - 65;
  if (code >= 48) return code + 4;
  return code === 47 ? 63 : 62;
}
