/** Pointers as `.eh_frame` writes them: Linux Standard Base Core 5.0, 10.5.1 (DW_EH_PE_*). */
import { FormatFault, type FormatError } from './format-error.ts';
import { err, ok, type Result } from '../base/index.ts';
import { Cursor } from './cursor.ts';

/** What encoded pointers can be relative to. */
export interface PointerBases {
  /** Address at which the section's first byte is loaded. */
  readonly section: number;
  readonly text?: number | undefined;
  readonly data?: number | undefined;
  readonly addressSize: 4 | 8;
  readonly readPointer?: ((address: number) => number | undefined) | undefined;
}

/** Formats (low four bits) and what they are relative to (next three). */
const Format = { absolute: 0x0, uleb: 0x1, u16: 0x2, u32: 0x3, u64: 0x4, sleb: 0x9, i16: 0xa, i32: 0xb, i64: 0xc } as const;
const Relative = { absolute: 0x00, here: 0x10, text: 0x20, data: 0x30, function: 0x40, aligned: 0x50 } as const;
const INDIRECT = 0x80;

/** A function that reads one pointer written in `encoding`; it throws `FormatFault` for an encoding that cannot be read here. */
export function encodedPointerReader(encoding: number, bases: PointerBases): (cursor: Cursor) => number {
  const relative = encoding & 0x70;
  return (cursor) => {
    if (relative === Relative.aligned)
      cursor.skip((bases.addressSize - ((bases.section + cursor.pos) % bases.addressSize)) % bases.addressSize);
    const here = bases.section + cursor.pos;
    let value = readFormat(cursor, encoding & 0x0f, bases.addressSize);
    if (relative === Relative.here) value += here;
    else if (relative === Relative.text) value += bases.text ?? cursor.fail('a pointer relative to the code, whose address is not known');
    else if (relative === Relative.data) value += bases.data ?? cursor.fail('a pointer relative to the data, whose address is not known');
    else if (relative === Relative.function || relative > Relative.aligned) cursor.fail(`pointer encoding 0x${encoding.toString(16)}`);
    if ((encoding & INDIRECT) !== 0)
      value = bases.readPointer?.(value) ?? cursor.fail(`an indirect pointer at ${value}, which cannot be read`);
    return value;
  };
}

function readFormat(cursor: Cursor, format: number, addressSize: 4 | 8): number {
  switch (format) {
    case Format.absolute:
      return addressSize === 8 ? cursor.u64() : cursor.u32();
    case Format.uleb:
      return cursor.uleb();
    case Format.u16:
      return cursor.u16();
    case Format.u32:
      return cursor.u32();
    case Format.u64:
      return cursor.u64();
    case Format.sleb:
      return cursor.sleb();
    case Format.i16:
      return cursor.i16();
    case Format.i32:
      return cursor.i32();
    case Format.i64:
      return cursor.i64();
    default:
      return cursor.fail(`pointer format ${format}`);
  }
}

/** What `.eh_frame_hdr` says: enough to find `.eh_frame` where there are no section headers (a core dump, the vDSO). */
export interface FrameHeader {
  /** Address of `.eh_frame`. */
  readonly ehFrame: number;
  /** Functions in the search table that follows; undefined when there is none. */
  readonly functions: number | undefined;
}

/**
 * Reads `.eh_frame_hdr` (LSB 10.6.2).
 *
 * @param address where the section's first byte is loaded
 */
export function parseFrameHeader(
  bytes: Uint8Array,
  address: number,
  littleEndian: boolean,
  addressSize: 4 | 8,
): Result<FrameHeader, FormatError> {
  try {
    const cursor = new Cursor(bytes, '.eh_frame_hdr', littleEndian);
    const bases: PointerBases = { section: address, data: address, addressSize };
    const version = cursor.u8();
    if (version !== 1) cursor.fail(`version ${version}`);
    const frameEncoding = cursor.u8();
    const countEncoding = cursor.u8();
    cursor.u8();
    const ehFrame = encodedPointerReader(frameEncoding, bases)(cursor);
    const functions = countEncoding === 0xff ? undefined : encodedPointerReader(countEncoding, bases)(cursor);
    return ok({ ehFrame, functions });
  } catch (error) {
    if (error instanceof FormatFault) return err(error.detail);
    throw error;
  }
}
