import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { requireOrSkip } from '../../test/support/require-or-skip.ts';
import { findMember, sizeOf, spell, strip, type CType, type RecordType } from '../ctypes/index.ts';
import { BuiltPrograms, openProgram, openSections, run } from './built-programs.ts';
import { DebugInfo } from './index.ts';

const programs = new BuiltPrograms();
afterAll(() => programs.remove());

/** How the C program is compiled; each must say the same of the source. */
const BUILDS: readonly (readonly [string, readonly string[]])[] = [
  ['plain', ['-g', '-O0']],
  ['optimised', ['-g', '-O2']],
  ['whole', ['-g', '-O3', '-flto']],
  ['version-2', ['-gdwarf-2', '-O2']],
  ['version-3', ['-gdwarf-3', '-O2']],
  ['version-4', ['-gdwarf-4', '-O2']],
  ['version-5', ['-gdwarf-5', '-O2']],
  ['wide', ['-gdwarf-5', '-gdwarf64', '-O2']],
  ['split', ['-g', '-gsplit-dwarf', '-O2']],
  ['split-4', ['-gdwarf-4', '-gsplit-dwarf', '-O2']],
  ['type-units', ['-g', '-fdebug-types-section', '-O1']],
  ['type-units-4', ['-gdwarf-4', '-fdebug-types-section', '-O1']],
  ['packed', ['-g', '-gz', '-O2']],
];

/** What gdb says of a record: its size, and each member's name, first bit and number of bits (0 when it is no bit-field). */
interface Layout {
  readonly size: number;
  readonly fields: readonly (readonly [string | null, number, number])[];
}

/** Asks gdb, through its own Python. */
function askGdb(program: string, script: string): unknown {
  const file = join(programs.folder, 'ask.py');
  writeFileSync(file, `import gdb, json\n${script}\n`);
  const printed = run('gdb', ['-batch', '-nx', '-iex', 'set auto-load no', '-x', file, program]);
  return JSON.parse(printed.trim().split('\n').at(-1)!);
}

function gdbLayouts(program: string, names: readonly string[]): Record<string, Layout> {
  const script = `
out = {}
for name in ${JSON.stringify(names)}:
    t = gdb.lookup_type(name).strip_typedefs()
    out[name] = {'size': t.sizeof, 'fields': [[f.name or None, f.bitpos, f.bitsize] for f in t.fields() if hasattr(f, 'bitpos')]}
print(json.dumps(out))`;
  return askGdb(program, script) as Record<string, Layout>;
}

function record(type: CType | undefined): RecordType {
  const inner = strip(type ?? { kind: 'void' });
  if (inner.kind !== 'record') throw new Error(`not a record but ${inner.kind}`);
  return inner;
}

/** Our view of a record in gdb's terms. */
function layout(type: RecordType): Layout {
  const fields = type.members.map((member): [string | null, number, number] => [
    member.base ? record(member.type).name! : (member.name ?? null),
    member.offset * 8 + (member.bits?.offset ?? 0),
    member.bits?.size ?? 0,
  ]);
  return { size: type.size, fields };
}

describe.each(BUILDS)('a C program built %s', (name, flags) => {
  let info: DebugInfo;
  let program: string;

  test('compiles and opens', () => {
    program = programs.build('shapes.c', name, flags);
    info = openProgram(program);
    expect(info.counts).toMatchObject({ skippedUnits: 0, missingSplitUnits: 0 });
  });

  test('structs, unions and bit-fields lie where gdb says', () => {
    const names = ['struct big', 'struct packed', 'union u', 'list_t'];
    const ours = Object.fromEntries(names.map((one) => [one, layout(record(info.findType(one)))]));
    expect(ours).toEqual(gdbLayouts(program, names));
  });

  test('types are spelled as the source has them', () => {
    const big = record(info.findType('big', 'struct'));
    const member = (name: string): string => spell(findMember(big, name)!.member.type, name);
    expect(['cb', 'grid', 'l', 'o', 'tail', 'w'].map(member)).toEqual([
      'int (*cb)(struct big *, const char *, ...)',
      'int grid[2][3]',
      'list_t l',
      'struct opaque *o',
      'char tail[]',
      'uint64_t w',
    ]);
    expect(findMember(big, 'z')!.offset).toBe(10);
    expect(findMember(big, 'ok')!.member.type).toMatchObject({ kind: 'integer', role: 'bool' });
    expect(info.findType('big', 'union')).toBeUndefined();
    expect(sizeOf(info.findType('list_t', 'typedef')!)).toBe(16);
  });

  test('enumerators, functions, variables', () => {
    expect(info.findEnumerators('BLUE').map((one) => [one.value, spell(one.type)])).toEqual([[-3n, 'enum color']]);
    const [work, ...more] = info.findFunctions('work');
    expect(more).toEqual([]);
    expect(work!.parameters.map((one) => spell(one.type, one.name ?? ''))).toEqual(['list_t *l', 'double factor', 'struct big *b']);
    expect(spell(work!.result)).toBe('int');
    expect([work!.line, work!.external, work!.file.endsWith('shapes.c')]).toEqual([21, true, true]);
    const [inner] = info.findFunctions('inner');
    // Link-time optimisation inlines without saying so at the function.
    expect([inner!.inlined, inner!.line, inner!.parameters.map((one) => one.name)]).toEqual([name !== 'whole', 15, ['v']]);
    expect(info.findInlinedCopies('inner').length).toBeGreaterThan(0);
    expect([...info.functionNames()]).toEqual(
      expect.arrayContaining(name === 'whole' ? ['work', 'main'] : ['work', 'main', 'inner', 'outer']),
    );
    expect(info.findVariables('tls_other')[0]).toMatchObject({ address: undefined, external: true });
    expect(info.findVariables('nothing')).toEqual([]);
  });

  test('addresses of functions and variables are those of the symbol table', () => {
    const symbols = new Map<string, number>();
    for (const line of run('nm', [program]).split('\n')) {
      const [address, , symbol] = line.split(' ');
      if (symbol !== undefined) symbols.set(symbol.replace(/\..*/, ''), Number.parseInt(address!, 16));
    }
    for (const one of ['work', 'main']) expect(info.findFunctions(one)[0]!.lowPc, one).toBe(symbols.get(one));
    for (const one of ['counter', 'table', 'names']) expect(info.findVariables(one)[0]!.address, one).toBe(symbols.get(one));
    const [rounds, ...others] = info.findVariables('work::rounds');
    expect([rounds!.address, rounds!.qualifiedName, spell(rounds!.type), others]).toEqual([
      symbols.get('rounds'),
      'work::rounds',
      'volatile long int',
      [],
    ]);
    expect(info.findVariables('main::rounds')).toEqual([]);
    // In split units the linker puts addresses where offsets belong; gdb shows the same.
    if (name.startsWith('split')) return;
    for (const one of ['tls_counter', 'tls_other']) expect(info.findVariables(one)[0]!.tlsOffset, one).toBe(symbols.get(one));
  });

  test('every address in the code has the function, the inlined calls and the lines that LLVM says', () => {
    const { compared, differences } = compareWithLlvm(program, info);
    expect(differences).toEqual([]);
    expect(compared).toBeGreaterThan(30);
  });

  test('lines have the addresses that gdb would stop at', () => {
    for (const line of [22, 24, 27, 31, 34]) {
      const script = `print(json.dumps([[s.pc, s.line] for s in (gdb.decode_line('shapes.c:${line}')[1] or [])]))`;
      const theirs = askGdb(program, script) as [number, number][];
      const ours = info.findLine('shapes.c', line)!;
      expect(ours.line, `line ${line}`).toBe(theirs[0]![1]);
      // At the start of a function gdb steps over the prologue; elsewhere it stops where the line begins.
      if (line === 24 || line === 27) expect(ours.addresses, `line ${line}`).toEqual(expect.arrayContaining(theirs.map(([pc]) => pc)));
    }
    expect(info.findLine('shapes.c', 30)).toMatchObject({ exact: expect.any(Boolean) });
    expect(info.findLine('apes.c', 22)).toBeUndefined();
    expect(info.findLine('shapes.c', 5000)).toBeUndefined();
  });
});

interface Frame {
  readonly name: string;
  readonly file: string;
  readonly line: number;
}

/** Frames at an address, innermost first. */
function frames(info: DebugInfo, address: number): Frame[] {
  const found = info.find(address);
  if (found === undefined) return [];
  return [...found.inlined, found].map((place) => ({
    name: place.linkageName ?? place.function ?? '??',
    file: place.file.split('/').at(-1)!,
    line: place.line,
  }));
}

/**
 * Compares each `step`th address of the compiled code with what LLVM says (addr2line of binutils 2.40 does not show inlined calls in split
 * units and beside type units, and counts files wrongly after link-time optimisation). Left out: places without a line, and the name of
 * the function itself, which LLVM takes from the symbol table (`main.cold`).
 */
function compareWithLlvm(program: string, info: DebugInfo, step = 3): { compared: number; differences: string[] } {
  const text = /\.text\s+PROGBITS\s+([0-9a-f]+)\s+[0-9a-f]+\s+([0-9a-f]+)/.exec(run('readelf', ['-SW', program]))!;
  const start = Number.parseInt(text[1]!, 16);
  const addresses: number[] = [];
  for (let address = start; address < start + Number.parseInt(text[2]!, 16); address += step) addresses.push(address);
  const options = ['--output-style=GNU', '--no-demangle', '-i', '-f', '-a', '-e', program];
  const printed = run('llvm-symbolizer', options, addresses.map((one) => `0x${one.toString(16)}`).join('\n'));
  const result = { compared: 0, differences: [] as string[] };
  for (const block of printed.split(/^0x/m).slice(1)) {
    const [head, ...lines] = block.trim().split('\n');
    const theirs: Frame[] = [];
    for (let index = 0; index + 1 < lines.length; index += 2) {
      const [, file, line] = /([^/]*):(\d+|\?)/.exec(lines[index + 1]!)!;
      theirs.push({ name: lines[index]!, file: file!, line: line === '?' ? 0 : Number(line) });
    }
    if (theirs[0]!.line === 0) continue;
    const ours = frames(info, Number.parseInt(head!, 16));
    for (const list of [ours, theirs]) if (list.length > 0) list.splice(-1, 1, { ...list.at(-1)!, name: '' });
    result.compared++;
    if (JSON.stringify(ours) !== JSON.stringify(theirs))
      result.differences.push(`${head}: ours ${JSON.stringify(ours)} theirs ${JSON.stringify(theirs)}`);
  }
  return result;
}

describe.each([
  ['plain', ['-g', '-O0']],
  ['optimised', ['-g', '-O2']],
  ['split', ['-g', '-gsplit-dwarf', '-O1']],
  ['type-units-4', ['-gdwarf-4', '-fdebug-types-section', '-O1']],
])('a C++ program built %s', (name, flags) => {
  let info: DebugInfo;
  let program: string;

  test('classes with bases, templates, references and nested types lie where gdb says', () => {
    program = programs.build('shop.cc', `cc-${name}`, flags);
    info = openProgram(program);
    const names = ['shop::Box<int, 4>', 'shop::Base', 'shop::Box<int, 4>::Inner', 'std::vector<int, std::allocator<int> >'];
    const ours = Object.fromEntries(names.map((one) => [one, layout(record(info.findType(one)))]));
    expect(ours).toEqual(gdbLayouts(program, names));
    expect(info.findType('shop::Box<int,4>')).toBe(info.findType('shop::Box<int, 4>'));
    const box = record(info.findType('shop::Box<int, 4>'));
    expect([findMember(box, 'id')!.offset, findMember(box, 'extra')!.offset]).toEqual([8, 16]);
    expect(spell(findMember(box, 'ref')!.member.type, 'ref')).toBe('int &ref');
    expect(info.findType('Box<int, 4>')).toBeUndefined();
  });

  test('names are qualified', () => {
    expect(info.findEnumerators('shop::Kind::Large').map((one) => one.value)).toEqual([200n]);
    expect(info.findType('shop::Kind', 'enum')).toMatchObject({ size: 1, signed: false });
    const [get] = info.findFunctions('shop::Box<int, 4>::get');
    expect(get!.parameters.map((one) => one.name)).toEqual(['this', 'i']);
    expect(get!.linkageName).toBe('_ZNK4shop3BoxIiLi4EE3getEi');
    expect(info.findFunctions('Box<int,4>::get').map((one) => one.qualifiedName)).toEqual(['shop::Box<int, 4>::get']);
    expect(info.findFunctions('hidden').map((one) => one.qualifiedName)).toContain('shop::(anonymous namespace)::hidden');
    expect(info.findVariables('shop::total')[0]!.address).toBeGreaterThan(0);
    expect(info.findVariables('shop::Box<int, 4>::made')[0]).toMatchObject({
      linkageName: '_ZN4shop3BoxIiLi4EE4madeE',
      address: expect.any(Number),
    });
    const [use] = info.findFunctions('use');
    expect(use!.parameters.map((one) => strip(one.type).kind)).toEqual(['pointer', 'pointer', 'pointer', 'integer']);
    expect(use!.parameters.slice(0, 2).map((one) => (strip(one.type) as { form: string }).form)).toEqual(['reference', 'rvalue-reference']);
  });

  test('frames are those of LLVM', () => {
    const { compared, differences } = compareWithLlvm(program, info, 7);
    expect(compared).toBeGreaterThan(100);
    expect(differences).toEqual([]);
  });
});

test('a package of split units says what the units say', () => {
  const program = programs.build('shapes.c', 'package', ['-gdwarf-4', '-gsplit-dwarf', '-fdebug-types-section', '-O2']);
  const names = ['struct big', 'list_t', 'struct packed'];
  const layouts = (info: DebugInfo): Layout[] => names.map((one) => layout(record(info.findType(one))));
  const beside = layouts(openProgram(program));
  run('sh', ['-c', `cd ${programs.folder} && dwp -e package -o package.dwp`]);
  rmSync(join(programs.folder, 'package-shapes.dwo'));
  const packed = openProgram(program);
  expect(layouts(packed)).toEqual(beside);
  expect(packed.counts.missingSplitUnits).toBe(0);
  expect(packed.findFunctions('work')[0]!.parameters.map((one) => spell(one.type))).toEqual(['list_t *', 'double', 'struct big *']);
  const { compared, differences } = compareWithLlvm(program, openProgram(program));
  expect(differences).toEqual([]);
  expect(compared).toBeGreaterThan(30);
});

test('without their split units, programs still have lines', () => {
  const program = programs.build('shapes.c', 'lost', ['-g', '-gsplit-dwarf', '-O2']);
  const main = openProgram(program).findFunctions('main')[0]!.lowPc!;
  const before = openProgram(program).find(main)!;
  expect(before.function).toBe('main');
  rmSync(join(programs.folder, 'lost-shapes.dwo'));
  const info = openProgram(program);
  expect(info.find(main)).toEqual({ function: undefined, linkageName: undefined, file: before.file, line: before.line, inlined: [] });
  expect(info.findFunctions('main')).toEqual([]);
  expect(info.counts.missingSplitUnits).toBe(1);
});

test('dwz: what two programs share lies in a third file', (context) => {
  requireOrSkip(context, existsSync('/usr/bin/dwz'), 'no dwz; install it: apt-get install dwz');
  const paths = [programs.build('shop.cc', 'shared-1', ['-g', '-O1']), programs.build('shop.cc', 'shared-2', ['-g', '-O0'])];
  const sampled = Array.from({ length: 1500 }, (_, index) => 0x1100 + index * 7);
  const framesBefore = paths.map((path) => {
    const info = openProgram(path);
    return sampled.map((address) => frames(info, address));
  });
  expect(framesBefore[0]!.flat().length).toBeGreaterThan(100);
  const before = paths.map((path) => layout(record(openProgram(path).findType('shop::Box<int, 4>'))));
  const common = join(programs.folder, 'common.debug');
  run('dwz', ['-m', common, '-M', common, ...paths]);
  for (const [index, path] of paths.entries()) {
    const info = openProgram(path);
    expect(layout(record(info.findType('shop::Box<int, 4>')))).toEqual(before[index]);
    const [get] = info.findFunctions('shop::Box<int, 4>::get');
    // Inlined everywhere in the first.
    expect([get!.linkageName, get!.lowPc === undefined]).toEqual(['_ZNK4shop3BoxIiLi4EE3getEi', index === 0]);
    expect(info.findFunctions('use')[0]!.parameters.map((one) => one.name)).toEqual(['v', 's', 'b', 'pm']);
    // LLVM does not read the third file: what was said before is the judge.
    expect(sampled.map((address) => frames(info, address))).toEqual(framesBefore[index]);
  }
});

test('a large debug file opens in memory that is in proportion to what is indexed', (context) => {
  const path = findDebugFile('/usr/bin/python3.11');
  requireOrSkip(context, path !== undefined, 'no debug file of python3.11; install it: apt-get install python3.11-dbg');
  const sections = openSections(path!);
  for (const name of ['.debug_info', '.debug_abbrev', '.debug_str', '.debug_line', '.debug_line_str', '.debug_rnglists'])
    sections.section(name);
  const opened = DebugInfo.open(sections);
  if (!opened.ok) throw new Error(opened.error.message);
  expect(record(opened.value.findType('struct _ts')).size).toBe(360);
  const { indexed, indexBytes, damagedUnits } = opened.value.counts;
  expect(damagedUnits).toBe(0);
  expect(indexed).toBeGreaterThan(100_000);
  // The README's bound: 17 bytes an entry, a chain's 4, and heads of 4 to 8.
  expect(indexBytes / indexed).toBeLessThan(29);
});

/** The file that Debian keeps by the program's build id. */
function findDebugFile(program: string): string | undefined {
  const id = existsSync(program) ? /Build ID: ([0-9a-f]+)/.exec(run('readelf', ['-n', program]))?.[1] : undefined;
  const path = `/usr/lib/debug/.build-id/${id?.slice(0, 2)}/${id?.slice(2)}.debug`;
  return existsSync(path) ? path : undefined;
}

test('Rust: structs and enums as far as they map', (context) => {
  const has = spawnOk('rustc');
  requireOrSkip(context, has || process.env.FLUORO_REQUIRE_KERNEL === '1', 'no rustc');
  if (!has) return;
  mkdirSync(join(programs.folder, 'rust'));
  const source = join(programs.folder, 'rust', 'r.rs');
  writeFileSync(
    source,
    'pub struct Point { x: i32, y: u8 }\npub enum Shape { Circle(f64), Dot(Point) }\n#[inline(never)] fn area(s: &Shape) -> f64 { match s { Shape::Circle(r) => r * r, Shape::Dot(p) => (p.x + p.y as i32) as f64 } }\nfn main() { let n = std::env::args().count(); println!("{}", area(&Shape::Circle(n as f64)) + area(&Shape::Dot(Point { x: n as i32, y: 1 }))); }\n',
  );
  run('rustc', ['-g', '-o', join(programs.folder, 'rust', 'r'), source]);
  const info = openProgram(join(programs.folder, 'rust', 'r'));
  const point = record(info.findType('r::Point'));
  expect([point.size, findMember(point, 'x')?.offset, findMember(point, 'y')?.offset]).toEqual([8, 0, 4]);
  expect(record(info.findType('r::Shape')).members.map((one) => one.name)).toEqual(['__discriminant', 'Circle', 'Dot']);
  expect(info.findFunctions('r::area')[0]).toMatchObject({ line: 3, lowPc: expect.any(Number) });
});

function spawnOk(command: string): boolean {
  try {
    run(command, ['--version']);
    return true;
  } catch {
    return false;
  }
}
