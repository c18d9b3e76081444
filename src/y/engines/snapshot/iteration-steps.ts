/** `_foreach`: the entries of an array as they are when it begins, in an order that is the same on all engines. */
import { assert } from '../../../base/index.ts';
import type { Instruction, ValueSpec } from '../../ir/program.ts';
import { compareKeys, compareNumbers, compareValues } from './entry-order.ts';
import { getClamped, setInteger, type Frame } from './frame.ts';
import { NEXT, type Step } from './step.ts';
import type { ArrayEntry, Key } from './storage.ts';
import { compileTextSink, registerOf, type Callable, type Unit } from './unit.ts';

type Of<Op extends Instruction['op']> = Extract<Instruction, { op: Op }>;
type Order = NonNullable<Of<'iterate'>['order']>;

/** Equal ones, and all when no order is asked for, come by key. */
export function compileIterate(unit: Unit, { iterator, array, order, limit }: Of<'iterate'>): Step {
  const { storage, program } = unit.machine;
  const spec = program.arrays[array];
  assert(spec !== undefined, `no array ${array}`);
  const most = limit === undefined ? undefined : registerOf(unit, limit);
  const sort = compileSort(unit, iterator, order, spec.value);
  return (frame) => {
    const entries = [...storage.entries(array)].sort((a, b) => compareKeys(a.key, b.key));
    const sorted = sort(frame, entries);
    const target = frame.iterators[iterator]!;
    target.entries = most === undefined ? sorted : sorted.slice(0, getClamped(frame, most, 0, sorted.length));
    target.at = -1;
    return NEXT;
  };
}

type Sort = (frame: Frame, byKey: ArrayEntry[]) => ArrayEntry[];

/** JavaScript's sort is stable, so that what is equal stays in the order of keys. */
function compileSort(unit: Unit, iterator: number, order: Order | undefined, spec: ValueSpec): Sort {
  if (order === undefined) return (_frame, entries) => entries;
  const sign = order.descending ? -1 : 1;
  if (order.by === 'key') return (_frame, entries) => entries.sort((a, b) => sign * compareKeys(a.key, b.key));
  if (order.by === 'value') {
    const compare = compareValues(spec);
    return (_frame, entries) => entries.sort((a, b) => sign * compare(a, b));
  }
  const { machine } = unit;
  const index = order.by.function;
  return (frame, entries) => {
    const callable = machine.callable(index);
    const ranked = entries.map((entry) => ({ entry, rank: rankOf(callable, frame, iterator, entry) }));
    return ranked.sort((a, b) => sign * compareNumbers(a.rank, b.rank)).map(({ entry }) => entry);
  };
}

/** Runs the order's function with the iterator on `entry`; the other iterators are the caller's. */
function rankOf(callable: Callable, caller: Frame, iterator: number, entry: ArrayEntry): bigint | number {
  const frame = callable.acquire();
  for (const [index, target] of frame.iterators.entries()) {
    const outer = index === iterator ? undefined : caller.iterators[index];
    target.entries = outer?.entries ?? [entry];
    target.at = outer?.at ?? 0;
  }
  callable.run(frame);
  const rank = callable.source.result === 'float' || !Number.isNaN(frame.resultNum) ? frame.resultNum : frame.resultBig;
  callable.release(frame);
  return rank;
}

export function compileIteratorKey(unit: Unit, { to, iterator, index }: Of<'iterator-key'>): Step {
  if (typeof to === 'number') {
    return (frame) => {
      const part = currentKey(frame, iterator)[index];
      assert(typeof part === 'bigint', `key ${index} is no number`);
      setInteger(frame, to, part);
      return NEXT;
    };
  }
  const write = compileTextSink(unit, to);
  return (frame) => {
    const part = currentKey(frame, iterator)[index];
    assert(part instanceof Uint8Array, `key ${index} is no text`);
    write(frame, part);
    return NEXT;
  };
}

function currentKey(frame: Frame, iterator: number): Key {
  const { entries, at } = frame.iterators[iterator]!;
  const entry = entries[at];
  assert(entry !== undefined, `iterator ${iterator} is on no entry`);
  return entry.key;
}
