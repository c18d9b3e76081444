import { expect, test } from 'vitest';
import { findMember, sizeOf, spell, spellDefinition, strip, type CType, type Member, type RecordType } from './index.ts';

const int: CType = { kind: 'integer', name: 'int', size: 4, signed: true, role: 'number' };
const char: CType = { kind: 'integer', name: 'char', size: 1, signed: true, role: 'char' };
const pointer = (target: CType, form: 'pointer' | 'reference' = 'pointer'): CType => ({ kind: 'pointer', form, size: 8, target });
const array = (element: CType, length?: number): CType => ({ kind: 'array', element, length });
const constant = (target: CType): CType => ({ kind: 'named', form: 'const', name: undefined, target });
const alias = (name: string, target: CType): CType => ({ kind: 'named', form: 'typedef', name, target });
const fn = (result: CType, ...types: CType[]): CType => ({
  kind: 'function',
  result,
  parameters: types.map((type) => ({ name: undefined, type })),
  variadic: false,
});
const member = (name: string | undefined, type: CType, offset: number, more: Partial<Member> = {}): Member => ({
  name,
  type,
  offset,
  bits: undefined,
  base: false,
  ...more,
});
const record = (name: string | undefined, size: number, members: Member[], form: 'struct' | 'union' = 'struct'): RecordType => ({
  kind: 'record',
  form,
  name,
  size,
  declaration: false,
  members,
});

test.each<[CType, string, string]>([
  [pointer(constant(char)), 's', 'const char *s'],
  [constant(pointer(char)), 's', 'char *const s'],
  [array(array(int, 3), 2), 'a', 'int a[2][3]'],
  [array(int), 'a', 'int a[]'],
  [pointer(array(int, 4)), 'p', 'int (*p)[4]'],
  [array(pointer(int), 4), 'p', 'int *p[4]'],
  [pointer(fn(int, pointer(char))), 'f', 'int (*f)(char *)'],
  [fn(pointer(fn({ kind: 'void' }, int)), int), 'signal', 'void (*signal(int))(int)'],
  [fn({ kind: 'void' }), 'g', 'void g(void)'],
  [pointer(record('node', 8, []), 'reference'), 'n', 'struct node &n'],
  [alias('size_t', int), '', 'size_t'],
])('spell() %#', (type, name, text) => {
  expect(spell(type, name)).toBe(text);
});

test('sizeOf() multiplies arrays and does not guess', () => {
  expect(sizeOf(alias('grid', array(array(int, 3), 2)))).toBe(24);
  expect(sizeOf(array(int))).toBeUndefined();
  expect(sizeOf({ kind: 'void' })).toBeUndefined();
  expect(sizeOf({ ...record('x', 0, []), declaration: true })).toBeUndefined();
});

test('findMember() looks through anonymous members and bases, and adds offsets', () => {
  const base = record('base', 8, [member('x', int, 0), member('y', int, 4)]);
  const inner = record(undefined, 8, [member('a', int, 0), member('b', int, 4)], 'union');
  const outer = record('outer', 32, [member(undefined, base, 8, { base: true }), member(undefined, inner, 16), member('x', char, 24)]);
  expect(findMember(outer, 'y')?.offset).toBe(12);
  expect(findMember(outer, 'b')?.offset).toBe(20);
  expect(findMember(outer, 'x')).toEqual({ member: outer.members[2], offset: 24 });
  expect(findMember(outer, 'z')).toBeUndefined();
});

test('types that contain themselves end', () => {
  const loop = { kind: 'named', form: 'typedef', name: 'loop' } as unknown as { target: CType } & CType;
  loop.target = loop;
  expect(strip(loop).kind).toBe('void');
  const turtles = { kind: 'array', length: 2 } as unknown as { element: CType } & CType;
  turtles.element = turtles;
  expect(sizeOf(turtles)).toBeUndefined();
  expect(spell(turtles)).toContain('…');
  const self = record('self', 8, []) as RecordType & { members: Member[] };
  self.members = [member(undefined, self, 0)];
  expect(findMember(self, 'x')).toBeUndefined();
});

test('spellDefinition() shows offsets, sizes, bits and anonymous members', () => {
  const inner = record(undefined, 4, [member('a', int, 0), member('c', array(char, 4), 0)], 'union');
  const outer = record('outer', 12, [
    member('n', int, 0),
    member(undefined, inner, 4),
    member('flag', int, 8, { bits: { offset: 3, size: 1 } }),
  ]);
  expect(spellDefinition(outer).split('\n')).toEqual([
    'struct outer { // 12 bytes',
    '  int n; // 0, 4',
    '  union { // 4, 4',
    '    int a; // 4, 4',
    '    char c[4]; // 4, 4',
    '  };',
    '  int flag:1; // 8:3, 1 bits',
    '};',
  ]);
});
