import type { TestContext } from 'vitest';
import { Assembler, type BpfObject, type MapSpec, type ProgramSpec } from '../../../src/bpf/index.ts';
import { KernelObject, type LoadOptions } from '../../../src/kernel/index.ts';
import { requireOrSkip } from '../../support/require-or-skip.ts';

export const u32 = (...values: number[]): Uint8Array => new Uint8Array(new Uint32Array(values).buffer);
export const u64 = (...values: bigint[]): Uint8Array => new Uint8Array(new BigUint64Array(values).buffer);
export const readU64 = (bytes: Uint8Array, offset = 0): bigint => new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(offset, true);

/** One entry of 64 bytes that programs count in, shared. */
export const counts: MapSpec = { name: 'counts', type: 'array', keyBytes: 4, valueBytes: 64, maxEntries: 1, flags: 1 << 10 };

/** Adds `by` to the counter at `offset`. */
export function count(assembler: Assembler, offset = 0, by = 1): Assembler {
  return assembler.loadMapValue(1, 'counts', offset).moveImm(2, by).atomic('add', 8, 1, 0, 2);
}

/** A program that counts its runs at 0 and keeps the last cookie at 8. */
export function cookieCounter(): Assembler {
  return count(new Assembler().call('get_attach_cookie').move(6, 0).loadMapValue(1, 'counts', 8).store(8, 1, 0, 6))
    .moveImm(0, 0)
    .exit();
}

export function counter(): Assembler {
  return count(new Assembler()).moveImm(0, 0).exit();
}

/** Skips the test unless programs can be loaded here; ends what it loads with the test. */
export function loadOrSkip(context: TestContext, object: BpfObject, options: LoadOptions = {}): KernelObject {
  requireOrSkip(context, process.getuid?.() === 0, 'loading eBPF programs needs root; `fluoro doctor` tells more');
  const loaded = KernelObject.load(object, options);
  if (!loaded.ok) throw new Error(loaded.error.message);
  context.onTestFinished(() => loaded.value.close());
  return loaded.value;
}

export function program(name: string, type: ProgramSpec['type'], assembler: Assembler, more: Partial<ProgramSpec> = {}): ProgramSpec {
  return { name, type, ...assembler.assemble(), ...more };
}

/** The value of a success; throws the message of a failure. */
export function must<T>(
  result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: { readonly message: string } },
): T {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}
