/** Records of a program's ring as text. */
import { assert } from '../base/index.ts';
import {
  decodeEvent,
  describeInteger,
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
export function describeEvent(
  program: Program,
  layout: EventLayout,
  record: Uint8Array,
  namesOf: (pid: number) => Describer,
): SessionEvent {
  const event = decodeEvent(layout, record, 0, record.length);
  assert(event !== undefined, 'a record that the program does not write');
  if (event.kind === 'exit') return { kind: 'exit' };
  const { print, pid } = event;
  const values = event.values.map((value, index): PrintValue => {
    if (typeof value === 'number') return { kind: 'float', value };
    if (value instanceof Uint8Array) return { kind: 'text', bytes: value };
    const how = print.values[index]!;
    return how.kind === 'described' ? { kind: 'string', text: describeInteger(namesOf(pid), how.as, value) } : { kind: 'integer', value };
  });
  return { kind: 'text', stream: print.stream, text: formatText(program.formats[print.format]!, values) };
}
