/** Traffic made beforehand, so that making it costs nothing while we measure: records of a length and bytes, read in order. */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { toOtlpRequest, toSegmentText } from './encode.ts';
import { Random } from './random.ts';
import { makeTrace, type MadeSpan } from './spans.ts';

export type Protocol = 'udp' | 'segments' | 'otlp';

/** Spans of one record: a datagram holds one, a request many. */
export const SPANS_PER_RECORD: Readonly<Record<Protocol, number>> = { udp: 1, segments: 50, otlp: 512 };

export interface TrafficFile {
  readonly path: string;
  readonly spans: number;
  readonly records: number;
  /** Mean size of a span as it is sent. */
  readonly bytesPerSpan: number;
}

/** Writes at least `spans` spans whose traces start evenly from `startSeconds` on, `perSecond` spans a second. */
export function writeTraffic(path: string, protocol: Protocol, spans: number, startSeconds: number, perSecond: number): TrafficFile {
  const random = new Random(spans);
  const fd = openSync(path, 'w');
  const chunks: Buffer[] = [];
  const perRecord = SPANS_PER_RECORD[protocol];
  let pending: MadeSpan[] = [];
  let made = 0;
  let records = 0;
  let bytes = 0;
  let buffered = 0;
  while (made < spans) {
    pending.push(...makeTrace(random, startSeconds + (made + pending.length) / perSecond));
    while (pending.length >= perRecord) {
      const body = encode(protocol, pending.slice(0, perRecord));
      pending = pending.slice(perRecord);
      const head = Buffer.alloc(4);
      head.writeUInt32LE(body.length);
      chunks.push(head, body);
      buffered += body.length + 4;
      bytes += body.length;
      made += perRecord;
      records++;
    }
    if (buffered > 1 << 22) {
      writeSync(fd, Buffer.concat(chunks.splice(0)));
      buffered = 0;
    }
  }
  writeSync(fd, Buffer.concat(chunks));
  closeSync(fd);
  return { path, spans: made, records, bytesPerSpan: bytes / made };
}

function encode(protocol: Protocol, spans: readonly MadeSpan[]): Buffer {
  if (protocol === 'udp') return Buffer.from(`{"format":"json","version":1}\n${toSegmentText(spans[0]!)}`);
  if (protocol === 'segments') return Buffer.from(JSON.stringify({ TraceSegmentDocuments: spans.map(toSegmentText) }));
  return toOtlpRequest(spans);
}

/** Reads records one by one through a large buffer. */
export class TrafficReader {
  readonly #fd: number;
  #buffer: Buffer = Buffer.alloc(0);
  #at = 0;

  constructor(path: string) {
    this.#fd = openSync(path, 'r');
  }

  /** The next record; undefined at the end. Valid until the call after the next. */
  next(): Buffer | undefined {
    if (!this.#fill(4)) return undefined;
    const size = this.#buffer.readUInt32LE(this.#at);
    this.#at += 4;
    if (!this.#fill(size)) return undefined;
    this.#at += size;
    return this.#buffer.subarray(this.#at - size, this.#at);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #fill(size: number): boolean {
    if (this.#buffer.length - this.#at >= size) return true;
    const rest = this.#buffer.subarray(this.#at);
    const grown = Buffer.allocUnsafe(Math.max(1 << 22, size) + rest.length);
    rest.copy(grown);
    const read = readSync(this.#fd, grown, rest.length, grown.length - rest.length, null);
    this.#buffer = grown.subarray(0, rest.length + read);
    this.#at = 0;
    return this.#buffer.length >= size;
  }
}
