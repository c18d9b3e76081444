// Debug information of whatever program somebody looks at is untrusted: damaged, it may give wrong answers or none, but no crash, no work
// without end, no memory out of proportion.
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findMember, sizeOf, spell, spellDefinition, strip, type CType } from '../ctypes/index.ts';
import { BuiltPrograms, openSections } from './built-programs.ts';
import { DebugInfo, type DebugSections } from './index.ts';

const programs = new BuiltPrograms();
afterAll(() => programs.remove());

const NAMES = [
  '.debug_info',
  '.debug_abbrev',
  '.debug_line',
  '.debug_rnglists',
  '.debug_ranges',
  '.debug_aranges',
  '.debug_str',
  '.debug_line_str',
  '.debug_types',
];

/** Sections of small programs, version 4 and 5. */
const bases: ReadonlyMap<string, Uint8Array>[] = [];
beforeAll(() => {
  for (const flags of [
    ['-gdwarf-5', '-O2'],
    ['-gdwarf-4', '-O2', '-fdebug-types-section'],
  ]) {
    const sections = openSections(programs.build('shapes.c', `base${flags[0]}`, flags));
    bases.push(new Map(NAMES.flatMap((name) => (sections.section(name) ? [[name, sections.section(name)!] as const] : []))));
  }
});

function lookAtType(type: CType | undefined): void {
  if (type === undefined) return;
  spell(type);
  sizeOf(type);
  const inner = strip(type);
  if (inner.kind === 'record') findMember(inner, 'nothing');
  if (inner.kind === 'record' || inner.kind === 'enum') spellDefinition(inner);
}

/** Asks everything there is to ask. */
function ask(sections: DebugSections): void {
  const opened = DebugInfo.open(sections);
  if (!opened.ok) {
    expect(opened.error.message).not.toBe('');
    return;
  }
  const info = opened.value;
  for (const name of ['big', 'packed', 'u', 'list_t', 'color', 'int']) lookAtType(info.findType(name));
  for (const name of ['work', 'main', 'inner']) {
    for (const found of info.findFunctions(name)) for (const parameter of found.parameters) lookAtType(parameter.type);
  }
  for (const name of ['counter', 'tls_counter', 'names']) for (const found of info.findVariables(name)) lookAtType(found.type);
  info.findEnumerators('BLUE');
  expect([...info.functionNames()].length).toBeLessThan(100_000);
  info.findLine('shapes.c', 24);
  info.findInlinedCopies('inner');
  for (let address = 0x1000; address < 0x1300; address += 16) info.find(address);
}

function sectionsOf(map: ReadonlyMap<string, Uint8Array>): DebugSections {
  return { section: (name) => map.get(name), littleEndian: true, addressSize: 8 };
}

test('changed bytes and cut sections', () => {
  const change = fc.record({
    base: fc.nat(1),
    section: fc.nat(NAMES.length - 1),
    at: fc.nat(20_000),
    value: fc.nat(255),
    cut: fc.boolean(),
  });
  let slowest = 0;
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 5 }), (changes) => {
      const sections = new Map(bases[changes[0]!.base]);
      for (const { section, at, value, cut } of changes) {
        const bytes = sections.get(NAMES[section]!)?.slice();
        if (bytes === undefined || bytes.length === 0) continue;
        bytes[at % bytes.length] = value;
        sections.set(NAMES[section]!, cut && value < 32 ? bytes.subarray(0, at % bytes.length) : bytes);
      }
      const start = performance.now();
      ask(sectionsOf(sections));
      slowest = Math.max(slowest, performance.now() - start);
    }),
    { numRuns: 1500 },
  );
  expect(slowest).toBeLessThan(2000);
}, 120_000);

test('random bytes', () => {
  const bytes = fc.uint8Array({ maxLength: 300 });
  fc.assert(
    fc.property(bytes, bytes, bytes, (info, abbreviations, lines) => {
      const header = [0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 8];
      const unit = Uint8Array.from([...header, ...info]);
      new DataView(unit.buffer).setUint32(0, unit.length - 4, true);
      ask(
        sectionsOf(
          new Map([
            ['.debug_info', unit],
            ['.debug_abbrev', abbreviations],
            ['.debug_line', lines],
          ]),
        ),
      );
    }),
    { numRuns: 1000 },
  );
});

/** A unit of version 4 with `body` after its header, and its abbreviations. */
function unitOf(body: readonly number[], abbreviations: readonly number[]): DebugSections {
  const unit = Uint8Array.from([0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 8, ...body]);
  new DataView(unit.buffer).setUint32(0, unit.length - 4, true);
  return sectionsOf(
    new Map([
      ['.debug_info', unit],
      ['.debug_abbrev', Uint8Array.from(abbreviations)],
    ]),
  );
}

test('types that refer to themselves, and siblings that lead back', () => {
  // 1: unit; 2: typedef "a" of itself; 3: struct "s" with a sibling at the unit's start; 4: member of the struct itself; 5: array of itself.
  const abbreviations = [
    [1, 0x11, 1, 0, 0],
    [2, 0x16, 0, 0x03, 0x08, 0x49, 0x13, 0, 0],
    [3, 0x13, 1, 0x03, 0x08, 0x0b, 0x0b, 0x01, 0x13, 0, 0],
    [4, 0x0d, 0, 0x03, 0x08, 0x49, 0x13, 0, 0],
    [5, 0x16, 0, 0x03, 0x08, 0x49, 0x13, 0, 0],
    [6, 0x01, 1, 0x49, 0x13, 0, 0],
    [7, 0x21, 0, 0x2f, 0x0b, 0, 0],
    [0],
  ].flat();
  const at = (offset: number): number[] => [offset, 0, 0, 0];
  const body = [
    [1],
    [2, 0x61, 0, ...at(12)], // 12: a = a
    [3, 0x73, 0, 8, ...at(0)], // 19: struct s
    [4, 0x6d, 0, ...at(19)], // 27: s m
    [0],
    [5, 0x62, 0, ...at(42)], // 35: b = array at 42
    [6, ...at(42), 7, 1, 0], // 42: array of itself
    [0],
  ].flat();
  const sections = unitOf(body, abbreviations);
  ask(sections);
  const opened = DebugInfo.open(sections);
  if (!opened.ok) throw new Error(opened.error.message);
  expect(strip(opened.value.findType('a')!).kind).toBe('void');
  expect(spell(opened.value.findType('struct s')!)).toBe('struct s');
  lookAtType(opened.value.findType('s'));
  expect(sizeOf(opened.value.findType('b')!)).toBeUndefined();
});

test('sizes that the bytes do not have', () => {
  const info = Uint8Array.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 4, 0]);
  expect(DebugInfo.open(sectionsOf(new Map([['.debug_info', info]])))).toMatchObject({ ok: false, error: { kind: 'damaged' } });
  expect(DebugInfo.open(sectionsOf(new Map())).ok).toBe(false);
});
