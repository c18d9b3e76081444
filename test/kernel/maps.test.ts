import { expect, test } from 'vitest';
import { Assembler, MAP_FLAGS, type MapSpec } from '../../src/bpf/index.ts';
import { listCpus, splitPerCpu } from '../../src/kernel/index.ts';
import { loadOrSkip, must, program, readU64, u32, u64 } from './support/kernel.ts';

const hash: MapSpec = { name: 'hash', type: 'hash', keyBytes: 4, valueBytes: 8, maxEntries: 20_000 };
const array: MapSpec = { name: 'array', type: 'array', keyBytes: 4, valueBytes: 8, maxEntries: 100, flags: MAP_FLAGS.mmapable };
const perCpu: MapSpec = { name: 'perCpu', type: 'perCpuHash', keyBytes: 4, valueBytes: 12, maxEntries: 16 };
const inner = { type: 'array', keyBytes: 4, valueBytes: 8, maxEntries: 1, flags: MAP_FLAGS.mmapable } as const;
const readU32 = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
const outer: MapSpec = { name: 'outer', type: 'hashOfMaps', keyBytes: 4, valueBytes: 4, maxEntries: 4, inner };

test('elements are set, found and deleted', (context) => {
  const map = loadOrSkip(context, { maps: [hash], programs: [] }).map('hash');
  expect(must(map.lookup(u32(1)))).toBeUndefined();
  must(map.update(u32(1), u64(7n)));
  expect(must(map.lookup(u32(1)))).toEqual(u64(7n));
  const again = map.update(u32(1), u64(8n), 'new');
  expect(again.ok ? undefined : again.error.message).toContain('EEXIST');
  expect([must(map.delete(u32(1))), must(map.delete(u32(1)))]).toEqual([true, false]);
});

test.for([
  ['in batches', { chunk: 64 }],
  ['in batches larger than the map', {}],
  ['in batches that are too small for a bucket', { chunk: 1 }],
  ['one by one', { batched: false }],
] as const)('entries() and takeEntries() give each element once, %s', ([, options], context) => {
  const map = loadOrSkip(context, { maps: [hash], programs: [] }).map('hash');
  const size = 3_000;
  for (let key = 0; key < size; key++) must(map.update(u32(key), u64(BigInt(key) * 2n)));
  const items = must(map.entries(options));
  const seen = new Set(items.map(({ key }) => readU32(key)));
  expect([items.length, seen.size]).toEqual([size, size]);
  expect(items.every(({ key, value }) => readU64(value) === BigInt(readU32(key)) * 2n)).toBe(true);
  expect(must(map.takeEntries(options)).length).toBe(size);
  expect(must(map.entries(options))).toEqual([]);
});

test('an array gives all its elements, also through shared memory, which ends with the map', async (context) => {
  const object = loadOrSkip(context, { maps: [array], programs: [] });
  const map = object.map('array');
  const mapped = must(map.mapped());
  mapped.write(99, 0, u64(0x1122_3344_5566_7788n));
  expect(must(map.lookup(u32(99)))).toEqual(u64(0x1122_3344_5566_7788n));
  must(map.update(u32(3), u64(5n)));
  expect(mapped.readU64(3, 0)).toBe(5n);
  expect(must(map.entries({ chunk: 7 })).length).toBe(100);
  expect(() => mapped.readU64(100, 0)).toThrow('element 100');
  await object.close();
  expect(() => mapped.readU64(3, 0)).toThrow('closed');
});

test('per-CPU values come for every possible processor', (context) => {
  const map = loadOrSkip(context, { maps: [perCpu], programs: [] }).map('perCpu');
  must(map.update(u32(1), u32(1, 2, 3)));
  const cpus = listCpus('possible').length;
  expect(splitPerCpu(must(map.lookup(u32(1)))!, 12)).toEqual(Array.from({ length: cpus }, () => u32(1, 2, 3)));
  for (const options of [{}, { batched: false }]) {
    const [entry] = must(map.entries(options));
    expect(splitPerCpu(entry!.value, 12).length).toBe(cpus);
  }
});

test('maps are put into maps of maps, and programs reach them', (context) => {
  const read = new Assembler()
    .storeImm(4, 10, -4, 7)
    .loadMap(1, 'outer')
    .move(2, 10)
    .aluImm('add', 2, -4)
    .call('map_lookup_elem')
    .jumpIfImm('eq', 0, 0, 'none')
    .storeImm(4, 10, -4, 0)
    .move(1, 0)
    .move(2, 10)
    .aluImm('add', 2, -4)
    .call('map_lookup_elem')
    .jumpIfImm('eq', 0, 0, 'none')
    .load(8, 0, 0, 0)
    .exit()
    .label('none')
    .moveImm(0, 0)
    .exit();
  const object = loadOrSkip(context, { maps: [outer], programs: [program('read', 'socketFilter', read)] });
  const made = must(object.createMap('inner', inner));
  must(made.update(u32(0), u64(41n)));
  expect(must(object.testRun('read', { data: new Uint8Array(64) }))).toBe(0);
  must(object.map('outer').updateDescriptor(u32(7), made.fd));
  expect(must(object.testRun('read', { data: new Uint8Array(64) }))).toBe(41);
  made.close();
});

test('initial entries, tail calls through a program array, and task storage', (context) => {
  const jump = new Assembler().loadMap(2, 'next').moveImm(3, 1).call('tail_call').moveImm(0, 9).exit();
  const next: MapSpec = {
    name: 'next',
    type: 'programArray',
    keyBytes: 4,
    valueBytes: 4,
    maxEntries: 2,
    entries: [{ key: u32(1), value: { program: 'second' } }],
  };
  const seeds: MapSpec = { ...hash, name: 'seeds', entries: [{ key: u32(5), value: u64(6n) }] };
  const storage: MapSpec = { name: 'storage', type: 'taskStorage', keyBytes: 4, valueBytes: 24, maxEntries: 0 };
  const second = program('second', 'socketFilter', new Assembler().moveImm(0, 77).exit());
  const object = loadOrSkip(context, { maps: [next, seeds, storage], programs: [program('first', 'socketFilter', jump), second] });
  expect(must(object.testRun('first', { data: new Uint8Array(64) }))).toBe(77);
  expect(must(object.map('seeds').lookup(u32(5)))).toEqual(u64(6n));
});
