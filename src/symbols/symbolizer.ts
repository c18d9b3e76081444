/**
 * Addresses of a process to functions, files, lines and inlined calls; names to addresses.
 *
 * What is known of a file is read when an address of it is asked for the first time, and kept; the answer for an address is kept
 * until `refresh`. Nothing here waits for the network: `fetchMissing` does, when it is called.
 */
import { existsSync, readFileSync } from 'node:fs';
import { findFileOffset, findLastNotAbove, parseElf, readSymbols, type ElfFile, type SymbolTable } from '../elf/index.ts';
import type { Target, TargetModule } from '../target/index.ts';
import { fetchDebugFile } from './debuginfod.ts';
import { demangle } from './demangle.ts';
import { findFunctionAt, functionName } from './function-table.ts';
import { matchGlob } from './glob.ts';
import { findKernelFunction, isKernelAddress, parseKernelSymbols, type KernelSymbolsState } from './kernel-symbols.ts';
import { joinSymbols, loadModuleSymbols, type ModuleSymbols, type OpenLines } from './module-symbols.ts';
import { findJitFunction, parseJitDump, parsePerfMap, type JitTable } from './perf-map.ts';
import { TableCache } from './table-cache.ts';

/** One function at an address. */
export interface Frame {
  /** As its language spells it; `module+0x…` (the start of its bounds) where the file does not name it, `0x…` where nothing is mapped. */
  readonly name: string;
  /** Last part of the file's path; `kernel` or the kernel module; `[jit]` for generated code; empty for unknown ones. */
  readonly module: string;
  /** Bytes from the function's start; 0 for inlined calls and unknown addresses. */
  readonly offset: number;
  readonly file: string | undefined;
  /** From 1. */
  readonly line: number | undefined;
  /** The function has no frame of its own on the stack: it is part of the next in the list. */
  readonly inlined: boolean;
  readonly kind: 'native' | 'kernel' | 'jit' | 'unknown';
}

/** Where a function or variable of a file is. */
export interface SymbolLocation {
  readonly module: TargetModule;
  /** As the file spells it. */
  readonly name: string;
  /** Linked address; add `module.bias` for the target's. */
  readonly address: number;
  /** For attaching probes; undefined when the file holds no bytes of it (zero-initialised variables). */
  readonly fileOffset: number | undefined;
  /** Bytes; 0 where it is not known. */
  readonly size: number;
}

export interface SymbolizerOptions {
  /** Default: /usr/lib/debug. */
  readonly debugDirectories?: readonly string[];
  /** Keeps what servers told; none: nothing is kept on disk. */
  readonly cacheDirectory?: string | undefined;
  /** debuginfod servers for `fetchMissing`; default none. See `debuginfodUrls`. */
  readonly debuginfodUrls?: readonly string[];
  /** For one file; default 2,000. */
  readonly debuginfodTimeoutMs?: number;
  /** Where the target's files are seen from here; default /proc/PID/root for live processes, else empty. */
  readonly root?: string;
  /** Reads debug information; default none. */
  readonly openLines?: OpenLines;
  /** What was read of files with a build-id, by that and the path: symbolizers that are given the same map read each such file once. */
  readonly sharedFiles?: Map<string, ModuleSymbols | undefined>;
  /** Default /proc/kallsyms. */
  readonly kallsymsPath?: string;
}

/** What `fetchMissing` did. */
export interface FetchReport {
  /** Names of modules whose symbols came. */
  readonly fetched: readonly string[];
  /** Modules that no server knows. */
  readonly notFound: readonly string[];
  /** Modules whose fetch failed, with the reason. */
  readonly failed: readonly string[];
}

/** Answers kept at most; beyond, all are forgotten. */
const MAX_KEPT = 1 << 17;
const MAX_DEBUG_FILE = 1 << 30;

interface Ranges {
  readonly starts: Float64Array;
  readonly ends: Float64Array;
  readonly modules: readonly TargetModule[];
}

export class Symbolizer {
  readonly #target: Target;
  readonly #options: SymbolizerOptions;
  readonly #root: string;
  readonly #cache: TableCache | undefined;
  /** By path and build-id: a file that was replaced under its path is another one. */
  readonly #files = new Map<string, ModuleSymbols | undefined>();
  readonly #answers = new Map<number, readonly Frame[]>();
  #ranges: Ranges | undefined;
  #jit: readonly JitTable[] | undefined;
  #kernel: KernelSymbolsState | undefined;

  constructor(target: Target, options: SymbolizerOptions = {}) {
    this.#target = target;
    this.#options = options;
    this.#root = options.root ?? (target.kind === 'core' ? '' : `/proc/${target.pid}/root`);
    this.#cache = options.cacheDirectory === undefined ? undefined : new TableCache(options.cacheDirectory);
  }

  static forTarget(target: Target, options: SymbolizerOptions = {}): Symbolizer {
    return new Symbolizer(target, options);
  }

  /**
   * The functions at an address, the innermost inlined one first; always at least one. For a return address ask for the byte
   * before it. The array is kept and must not change.
   */
  // hot: once for each frame of each sample; see bench/symbols.ts
  resolve(address: bigint): readonly Frame[] {
    if (isKernelAddress(address)) return [this.resolveKernel(address)];
    const key = Number(address);
    const kept = this.#answers.get(key);
    if (kept !== undefined) return kept;
    const frames = this.#lookUp(key);
    if (this.#answers.size >= MAX_KEPT) this.#answers.clear();
    this.#answers.set(key, frames);
    return frames;
  }

  /** The kernel's function at an address; unnamed where the kernel hides its addresses (see `kernelSymbols`). */
  resolveKernel(address: bigint): Frame {
    const state = this.kernelSymbols();
    const common = { file: undefined, line: undefined, inlined: false, kind: 'kernel' } as const;
    const found = state.kind === 'ready' ? findKernelFunction(state.symbols, address) : undefined;
    if (state.kind !== 'ready' || !found) return { ...common, name: `0x${address.toString(16)}`, module: 'kernel', offset: 0 };
    return { ...common, name: state.symbols.name(found.index), module: state.symbols.module(found.index), offset: found.offset };
  }

  /** The kernel's symbols, read on first use; or why there are none. */
  kernelSymbols(): KernelSymbolsState {
    this.#kernel ??= this.#loadKernel();
    return this.#kernel;
  }

  /** Functions by name or pattern (`*`, `?`) in all mapped files, or those whose name or path matches `module`. C++ and Rust names match as spelled in the file, or demangled. */
  findFunction(name: string, module?: string): SymbolLocation[] {
    const matches = nameTest(name);
    return this.#modules(module).flatMap((one) => {
      const symbols = this.symbolsOf(one);
      if (!symbols) return [];
      const found: SymbolLocation[] = [];
      const { table, elf } = symbols;
      for (let i = 0; i < table.count; i++) {
        const spelled = functionName(table, i);
        if (spelled === '' || !matches(spelled)) continue;
        const address = table.base + table.starts[i]!;
        const size = table.ends[i]! - table.starts[i]!;
        found.push({ module: one, name: spelled, address, fileOffset: findFileOffset(elf, address), size });
      }
      return found;
    });
  }

  /** Variables with static storage by name or pattern; not thread-local ones. */
  findVariable(name: string, module?: string): SymbolLocation[] {
    const matches = nameTest(name);
    return this.#modules(module).flatMap((one) => {
      const symbols = this.symbolsOf(one);
      if (!symbols) return [];
      const found = new Map<string, SymbolLocation>();
      for (const table of variableTables(symbols)) {
        for (let i = 0; i < table.count; i++) {
          const spelled = table.name(i);
          if (!matches(spelled)) continue;
          const address = table.base + table.starts[i]!;
          const size = table.sized[i] === 1 ? table.ends[i]! - table.starts[i]! : 0;
          found.set(`${spelled} ${address}`, {
            module: one,
            name: spelled,
            address,
            fileOffset: findFileOffset(symbols.elf, address),
            size,
          });
        }
      }
      return [...found.values()];
    });
  }

  /** All that is known of a mapped file, read on first use; undefined when it cannot be read. */
  symbolsOf(module: TargetModule): ModuleSymbols | undefined {
    const key = fileKey(module);
    const files = this.#filesFor(module);
    if (!files.has(key)) files.set(key, this.#load(module));
    return files.get(key);
  }

  #filesFor(module: TargetModule): Map<string, ModuleSymbols | undefined> {
    return module.buildId === undefined ? this.#files : (this.#options.sharedFiles ?? this.#files);
  }

  /** Forgets where files are mapped and what was generated; call it after `target.refresh()`. What was read of files is kept. */
  refresh(): void {
    this.#ranges = undefined;
    this.#jit = undefined;
    this.#answers.clear();
  }

  /** Asks the configured servers for the symbols of files that were looked into and have only exported names. Waits for the network. */
  async fetchMissing(): Promise<FetchReport> {
    const report = { fetched: [] as string[], notFound: [] as string[], failed: [] as string[] };
    const urls = this.#options.debuginfodUrls ?? [];
    if (urls.length === 0) return report;
    const { debuginfodTimeoutMs: timeoutMs = 2000, openLines } = this.#options;
    for (const module of this.#target.modules) {
      const symbols = this.#filesFor(module).get(fileKey(module));
      if (symbols?.source !== 'exports' || symbols.buildId === undefined) continue;
      const debug = await fetchDebugFile(symbols.buildId, { urls, timeoutMs, maxSizeBytes: MAX_DEBUG_FILE });
      if (!debug.ok) {
        if (debug.error.kind === 'not-found') report.notFound.push(module.name);
        else report.failed.push(`${module.name}: ${debug.error.message}`);
        continue;
      }
      const joined: ModuleSymbols = { ...joinSymbols(module.path, symbols.elf, debug.value, openLines), source: 'debuginfod' };
      this.#filesFor(module).set(fileKey(module), joined);
      this.#cache?.save(symbols.buildId, joined.table);
      report.fetched.push(module.name);
    }
    if (report.fetched.length > 0) this.#answers.clear();
    return report;
  }

  #load(module: TargetModule): ModuleSymbols | undefined {
    const bytes = module.bytes();
    const elf = bytes.ok ? parseElf(bytes.value) : bytes;
    if (!elf.ok) return undefined;
    return loadModuleSymbols(module.path, elf.value, {
      debugDirectories: this.#options.debugDirectories ?? ['/usr/lib/debug'],
      root: this.#root,
      cache: this.#cache,
      openLines: this.#options.openLines,
    });
  }

  #modules(glob: string | undefined): readonly TargetModule[] {
    if (glob === undefined) return this.#target.modules;
    const matches = matchGlob(glob);
    return this.#target.modules.filter((module) => matches(module.name) || matches(module.path));
  }

  #lookUp(address: number): readonly Frame[] {
    this.#ranges ??= toRanges(this.#target.modules);
    const { starts, ends, modules } = this.#ranges;
    const range = findLastNotAbove(starts, address);
    const module = range >= 0 && address < ends[range]! ? modules[range]! : undefined;
    if (module) return this.#inModule(module, address - Number(module.bias));
    return [this.#inGenerated(address) ?? unknownFrame(address, '')];
  }

  #inModule(module: TargetModule, linked: number): readonly Frame[] {
    const symbols = this.symbolsOf(module);
    const bare = { module: module.name, file: undefined, line: undefined, inlined: false, kind: 'native' } as const;
    if (!symbols) return [{ ...bare, name: `${module.name}+0x${linked.toString(16)}`, offset: 0 }];
    const { table } = symbols;
    const index = findFunctionAt(table, linked - table.base);
    const place = symbols.lines?.find(linked);
    const start = index < 0 ? linked : table.base + table.starts[index]!;
    const spelled = (index < 0 ? '' : functionName(table, index)) || place?.function || '';
    const name = spelled === '' ? `${module.name}+0x${start.toString(16)}` : demangle(spelled);
    const outer: Frame = { ...bare, name, offset: linked - start, file: place?.file, line: place?.line };
    const inlined = (place?.inlined ?? []).map((call): Frame => ({
      ...bare,
      name: demangle(call.function ?? '?'),
      offset: 0,
      file: call.file,
      line: call.line,
      inlined: true,
    }));
    return [...inlined, outer];
  }

  #inGenerated(address: number): Frame | undefined {
    this.#jit ??= this.#loadGenerated();
    for (const table of this.#jit) {
      const index = findJitFunction(table, address);
      if (index < 0) continue;
      const offset = address - table.starts[index]!;
      return { name: table.names[index]!, module: '[jit]', offset, file: undefined, line: undefined, inlined: false, kind: 'jit' };
    }
    return undefined;
  }

  #loadGenerated(): JitTable[] {
    if (this.#target.kind === 'core') return [];
    const pids = new Set([this.#target.identity.namespacePid, this.#target.pid]);
    const maps = [...pids].map((pid) => readIfThere(`${this.#root}/tmp/perf-${pid}.map`)).filter((bytes) => bytes !== undefined);
    const dumps = this.#target.map.filter(({ path }) => /\/jit-\d+\.dump$/.test(path)).map(({ path }) => readIfThere(this.#root + path));
    return [
      ...maps.map((bytes) => parsePerfMap(bytes.toString('utf8'))),
      ...dumps.map((bytes) => bytes && parseJitDump(bytes)).filter((table) => table !== undefined),
    ];
  }

  #loadKernel(): KernelSymbolsState {
    const path = this.#options.kallsymsPath ?? '/proc/kallsyms';
    const bytes = readIfThere(path);
    return bytes ? parseKernelSymbols(bytes.toString('latin1')) : { kind: 'unreadable', message: `${path} cannot be read` };
  }
}

function fileKey(module: TargetModule): string {
  return `${module.buildId ?? ''} ${module.path}`;
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return existsSync(path) ? readFileSync(path) : undefined;
  } catch {
    return undefined;
  }
}

function unknownFrame(address: number, module: string): Frame {
  return { name: `0x${address.toString(16)}`, module, offset: 0, file: undefined, line: undefined, inlined: false, kind: 'unknown' };
}

function toRanges(modules: readonly TargetModule[]): Ranges {
  const ranges = modules
    .flatMap((module) => module.mappings.map(({ start, end }) => ({ start: Number(start), end: Number(end), module })))
    .sort((a, b) => a.start - b.start);
  return {
    starts: Float64Array.from(ranges, (range) => range.start),
    ends: Float64Array.from(ranges, (range) => range.end),
    modules: ranges.map((range) => range.module),
  };
}

/** Demangled names are compared only where the pattern can mean one: C++ and Rust paths have `::`, signatures have brackets. */
function nameTest(pattern: string): (spelled: string) => boolean {
  const matches = matchGlob(pattern);
  if (!/::|\(/.test(pattern)) return matches;
  return (spelled) => {
    if (matches(spelled)) return true;
    const plain = demangle(spelled);
    return plain !== spelled && (matches(plain) || matches(withoutParameters(plain)));
  };
}

/** `f(int)::g(char) const` → `f(int)::g`: what people write without the last parameters. */
function withoutParameters(name: string): string {
  const close = name.lastIndexOf(')');
  let depth = 0;
  for (let at = close; at > 0; at--) {
    if (name[at] === ')') depth++;
    else if (name[at] === '(' && --depth === 0) return name.slice(0, at);
  }
  return name;
}

function variableTables({ elf, debug }: { elf: ElfFile; debug: ElfFile | undefined }): SymbolTable[] {
  const tables = [readSymbols(elf, 'symtab', 'variables'), readSymbols(elf, 'dynsym', 'variables')];
  if (debug) tables.push(readSymbols(debug, 'symtab', 'variables'));
  return tables.map((table) => (table.ok ? table.value : undefined)).filter((table) => table !== undefined);
}
