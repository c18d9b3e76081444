import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { requireOrSkip } from '../../test/support/require-or-skip.ts';
import { findMember, sizeOf, spell, spellDefinition, strip, type CType, type RecordType } from '../ctypes/index.ts';
import { BtfTypes } from './index.ts';

const SOURCE = `
enum color { RED, GREEN = 7 };
typedef unsigned long word;
struct node { struct node *next; union { int number; const char *text; }; unsigned a : 3, b : 7, c : 30; enum color color; word words[6]; int (*call)(struct node *, ...); _Bool yes; double real; char tail[]; };
int walk(struct node *first, word limit) { return first->number + (int)limit; }
struct node global;
`;
const folder = mkdtempSync(join(tmpdir(), 'btf-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The BTF that gcc writes for SOURCE. */
let compiled: Uint8Array;
beforeAll(() => {
  const [source, object, blob] = ['s.c', 's.o', 's.btf'].map((name) => join(folder, name)) as [string, string, string];
  writeFileSync(source, SOURCE);
  const built = spawnSync('gcc', ['-gbtf', '-c', '-o', object, source], { encoding: 'utf8' });
  if (built.status !== 0) throw new Error(built.stderr);
  spawnSync('objcopy', ['-O', 'binary', '--only-section=.BTF', '--set-section-flags', '.BTF=alloc', object, blob]);
  compiled = readFileSync(blob);
});

function open(bytes: Uint8Array, base?: BtfTypes): BtfTypes {
  const types = BtfTypes.open(bytes, base);
  if (!types.ok) throw new Error(types.error.message);
  return types.value;
}

const record = (type: CType | undefined): RecordType => {
  const inner = strip(type ?? { kind: 'void' });
  if (inner.kind !== 'record') throw new Error(`not a record: ${inner.kind}`);
  return inner;
};

test('structs as gcc wrote them', () => {
  const types = open(compiled);
  expect(spellDefinition(record(types.findType('struct node')))).toBe(
    [
      'struct node { // 104 bytes',
      '  struct node *next; // 0, 8',
      '  union { // 8, 8',
      '    int number; // 8, 4',
      '    const char *text; // 8, 8',
      '  };',
      '  unsigned int a:3; // 16:0, 3 bits',
      '  unsigned int b:7; // 16:3, 7 bits',
      '  unsigned int c:30; // 20:0, 30 bits',
      '  enum color color; // 24, 4',
      '  word words[6]; // 32, 48',
      '  int (*call)(struct node *, ...); // 80, 8',
      '  _Bool yes; // 88, 1',
      '  double real; // 96, 8',
      '  char tail[]; // 104, 0',
      '};',
    ].join('\n'),
  );
  expect(types.findType('node', 'union')).toBeUndefined();
  expect(types.findType('nothing')).toBeUndefined();
  expect(findMember(record(types.findType('node')), 'text')?.offset).toBe(8);
});

test('functions, enumerators and ids by name', () => {
  const types = open(compiled);
  const walk = types.findFunction('walk')!;
  expect(spell(walk.type, walk.name)).toBe('int walk(struct node *, word)');
  expect(walk.type.parameters.map((one) => one.name)).toEqual(['first', 'limit']);
  expect(types.idOf('walk', 'function')).toBe(walk.id);
  expect(types.idOf('walk', 'struct')).toBeUndefined();
  expect(types.findEnumerators('GREEN').map((one) => [one.type.name, one.value])).toEqual([['color', 7n]]);
  expect([...types.functionNames()]).toEqual(['walk']);
  expect(types.idOf('global', 'variable')).toBeDefined();
});

test('a blob on a base: own types first, then the base, ids and strings go on', () => {
  const base = open(compiled);
  const split = open(compiled, base);
  expect(split.firstId).toBe(base.count);
  expect(split.typeOf(base.idOf('walk', 'function')!)).toBe(base.typeOf(base.idOf('walk', 'function')!));
  // The copy's strings are numbered as the base's: it finds nothing of its own, and the base answers.
  expect(spell(split.findFunction('walk')!.type)).toBe('int (struct node *, word)');
});

test('the running kernel: every struct is at least as large as its members', (context) => {
  const path = '/sys/kernel/btf/vmlinux';
  requireOrSkip(context, existsSync(path), `no ${path}: the kernel was built without CONFIG_DEBUG_INFO_BTF`);
  const start = performance.now();
  const types = open(readFileSync(path));
  expect(performance.now() - start).toBeLessThan(1000);
  expect(sizeOf(types.findType('struct list_head')!)).toBe(16);
  expect(spellDefinition(record(types.findType('list_head')))).toContain('struct list_head *prev; // 8, 8');
  expect(types.findFunction('vfs_read')!.type.parameters.map((one) => one.name)).toEqual(['file', 'buf', 'count', 'pos']);
  expect(strip(types.findType('trace_event_raw_sched_switch')!).kind).toBe('record');
  expect(types.findType('btf_trace_sched_switch')).toMatchObject({ kind: 'named', form: 'typedef' });
  expect(types.findEnumerators('BPF_MAP_TYPE_HASH').map((one) => one.value)).toEqual([1n]);
  let members = 0;
  for (let id = 1; id < types.count; id++) {
    const type = types.typeOf(id);
    if (type.kind !== 'record' || type.declaration) continue;
    for (const member of type.members) {
      const size = member.bits === undefined ? (sizeOf(member.type) ?? 0) : Math.ceil((member.bits.offset + member.bits.size) / 8);
      if (member.offset + size > type.size) expect.unreachable(`${type.name}.${member.name} ends beyond its record`);
      members++;
    }
  }
  expect(members).toBeGreaterThan(50_000);
});

test('a module on the running kernel', (context) => {
  const module = ['btrfs', 'ext4', 'xfs', 'nf_tables', 'overlay', 'kvm', 'fuse'].find((name) => existsSync(`/sys/kernel/btf/${name}`));
  requireOrSkip(context, module !== undefined || process.env.FLUORO_REQUIRE_KERNEL === '1', 'no module with BTF is loaded');
  if (module === undefined) return;
  const types = open(readFileSync(`/sys/kernel/btf/${module}`), open(readFileSync('/sys/kernel/btf/vmlinux')));
  expect([...types.functionNames()].length).toBeGreaterThan(0);
  expect(sizeOf(types.findType('struct list_head')!)).toBe(16);
});

test('damaged blobs: an error or an answer, never a crash', () => {
  const look = (bytes: Uint8Array): void => {
    const types = BtfTypes.open(bytes);
    if (!types.ok) return;
    const { value } = types;
    for (let id = 0; id < Math.min(value.count, 200); id++) {
      const type = value.typeOf(id);
      spell(type);
      sizeOf(type);
      if (type.kind === 'record') {
        findMember(type, 'none');
        spellDefinition(type);
      }
      if (type.kind === 'enum') spellDefinition(type);
    }
    value.findType('node');
    value.findFunction('walk');
    value.findEnumerators('RED');
  };
  const change = fc.tuple(fc.nat(compiled.length - 1), fc.nat(255));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 6 }), fc.nat(compiled.length), (changes, cut) => {
      const bytes = compiled.slice();
      for (const [at, value] of changes) bytes[at] = value;
      look(bytes);
      look(bytes.subarray(0, cut));
    }),
    { numRuns: 1000 },
  );
});
