/** Small reads of maps that sessions need: keys of 32 bits, counters of per-CPU arrays. */
import { splitPerCpu, type KernelObject } from '../kernel/index.ts';

/** Key of an array's entry, or of a hash of 32-bit numbers. */
export function toKey(number: number): Uint8Array {
  const key = new Uint8Array(4);
  toView(key).setUint32(0, number, true);
  return key;
}

export function toView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The first `count` 64-bit counters of a per-CPU array's entry, summed over the CPUs; zeros when it cannot be read. */
export function sumCounters(object: KernelObject, map: string, index: number, count: number): number[] {
  const sums = Array<number>(count).fill(0);
  const kernelMap = object.map(map);
  const value = kernelMap.lookup(toKey(index));
  if (!value.ok || value.value === undefined) return sums;
  for (const one of splitPerCpu(value.value, kernelMap.shape.valueBytes)) {
    const view = toView(one);
    for (let at = 0; at < count; at++) sums[at]! += Number(view.getBigUint64(at * 8, true));
  }
  return sums;
}
