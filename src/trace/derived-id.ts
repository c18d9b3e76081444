/** Ids for what nobody gave one: inferred segments, embedded subsegments without an id, placeholders of broken links. */
import { parseSpanId, type SpanId, type TraceId } from './ids.ts';

/**
 * A span id that follows from the trace and a text: the same on every assembly, in every process. Not a secret and not
 * collision-proof against an attacker: 64 bits of a mixing hash (two lanes of 32-bit multiplications, MurmurHash3's finaliser).
 */
export function deriveSpanId(traceId: TraceId, text: string): SpanId {
  let high = 0x9e3779b9;
  let low = 0x85ebca6b;
  for (const part of [traceId, '/', text]) {
    for (let index = 0; index < part.length; index += 1) {
      const code = part.charCodeAt(index);
      high = Math.imul(high ^ code, 0x01000193);
      low = Math.imul(low ^ code, 0x5bd1e995);
      low ^= low >>> 15;
    }
  }
  const first = finish(high ^ (low >>> 3));
  return (hex8(first) + hex8(finish(low ^ Math.imul(first, 0x9e3779b1)))) as SpanId;
}

/**
 * The span id that a document states. Text that is not 16 hexadecimal digits is hashed, so that references to it still meet;
 * undefined when there is none: not a string, empty, or all zeros (how OTLP spells "no parent").
 */
export function readSpanId(traceId: TraceId, value: unknown): SpanId | undefined {
  if (typeof value !== 'string' || value === '' || value === '0000000000000000') return undefined;
  return parseSpanId(value) ?? deriveSpanId(traceId, `text ${value}`);
}

function finish(lane: number): number {
  let mixed = lane;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

function hex8(lane: number): string {
  return lane.toString(16).padStart(8, '0');
}
