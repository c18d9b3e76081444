import { expect, test } from 'vitest';
import { Assembler } from '../assembler.ts';
import type { MapSpec, ProgramSpec, ProgramType } from '../object.ts';
import { Interpreter, type InterpreterOptions } from './interpreter.ts';

const NO_CONTEXT = new Uint8Array(64);
const u32 = (...values: number[]) => new Uint8Array(new Uint32Array(values).buffer);
const u64 = (...values: bigint[]) => new Uint8Array(new BigUint64Array(values).buffer);
const hash: MapSpec = { name: 'hash', type: 'hash', keyBytes: 4, valueBytes: 8, maxEntries: 2 };
const array: MapSpec = { name: 'array', type: 'array', keyBytes: 4, valueBytes: 16, maxEntries: 1 };
const ring: MapSpec = { name: 'ring', type: 'ringBuffer', keyBytes: 0, valueBytes: 0, maxEntries: 4096 };

function program(assembler: Assembler, name = 'main', type: ProgramType = 'kprobe'): ProgramSpec {
  return { name, type, ...assembler.assemble() };
}

function start(
  assembler: Assembler,
  maps: readonly MapSpec[] = [],
  options: InterpreterOptions = {},
  more: readonly ProgramSpec[] = [],
): Interpreter {
  return new Interpreter({ maps, programs: [program(assembler), ...more] }, options);
}

function valueOf(interpreter: Interpreter, context = NO_CONTEXT): bigint {
  const result = interpreter.run('main', context);
  if (!result.ok) throw new Error(`slot ${result.error.slot}: ${result.error.message}`);
  return result.value.returnValue;
}

function faultOf(interpreter: Interpreter, context = NO_CONTEXT): string {
  const result = interpreter.run('main', context);
  return result.ok ? `no fault, ${result.value.returnValue}` : `${result.error.slot}: ${result.error.message}`;
}

test('run() executes loops and conditional jumps', () => {
  const sum = new Assembler()
    .moveImm(0, 0)
    .moveImm(1, 100)
    .label('again')
    .alu('add', 0, 1)
    .aluImm('sub', 1, 1)
    .jumpIfImm('ne', 1, 0, 'again')
    .exit();
  expect(valueOf(start(sum))).toBe(5050n);
});

test('run() reads the context and the stack, in all sizes and with signs', () => {
  const assembler = new Assembler()
    .load(8, 2, 1, 0)
    .store(8, 10, -8, 2)
    .loadSigned(1, 3, 10, -8)
    .load(2, 4, 10, -6)
    .storeImm(4, 10, -16, -2)
    .loadSigned(4, 5, 10, -16)
    .move(0, 3)
    .alu('add', 0, 4)
    .alu('add', 0, 5)
    .exit();
  expect(valueOf(start(assembler), u64(0x1234_00ffn))).toBe(0x1231n); // -1 + 0x1234 - 2
});

test('a map counts, refuses what is too much, and deletes', () => {
  const count = new Assembler()
    .load(4, 2, 1, 0)
    .store(4, 10, -4, 2)
    .loadMap(1, 'hash')
    .move(2, 10)
    .aluImm('add', 2, -4)
    .call('map_lookup_elem')
    .jumpIfImm('eq', 0, 0, 'fresh')
    .moveImm(1, 1)
    .atomic('fetchAdd', 8, 0, 0, 1)
    .move(0, 1)
    .exit()
    .label('fresh')
    .storeImm(8, 10, -16, 1)
    .loadMap(1, 'hash')
    .move(2, 10)
    .aluImm('add', 2, -4)
    .move(3, 10)
    .aluImm('add', 3, -16)
    .moveImm(4, 0)
    .call('map_update_elem')
    .exit();
  const interpreter = start(count, [hash]);
  const results = [7, 7, 7, 8, 9].map((key) => BigInt.asIntN(64, valueOf(interpreter, u32(key))));
  expect(results).toEqual([0n, 1n, 2n, 0n, -7n]);
  expect(interpreter.map('hash').lookup(u32(7))).toEqual(u64(3n));
  expect(interpreter.map('hash').delete(u32(7))).toBe(0);
  expect(interpreter.map('hash').delete(u32(7))).toBe(-2);
  expect(valueOf(interpreter, u32(9))).toBe(0n);
});

test('per-CPU values differ by processor; LRU maps forget the least used', () => {
  const perCpu: MapSpec = { ...array, type: 'perCpuArray', name: 'array' };
  const touch = new Assembler()
    .storeImm(4, 10, -4, 0)
    .loadMap(1, 'array')
    .move(2, 10)
    .aluImm('add', 2, -4)
    .call('map_lookup_elem')
    .moveImm(1, 5)
    .store(8, 0, 0, 1)
    .moveImm(0, 0)
    .exit();
  const interpreter = start(touch, [perCpu], { cpuCount: 2 });
  interpreter.run('main', NO_CONTEXT, { cpu: 1 });
  expect(
    interpreter
      .map('array')
      .entries()[0]!
      .values.map((value) => value[0]),
  ).toEqual([0, 5]);

  const lru = interpreter.createMap('lru', { type: 'lruHash', keyBytes: 4, valueBytes: 8, maxEntries: 2 });
  for (const key of [1, 2]) lru.update(u32(key), u64(BigInt(key)));
  lru.addressOf(u32(1), 0);
  lru.update(u32(3), u64(3n));
  expect(lru.entries().map(({ key }) => key[0])).toEqual([1, 3]);
});

test('functions, callbacks and tail calls', () => {
  const assembler = new Assembler()
    .function('main')
    .move(6, 1)
    .loadMapValue(7, 'array')
    .moveImm(1, 10)
    .loadFunction(2, 'body')
    .move(3, 7)
    .moveImm(4, 0)
    .call('loop')
    .moveImm(1, 20)
    .callFunction('double')
    .load(8, 8, 7, 0)
    .alu('add', 8, 0)
    .store(8, 7, 8, 8)
    .move(1, 6)
    .loadMap(2, 'next')
    .moveImm(3, 1)
    .call('tail_call')
    .moveImm(0, -1)
    .exit()
    .function('body', [
      { name: 'index', type: 'u32' },
      { name: 'context', type: 'pointer' },
    ])
    .atomic('add', 8, 2, 0, 1)
    .moveImm(0, 0)
    .jumpIfImm('lt', 1, 5, 'on')
    .moveImm(0, 1)
    .label('on')
    .exit()
    .function('double', [{ name: 'value', type: 'u64' }])
    .move(0, 1)
    .alu('add', 0, 1)
    .exit();
  const next: MapSpec = {
    name: 'next',
    type: 'programArray',
    keyBytes: 4,
    valueBytes: 4,
    maxEntries: 2,
    entries: [{ key: u32(1), value: { program: 'second' } }],
  };
  const second = program(new Assembler().loadMapValue(1, 'array', 8).load(8, 0, 1, 0).exit(), 'second');
  expect(valueOf(start(assembler, [array, next], {}, [second]))).toBe(55n); // 0 + … + 5, and 40
});

test('ring records are submitted, discarded, and refused when there is no room', () => {
  const assembler = new Assembler()
    .load(4, 6, 1, 0)
    .loadMap(1, 'ring')
    .moveImm(2, 1016)
    .moveImm(3, 0)
    .call('ringbuf_reserve')
    .jumpIfImm('eq', 0, 0, 'full')
    .store(4, 0, 0, 6)
    .move(1, 0)
    .moveImm(2, 0)
    .jumpIfImm('eq', 6, 2, 'drop')
    .call('ringbuf_submit')
    .moveImm(0, 1)
    .exit()
    .label('drop')
    .call('ringbuf_discard')
    .label('full')
    .moveImm(0, 0)
    .exit();
  const interpreter = start(assembler, [ring]);
  expect([1, 2, 3, 4, 5].map((key) => valueOf(interpreter, u32(key)))).toEqual([1n, 0n, 1n, 1n, 0n]);
  expect(
    interpreter
      .map('ring')
      .takeRecords()
      .map((record) => record[0]),
  ).toEqual([1, 3, 4]);
  expect(valueOf(interpreter, u32(6))).toBe(1n);
});

test('maps of maps give their inner maps', () => {
  const outer: MapSpec = {
    name: 'outer',
    type: 'arrayOfMaps',
    keyBytes: 4,
    valueBytes: 4,
    maxEntries: 4,
    inner: array,
    entries: [{ key: u32(2), value: { map: 'array' } }],
  };
  const find = new Assembler()
    .load(4, 2, 1, 0)
    .store(4, 10, -4, 2)
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
    .load(8, 0, 0, 8)
    .label('none')
    .exit();
  const interpreter = start(find, [array, outer]);
  interpreter.map('array').lookup(u32(0))!.set(u64(0n, 99n));
  expect([valueOf(interpreter, u32(2)), valueOf(interpreter, u32(1))]).toEqual([99n, 0n]);
});

test('reads outside go through the caller, and helpers of the caller win', () => {
  const assembler = new Assembler()
    .load(8, 3, 1, 0)
    .move(1, 10)
    .aluImm('add', 1, -8)
    .moveImm(2, 8)
    .call('probe_read_user')
    .move(6, 0)
    .call('get_current_pid_tgid')
    .load(8, 1, 10, -8)
    .alu('add', 0, 1)
    .alu('add', 0, 6)
    .exit();
  const options: InterpreterOptions = {
    helpers: { get_current_pid_tgid: () => 1000n },
    readOutside: (space, address) => (space === 'user' && address === 0x7f00_0000_0000n ? u64(5n) : undefined),
  };
  const interpreter = start(assembler, [], options);
  expect(valueOf(interpreter, u64(0x7f00_0000_0000n))).toBe(1005n);
  expect(valueOf(interpreter, u64(0x10n))).toBe(1000n - 14n);
});

test.each<[string, Assembler]>([
  ['0: 8 bytes at r1+60', new Assembler().load(8, 0, 1, 60).exit()],
  ['1: 4 bytes at r10+0', new Assembler().moveImm(0, 0).store(4, 10, 0, 0).exit()],
  ['0: r1+0 may not be written', new Assembler().store(4, 1, 0, 1).exit()],
  ['0: 1 bytes at r10-513', new Assembler().load(1, 0, 10, -513).exit()],
  ['0: the helper ktime_get_ns was not given', new Assembler().call('ktime_get_ns').exit()],
  ['1: execution leaves the program', new Assembler().moveImm(0, 0)],
  ['0: more than 50 instructions', new Assembler().label('x').jump('x')],
  ['0: functions call more than 8 deep', new Assembler().label('x').callFunction('x').exit()],
  [
    'a record of ring was reserved and never ended',
    new Assembler().loadMap(1, 'ring').moveImm(2, 8).moveImm(3, 0).call('ringbuf_reserve').exit(),
  ],
])('a fault: %s', (message, assembler) => {
  expect(faultOf(start(assembler, [ring], { maxInstructions: 50 }))).toContain(message);
});

test('a fault names the line of the source', () => {
  const line = { file: 'a.y', line: 7, column: 1, text: 'x = *p;' };
  const result = start(new Assembler().moveImm(2, 0).line(line).load(8, 0, 2, 0).exit()).run('main', NO_CONTEXT);
  expect(result.ok ? undefined : result.error.line).toEqual({ slot: 1, ...line });
});
