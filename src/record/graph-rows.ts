/** Rows as the columns that the service graph is counted from. */
import type { GraphRows } from '../trace/index.ts';
import type { SpanRow } from './span-row.ts';

/** For few traces, whose rows are at hand anyway; many are read from the store as columns. */
export function graphRowsOf(rows: readonly SpanRow[]): GraphRows {
  const hex = (digits: readonly string[]): Uint8Array => Buffer.from(digits.join(''), 'hex');
  return {
    count: rows.length,
    traceIds: hex(rows.map((row) => row.traceId)),
    spanIds: hex(rows.map((row) => row.spanId)),
    parentIds: hex(rows.map((row) => row.parentId.padStart(16, '0'))),
    starts: Float64Array.from(rows, (row) => row.startSeconds + row.startNanos / 1e9),
    durationNanos: Float64Array.from(rows, (row) => row.durationNanos),
    flags: rows.map((row) => row.flags),
    service: rows.map((row) => row.service),
    type: rows.map((row) => row.type),
    peer: rows.map((row) => row.peer),
    peerType: rows.map((row) => row.peerType),
  };
}
