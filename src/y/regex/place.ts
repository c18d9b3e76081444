/** What lies around a place between two bytes, as far as borders (`^`, `$`, `\b`) can tell. */
import { assertNever } from '../../base/index.ts';
import { hasWordBorder, isWordByte } from './automaton.ts';
import type { Assertion } from './node.ts';

/** The byte before: none, a newline, a letter of a word, another. Only those that matter to the pattern are told apart. */
export type Before = 'start' | 'newline' | 'word' | 'other';

/** What comes before the place behind `byte`. */
export function beforeOf(byte: number, assertions: ReadonlySet<Assertion>): Before {
  if (byte === 10 && assertions.has('line-start')) return 'newline';
  return hasWordBorder(assertions) && isWordByte(byte) ? 'word' : 'other';
}

/** What comes before the subject's first byte. */
export function beforeStart(assertions: ReadonlySet<Assertion>): Before {
  return assertions.has('start') || assertions.has('line-start') ? 'start' : 'other';
}

/** Whether the place between `before` and the byte `after` (undefined at the subject's end) is as `what` says. */
export function holds(what: Assertion, before: Before, after: number | undefined): boolean {
  switch (what) {
    case 'start':
      return before === 'start';
    case 'line-start':
      return before === 'start' || before === 'newline';
    case 'end':
      return after === undefined;
    case 'line-end':
      return after === undefined || after === 10;
    case 'word-border':
      return (before === 'word') !== (after !== undefined && isWordByte(after));
    case 'no-word-border':
      return (before === 'word') === (after !== undefined && isWordByte(after));
    default:
      return assertNever(what);
  }
}
