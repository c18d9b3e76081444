/**
 * Starts of functions from .eh_frame_hdr's search table: bounds for code whose symbols were stripped.
 * Source: Linux Standard Base 5.0, "Exception Frames" (.eh_frame_hdr).
 */
import { ok, type Result } from '../base/index.ts';
import { SEGMENT, type ElfFile } from './elf-file.ts';
import { FormatFault, parseAtBorder, type FormatError } from './format-error.ts';
import { findImageBase } from './symbol-table.ts';

const ENCODING = { udata4: 0x03, sdata4: 0x0b, dataRelative: 0x30, omit: 0xff } as const;

/** Ascending starts of the ranges that unwind information describes, each relative to `base` (the lowest loaded address). */
export interface FrameStarts {
  readonly base: number;
  readonly starts: Uint32Array;
}

/** Reads the table; undefined when the file has none, or only one in an encoding that no linker writes. */
export function readFrameStarts(elf: ElfFile): Result<FrameStarts | undefined, FormatError> {
  const segment = elf.segments.find((s) => s.type === SEGMENT.gnuEhFrame);
  if (!segment || segment.fileSize < 12) return ok(undefined);
  return parseAtBorder(() => {
    const { reader } = elf;
    const at = segment.fileOffset;
    reader.check(at, segment.fileSize);
    if (reader.u8(at) !== 1) throw new FormatFault('unsupported', `.eh_frame_hdr of version ${reader.u8(at)}; 1 is known`);
    const pointerIs4 = (reader.u8(at + 1) & 0x0f) === ENCODING.sdata4 || (reader.u8(at + 1) & 0x0f) === ENCODING.udata4;
    const counted = reader.u8(at + 2) === ENCODING.udata4;
    if (!pointerIs4 || !counted || reader.u8(at + 3) !== (ENCODING.sdata4 | ENCODING.dataRelative)) return undefined;
    const count = reader.u32(at + 8);
    if (12 + count * 8 > segment.fileSize) throw new FormatFault('truncated', `.eh_frame_hdr says ${count} entries and ends before`);
    return readTable(elf, at + 12, count, segment.address);
  });
}

function readTable(elf: ElfFile, at: number, count: number, headerAddress: number): FrameStarts {
  const base = findImageBase(elf);
  const starts = new Uint32Array(count);
  let kept = 0;
  for (let i = 0; i < count; i++) {
    const offset = headerAddress + elf.reader.i32(at + i * 8) - base;
    if (offset >= 0 && offset <= 0xffff_ffff) starts[kept++] = offset;
  }
  // Linkers sort it; a damaged table must not break the search.
  return { base, starts: starts.subarray(0, kept).sort() };
}
