import { expect, test } from 'vitest';
import { Assembler, type AluOperation, type Condition, type Register } from './assembler.ts';
import { disassemble } from './disassembler.ts';
import { decodeInstructions } from './instruction.ts';

const text = (assembler: Assembler) => disassemble(assembler.assemble()).trimEnd().split('\n');

test('assemble() names maps, functions and lines by slot', () => {
  const code = new Assembler()
    .function('main', [{ name: 'context', type: 'pointer' }])
    .line({ file: 'a.y', line: 3, column: 1, text: 'count();' })
    .loadMap(1, 'counts')
    .loadMapValue(2, 'state', 16)
    .line({ file: 'a.y', line: 4, column: 2, text: 'again();' })
    .callFunction('again')
    .exit()
    .function('again')
    .moveImm(0, -1)
    .exit()
    .assemble();
  expect(code.maps).toEqual([
    { slot: 0, map: 'counts', kind: 'map', offset: 0 },
    { slot: 2, map: 'state', kind: 'value', offset: 16 },
  ]);
  expect(code.functions.map(({ slot, name }) => [slot, name])).toEqual([
    [0, 'main'],
    [6, 'again'],
  ]);
  expect(code.lines.map(({ slot, line }) => [slot, line])).toEqual([
    [0, 3],
    [4, 4],
  ]);
  expect(disassemble(code, { source: true })).toBe(`main:
; count(); @ a.y:3
0: (18) r1 = map[counts]
2: (18) r2 = map[state][0]+16
; again(); @ a.y:4
4: (85) call pc+1
5: (95) exit
again:
6: (b7) r0 = -1
7: (95) exit
`);
});

test('jumps beyond 16 bits become gotol, both ways, and those that reach stay short', () => {
  const assembler = new Assembler().label('top').jumpIfImm('eq', 1, 7, 'end').jump('end').jump('near').label('near');
  for (let i = 0; i < 40_000; i++) assembler.moveImm(0, i);
  assembler.jump('top').label('end').exit();
  const lines = text(assembler);
  expect(lines.slice(0, 5)).toEqual([
    '0: (15) if r1 == 0x7 goto pc+1',
    '1: (05) goto pc+1',
    '2: (06) gotol pc+40003',
    '3: (06) gotol pc+40002',
    '4: (05) goto pc+0',
  ]);
  expect(lines.at(-2)).toBe('40005: (06) gotol pc-40006');
});

test('a label that is missing or stands twice is refused', () => {
  expect(() => new Assembler().jump('nowhere').assemble()).toThrow('nowhere');
  expect(() => new Assembler().label('x').label('x')).toThrow('twice');
});

test.each<[string, (a: Assembler) => Assembler]>([
  ['(0f) r1 += r2', (a) => a.alu('add', 1, 2)],
  ['(04) w1 += -5', (a) => a.alu32Imm('add', 1, -5)],
  ['(3f) r1 s/= r2', (a) => a.alu('sdiv', 1, 2)],
  ['(94) w1 s%= 3', (a) => a.alu32Imm('smod', 1, 3)],
  ['(bf) r1 = (s8)r2', (a) => a.moveSigned(8, 1, 2)],
  ['(87) r3 = -r3', (a) => a.negate(3)],
  ['(dc) r4 = be16 r4', (a) => a.toByteOrder('be', 16, 4)],
  ['(d7) r4 = bswap64 r4', (a) => a.swapBytes(64, 4)],
  ['(18) r1 = 0xfedcba9876543210', (a) => a.loadImm64(1, 0xfedcba9876543210n)],
  ['(18) r1 = 0xffffffffffffffff', (a) => a.loadImm64(1, -1n)],
  ['(71) r1 = *(u8 *)(r2 +4)', (a) => a.load(1, 1, 2, 4)],
  ['(91) r1 = *(s8 *)(r2 -4)', (a) => a.loadSigned(1, 1, 2, -4)],
  ['(7b) *(u64 *)(r10 -8) = r1', (a) => a.store(8, 10, -8, 1)],
  ['(6a) *(u16 *)(r10 -8) = -1', (a) => a.storeImm(2, 10, -8, 0xffffffff)],
  ['(db) lock *(u64 *)(r1 +0) += r2', (a) => a.atomic('add', 8, 1, 0, 2)],
  ['(c3) r2 = atomic_fetch_xor((u32 *)(r1 +4), r2)', (a) => a.atomic('fetchXor', 4, 1, 4, 2)],
  ['(db) r0 = atomic64_cmpxchg((u64 *)(r1 +0), r0, r2)', (a) => a.atomic('cmpxchg', 8, 1, 0, 2)],
  ['(a6) if w1 < 0xffffffff goto pc+0', (a) => a.jumpIf32Imm('lt', 1, -1, 'end').label('end')],
  ['(85) call bpf_map_lookup_elem#1', (a) => a.call('map_lookup_elem')],
])('%s', (expected, build) => {
  expect(text(build(new Assembler()))[0]).toBe(`0: ${expected}`);
});

test('fields reach the slot they belong to', () => {
  const operations: AluOperation[] = ['add', 'sub', 'mul', 'div', 'mod', 'or', 'and', 'xor', 'lsh', 'rsh', 'arsh', 'mov'];
  const conditions: Condition[] = ['eq', 'ne', 'gt', 'ge', 'lt', 'le', 'sgt', 'sge', 'slt', 'sle', 'set'];
  const assembler = new Assembler();
  for (const [index, operation] of operations.entries()) assembler.alu(operation, (index % 10) as Register, 9);
  for (const condition of conditions) assembler.jumpIf(condition, 3, 4, 'end');
  const slots = decodeInstructions(assembler.label('end').exit().assemble().code);
  expect(new Set(slots.map(({ opcode }) => opcode)).size).toBe(operations.length + conditions.length + 1);
  expect(slots.slice(0, operations.length).map(({ dst, src }) => [dst, src])).toEqual(operations.map((_, i) => [i % 10, 9]));
  expect(slots.slice(operations.length, -1).map(({ offset }) => offset)).toEqual(conditions.map((_, i) => conditions.length - 1 - i));
});

test('assemble() leaves out what control never reaches, and what was said of it', () => {
  const program = () =>
    new Assembler()
      .function('main')
      .jump('end')
      .line({ file: 'x.y', line: 1, column: 1, text: 'lost' })
      .loadMap(1, 'lost')
      .label('end')
      .line({ file: 'x.y', line: 2, column: 1, text: 'kept' })
      .callFunction('called')
      .exit()
      .function('never')
      .exit()
      .function('called')
      .exit();
  const whole = program().assemble();
  const short = program().assemble({ reachableOnly: true });
  expect([whole.code.length, short.code.length]).toEqual([56, 32]);
  expect(short.functions.map(({ name, slot }) => [name, slot])).toEqual([
    ['main', 0],
    ['called', 3],
  ]);
  expect(short.lines.map(({ text, slot }) => [text, slot])).toEqual([['kept', 1]]);
  expect([whole.maps.length, short.maps.length]).toEqual([1, 0]);
});
