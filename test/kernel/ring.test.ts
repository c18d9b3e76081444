import { expect, test } from 'vitest';
import { Assembler, type MapSpec } from '../../src/bpf/index.ts';
import { createRingWaiter } from '../../src/kernel/index.ts';
import { count, counts, loadOrSkip, must, program, readU64, u32 } from './support/kernel.ts';

const ring: MapSpec = { name: 'ring', type: 'ringBuffer', keyBytes: 0, valueBytes: 0, maxEntries: 4096 };

/** Sends `n` records of 56 bytes with rising numbers (64 with the header); every fourth is discarded; counts at 0 those that had no room. */
function producer(): Assembler {
  const assembler = new Assembler()
    .function('main', [{ name: 'context', type: 'pointer' }])
    .load(4, 1, 1, 0)
    .loadFunction(2, 'send')
    .moveImm(3, 0)
    .moveImm(4, 0)
    .call('loop')
    .moveImm(0, 0)
    .exit()
    .function('send', [
      { name: 'index', type: 'u32' },
      { name: 'context', type: 'pointer' },
    ])
    .move(6, 1)
    .loadMap(1, 'ring')
    .moveImm(2, 56)
    .moveImm(3, 0)
    .call('ringbuf_reserve')
    .jumpIfImm('ne', 0, 0, 'room');
  count(assembler).moveImm(0, 0).exit();
  return assembler
    .label('room')
    .store(8, 0, 0, 6)
    .move(1, 0)
    .moveImm(2, 0)
    .aluImm('and', 6, 3)
    .jumpIfImm('eq', 6, 3, 'discard')
    .call('ringbuf_submit')
    .moveImm(0, 0)
    .exit()
    .label('discard')
    .call('ringbuf_discard')
    .moveImm(0, 0)
    .exit();
}

const object = { maps: [ring, counts], programs: [program('send', 'syscall', producer())] };
const send = (n: number) => ({ context: u32(n, 0, 0, 0) });

test('records come in order, over the end of the ring, and losses are the programs to count', (context) => {
  const kernel = loadOrSkip(context, object);
  const reader = must(kernel.openRing('ring'));
  const seen: number[] = [];
  const drain = () => reader.drain((_, offset, length, data) => seen.push(length === 56 ? data.getUint32(offset, true) : -1));
  for (let round = 0; round < 50; round++) {
    must(kernel.testRun('send', send(8)));
    expect(drain()).toBe(6);
  }
  expect(seen).toEqual(Array.from({ length: 50 }, () => [0, 1, 2, 4, 5, 6]).flat());
  expect(reader.counts).toEqual({ records: 300, bytes: 300 * 56, discarded: 100 });
  expect(reader.pendingBytes).toBe(0);

  must(kernel.testRun('send', send(100)));
  const lost = readU64(must(kernel.map('counts').lookup(u32(0)))!);
  expect(Number(lost)).toBeGreaterThanOrEqual(36);
  const before = reader.counts.discarded;
  expect(drain() + reader.counts.discarded - before).toBe(100 - Number(lost));
});

test('drain() stops at its limit and goes on there; a throw loses no record', (context) => {
  const kernel = loadOrSkip(context, object);
  const reader = must(kernel.openRing('ring'));
  must(kernel.testRun('send', send(8)));
  const seen: number[] = [];
  const see = (_: Uint8Array, offset: number, __: number, data: DataView) => void seen.push(data.getUint32(offset, true));
  expect(reader.drain(see, 2)).toBe(2);
  expect(() =>
    reader.drain(() => {
      throw new Error('no');
    }),
  ).toThrow('no');
  expect(reader.drain(see)).toBe(3);
  expect(seen).toEqual([0, 1, 4, 5, 6]);
});

test('watch() drains on the event loop, a waiter blocks until there are records', async (context) => {
  const kernel = loadOrSkip(context, object);
  const reader = must(kernel.openRing('ring'));
  const waiter = must(createRingWaiter([kernel.map('ring').fd]));
  expect(must(waiter.wait(20))).toBe(false);
  must(kernel.testRun('send', send(1)));
  expect(must(waiter.wait(1000))).toBe(true);
  waiter.close();
  const seen = await new Promise<number>((done) => must(reader.watch(() => undefined, done)));
  expect(seen).toBe(1);
});
