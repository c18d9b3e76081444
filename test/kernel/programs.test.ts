import { expect, test } from 'vitest';
import { Assembler, type MapSpec } from '../../src/bpf/index.ts';
import { KernelObject } from '../../src/kernel/index.ts';
import { count, counts, loadOrSkip, must, program, readU64, u32 } from './support/kernel.ts';

const line = (number: number, text: string) => ({ file: 'probe.y', line: number, column: 1, text });

test('a refusal quotes the line of the source and the verifier', (context) => {
  loadOrSkip(context, { maps: [], programs: [] });
  const bad = new Assembler()
    .function('main', [{ name: 'context', type: 'pointer' }])
    .line(line(7, 'let p = argument(0);'))
    .load(8, 6, 1, 112)
    .line(line(8, 'print(p.next);'))
    .load(8, 0, 6, 0)
    .exit();
  const loaded = KernelObject.load({ maps: [], programs: [program('bad', 'kprobe', bad)] });
  expect(loaded.ok).toBe(false);
  if (loaded.ok) return;
  expect(loaded.error).toMatchObject({ kind: 'refused', program: 'bad', line: { line: 8, text: 'print(p.next);' } });
  expect(loaded.error.message).toBe("the kernel refuses program bad: R6 invalid mem access 'scalar'; at probe.y:8: print(p.next);");
  expect(loaded.error.kind === 'refused' ? loaded.error.log.join('\n') : '').toContain('; print(p.next); @ probe.y:8');
});

test('functions, callbacks and lines load and run', (context) => {
  const loop = new Assembler()
    .function('main', [{ name: 'context', type: 'pointer' }])
    .line(line(1, 'loop'))
    .moveImm(1, 10)
    .loadFunction(2, 'body')
    .moveImm(3, 0)
    .moveImm(4, 0)
    .call('loop')
    .moveImm(1, 5)
    .callFunction('twice')
    .exit()
    .function('body', [
      { name: 'index', type: 'u32' },
      { name: 'context', type: 'pointer' },
    ]);
  count(loop, 0, 3)
    .moveImm(0, 0)
    .exit()
    .function('twice', [{ name: 'value', type: 'u64' }])
    .move(0, 1)
    .alu('add', 0, 1)
    .exit();
  const object = loadOrSkip(context, { maps: [counts], programs: [program('loops', 'syscall', loop)] });
  expect(must(object.testRun('loops', { context: new Uint8Array(16) }))).toBe(10);
  expect(readU64(must(object.map('counts').lookup(u32(0)))!)).toBe(30n);
});

test('a program larger than 32,768 instructions jumps over them', (context) => {
  const far = new Assembler().load(4, 2, 1, 0).moveImm(0, 1).jumpIfImm('eq', 2, 12_345, 'end');
  for (let i = 0; i < 33_000; i++) far.aluImm('add', 0, 1);
  far.label('end').exit();
  const object = loadOrSkip(context, { maps: [], programs: [program('far', 'socketFilter', far)] });
  expect(must(object.testRun('far', { data: new Uint8Array(64) }))).toBe(33_001);
});

test('what the object or the kernel lacks is named', (context) => {
  loadOrSkip(context, { maps: [], programs: [] });
  const noMap = KernelObject.load({
    maps: [],
    programs: [program('p', 'kprobe', new Assembler().loadMap(1, 'gone').moveImm(0, 0).exit())],
  });
  expect(noMap.ok ? '' : noMap.error.message).toContain('the map gone');
  const noTracepoint = { attach: 'traceRawTracepoint', attachTo: 'no_such_thing' } as const;
  const missing = KernelObject.load({ maps: [], programs: [program('p', 'tracing', new Assembler().moveImm(0, 0).exit(), noTracepoint)] });
  expect(missing.ok ? '' : missing.error).toMatchObject({ kind: 'not-found' });
  const ring: MapSpec = { name: 'ring', type: 'ringBuffer', keyBytes: 0, valueBytes: 0, maxEntries: 5000 };
  const odd = KernelObject.load({ maps: [ring], programs: [] });
  expect(odd.ok ? '' : odd.error.message).toBe('map ring: bpf MAP_CREATE: EINVAL');
});
