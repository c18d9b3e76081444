// What the in-kernel unwinder searches, kept by user space: rows of modules, mappings of processes. A process's mappings are replaced as a whole: the
// new ones are written beside the old ones, then the process's entry is changed at once, so that a program never sees half of a change.
import { err, ok, type Result } from '../base/index.ts';
import type { Mapping, Target, TargetModule } from '../target/index.ts';
import { compileModule, type CompactError, type CompactTable } from './compact-table.ts';
import { findGeneratedCode, type GeneratedCode } from './generated-code.ts';
import {
  COUNTERS,
  MAPPING,
  MAPPING_FLAG,
  MAPPINGS_PER_SHARD,
  MAX_RULES,
  PROCESS,
  ROW_BYTES,
  ROWS_PER_SHARD,
  RULE,
  RULE_KIND,
  SHARD_SPEC,
  UNWIND_MAPS,
  type UnwindMapOptions,
} from './layout.ts';
import { readModuleBytes } from './module-bytes.ts';
import { RangeAllocator, type ShardRange } from './range-allocator.ts';
import { UNWIND_STATUS, type UnwindStatus } from './status.ts';

/** A map of the loaded program, as `kernel/`'s `KernelMap` has it. */
export interface UnwindMap {
  readonly fd: number;
  lookup(key: Uint8Array): Result<Uint8Array | undefined, { readonly message: string }>;
  update(key: Uint8Array, value: Uint8Array): Result<void, { readonly message: string }>;
  /** Puts a map into a map of maps. */
  updateDescriptor(key: Uint8Array, fd: number): Result<void, { readonly message: string }>;
  delete(key: Uint8Array): Result<boolean, { readonly message: string }>;
  /** Memory shared with the kernel. */
  mapped(): Result<SharedMemory, { readonly message: string }>;
  close(): void;
}

/** Values of an array map. */
export interface SharedMemory {
  write(index: number, offset: number, bytes: Uint8Array): void;
}

/** The loaded object that has the maps of `unwindMaps`: `kernel/`'s `KernelObject`, or the interpreter in tests. */
export interface UnwindObject {
  map(name: string): UnwindMap;
  createMap(name: string, shape: typeof SHARD_SPEC): Result<UnwindMap, { readonly message: string }>;
}

export interface UnwindTablesOptions extends UnwindMapOptions {
  /** Milliseconds from any fixed time; default `performance.now`. */
  readonly nowMs?: () => number;
}

/** What `stats` tells. */
export interface UnwindStats {
  readonly processes: number;
  readonly modules: number;
  readonly rows: number;
  readonly rules: number;
  readonly rowShards: number;
  readonly mappingShards: number;
  /** Modules that could not be read or whose rows found no room, with the reason; by path, at most 100. */
  readonly failedModules: ReadonlyMap<string, string>;
  /** Rows whose rule the unwinder does not follow. */
  readonly unsupportedRows: number;
  /** Unwound stacks, by how they ended. */
  readonly stacks: Readonly<Record<UnwindStatus, number>>;
  readonly frames: number;
  /** Frames that were found by the frame pointer, in code without call-frame information. */
  readonly framePointerFrames: number;
}

/** A part of a module's rows, which lies in one shard. */
interface RowPart extends ShardRange {
  /** Addresses in the file: from the first row on, up to the next part's. */
  readonly from: number;
  readonly to: number;
}

interface LoadedModule {
  readonly key: string;
  /** undefined: see `flags`. */
  readonly parts: readonly RowPart[];
  readonly base: number;
  /** `MAPPING_FLAG`, when there are no rows. */
  readonly flags: number;
  readonly unsupportedRows: number;
  users: number;
}

/** Mappings of one process, or of several after a fork. */
interface MappingTable {
  readonly range: ShardRange | undefined;
  readonly modules: readonly LoadedModule[];
  /** Says the same for the same mappings. */
  readonly fingerprint: string;
  /** Tells it from all others. */
  readonly generation: number;
  users: number;
}

const REST_MS = 200;
const MAX_FAILED = 100;
/** Modules without users are kept for the next process that maps them, as long as there are not more of them, and of their rows. */
const MAX_UNUSED = 256;
const MAX_UNUSED_ROWS = 4 << 20;
const OVERFLOWED = 1;

/** Keeps the tables of one loaded unwinder. Not safe to share between threads of ours. */
export class UnwindTables {
  readonly #object: UnwindObject;
  readonly #rowShards: SharedMemory[] = [];
  readonly #mappingShards: SharedMemory[] = [];
  readonly #inner: UnwindMap[] = [];
  readonly #rows: RangeAllocator;
  readonly #mappings: RangeAllocator;
  readonly #ruleMemory: SharedMemory;
  readonly #ruleNumbers = new Map<string, number>();
  readonly #modules = new Map<string, LoadedModule>();
  /** Those without users, the longest unused first. */
  readonly #unused = new Set<LoadedModule>();
  #unusedRows = 0;
  readonly #processes = new Map<number, MappingTable>();
  readonly #failed = new Map<string, string>();
  #generation = 0;

  private constructor(object: UnwindObject, ruleMemory: SharedMemory, options: UnwindTablesOptions) {
    this.#object = object;
    this.#ruleMemory = ruleMemory;
    const common = { restMs: REST_MS, nowMs: options.nowMs ?? (() => performance.now()) };
    this.#rows = new RangeAllocator({
      ...common,
      entriesPerShard: ROWS_PER_SHARD,
      maxShards: options.maxRowShards ?? 1024,
      openShard: (index) => this.#openShard(UNWIND_MAPS.rows, index, this.#rowShards),
    });
    this.#mappings = new RangeAllocator({
      ...common,
      entriesPerShard: MAPPINGS_PER_SHARD,
      maxShards: options.maxMappingShards ?? 256,
      openShard: (index) => this.#openShard(UNWIND_MAPS.mappings, index, this.#mappingShards),
    });
    this.#ruleNumber(ruleOfKind(RULE_KIND.none));
    this.#ruleNumber(ruleOfKind(RULE_KIND.unsupported));
  }

  /** Takes the maps of a loaded program, which stay its own. The options must be those that `unwindMaps` was given. Errors are sentences. */
  static open(object: UnwindObject, options: UnwindTablesOptions = {}): Result<UnwindTables, string> {
    const rules = object.map(UNWIND_MAPS.rules).mapped();
    return rules.ok ? ok(new UnwindTables(object, rules.value, options)) : err(rules.error.message);
  }

  /** Lets go of the shards; the program finds nothing any more once its object is closed too. */
  close(): void {
    for (const map of this.#inner) map.close();
    this.#inner.length = 0;
  }

  /** Puts a process into the tables, or brings it up to date with `target.map`. Cheap when nothing executable changed. */
  addProcess(target: Target): Result<void, string> {
    const executable = target.map.filter((mapping) => mapping.executable && mapping.path !== '[vsyscall]');
    const generated = findGeneratedCode(target);
    const fingerprint = [
      ...executable.map((m) => `${m.start} ${m.end} ${m.fileOffset} ${m.device} ${m.inode} ${m.deleted}`),
      ...[...generated.values()].map(({ key }) => key),
    ].join('\n');
    const old = this.#processes.get(target.pid);
    if (old?.fingerprint === fingerprint) return ok(undefined);
    const modules = new Map<bigint, TargetModule>();
    for (const module of target.modules) for (const mapping of module.mappings) modules.set(mapping.start, module);
    const used = new Map<string, LoadedModule>();
    const entries = executable.flatMap((mapping) => {
      const code = generated.get(mapping.start);
      return code === undefined
        ? this.#toEntries(mapping, modules.get(mapping.start), used)
        : this.#toGeneratedEntries(mapping, code, used);
    });
    const written = this.#writeMappings(entries);
    if (!written.ok) return written;
    const loaded = [...used.values()];
    for (const module of loaded) this.#use(module);
    return this.#setProcess(target.pid, { range: written.value, modules: loaded, fingerprint, generation: ++this.#generation, users: 0 });
  }

  /** Reads the process's memory map again and brings its mappings up to date; a process that is gone is removed. */
  refresh(target: Target): Result<'changed' | 'same' | 'gone', string> {
    const refreshed = target.refresh();
    if (!refreshed.ok) {
      if (refreshed.error.kind !== 'gone') return err(refreshed.error.message);
      this.removeProcess(target.pid);
      return ok('gone');
    }
    const before = this.#processes.get(target.pid);
    const added = this.addProcess(target);
    if (!added.ok) return added;
    return ok(before === this.#processes.get(target.pid) ? 'same' : 'changed');
  }

  /** A process was forked: the child has its parent's mappings until it changes them. False when the parent is not known. */
  addChild(parentPid: number, childPid: number): Result<boolean, string> {
    const parent = this.#processes.get(parentPid);
    if (parent === undefined) return ok(false);
    const set = this.#setProcess(childPid, parent);
    return set.ok ? ok(true) : set;
  }

  hasProcess(pid: number): boolean {
    return this.#processes.has(pid);
  }

  /** Forgets a process; what only it used is freed. */
  removeProcess(pid: number): void {
    const table = this.#processes.get(pid);
    if (table === undefined) return;
    this.#processes.delete(pid);
    // The entry of a process that cannot be removed says the same as before, about memory that nobody else gets while it is counted as used.
    if (this.#object.map(UNWIND_MAPS.processes).delete(keyOf(pid)).ok) this.#release(table);
  }

  stats(): Result<UnwindStats, string> {
    const counters = this.#object.map(UNWIND_MAPS.counters).lookup(keyOf(0));
    if (!counters.ok) return err(counters.error.message);
    const sum = (index: number): number => sumCounters(counters.value ?? new Uint8Array(0), index);
    const modules = [...this.#modules.values()].filter(({ users }) => users > 0);
    const stacks = Object.fromEntries(Object.entries(UNWIND_STATUS).map(([name, code]) => [name, sum(code)]));
    return ok({
      processes: this.#processes.size,
      modules: modules.length,
      rows: modules.reduce((all, module) => all + countRows(module), 0),
      rules: this.#ruleNumbers.size,
      rowShards: this.#rows.shards,
      mappingShards: this.#mappings.shards,
      failedModules: this.#failed,
      unsupportedRows: modules.reduce((all, module) => all + module.unsupportedRows, 0),
      stacks: stacks as Record<UnwindStatus, number>,
      frames: sum(COUNTERS.frames),
      framePointerFrames: sum(COUNTERS.framePointerFrames),
    });
  }

  #openShard(name: string, index: number, shards: SharedMemory[]): Result<void, string> {
    const inner = this.#object.createMap(`${name}_inner`, SHARD_SPEC);
    if (!inner.ok) return err(inner.error.message);
    const memory = inner.value.mapped();
    const put = memory.ok ? this.#object.map(name).updateDescriptor(keyOf(index), inner.value.fd) : memory;
    if (!put.ok || !memory.ok) {
      inner.value.close();
      return err(put.ok ? `no memory of ${name}` : put.error.message);
    }
    this.#inner.push(inner.value);
    shards.push(memory.value);
    return ok(undefined);
  }

  #setProcess(pid: number, table: MappingTable): Result<void, string> {
    const value = new Uint8Array(PROCESS.bytes);
    const view = toView(value);
    view.setUint32(PROCESS.shard, table.range?.shard ?? 0, true);
    view.setUint32(PROCESS.first, table.range?.first ?? 0, true);
    view.setUint32(PROCESS.count, table.range?.count ?? 0, true);
    view.setUint32(PROCESS.generation, table.generation, true);
    table.users++;
    const updated = this.#object.map(UNWIND_MAPS.processes).update(keyOf(pid), value);
    if (!updated.ok) {
      this.#release(table);
      return err(updated.error.message);
    }
    const old = this.#processes.get(pid);
    this.#processes.set(pid, table);
    if (old !== undefined) this.#release(old);
    return ok(undefined);
  }

  #release(table: MappingTable): void {
    if (--table.users > 0) return;
    if (table.range !== undefined) this.#mappings.free(table.range);
    for (const module of table.modules) {
      if (--module.users > 0) continue;
      this.#unused.add(module);
      this.#unusedRows += countRows(module);
      // What has no build-id may be another file the next time.
      if (module.flags !== 0 || module.key.includes(' ')) this.#forget(module);
    }
    for (const module of this.#unused) {
      if (this.#unused.size <= MAX_UNUSED && this.#unusedRows <= MAX_UNUSED_ROWS) break;
      this.#forget(module);
    }
  }

  #use(module: LoadedModule): void {
    module.users++;
    if (this.#unused.delete(module)) this.#unusedRows -= countRows(module);
  }

  #forget(module: LoadedModule): void {
    this.#unused.delete(module);
    this.#unusedRows -= countRows(module);
    this.#modules.delete(module.key);
    for (const part of module.parts) this.#rows.free(part);
  }

  #toEntries(mapping: Mapping, module: TargetModule | undefined, used: Map<string, LoadedModule>): MappingEntry[] {
    const whole = { start: mapping.start, end: mapping.end, base: mapping.start, part: undefined };
    if (mapping.path === '[uprobes]') return [{ ...whole, flags: MAPPING_FLAG.returnProbe }];
    if (module === undefined) return [{ ...whole, flags: MAPPING_FLAG.framePointer }];
    const loaded = this.#getModule(module);
    used.set(loaded.key, loaded);
    return loaded.flags !== 0 ? [{ ...whole, flags: loaded.flags }] : toPartEntries(mapping, loaded, module.bias);
  }

  #toGeneratedEntries(mapping: Mapping, { key, table }: GeneratedCode, used: Map<string, LoadedModule>): MappingEntry[] {
    const loaded = this.#modules.get(key) ?? this.#loadTable(key, table, '[generated code]');
    this.#modules.set(key, loaded);
    used.set(key, loaded);
    if (loaded.flags !== 0) return [{ start: mapping.start, end: mapping.end, base: mapping.start, part: undefined, flags: loaded.flags }];
    return toPartEntries(mapping, loaded, mapping.start);
  }

  #getModule(module: TargetModule): LoadedModule {
    const first = module.mappings[0]!;
    const key = module.buildId ?? `${first.device} ${first.inode} ${module.path}`;
    const known = this.#modules.get(key);
    if (known !== undefined) return known;
    const loaded = this.#loadModule(key, module);
    this.#modules.set(key, loaded);
    return loaded;
  }

  #loadModule(key: string, module: TargetModule): LoadedModule {
    const bytes = readModuleBytes(module);
    if (!bytes.ok) return this.#fail(key, module.path, MAPPING_FLAG.noTable, bytes.error.message);
    const compiled = compileModule(bytes.value);
    return compiled.ok ? this.#loadTable(key, compiled.value, module.path) : this.#fail(key, module.path, ...toFailure(compiled.error));
  }

  #fail(key: string, path: string, flags: number, message: string | undefined): LoadedModule {
    if (message !== undefined && this.#failed.size < MAX_FAILED) this.#failed.set(path, message);
    return { key, parts: [], base: 0, flags, unsupportedRows: 0, users: 0 };
  }

  #loadTable(key: string, table: CompactTable, path: string): LoadedModule {
    const parts = this.#writeRows(table);
    if (!parts.ok) return this.#fail(key, path, MAPPING_FLAG.noTable, parts.error);
    return { key, parts: parts.value, base: table.base, flags: 0, unsupportedRows: table.counts.unsupportedRows, users: 0 };
  }

  #writeRows(table: CompactTable): Result<RowPart[], string> {
    const numbers = Uint32Array.from(table.rules, (rule) => this.#ruleNumber(rule));
    const parts: RowPart[] = [];
    const { pc } = table;
    for (let from = 0; from < pc.length; from += ROWS_PER_SHARD) {
      const count = Math.min(ROWS_PER_SHARD, pc.length - from);
      const range = this.#rows.allocate(count);
      if (!range.ok) {
        for (const part of parts) this.#rows.free(part);
        return range;
      }
      const words = new Uint32Array(count * 2);
      for (let i = 0; i < count; i++) {
        words[2 * i] = pc[from + i]!;
        words[2 * i + 1] = numbers[table.rule[from + i]!]!;
      }
      this.#rowShards[range.value.shard]!.write(0, range.value.first * ROW_BYTES, new Uint8Array(words.buffer));
      const next = pc[from + count];
      parts.push({ ...range.value, from: table.base + pc[from]!, to: next === undefined ? Number.MAX_SAFE_INTEGER : table.base + next });
    }
    return ok(parts);
  }

  /** Number of a rule in the shared list; a rule that finds no room any more becomes one that is not followed. */
  #ruleNumber(rule: Uint8Array): number {
    const key = Buffer.from(rule.buffer, rule.byteOffset, rule.byteLength).toString('latin1');
    const known = this.#ruleNumbers.get(key);
    if (known !== undefined) return known;
    const number = this.#ruleNumbers.size;
    if (number >= MAX_RULES) return OVERFLOWED;
    this.#ruleMemory.write(0, number * RULE.bytes, rule);
    this.#ruleNumbers.set(key, number);
    return number;
  }

  #writeMappings(entries: readonly MappingEntry[]): Result<ShardRange | undefined, string> {
    if (entries.length === 0) return ok(undefined);
    if (entries.length > MAPPINGS_PER_SHARD)
      return err(`${entries.length} executable mappings; at most ${MAPPINGS_PER_SHARD} are kept a process`);
    const range = this.#mappings.allocate(entries.length);
    if (!range.ok) return range;
    const bytes = new Uint8Array(entries.length * MAPPING.bytes);
    for (const [i, entry] of entries.entries()) writeMapping(toView(bytes), i * MAPPING.bytes, entry);
    this.#mappingShards[range.value.shard]!.write(0, range.value.first * MAPPING.bytes, bytes);
    return range;
  }
}

interface MappingEntry {
  readonly start: bigint;
  readonly end: bigint;
  /** The address that rows count from. */
  readonly base: bigint;
  readonly part: RowPart | undefined;
  readonly flags: number;
}

function countRows({ parts }: LoadedModule): number {
  return parts.reduce((sum, { count }) => sum + count, 0);
}

/** A mapping cut where its module's rows go on in another shard. */
function toPartEntries(mapping: Mapping, loaded: LoadedModule, bias: bigint): MappingEntry[] {
  return loaded.parts.flatMap((part) => {
    const start = maximum(mapping.start, bias + BigInt(part.from));
    const end = minimum(mapping.end, bias + BigInt(part.to));
    return start < end ? [{ start, end, base: bias + BigInt(loaded.base), part, flags: 0 }] : [];
  });
}

function writeMapping(view: DataView, at: number, entry: MappingEntry): void {
  view.setBigUint64(at + MAPPING.start, entry.start, true);
  view.setBigUint64(at + MAPPING.end, entry.end, true);
  view.setBigUint64(at + MAPPING.base, BigInt.asUintN(64, entry.base), true);
  view.setUint16(at + MAPPING.shard, entry.part?.shard ?? 0, true);
  view.setUint16(at + MAPPING.firstRow, entry.part?.first ?? 0, true);
  view.setUint16(at + MAPPING.lastRow, entry.part === undefined ? 0 : entry.part.first + entry.part.count - 1, true);
  view.setUint16(at + MAPPING.flags, entry.flags, true);
}

/** Files that are no program (code that a runtime wrote to a file) have frame pointers, or nothing at all. */
function toFailure(error: CompactError): [flags: number, message: string | undefined] {
  if (error.kind === 'not-elf' || error.kind === 'no-code') return [MAPPING_FLAG.framePointer, undefined];
  return [MAPPING_FLAG.noTable, error.message];
}

function ruleOfKind(kind: number): Uint8Array {
  const rule = new Uint8Array(RULE.bytes);
  rule[RULE.kind] = kind;
  return rule;
}

function keyOf(pid: number): Uint8Array {
  const key = new Uint8Array(4);
  toView(key).setUint32(0, pid, true);
  return key;
}

/** Adds up a counter over all CPUs. */
function sumCounters(values: Uint8Array, index: number): number {
  let sum = 0;
  for (let at = index * 8; at + 8 <= values.length; at += COUNTERS.bytes) sum += Number(toView(values).getBigUint64(at, true));
  return sum;
}

function toView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function maximum(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function minimum(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
