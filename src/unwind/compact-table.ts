// A module's call-frame information as compact rows: what both unwinders, in the kernel and here, search.
import { err, ok, type Result } from '../base/index.ts';
import { readCallFrames, parseFrameHeader, type DebugSections, type FrameArchitecture, type LoadAddresses } from '../dwarf/index.ts';
import { findBytesAt, findSection, findSectionBytes, MACHINE, parseElf, SEGMENT, type ElfFile } from '../elf/index.ts';
import { encodeKind, encodeRule } from './compact-rule.ts';
import { compileGoRows, KEEP, type OverlayRows } from './go-rows.ts';
import { RULE, RULE_KIND } from './layout.ts';

/** Rows of one module. */
export interface CompactTable {
  readonly architecture: FrameArchitecture;
  /** Address of the file to which `pc` is relative: the lowest of its code. */
  readonly base: number;
  /** Addresses, ascending; the first is 0. A row holds up to the next one. */
  readonly pc: Uint32Array;
  /** Index in `rules`, a row. */
  readonly rule: Uint32Array;
  /** Each `RULE.bytes` long. */
  readonly rules: readonly Uint8Array[];
  readonly counts: CompactCounts;
}

export interface CompactCounts {
  readonly functions: number;
  readonly rows: number;
  /** Entries of the call-frame information that could not be read. */
  readonly damaged: number;
  /** Rows whose rule the unwinder does not follow. */
  readonly unsupportedRows: number;
}

export interface CompactError {
  readonly kind: 'not-elf' | 'no-code' | 'damaged' | 'too-large';
  readonly message: string;
}

/**
 * Reads a module's code ranges and call-frame information.
 *
 * @param bytes the file, or the image of one in memory (sections may be missing: then `.eh_frame` is found through its header's segment)
 */
export function compileModule(bytes: Uint8Array): Result<CompactTable, CompactError> {
  const parsed = parseElf(bytes);
  if (!parsed.ok) return err({ kind: 'not-elf', message: parsed.error.message });
  const elf = parsed.value;
  const architecture = elf.machine === MACHINE.x86_64 ? 'x86-64' : elf.machine === MACHINE.aarch64 ? 'aarch64' : undefined;
  if (architecture === undefined) return err({ kind: 'not-elf', message: `code of machine ${elf.machine} is not unwound` });
  const code = elf.segments.filter((s) => s.type === SEGMENT.load && s.executable);
  if (code.length === 0) return err({ kind: 'no-code', message: 'the file has no executable segment' });
  const base = Math.min(...code.map((s) => s.address));
  if (Math.max(...code.map((s) => s.address + s.memorySize)) - base >= 2 ** 32)
    return err({ kind: 'too-large', message: 'the code spans more than 4 GiB' });
  const frames = readCallFrames(...callFrameSources(elf, architecture));
  if (!frames.ok) return err({ kind: 'damaged', message: frames.error.message });
  const rules = frames.value.rules.map((rule) => encodeRule(rule, frames.value.registers, architecture));
  const go = compileGoRows(elf, architecture);
  const below = go === undefined ? frames.value : overlay(frames.value.pc, frames.value.rule, go, rules.length);
  rules.push(...(go?.rules ?? []));
  const restorers = findRestorers(elf, architecture);
  const rows = mergeRows(below.pc, below.rule, base, restorers, rules.length);
  if (restorers.length > 0) rules.push(encodeKind('signal'));
  const isUnsupported = rules.map((rule) => rule[RULE.kind] === RULE_KIND.unsupported);
  const unsupportedRows = rows.rule.reduce((sum, rule) => sum + (isUnsupported[rule] ? 1 : 0), 0);
  const { functions, damaged } = frames.value.counts;
  return ok({ architecture, base, ...rows, rules, counts: { functions, damaged, rows: rows.pc.length, unsupportedRows } });
}

/** Index of the row that holds at `pc`, relative to the table's base and not before it. */
export function findCompactRow(table: CompactTable, pc: number): number {
  let low = 0;
  let high = table.pc.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (table.pc[middle]! <= pc) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function callFrameSources(elf: ElfFile, architecture: FrameArchitecture): [DebugSections, LoadAddresses] {
  const section = findSection(elf, '.eh_frame');
  const image = section === undefined ? findFrameImage(elf) : undefined;
  const readNamed = (name: string): Uint8Array | undefined => {
    if (name === '.eh_frame' && image !== undefined) return image.bytes;
    const found = findSectionBytes(elf, name);
    return found.ok ? found.value : undefined;
  };
  const readPointer = (address: number): number | undefined => {
    const word = findBytesAt(elf, address, 8);
    return word === undefined ? undefined : Number(new DataView(word.buffer, word.byteOffset, 8).getBigUint64(0, elf.littleEndian));
  };
  return [
    { littleEndian: elf.littleEndian, addressSize: elf.is64 ? 8 : 4, section: readNamed },
    {
      architecture,
      ehFrame: section?.address ?? image?.address ?? 0,
      text: findSection(elf, '.text')?.address,
      data: findSection(elf, '.got')?.address,
      readPointer,
    },
  ];
}

/** `.eh_frame` of a file without section headers: from where its header says that it begins to the end of its segment. */
function findFrameImage(elf: ElfFile): { readonly address: number; readonly bytes: Uint8Array } | undefined {
  const header = elf.segments.find((s) => s.type === SEGMENT.gnuEhFrame);
  const headerBytes = header === undefined ? undefined : findBytesAt(elf, header.address, header.memorySize);
  if (header === undefined || headerBytes === undefined) return undefined;
  const parsed = parseFrameHeader(headerBytes, header.address, elf.littleEndian, elf.is64 ? 8 : 4);
  if (!parsed.ok) return undefined;
  const address = parsed.value.ehFrame;
  const load = elf.segments.find((s) => s.type === SEGMENT.load && address >= s.address && address < s.address + s.fileSize);
  const bytes = load && findBytesAt(elf, address, Math.min(load.address + load.fileSize, elf.bytes.length) - address);
  return bytes === undefined ? undefined : { address, bytes: cutAtEnd(bytes, elf.littleEndian) };
}

/** Entries follow each other up to one of length 0; what lies behind in the segment is something else. */
function cutAtEnd(bytes: Uint8Array, littleEndian: boolean): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at + 4 <= bytes.length) {
    const length = view.getUint32(at, littleEndian);
    if (length === 0) break;
    if (length >= 0xffff_fff0 || at + 4 + length > bytes.length) break;
    at += 4 + length;
  }
  return bytes.subarray(0, at);
}

/** Machine code that C libraries give the kernel to return from a signal handler. */
const RESTORERS: Readonly<Record<FrameArchitecture, Uint8Array>> = {
  // mov $15, %rax (rt_sigreturn); syscall
  'x86-64': Uint8Array.of(0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05),
  // mov x8, #139 (rt_sigreturn); svc #0
  aarch64: Uint8Array.of(0x68, 0x11, 0x80, 0xd2, 0x01, 0, 0, 0xd4),
};

interface CodeRange {
  readonly start: number;
  readonly end: number;
}

/** Finds restorers in the code; a range begins one byte before, because the handler's return address is looked up as if it followed a call. */
function findRestorers(elf: ElfFile, architecture: FrameArchitecture): CodeRange[] {
  const found: CodeRange[] = [];
  const wanted = Buffer.from(RESTORERS[architecture]);
  for (const segment of elf.segments) {
    if (segment.type !== SEGMENT.load || !segment.executable) continue;
    const bytes = elf.bytes.subarray(segment.fileOffset, segment.fileOffset + segment.fileSize);
    const haystack = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = haystack.indexOf(wanted); at >= 0; at = haystack.indexOf(wanted, at + 1)) {
      found.push({ start: segment.address + at - 1, end: segment.address + at + wanted.length });
    }
  }
  return found;
}

/** Puts rows over others; the rules of the upper ones are numbered from `firstRule` on. */
function overlay(
  pc: Float64Array,
  rule: Uint32Array,
  upper: OverlayRows,
  firstRule: number,
): { readonly pc: Float64Array; readonly rule: Uint32Array } {
  const outPc = new Float64Array(pc.length + upper.pc.length);
  const outRule = new Uint32Array(outPc.length);
  let [count, low, above, below] = [0, 0, KEEP, 0];
  for (let high = 0; low < pc.length || high < upper.pc.length;) {
    const at = Math.min(pc[low] ?? Infinity, upper.pc[high] ?? Infinity);
    while (low < pc.length && pc[low]! <= at) below = rule[low++]!;
    while (high < upper.pc.length && upper.pc[high]! <= at) above = upper.rule[high++]!;
    outPc[count] = at;
    outRule[count++] = above === KEEP ? below : firstRule + above;
  }
  return { pc: outPc.slice(0, count), rule: outRule.slice(0, count) };
}

/** Rows relative to `base`, from 0 on, with the rows of restorers put over what stands there. */
function mergeRows(
  pc: Float64Array,
  rule: Uint32Array,
  base: number,
  restorers: readonly CodeRange[],
  signalRule: number,
): { pc: Uint32Array; rule: Uint32Array } {
  const outPc = new Uint32Array(pc.length + 2 + 2 * restorers.length);
  const outRule = new Uint32Array(outPc.length);
  let count = 0;
  const push = (address: number, number: number): void => {
    const relative = address <= base ? 0 : address - base;
    if (count > 0 && outPc[count - 1] === relative) count--;
    if (count > 0 && outRule[count - 1] === number) return;
    outPc[count] = relative;
    outRule[count++] = number;
  };
  push(base, 0);
  let next = 0;
  let current = 0;
  const copyUpTo = (limit: number): void => {
    while (next < pc.length && pc[next]! < limit) {
      current = rule[next]!;
      push(pc[next]!, current);
      next++;
    }
  };
  for (const { start, end } of restorers) {
    copyUpTo(start);
    push(start, signalRule);
    while (next < pc.length && pc[next]! <= end) current = rule[next++]!;
    push(end, current);
  }
  copyUpTo(Infinity);
  return { pc: outPc.slice(0, count), rule: outRule.slice(0, count) };
}
