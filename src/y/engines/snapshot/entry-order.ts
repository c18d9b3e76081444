/** Orders of an array's entries that are the same on all engines. */
import type { ValueSpec } from '../../ir/program.ts';
import { readInteger, viewOf } from './bytes.ts';
import type { ArrayEntry, Key, KeyPart } from './storage.ts';

/** Texts that differ in these first bytes are compared here: a call into Node costs as much as this many. */
const SHORT = 32;

/** By unsigned bytes; where one text begins the other, the shorter comes first. hot: for each comparison of a sort. */
export function compareBytes(left: Uint8Array, right: Uint8Array): -1 | 0 | 1 {
  const common = Math.min(left.length, right.length, SHORT);
  for (let index = 0; index < common; index++) {
    const difference = left[index]! - right[index]!;
    if (difference !== 0) return difference < 0 ? -1 : 1;
  }
  if (common < SHORT) return left.length === right.length ? 0 : left.length < right.length ? -1 : 1;
  return Buffer.compare(left, right) as -1 | 0 | 1;
}

/** Numbers by size, texts by unsigned bytes, the first different part deciding. */
export function compareKeys(left: Key, right: Key): number {
  for (let index = 0; index < left.length; index++) {
    const difference = compareParts(left[index]!, right[index]!);
    if (difference !== 0) return difference;
  }
  return 0;
}

function compareParts(left: KeyPart, right: KeyPart): number {
  if (typeof left === 'bigint') return typeof right === 'bigint' ? compareNumbers(left, right) : -1;
  return typeof right === 'bigint' ? 1 : compareBytes(left, right);
}

export function compareNumbers(left: bigint | number, right: bigint | number): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** Entries by value; aggregates by their sum. */
export function compareValues(spec: ValueSpec): (left: ArrayEntry, right: ArrayEntry) => number {
  switch (spec.kind) {
    case 'integer':
      return (a, b) => compareNumbers(integerOf(spec, a), integerOf(spec, b));
    case 'float':
      return (a, b) => compareNumbers(viewOf(a.value).getFloat64(0, true), viewOf(b.value).getFloat64(0, true));
    case 'aggregate':
      return (a, b) => compareNumbers(a.aggregate?.sum ?? 0n, b.aggregate?.sum ?? 0n);
    case 'text':
    case 'struct':
      return (a, b) => compareBytes(a.value, b.value);
  }
}

function integerOf(spec: Extract<ValueSpec, { kind: 'integer' }>, entry: ArrayEntry): bigint {
  return readInteger(viewOf(entry.value), 0, spec.size, spec.signed);
}
