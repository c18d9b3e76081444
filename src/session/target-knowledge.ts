/**
 * What the compiler asks, answered from the files that are mapped into the targets, their debug information and symbol tables,
 * and the running kernel.
 *
 * Several targets may run the same files; a file is looked into once. Addresses of variables are those of the first target.
 */
import type { CType, FunctionType } from '../ctypes/index.ts';
import type { DebugInfo, FunctionInfo } from '../dwarf/index.ts';
import { findBytesAt, findFileOffset, SEGMENT, type ElfFile } from '../elf/index.ts';
import { demangle, matchGlob, type Symbolizer } from '../symbols/index.ts';
import type { Target, TargetModule } from '../target/index.ts';
import {
  findSimilar,
  type FunctionSite,
  type Knowledge,
  type LineSite,
  type MappedFile,
  type UsdtSite,
  type VariableSite,
} from '../y/index.ts';
import type { KernelKnowledge } from './kernel-knowledge.ts';
import { findUsdtSites } from './usdt-sites.ts';

/** Bytes of code that a function's site shows. */
const CODE_BYTES = 16;

/** A target and what names its addresses. The first is the one whose variables are read. */
export interface KnownTarget {
  readonly target: Target;
  readonly symbolizer: Symbolizer;
}

interface KnownModule {
  readonly module: TargetModule;
  readonly elf: ElfFile;
  readonly symbolizer: Symbolizer;
  /** Whether the first target maps it. */
  readonly mapped: boolean;
}

export class TargetKnowledge implements Knowledge {
  readonly architecture: Knowledge['architecture'];
  readonly #targets: readonly KnownTarget[];
  readonly #kernel: KernelKnowledge;
  readonly #openDebug: (elf: ElfFile, debug: ElfFile | undefined, path: string) => DebugInfo | undefined;
  readonly #debug = new Map<ElfFile, DebugInfo | undefined>();
  readonly #loaded: KnownModule[] = [];
  readonly #unread = this.#load();

  constructor(
    architecture: Knowledge['architecture'],
    targets: readonly KnownTarget[],
    kernel: KernelKnowledge,
    openDebug: (elf: ElfFile, debug: ElfFile | undefined, path: string) => DebugInfo | undefined,
  ) {
    this.architecture = architecture;
    this.#targets = targets;
    this.#kernel = kernel;
    this.#openDebug = openDebug;
  }

  findType(name: string, tag: 'struct' | 'union' | 'enum' | 'any', space: 'user' | 'kernel'): CType | undefined {
    if (space === 'kernel') return this.#kernel.findType(name, tag);
    let declared: CType | undefined;
    for (const debug of this.#debugInfos()) {
      const type = debug.findType(name, tag);
      if (type === undefined) continue;
      if (type.kind !== 'record' || !type.declaration) return type;
      declared ??= type;
    }
    return declared;
  }

  findVariables(name: string, scope: string | undefined): readonly VariableSite[] {
    const sites: VariableSite[] = [];
    for (const known of this.#all()) {
      sites.push(...this.#variablesOf(known, name, scope));
      // As the linker would: the executable's own hides the others', which a scope still finds.
      if (scope === undefined && sites.length > 0) break;
    }
    return sites;
  }

  #variablesOf(known: KnownModule, name: string, scope: string | undefined): VariableSite[] {
    const inModule = scope === undefined ? undefined : matchGlob(scope);
    const isScope = inModule === undefined || inModule(known.module.name) || inModule(known.module.path);
    const variables = this.#debugOf(known)?.findVariables(name) ?? [];
    if (variables.length === 0) return isScope ? this.#symbolsOfVariable(known, name) : [];
    return variables.flatMap(({ type, address, tlsOffset, file }) => {
      if (!isScope && !isFile(file, scope)) return [];
      const linked = address === undefined || !known.mapped ? undefined : BigInt(address) + known.module.bias;
      const threadOffset = tlsOffset === undefined ? undefined : toThreadOffset(known.elf, BigInt(tlsOffset), this.architecture);
      const fileAddress = address === undefined ? undefined : BigInt(address);
      return [{ name, ...toModule(known), fileAddress, type, address: linked, threadOffset }];
    });
  }

  findEnumerator(name: string): { readonly value: bigint; readonly type: CType } | undefined {
    for (const debug of this.#debugInfos()) {
      const found = debug.findEnumerators(name);
      // Enums that disagree about a name give it no meaning: it must be qualified.
      if (found.length > 0) return found.every(({ value }) => value === found[0]!.value) ? found[0] : undefined;
    }
    return this.#kernel.findEnumerator(name);
  }

  findFunctions(pattern: string, scope: string | undefined): readonly FunctionSite[] {
    const inModule = scope === undefined ? undefined : matchGlob(scope);
    return [...this.#all()].flatMap((known) => {
      const isScope = inModule === undefined || inModule(known.module.name) || inModule(known.module.path);
      return this.#functionsOf(known, pattern, isScope ? undefined : scope);
    });
  }

  findLine(file: string, line: number): readonly LineSite[] {
    return [...this.#all()].flatMap((known) => {
      const debug = this.#debugOf(known);
      const found = debug?.findLine(file, line);
      if (debug === undefined || found === undefined) return [];
      return found.addresses.flatMap((address) => {
        const fileOffset = findFileOffset(known.elf, address);
        if (fileOffset === undefined) return [];
        const name = debug.find(address)?.function ?? '';
        return [{ ...toModule(known), address: BigInt(address), fileOffset, line: found.line, function: name }];
      });
    });
  }

  findAddress(address: bigint): readonly LineSite[] {
    for (const [index, known] of [...this.#all()].entries()) {
      const { module, elf, mapped } = known;
      const inMemory = mapped && address >= module.start && address < module.end;
      // The executable comes first: an address of no mapping is one of its file.
      if (!inMemory && index > 0) continue;
      const linked = Number(inMemory ? address - module.bias : address);
      const fileOffset = isCode(elf, linked) ? findFileOffset(elf, linked) : undefined;
      if (fileOffset === undefined) continue;
      const found = this.#debugOf(known)?.find(linked);
      return [{ ...toModule(known), address: BigInt(linked), fileOffset, line: found?.line ?? 0, function: found?.function ?? '' }];
    }
    return [];
  }

  findUsdt(provider: string, name: string): readonly UsdtSite[] {
    return [...this.#all()].flatMap((known) => findUsdtSites(known.elf, toModule(known), provider, name));
  }

  hasModule(glob: string): boolean {
    const matches = matchGlob(glob);
    return this.#targets.some(({ target }) => target.modules.some(({ name, path }) => matches(name) || matches(path)));
  }

  modules(): readonly MappedFile[] {
    const files = new Map<string, MappedFile>();
    for (const [index, { target }] of this.#targets.entries())
      for (const { path, buildId, bias } of target.modules) {
        const key = buildId ?? path;
        if (!files.has(key)) files.set(key, { path, buildId, bias: index === 0 ? bias : undefined });
      }
    return [...files.values()];
  }

  findKernelFunction(name: string): ReturnType<Knowledge['findKernelFunction']> {
    return this.#kernel.findFunction(name);
  }

  findTracepoint(category: string, name: string): ReturnType<Knowledge['findTracepoint']> {
    return this.#kernel.findTracepoint(category, name);
  }

  findSyscalls(pattern: string): ReturnType<Knowledge['findSyscalls']> {
    return this.#kernel.findSyscalls(pattern);
  }

  findLiteral(text: Uint8Array): bigint | undefined {
    const wanted = Buffer.concat([text, Buffer.of(0)]);
    for (const { elf, module, mapped } of this.#all()) {
      if (!mapped) continue;
      const found = findReadOnly(elf, wanted);
      if (found !== undefined) return BigInt(found) + module.bias;
    }
    return undefined;
  }

  similar(name: string, what: 'type' | 'function' | 'variable' | 'tracepoint' | 'syscall'): readonly string[] {
    if (what === 'tracepoint' || what === 'syscall') return this.#kernel.similar(name, what);
    return findSimilar(name, this.#names(what)).slice(0, 5);
  }

  *#names(what: 'type' | 'function' | 'variable'): Iterable<string> {
    for (const known of this.#all()) {
      const debug = this.#debugOf(known);
      if (what === 'type') yield* debug?.typeNames() ?? [];
      else if (what === 'variable') yield* debug?.variableNames() ?? [];
      else yield* known.symbolizer.findFunction('*', known.module.path).map((found) => found.name);
    }
  }

  #functionsOf(known: KnownModule, pattern: string, file: string | undefined): FunctionSite[] {
    const sites = new Map<number, FunctionSite>();
    const found = known.symbolizer.findFunction(pattern, known.module.path);
    // Most files have none of that name, and their debug information stays unread.
    const debug = found.length === 0 ? undefined : this.#debugOf(known);
    for (const { name, address, size } of found) {
      // A stub of the linkage table is not the function; several names for one place are one place.
      if (name.endsWith('@plt') || sites.has(address)) continue;
      const info = debugFunctionAt(debug, name, address);
      if (file !== undefined && !isFile(info?.file, file)) continue;
      const site = toSite(known, demangle(name), address, size, info);
      if (site !== undefined) sites.set(address, site);
    }
    return [...sites.values()];
  }

  #symbolsOfVariable(known: KnownModule, name: string): VariableSite[] {
    return known.symbolizer.findVariable(name, known.module.path).map(({ address }) => ({
      name,
      ...toModule(known),
      fileAddress: BigInt(address),
      type: undefined,
      address: known.mapped ? BigInt(address) + known.module.bias : undefined,
      threadOffset: undefined,
    }));
  }

  *#debugInfos(): Iterable<DebugInfo> {
    for (const known of this.#all()) {
      const debug = this.#debugOf(known);
      if (debug !== undefined) yield debug;
    }
  }

  #debugOf({ elf, module, symbolizer }: KnownModule): DebugInfo | undefined {
    if (!this.#debug.has(elf)) this.#debug.set(elf, this.#openDebug(elf, symbolizer.symbolsOf(module)?.debug, module.path));
    return this.#debug.get(elf);
  }

  /**
   * The mapped files, each once, the executables first. One is read when somebody goes that far: most questions are
   * answered by the executable, and the libraries' symbols are then never looked at.
   */
  *#all(): Iterable<KnownModule> {
    for (let index = 0; ; index++) {
      while (index >= this.#loaded.length) {
        const next = this.#unread.next();
        if (next.done === true) return;
        this.#loaded.push(next.value);
      }
      yield this.#loaded[index]!;
    }
  }

  *#load(): Generator<KnownModule> {
    const seen = new Set<string>();
    for (const [index, { target, symbolizer }] of this.#targets.entries())
      for (const module of executableFirst(target)) {
        const key = module.buildId ?? module.path;
        const elf = seen.has(key) ? undefined : symbolizer.symbolsOf(module)?.elf;
        if (elf === undefined) continue;
        seen.add(key);
        yield { module, elf, symbolizer, mapped: index === 0 };
      }
  }
}

function executableFirst({ modules, identity }: Target): readonly TargetModule[] {
  return [...modules.filter(({ path }) => path === identity.exe), ...modules.filter(({ path }) => path !== identity.exe)];
}

function debugFunctionAt(debug: DebugInfo | undefined, name: string, address: number): FunctionInfo | undefined {
  const spelled = debug?.find(address)?.function ?? name;
  return debug?.findFunctions(spelled).find((info) => info.lowPc === address);
}

function toSite(known: KnownModule, name: string, address: number, size: number, info: FunctionInfo | undefined): FunctionSite | undefined {
  const fileOffset = findFileOffset(known.elf, address);
  if (fileOffset === undefined) return undefined;
  const code = findBytesAt(known.elf, address, CODE_BYTES) ?? new Uint8Array(0);
  return { ...toModule(known), address: BigInt(address), fileOffset, name, type: info && toFunctionType(info), size, code };
}

function toModule({ module }: KnownModule): { readonly module: string; readonly buildId: string | undefined } {
  return { module: module.path, buildId: module.buildId };
}

function isCode({ segments }: ElfFile, address: number): boolean {
  return segments.some(
    ({ type, executable, address: start, fileSize }) =>
      type === SEGMENT.load && executable && address >= start && address < start + fileSize,
  );
}

function toFunctionType({ parameters, result, variadic }: FunctionInfo): FunctionType {
  return { kind: 'function', result, parameters, variadic };
}

function isFile(file: string | undefined, scope: string | undefined): boolean {
  return file !== undefined && scope !== undefined && (file === scope || file.endsWith(`/${scope}`));
}

/** Where a thread-local variable of the executable lies from the thread pointer (ELF handling for thread-local storage, variants I and II). */
function toThreadOffset(elf: ElfFile, offset: bigint, architecture: Knowledge['architecture']): bigint | undefined {
  const segment = elf.segments.find(({ type }) => type === SEGMENT.tls);
  if (segment === undefined) return undefined;
  const align = BigInt(Math.max(1, segment.align));
  const roundUp = (value: bigint): bigint => ((value + align - 1n) / align) * align;
  return architecture === 'x86-64' ? offset - roundUp(BigInt(segment.memorySize)) : offset + roundUp(16n);
}

function findReadOnly(elf: ElfFile, wanted: Buffer): number | undefined {
  for (const segment of elf.segments) {
    if (segment.type !== SEGMENT.load || segment.writable) continue;
    const bytes = Buffer.from(
      elf.bytes.buffer,
      elf.bytes.byteOffset + segment.fileOffset,
      Math.min(segment.fileSize, elf.bytes.length - segment.fileOffset),
    );
    for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + 1))
      if (at === 0 || bytes[at - 1] === 0) return segment.address + at;
  }
  return undefined;
}
