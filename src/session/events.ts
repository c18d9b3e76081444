/** Records of a program's ring as text. */
import { assert } from '../base/index.ts';
import {
  describeInteger,
  EVENT,
  formatText,
  type Describer,
  type EventLayout,
  type PrintLayout,
  type PrintValue,
  type Program,
} from '../y/index.ts';

export type SessionEvent =
  | { readonly kind: 'exit' }
  | { readonly kind: 'text'; readonly stream: PrintLayout['stream']; readonly text: string };

/** @param namesOf what names addresses of a process */
export function decodeEvent(program: Program, layout: EventLayout, record: Uint8Array, namesOf: (pid: number) => Describer): SessionEvent {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  const id = view.getUint32(EVENT.id, true);
  if (id === 0) return { kind: 'exit' };
  const print = layout.prints[id];
  assert(print !== undefined, `a record of an unknown print ${id}`);
  const pid = view.getUint32(EVENT.pid, true);
  const values = print.values.map((value, index) => decodeValue(value, view, record, EVENT.values + 8 * index, () => namesOf(pid)));
  return { kind: 'text', stream: print.stream, text: formatText(program.formats[print.format]!, values) };
}

function decodeValue(
  value: PrintLayout['values'][number],
  view: DataView,
  record: Uint8Array,
  at: number,
  names: () => Describer,
): PrintValue {
  switch (value.kind) {
    case 'integer':
      return { kind: 'integer', value: view.getBigInt64(at, true) };
    case 'float':
      return { kind: 'float', value: view.getFloat64(at, true) };
    case 'text': {
      const start = view.getUint32(at, true);
      return { kind: 'text', bytes: record.subarray(start, start + view.getUint32(at + 4, true)) };
    }
    case 'described':
      return { kind: 'string', text: describeInteger(names(), value.as, view.getBigInt64(at, true)) };
  }
}
