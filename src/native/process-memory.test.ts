import { expect, test } from 'vitest';
import { readProcessMemory } from './process-memory.ts';

const self = process.pid;

test('readProcessMemory() says which ranges cannot be read, and reads those around them', async () => {
  const { takeArena } = await import('./arena.ts');
  const taken = takeArena();
  if (!taken.ok) throw new Error(taken.error.message);
  const arena = taken.value;
  const place = arena.reserve(0) + (16 << 20); // beyond what the call itself uses
  for (let i = 0; i < 64; i++) arena.bytes[place + i] = i;
  const address = BigInt(arena.address(place));
  const into = new Uint8Array(48);
  const ranges = [
    { address, length: 8 },
    { address: 0n, length: 8 },
    { address: address + 8n, length: 8 },
    { address: 0xffff_8000_0000_0000n, length: 8 },
    { address: 4096n, length: 8 },
    { address: address + 16n, length: 8 },
  ];
  const result = readProcessMemory(self, ranges, into);
  expect(result).toEqual({ ok: true, value: { bytesRead: 24, failed: [1, 3, 4] } });
  expect([...into.subarray(0, 8), ...into.subarray(16, 24), ...into.subarray(40)]).toEqual(Array.from({ length: 24 }, (_, i) => i));
});

test('readProcessMemory() reads more ranges than one call takes, and ranges larger than its stage', async () => {
  const { takeArena } = await import('./arena.ts');
  const taken = takeArena();
  if (!taken.ok) throw new Error(taken.error.message);
  const arena = taken.value;
  const place = 16 << 20;
  arena.data.setUint32(place, 0xdecafbad, true);
  const many = Array.from({ length: 3000 }, (_, i) => ({ address: i === 1500 ? 8n : BigInt(arena.address(place)), length: 4 }));
  const into = new Uint8Array(12_000);
  expect(readProcessMemory(self, many, into)).toEqual({ ok: true, value: { bytesRead: 2999 * 4, failed: [1500] } });
  expect(new DataView(into.buffer).getUint32(2999 * 4, true)).toBe(0xdecafbad);

  const large = [{ address: BigInt(arena.address(place)), length: 6 << 20 }];
  const room = new Uint8Array(6 << 20);
  expect(readProcessMemory(self, large, room)).toEqual({ ok: true, value: { bytesRead: 6 << 20, failed: [] } });
  expect(new DataView(room.buffer).getUint32(0, true)).toBe(0xdecafbad);
});

test('readProcessMemory() returns an error for a process that is gone', () => {
  const result = readProcessMemory(2 ** 22 + 1, [{ address: 4096n, length: 1 }], new Uint8Array(1));
  expect(result.ok ? undefined : result.error).toMatchObject({ kind: 'system', name: 'ESRCH' });
});
