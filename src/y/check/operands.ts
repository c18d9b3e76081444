/** What a node must be where only some things will do: an array of the script, a text. */
import { nearest, type Expression as Node } from '../syntax/index.ts';
import { decay } from './convert.ts';
import { isChar } from './ctype-tools.ts';
import { arrayOf } from './places.ts';
import { type CheckState, findName, report, snippet, visibleNames } from './state.ts';
import type { Expression } from './typed.ts';
import { DEFAULT_TEXT } from './ytype.ts';

/** The array that a node names; says so when it names none. */
export function getArray(c: CheckState, node: Node): number | undefined {
  const array = arrayOf(c, node);
  if (array !== undefined) return array;
  if (node.kind === 'name' && findName(c, node.name.text) === undefined) {
    const arrays = visibleNames(c).filter((name) => findName(c, name)?.kind === 'array');
    const guess = nearest(node.name.text, arrays);
    report(
      c,
      'unknown-name',
      node.span,
      `there is no array \`${node.name.text}\`${guess === undefined ? '' : `; did you mean \`${guess}\`?`}`,
    );
  } else if (node.kind !== 'error') {
    report(c, 'not-an-array', node.span, `\`${snippet(c, node.span)}\` is not an array of the script`, 'declare it: `long name[int];`');
  }
  return undefined;
}

/** A text to work on: a `_str`, or what a tracee `char *` points to. Undefined when it is neither. */
export function asText(value: Expression, capacity = DEFAULT_TEXT): Expression | undefined {
  if (value.type.kind === 'text') return value;
  const size = value.type.kind === 'remote' && value.type.type.kind === 'array' ? value.type.type.length : undefined;
  const pointer = decay(value);
  if (pointer.type.kind !== 'pointer' || !isChar(pointer.type.target)) return undefined;
  const space = pointer.type.space === 'kernel' ? 'kernel' : 'user';
  const bytes = size === undefined || size === 0 ? capacity : Math.min(size, Math.max(capacity, DEFAULT_TEXT));
  return { kind: 'read-text', address: pointer, length: undefined, space, type: { kind: 'text', capacity: bytes }, at: value.at };
}
