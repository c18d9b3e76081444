/** `_args->field`: the fields of a tracepoint's record. */
import type { CType } from '../../ctypes/index.ts';
import type { Space } from '../ir/program.ts';
import { nearest, type IndexExpression, type MemberExpression } from '../syntax/index.ts';
import { toY } from './convert.ts';
import { pointerTo } from './ctype-tools.ts';
import { constantInteger } from './resolve-type.ts';
import { type CheckState, broken, mistake, place } from './state.ts';
import type { Expression, Place } from './typed.ts';
import { VOID_TYPE, type YType } from './ytype.ts';

export function tracepointField(c: CheckState, node: MemberExpression): Expression {
  const tracepoint = c.fn?.tracepoint;
  if (tracepoint === undefined)
    return mistake(c, 'args', node.span, '`_args` is only there in a `_tracepoint` probe', 'name the parameters of the probe instead');
  const field = tracepoint.fields.find((one) => one.name === node.name.text);
  if (tracepoint.id === 0) {
    const message = `the fields of \`${tracepoint.category}:${tracepoint.name}\` are not known: tracefs, which describes them, cannot be read`;
    return mistake(c, 'tracefs', node.span, message, 'run as root, or mount tracefs: mount -t tracefs nodev /sys/kernel/tracing');
  }
  if (field === undefined) {
    const names = tracepoint.fields.map((one) => one.name);
    const guess = nearest(node.name.text, names);
    const tail = guess === undefined ? '' : `; did you mean \`${guess}\`?`;
    const message = `\`${node.name.text}\` is not a field of the tracepoint \`${tracepoint.category}:${tracepoint.name}\`${tail}`;
    return mistake(c, 'unknown-member', node.name.span, message, guess === undefined ? `it has ${listNames(names)}` : undefined);
  }
  const dataLoc = field.shape === 'data-loc';
  const from: Place = { kind: 'context', offset: field.offset, size: field.size, dataLoc };
  if (dataLoc || (field.shape === 'array' && /\bchar\b/.test(field.type))) {
    return { kind: 'load', place: from, type: { kind: 'text', capacity: dataLoc ? 128 : Math.max(field.size, 1) }, at: place(node.span) };
  }
  if (field.shape === 'array') {
    return mistake(
      c,
      'tracepoint-array',
      node.span,
      `\`${field.name}\` is an array: an index is missing`,
      `write \`_args->${field.name}[0]\``,
    );
  }
  return { kind: 'load', place: from, type: contextType(c, field.type, field.size, field.signed), at: place(node.span) };
}

function contextType(c: CheckState, text: string, size: number, signed: boolean): YType {
  const user = c.fn?.tracepoint?.category === 'syscalls' || text.includes('__user');
  const space: Space = user ? 'user' : 'kernel';
  const plain = text.replaceAll(/\b(const|volatile|__user)\b/g, '').trim();
  const pointer = /^(.*?)\s*(\*+)$/.exec(plain);
  const base = (pointer?.[1] ?? plain).trim();
  let type: CType =
    byName(c, base, space) ?? (pointer ? VOID_TYPE : { kind: 'integer', name: base, size: size as 8, signed, role: 'number' });
  for (let depth = 0; depth < (pointer?.[2]?.length ?? 0); depth++) type = pointerTo(type);
  const y = toY(type, space);
  if (y.kind === 'pointer') return y;
  return y.kind === 'integer' && y.size === size
    ? y
    : {
        kind: 'integer',
        size: size as 8,
        signed,
        bool: false,
        type: { kind: 'integer', name: base, size: size as 8, signed, role: 'number' },
      };
}

function byName(c: CheckState, text: string, space: Space): CType | undefined {
  if (text === 'char') return { kind: 'integer', name: 'char', size: 1, signed: true, role: 'char' };
  const tag = /^(struct|union|enum) (\w+)$/.exec(text);
  return tag ? c.knowledge.findType(tag[2]!, tag[1] as 'struct', 'kernel') : c.knowledge.findType(text, 'any', space);
}

/** `_args->args[2]`. */
export function indexedContext(c: CheckState, node: IndexExpression): Expression | undefined {
  const { object } = node;
  if (object.kind !== 'member' || object.object.kind !== 'name' || object.object.name.text !== '_args') return undefined;
  const field = c.fn?.tracepoint?.fields.find((one) => one.name === object.name.text);
  if (field?.shape !== 'array' || /\bchar\b/.test(field.type)) return undefined;
  const match = /^(.*)\[(\d+)\]$/.exec(field.type);
  const count = Number(match?.[2] ?? 0);
  const index = constantInteger(c, node.indices[0]!, "the index of a tracepoint's array");
  if (index === undefined) return broken(node.span);
  if (index < 0n || index >= BigInt(count))
    return mistake(c, 'out-of-range', node.span, `\`${field.name}\` has ${count} elements, and this is number ${index}`);
  const size = field.size / count;
  const from: Place = { kind: 'context', offset: field.offset + Number(index) * size, size, dataLoc: false };
  return { kind: 'load', place: from, type: contextType(c, match![1]!, size, field.signed), at: place(node.span) };
}

/** Some of these names, for hints. */
export function listNames(names: readonly string[]): string {
  const shown = names.slice(0, 8).map((name) => `\`${name}\``);
  return shown.join(', ') + (names.length > 8 ? ` and ${names.length - 8} more` : '');
}
