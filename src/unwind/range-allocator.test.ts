import { expect, test } from 'vitest';
import { err, ok } from '../base/index.ts';
import { RangeAllocator } from './range-allocator.ts';

function makeAllocator(maxShards = 2) {
  const opened: number[] = [];
  const clock = { nowMs: 0 };
  const allocator = new RangeAllocator({
    entriesPerShard: 100,
    maxShards,
    restMs: 10,
    nowMs: () => clock.nowMs,
    openShard: (shard) => {
      opened.push(shard);
      return shard < 5 ? ok(undefined) : err('no memory');
    },
  });
  return { allocator, opened, clock };
}

test('allocate() fills a shard before it opens another, and fails when all are full', () => {
  const { allocator, opened } = makeAllocator();
  const range = (shard: number, first: number, count: number) => ok({ shard, first, count });
  expect(allocator.allocate(60)).toEqual(range(0, 0, 60));
  expect(allocator.allocate(60)).toEqual(range(1, 0, 60));
  expect(allocator.allocate(40)).toEqual(range(0, 60, 40));
  expect(opened).toEqual([0, 1]);
  expect(allocator.allocate(41)).toEqual(err('all 2 shards of 100 entries are used up'));
  expect(allocator.allocate(40)).toEqual(range(1, 60, 40));
});

test('allocate() hands out again what was freed, once it has rested, joined with its neighbours', () => {
  const { allocator, clock } = makeAllocator(1);
  const parts = [30, 30, 30, 10].map((count) => {
    const range = allocator.allocate(count);
    return range.ok ? range.value : { shard: -1, first: -1, count: 0 };
  });
  for (const index of [0, 2, 1]) allocator.free(parts[index]!);
  clock.nowMs = 9;
  expect(allocator.allocate(1).ok).toBe(false);
  clock.nowMs = 10;
  expect(allocator.allocate(90)).toEqual(ok({ shard: 0, first: 0, count: 90 }));
  expect(allocator.allocate(1).ok).toBe(false);
});

test('allocate() says why a shard could not be opened, and tries again', () => {
  const { allocator, opened } = makeAllocator(10);
  for (let i = 0; i < 5; i++) allocator.allocate(100);
  expect(allocator.allocate(1)).toEqual(err('no memory'));
  expect(allocator.allocate(1)).toEqual(err('no memory'));
  expect(opened).toEqual([0, 1, 2, 3, 4, 5, 5]);
});
