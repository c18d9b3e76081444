/**
 * Bytes of the target as text that people can read. Valid UTF-8 stays; every other byte, and control characters that could
 * move a terminal's cursor, become `\x1b` and the like. Tab, newline and carriage return stay.
 */

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g;

/** The text of `bytes`, with escapes for what is not text. */
export function toPrintable(bytes: Uint8Array): string {
  return escapeControls(decode(bytes, bytes.length) ?? decodeByParts(bytes));
}

/** `bytes` as a JSON string with its quotes. A byte that belongs to no character becomes the text `\\xff`. */
export function toJsonText(bytes: Uint8Array): string {
  return JSON.stringify(decode(bytes, bytes.length) ?? decodeByParts(bytes));
}

function escapeControls(text: string): string {
  return text.replace(CONTROL, (character) => hexEscape(character.charCodeAt(0)));
}

function hexEscape(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}

/** Decodes each valid sequence by itself and escapes the bytes that belong to none. */
function decodeByParts(bytes: Uint8Array): string {
  let text = '';
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes[at]!);
    const sequence = length === 0 ? undefined : decode(bytes.subarray(at, at + length), length);
    text += sequence ?? hexEscape(bytes[at]!);
    at += sequence === undefined ? 1 : length;
  }
  return text;
}

/** Undefined when `bytes` are not `length` bytes of valid UTF-8. */
function decode(bytes: Uint8Array, length: number): string | undefined {
  if (bytes.length < length) return undefined;
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Bytes of the UTF-8 sequence that begins with `first`; 0 when none does (RFC 3629). */
function sequenceLength(first: number): number {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  if (first >= 0xf0 && first < 0xf5) return 4;
  return 0;
}
