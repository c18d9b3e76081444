/** What is known of one mapped file: its functions, from the best source at hand, and its source lines. */
import {
  findBuildId,
  findImageBase,
  findSection,
  parseGoTable,
  readFrameStarts,
  readMiniDebugInfo,
  readPltSymbols,
  readSymbols,
  type ElfFile,
  type FormatError,
  type GoTable,
  type SymbolTable,
} from '../elf/index.ts';
import type { Result } from '../base/index.ts';
import { findDebugFile } from './debug-files.ts';
import type { DebugLines, DebugPlace } from './debug-lines.ts';
import { buildFunctionTable, type FunctionTable } from './function-table.ts';
import type { TableCache } from './table-cache.ts';

/** Where the names come from: the file itself, a debug file beside it, the cache, a server, or only its exported names. */
export type SymbolSource = 'file' | 'debug-file' | 'cache' | 'debuginfod' | 'exports';

export interface ModuleSymbols {
  readonly elf: ElfFile;
  readonly debug: ElfFile | undefined;
  readonly buildId: string | undefined;
  readonly source: SymbolSource;
  readonly table: FunctionTable;
  readonly lines: DebugLines | undefined;
  /** What could not be read, and why. */
  readonly problems: readonly string[];
}

/** Opens the debug information of a file, or gives undefined when it has none. `main` is the file that is mapped, `path` where the target sees that. */
export type OpenLines = (file: ElfFile, main: ElfFile, path: string) => DebugLines | undefined;

export interface ModuleSymbolsOptions {
  readonly debugDirectories: readonly string[];
  readonly root: string;
  readonly cache: TableCache | undefined;
  readonly openLines: OpenLines | undefined;
}

/** Reads a file's symbols, in order: its own, a local debug file's, the cache's; exported names, stubs and bounds always. */
export function loadModuleSymbols(path: string, elf: ElfFile, options: ModuleSymbolsOptions): ModuleSymbols {
  const buildId = findBuildId(elf);
  const isWhole = hasSymbols(elf) && hasLines(elf);
  const { debugDirectories, root } = options;
  const debug = isWhole ? undefined : findDebugFile({ path, elf, buildId, debugDirectories, root })?.elf;
  const ready = joinSymbols(path, elf, debug, options.openLines);
  if (ready.source !== 'exports' || buildId === undefined) return ready;
  const cached = options.cache?.load(buildId);
  return cached ? { ...ready, table: cached, source: 'cache' } : ready;
}

/** Symbols of a file, which the target sees at `path`, and its debug file (when there is one). */
export function joinSymbols(path: string, elf: ElfFile, debug: ElfFile | undefined, openLines: OpenLines | undefined): ModuleSymbols {
  const problems: string[] = [];
  const take = <T>(what: string, result: Result<T | undefined, FormatError>): T | undefined => {
    if (result.ok) return result.value;
    problems.push(`${what}: ${result.error.message}`);
    return undefined;
  };
  const full = take('.symtab', readSymbols(elf, 'symtab', 'functions'));
  const fromDebug = debug && take('.symtab of the debug file', readSymbols(debug, 'symtab', 'functions'));
  const mini = full || fromDebug ? undefined : take('.gnu_debugdata', readMiniDebugInfo(elf));
  const fromMini = mini && take('.symtab of .gnu_debugdata', readSymbols(mini, 'symtab', 'functions'));
  const exported = take('.dynsym', readSymbols(elf, 'dynsym', 'functions'));
  const go = take('.gopclntab', parseGoTable(elf));
  const symbols = [full, fromDebug, fromMini, exported, readPltSymbols(elf), go && goSymbols(go)].filter((table) => table !== undefined);
  const bounds = take('.eh_frame_hdr', readFrameStarts(elf));
  const file = hasLines(elf) || !debug ? elf : debug;
  return {
    elf,
    debug,
    buildId: findBuildId(elf),
    source: full || go || fromMini ? 'file' : fromDebug ? 'debug-file' : 'exports',
    table: buildFunctionTable({ base: findImageBase(elf), symbols, bounds }),
    lines: go ? goLines(go) : openLines && openLater(() => openLines(file, elf, path)),
    problems,
  };
}

/** Opens debug information when an address of the file is asked for: most files of a process are never asked. */
function openLater(open: () => DebugLines | undefined): DebugLines {
  let lines: DebugLines | 'none' | undefined;
  return {
    find: (address) => {
      lines ??= open() ?? 'none';
      return lines === 'none' ? undefined : lines.find(address);
    },
  };
}

function hasSymbols(elf: ElfFile): boolean {
  return findSection(elf, '.symtab') !== undefined;
}

function hasLines(elf: ElfFile): boolean {
  return findSection(elf, '.debug_info') !== undefined || findSection(elf, '.zdebug_info') !== undefined;
}

function goSymbols(go: GoTable): SymbolTable {
  return {
    count: go.functionCount,
    base: go.base,
    starts: go.starts.subarray(0, go.functionCount),
    ends: go.starts.subarray(1),
    sized: new Uint8Array(go.functionCount).fill(1),
    name: (index) => go.name(index),
    version: () => '',
    skipped: 0,
  };
}

function goLines(go: GoTable): DebugLines {
  return {
    find: (address): DebugPlace | undefined => {
      const places = go
        .frames(address)
        .map(({ function: name, file, line }) => ({ function: name, file, line: line === 0 ? undefined : line }));
      const outer = places.pop();
      return outer && { ...outer, inlined: places };
    },
  };
}
