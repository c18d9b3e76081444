/** A target and a kernel made of C declarations, for tests of the Y compiler. */
import { strip, type CType, type FunctionType } from '../../src/ctypes/index.ts';
import { newState } from '../../src/y/check/check.ts';
import { declareItems } from '../../src/y/check/declarations.ts';
import { resolveType } from '../../src/y/check/resolve-type.ts';
import type { FunctionSite, Knowledge, Tracepoint, UsdtSite, VariableSite } from '../../src/y/knowledge.ts';
import { findSimilar, parse } from '../../src/y/syntax/index.ts';

export interface FakeTarget {
  /** Types, `extern` variables and prototypes of functions: what the target's debug information has. */
  readonly target?: string;
  /** Types and prototypes of functions of the kernel. */
  readonly kernel?: string;
  /** Prototypes of system calls; numbered from 0. */
  readonly syscalls?: string;
  /** Functions without debug information. */
  readonly stripped?: readonly string[];
  /** Texts in read-only data, at 0x5000 and on. */
  readonly literals?: readonly string[];
  readonly tracepoints?: readonly Tracepoint[];
  /** By `provider:name`. */
  readonly usdt?: Readonly<Record<string, UsdtSite>>;
  readonly architecture?: 'x86-64' | 'aarch64';
}

/** A target that has nothing. */
export const EMPTY_KNOWLEDGE: Knowledge = {
  architecture: 'x86-64',
  findType: () => undefined,
  findVariables: () => [],
  findEnumerator: () => undefined,
  findFunctions: () => [],
  findLine: () => [],
  findUsdt: () => [],
  hasModule: () => false,
  findKernelFunction: () => undefined,
  findTracepoint: () => undefined,
  findSyscalls: () => [],
  findLiteral: () => undefined,
  similar: () => [],
};

interface Declared {
  readonly tags: ReadonlyMap<string, CType>;
  readonly typedefs: ReadonlyMap<string, CType>;
  readonly variables: ReadonlyMap<string, CType>;
  readonly enumerators: ReadonlyMap<string, { readonly value: bigint; readonly type: CType }>;
  readonly functions: ReadonlyMap<string, FunctionType>;
}

/** Module of everything that the fake target has. */
export const FAKE_MODULE = '/bin/fake';

/** Makes a `Knowledge` of C text. Variables are at 0x10000, 0x10400 …; functions at 0x1000, 0x1100 …, each of 0x100 bytes. */
export function fakeKnowledge(fake: FakeTarget): Knowledge {
  const user = declare(fake.target ?? '');
  const kernel = declare(fake.kernel ?? '');
  const calls = declare(fake.syscalls ?? '');
  const sites = functionSites(user, fake.stripped ?? []);
  const variables = [...user.variables].map(([name, type], index): VariableSite => {
    return { name, module: FAKE_MODULE, type, address: BigInt(0x10000 + index * 0x400), threadOffset: undefined };
  });
  const names: Readonly<Record<'type' | 'function' | 'variable' | 'tracepoint' | 'syscall', () => string[]>> = {
    type: () => [...user.tags.keys(), ...user.typedefs.keys(), ...kernel.tags.keys()],
    function: () => [...sites.map((site) => site.name), ...kernel.functions.keys()],
    variable: () => [...user.variables.keys(), ...user.enumerators.keys()],
    tracepoint: () => (fake.tracepoints ?? []).map((one) => `${one.category}.${one.name}`),
    syscall: () => [...calls.functions.keys()],
  };
  return {
    architecture: fake.architecture ?? 'x86-64',
    findType: (name, tag, space) => findType(space === 'user' ? user : kernel, name, tag),
    findVariables: (name, scope) => variables.filter((one) => one.name === name && inScope(scope)),
    findEnumerator: (name) => user.enumerators.get(name),
    findFunctions: (pattern, scope) => sites.filter((site) => matches(pattern, site.name) && inScope(scope)),
    findLine: (file, line) =>
      file === 'fake.c' ? [{ module: FAKE_MODULE, address: 0x1234n, fileOffset: 0x1234, line, function: 'main' }] : [],
    findUsdt: (provider, name) => [fake.usdt?.[`${provider}:${name}`]].filter((one) => one !== undefined),
    hasModule: (glob) => matches(glob, 'fake'),
    findKernelFunction: (name) => {
      const type = kernel.functions.get(name);
      return type && { name, type };
    },
    findTracepoint: (category, name) => fake.tracepoints?.find((one) => one.category === category && one.name === name),
    findSyscalls: (pattern) =>
      [...calls.functions].map(([name, type], number) => ({ name, number, type })).filter(({ name }) => matches(pattern, name)),
    findLiteral: (text) => {
      const index = (fake.literals ?? []).indexOf(new TextDecoder().decode(text));
      return index < 0 ? undefined : BigInt(0x5000 + index * 0x100);
    },
    similar: (name, what) => findSimilar(name, names[what](), 5),
  };
}

function inScope(scope: string | undefined): boolean {
  return scope === undefined || scope.endsWith('.c') || matches(scope, 'fake');
}

function matches(pattern: string, name: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(name);
}

function findType(declared: Declared, name: string, tag: 'struct' | 'union' | 'enum' | 'any'): CType | undefined {
  if (tag === 'any') return declared.typedefs.get(name);
  const type = declared.tags.get(name);
  const bare = type && strip(type);
  const form = bare?.kind === 'record' ? (bare.form === 'union' ? 'union' : 'struct') : bare?.kind;
  return form === tag ? type : undefined;
}

function functionSites(user: Declared, stripped: readonly string[]): FunctionSite[] {
  const site = (name: string, type: FunctionType | undefined, index: number): FunctionSite => {
    const offset = 0x1000 + index * 0x100;
    return { name, type, module: FAKE_MODULE, address: BigInt(offset), fileOffset: offset, size: 0x100, code: new Uint8Array() };
  };
  const typed = [...user.functions].map(([name, type], index) => site(name, type, index));
  return [...typed, ...stripped.map((name, index) => site(name, undefined, typed.length + index))];
}

/** Reads C declarations with the compiler's own front. Throws when they are wrong: they are the test's. */
function declare(text: string): Declared {
  const parsed = parse({ file: 'fake.h', text, include: () => undefined, knowledge: EMPTY_KNOWLEDGE });
  const c = newState(parsed.sources, EMPTY_KNOWLEDGE);
  const { top } = c;
  declareItems(c, parsed.unit.items);
  const functions = new Map<string, FunctionType>();
  const variables = new Map<string, CType>();
  const enumerators = new Map<string, { value: bigint; type: CType }>();
  for (const [name, meaning] of top.names) {
    if (meaning.kind === 'extern') variables.set(name, meaning.type);
    if (meaning.kind === 'enumerator') enumerators.set(name, { value: meaning.value, type: meaning.type });
    if (meaning.kind !== 'function') continue;
    const resolved = resolveType(c, meaning.declaration.type);
    if (resolved.kind === 'c' && resolved.type.kind === 'function') functions.set(name, resolved.type);
  }
  const faults = [...parsed.diagnostics, ...c.diagnostics].filter((one) => one.severity === 'error');
  if (faults.length > 0) throw new Error(`fake declarations: ${faults.map((one) => `${one.span?.line}: ${one.message}`).join('; ')}`);
  const typedefs = new Map([...top.typedefs].map(([name, { type }]) => [name, type] as const));
  return { tags: top.tags, typedefs, variables, enumerators, functions };
}
