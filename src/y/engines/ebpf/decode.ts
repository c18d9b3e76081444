/** Keys, texts and events as maps and the ring hold them, to values and back. */
import { assert } from '../../../base/index.ts';
import { EVENT, TEXT_HEADER_BYTES, type ArrayLayout, type EventLayout, type PrintLayout } from './ebpf-program.ts';
import { encodeText } from './storage-plan.ts';

/** An integer as its type says (a backtrace's id without sign), or a text's bytes. */
export type StoredPart = bigint | Uint8Array;

export type Event =
  | ({ readonly kind: 'exit' } & EventOrigin)
  | ({
      readonly kind: 'print';
      readonly print: PrintLayout;
      /** One for each of the print's values: a signed integer, a double, or a text. */
      readonly values: readonly (bigint | number | Uint8Array)[];
    } & EventOrigin);

export interface EventOrigin {
  /** Index of the probe. */
  readonly probe: number;
  /** CLOCK_MONOTONIC. */
  readonly timeNs: bigint;
  readonly cpu: number;
  readonly pid: number;
  readonly tid: number;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The text at an offset of a map's value or key; the bytes are copied. */
export function decodeText(bytes: Uint8Array, offset: number, capacity: number): Uint8Array {
  const length = Math.min(view(bytes).getUint32(offset, true), capacity);
  return bytes.slice(offset + TEXT_HEADER_BYTES, offset + TEXT_HEADER_BYTES + length);
}

/** A text as a map's value holds it; longer ones are cut. */
export function encodeStoredText(text: Uint8Array, capacity: number): Uint8Array {
  return encodeText(text, capacity);
}

/** An integer of `size` bytes. */
export function decodeInteger(bytes: Uint8Array, offset: number, size: 1 | 2 | 4 | 8, signed: boolean): bigint {
  let value = 0n;
  for (let index = size - 1; index >= 0; index--) value = (value << 8n) | BigInt(bytes[offset + index]!);
  return signed ? BigInt.asIntN(8 * size, value) : value;
}

/** The parts of an array's key. */
export function decodeKey({ keys }: ArrayLayout, bytes: Uint8Array): StoredPart[] {
  return keys.map((part) => {
    if (part.kind === 'text') return decodeText(bytes, part.offset, part.capacity);
    return part.kind === 'stack' ? decodeInteger(bytes, part.offset, 8, false) : decodeInteger(bytes, part.offset, part.size, part.signed);
  });
}

/** A key from its parts; undefined when a text is longer than any key of this array can be. */
export function encodeKey({ keys, keyBytes }: ArrayLayout, parts: readonly StoredPart[]): Uint8Array | undefined {
  const bytes = new Uint8Array(keyBytes);
  const data = view(bytes);
  for (const [index, part] of keys.entries()) {
    const value = parts[index];
    if (part.kind === 'text') {
      assert(value instanceof Uint8Array, `part ${index} of the key is a text`);
      if (value.length > part.capacity) return undefined;
      bytes.set(encodeText(value, part.capacity), part.offset);
    } else {
      assert(typeof value === 'bigint', `part ${index} of the key is an integer`);
      const size = part.kind === 'stack' ? 8 : part.size;
      for (let byte = 0; byte < size; byte++) data.setUint8(part.offset + byte, Number((value >> BigInt(8 * byte)) & 0xffn));
    }
  }
  return bytes;
}

/** A record of the ring; texts are copied. Undefined for one that the object's programs do not write. */
export function decodeEvent({ prints }: EventLayout, bytes: Uint8Array, offset: number, length: number): Event | undefined {
  if (length < EVENT.values) return undefined;
  const record = bytes.subarray(offset, offset + length);
  const data = view(record);
  const origin: EventOrigin = {
    probe: data.getUint32(EVENT.probe, true),
    timeNs: data.getBigUint64(EVENT.time, true),
    cpu: data.getUint32(EVENT.cpu, true),
    pid: data.getUint32(EVENT.pid, true),
    tid: data.getUint32(EVENT.tid, true),
  };
  const id = data.getUint32(EVENT.id, true);
  if (id === 0) return { kind: 'exit', ...origin };
  const print = prints[id];
  if (print === undefined || length < EVENT.values + 8 * print.values.length) return undefined;
  const values = print.values.map(({ kind }, index) => {
    const at = EVENT.values + 8 * index;
    if (kind === 'float') return data.getFloat64(at, true);
    if (kind !== 'text') return data.getBigInt64(at, true);
    const start = data.getUint32(at, true);
    return record.slice(start, start + data.getUint32(at + 4, true));
  });
  return { kind: 'print', print, values, ...origin };
}
