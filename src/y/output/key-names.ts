/** Keys and values of the program's arrays as names. */
import type { CType, EnumType } from '../../ctypes/index.ts';
import type { DescribedFrame, Describer } from '../engines/snapshot/describer.ts';
import type { KeyPart } from '../engines/snapshot/storage.ts';
import type { KeySpec } from '../ir/program.ts';
import { toPrintable } from './text.ts';

/** The enumerator with this value, or the number when there is none. */
export function describeEnum(type: CType, value: bigint): string {
  const found = resolveEnum(type)?.enumerators.find((enumerator) => enumerator.value === value);
  return found?.name ?? value.toString();
}

function resolveEnum(type: CType): EnumType | undefined {
  let resolved = type;
  while (resolved.kind === 'named') resolved = resolved.target;
  return resolved.kind === 'enum' ? resolved : undefined;
}

/** One part of a key on one line; of a backtrace, the innermost function. */
export function nameOfPart(describe: Describer, spec: KeySpec, part: KeyPart): string {
  if (typeof part !== 'bigint') return toPrintable(part);
  if (spec.kind === 'stack') return describe.stack(part)[0]?.name ?? NO_STACK;
  return spec.kind === 'integer' && spec.type !== undefined ? describeEnum(spec.type, part) : part.toString();
}

/** A key's frames in a flame graph, outermost first: a backtrace gives all of its own. */
export function framesOfPart(describe: Describer, spec: KeySpec, part: KeyPart): readonly string[] {
  if (spec.kind !== 'stack' || typeof part !== 'bigint') return [nameOfPart(describe, spec, part)];
  const frames = describe.stack(part).map(({ name }: DescribedFrame) => name);
  return frames.length === 0 ? [NO_STACK] : frames.reverse();
}

const NO_STACK = '[no stack]';
