/**
 * Symbols of .symtab and .dynsym. Source: gABI, "Symbol Table".
 *
 * A `SymbolTable` is columns sorted by address; names stay in the file's string table until somebody asks. Where
 * several symbols share an address, the one that people would rather read comes last, so that a search ends on it.
 */
import { err, ok, type Result } from '../base/index.ts';
import { ByteReader } from './byte-reader.ts';
import { findLastNotAbove } from './binary-search.ts';
import { MACHINE, SECTION, SECTION_FLAG, SEGMENT, type ElfFile, type Section } from './elf-file.ts';
import { FormatFault, parseAtBorder, type FormatError } from './format-error.ts';
import { readSection } from './section-bytes.ts';
import { readVersions, type VersionSuffix } from './symbol-versions.ts';

/** `st_info`'s low four bits. */
export const SYMBOL_TYPE = { none: 0, object: 1, function: 2, section: 3, file: 4, common: 5, tls: 6, indirect: 10 } as const;
const BIND = { local: 0, global: 1, weak: 2, unique: 10 } as const;
const SHN_RESERVED = 0xff00;
const MAX_OFFSET = 0xffff_ffff;

/** The entries of one symbol section, in the file's order. */
export interface RawSymbols {
  readonly count: number;
  value(index: number): number;
  size(index: number): number;
  /** See `SYMBOL_TYPE`. */
  type(index: number): number;
  /** `st_info`'s high four bits: 0 local, 1 global, 2 weak. */
  bind(index: number): number;
  /** 0 undefined; 0xff00 and above are special. */
  section(index: number): number;
  /** Without version. */
  name(index: number): string;
  /** `@VERSION`, `@@VERSION`, or empty. */
  version(index: number): string;
}

/** Defined functions or variables, sorted by address. */
export interface SymbolTable {
  readonly count: number;
  /** What the columns' offsets count from: the lowest loaded address. */
  readonly base: number;
  /** Start of each, relative to `base`, ascending; several may share one. */
  readonly starts: Uint32Array;
  /** One past the last byte of each, relative to `base`; of a symbol without size, where the next one or its section begins or ends. */
  readonly ends: Uint32Array;
  /** 1 for those whose size the file states. */
  readonly sized: Uint8Array;
  /** As the file spells it, without version. */
  name(index: number): string;
  /** `@VERSION`, `@@VERSION`, or empty. */
  version(index: number): string;
  /** Symbols left out because they lie outside of 4 GiB above `base`. */
  readonly skipped: number;
}

/** Reads the symbol section of that type; undefined when the file has none. Entries beyond the section's end do not count. */
export function readRawSymbols(elf: ElfFile, from: 'symtab' | 'dynsym'): Result<RawSymbols | undefined, FormatError> {
  const wanted = from === 'symtab' ? SECTION.symbols : SECTION.dynamicSymbols;
  const section = elf.sections.find((s) => s.type === wanted);
  if (!section) return ok(undefined);
  const bytes = readSection(elf, section);
  if (!bytes.ok) return bytes;
  const strings = elf.sections[section.link];
  if (!strings)
    return err({ kind: 'damaged', message: `the strings of ${section.name} are in section ${section.link}, which does not exist` });
  const text = readSection(elf, strings);
  if (!text.ok) return text;
  const versions = from === 'dynsym' ? readVersions(elf) : () => '';
  return parseAtBorder(() => toRawSymbols(elf, section, bytes.value, text.value, versions));
}

function toRawSymbols(elf: ElfFile, section: Section, bytes: Uint8Array, text: Uint8Array, versions: VersionSuffix): RawSymbols {
  const entry = elf.is64 ? 24 : 16;
  if (section.entrySize !== entry) throw new FormatFault('damaged', `symbols of ${section.entrySize} bytes, not ${entry}`);
  const reader = new ByteReader(bytes, elf.littleEndian);
  const strings = new ByteReader(text, elf.littleEndian);
  const info = elf.is64 ? 4 : 12;
  const sectionAt = elf.is64 ? 6 : 14;
  const sectionOf = (index: number): number => reader.u16(index * entry + sectionAt);
  return {
    count: Math.floor(bytes.length / entry),
    value: (index) => (elf.is64 ? reader.u64(index * 24 + 8) : reader.u32(index * 16 + 4)),
    size: (index) => (elf.is64 ? reader.u64(index * 24 + 16) : reader.u32(index * 16 + 8)),
    type: (index) => reader.u8(index * entry + info) & 15,
    bind: (index) => reader.u8(index * entry + info) >> 4,
    section: sectionOf,
    name: (index) => {
      const at = reader.u32(index * entry);
      return at < strings.length ? strings.text(at) : '';
    },
    version: (index) => versions(index, sectionOf(index) !== 0),
  };
}

/** The lowest address that is loaded, from which tables count; 0 for files without segments. */
export function findImageBase(elf: ElfFile): number {
  let base = Infinity;
  for (const segment of elf.segments) if (segment.type === SEGMENT.load) base = Math.min(base, segment.address);
  return base === Infinity ? 0 : base;
}

/**
 * The functions or the variables of .symtab or .dynsym, sorted by address; undefined when the file has no such section.
 * Functions are symbols of that type, resolvers (IFUNC), and untyped labels in code.
 */
export function readSymbols(
  elf: ElfFile,
  from: 'symtab' | 'dynsym',
  what: 'functions' | 'variables',
): Result<SymbolTable | undefined, FormatError> {
  const raw = readRawSymbols(elf, from);
  if (!raw.ok || raw.value === undefined) return raw as Result<undefined, FormatError>;
  const symbols = raw.value;
  return parseAtBorder(() => sortSymbols(elf, symbols, what === 'functions' ? isFunction : isVariable));
}

type Choice = (elf: ElfFile, symbols: RawSymbols, index: number) => boolean;

const isVariable: Choice = (_elf, symbols, index) => symbols.type(index) === SYMBOL_TYPE.object && symbols.section(index) !== 0;

const isFunction: Choice = (elf, symbols, index) => {
  const section = symbols.section(index);
  if (section === 0) return false;
  const type = symbols.type(index);
  if (type === SYMBOL_TYPE.function || type === SYMBOL_TYPE.indirect) return true;
  if (type !== SYMBOL_TYPE.none || section >= SHN_RESERVED) return false;
  if (((elf.sections[section]?.flags ?? 0) & SECTION_FLAG.executable) === 0) return false;
  return !isLocalLabel(elf, symbols, index);
};

/** Labels that assemblers leave: `.L…`, and ARM's mapping symbols `$x`, `$d`. */
function isLocalLabel(elf: ElfFile, symbols: RawSymbols, index: number): boolean {
  const name = symbols.name(index);
  const isArm = elf.machine === MACHINE.aarch64 || elf.machine === MACHINE.arm;
  return name === '' || name.startsWith('.L') || (isArm && name.startsWith('$'));
}

function sortSymbols(elf: ElfFile, symbols: RawSymbols, choose: Choice): SymbolTable {
  const base = findImageBase(elf);
  const chosen = new Uint32Array(symbols.count);
  const offsets = new Uint32Array(symbols.count);
  let count = 0;
  let skipped = 0;
  for (let i = 0; i < symbols.count; i++) {
    if (!choose(elf, symbols, i)) continue;
    const offset = symbols.value(i) - base;
    if (offset < 0 || offset > MAX_OFFSET) skipped++;
    else {
      offsets[i] = offset;
      chosen[count++] = i;
    }
  }
  const rankOf = rankOnce(symbols);
  const order = chosen.subarray(0, count).sort((a, b) => offsets[a]! - offsets[b]! || rankOf(a) - rankOf(b) || a - b);
  const starts = Uint32Array.from(order, (i) => offsets[i]!);
  const sized = Uint8Array.from(order, (i) => (symbols.size(i) > 0 ? 1 : 0));
  return {
    count,
    base,
    starts,
    ends: findEnds(elf, symbols, order, starts, base),
    sized,
    name: (index) => symbols.name(order[index]!),
    version: (index) => symbols.version(order[index]!),
    skipped,
  };
}

/**
 * Higher for the better name of several at one address: typed, sized, fewer leading underscores, global before weak before local.
 * Each symbol's is found once: most addresses have one symbol, and need none.
 */
function rankOnce(symbols: RawSymbols): (index: number) => number {
  const ranks = new Uint8Array(symbols.count);
  return (i) => {
    if (ranks[i] === 0) ranks[i] = 1 + rank(symbols, i);
    return ranks[i]!;
  };
}

function rank(symbols: RawSymbols, i: number): number {
  const bind = symbols.bind(i);
  const name = symbols.name(i);
  const typed = symbols.type(i) === SYMBOL_TYPE.none ? 0 : 64;
  const sized = symbols.size(i) > 0 ? 32 : 0;
  const plain = name.startsWith('__') ? 0 : name.startsWith('_') && !/^_[ZR]/.test(name) ? 4 : 8;
  return typed + sized + plain + (bind === BIND.global || bind === BIND.unique ? 2 : bind === BIND.weak ? 1 : 0);
}

function findEnds(elf: ElfFile, symbols: RawSymbols, order: Uint32Array, starts: Uint32Array, base: number): Uint32Array {
  const ends = new Uint32Array(order.length);
  let nextStart = MAX_OFFSET;
  for (let i = order.length - 1; i >= 0; i--) {
    const start = starts[i]!;
    if (i + 1 < order.length && starts[i + 1]! !== start) nextStart = starts[i + 1]!;
    const size = symbols.size(order[i]!);
    const section = elf.sections[symbols.section(order[i]!)];
    const sectionEnd = section && section.address > 0 ? section.address + section.size - base : start + 1;
    ends[i] = Math.min(MAX_OFFSET, size > 0 ? start + size : Math.max(start + 1, Math.min(nextStart, sectionEnd)));
  }
  return ends;
}

/** How far back a symbol may stand that spans others; assembly nests a few, no more. */
const MAX_NESTED = 16;

/** Index of the symbol that covers `offset` (relative to the table's base); -1 when none does. */
// hot: once for each address that is new
export function findSymbolAt(table: SymbolTable, offset: number): number {
  const last = findLastNotAbove(table.starts, offset, table.count);
  for (let i = last; i >= 0 && i > last - MAX_NESTED; i--) {
    if (offset < table.ends[i]!) return i;
  }
  return -1;
}
