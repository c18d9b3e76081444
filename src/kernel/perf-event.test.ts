import { expect, test } from 'vitest';
import { kprobeEvent } from './attach.ts';
import { writeAttributes } from './perf-event.ts';

function written(event: Parameters<typeof writeAttributes>[0]): Record<number, number | bigint | string> {
  const fields: Record<number, number | bigint | string> = {};
  const set = (offset: number, value: number | bigint | string) => void (fields[offset] = value);
  writeAttributes(event, { setU32: set, setU64: set, pointToText: set });
  return fields;
}

// Offsets of struct perf_event_attr: type 0, size 4, config 8, sample_period 16, flags 40, config1 56, config2 64.
test.each([
  [false, 0],
  [true, 1],
])('a kprobe is its PMU, the name in config1, no offset, and bit 0 for returns (%s)', (isReturn, config) => {
  expect(written(kprobeEvent(8, 'vfs_read', isReturn))).toEqual({ 0: 8, 4: 112, 8: config, 16: 0, 40: 1, 56: 'vfs_read', 64: 0 });
});

test('a sampler says by a flag whether its number is a frequency', () => {
  const common = { name: 'cpu-clock', type: 1, config: 0, pid: -1, cpu: 0 };
  expect(written({ ...common, frequency: 99 })).toMatchObject({ 16: 99, 40: 1 | (1 << 10) });
  expect(written({ ...common, period: 7 })).toMatchObject({ 16: 7, 40: 1 });
});
