/**
 * BTF for our own programs: what the kernel wants to know of functions (func_info, needed by callbacks), of lines (line_info, quoted in the
 * verifier's messages) and of the values of storage maps. Source: Documentation/bpf/btf.rst, include/uapi/linux/btf.h of Linux 6.18.
 */
import type { FunctionInfo, LineInfo, ParameterType } from './object.ts';

export interface ProgramBtf {
  readonly btf: Uint8Array;
  /** struct bpf_func_info[]: 8 bytes each. */
  readonly functionInfo: Uint8Array;
  /** struct bpf_line_info[]: 16 bytes each; empty when there are no lines. */
  readonly lineInfo: Uint8Array;
}

export const FUNCTION_INFO_BYTES = 8;
export const LINE_INFO_BYTES = 16;

const MAGIC = 0xeb9f;
const HEADER_BYTES = 24;
const Kind = { INT: 1, POINTER: 2, ARRAY: 3, FUNCTION: 12, PROTOTYPE: 13 } as const;
const INT_SIGNED = 1 << 24;
const LINKAGE_STATIC = 0;
const LINKAGE_GLOBAL = 1;
const MAX_LINE = (1 << 22) - 1;
const MAX_COLUMN = (1 << 10) - 1;

/** Collects types and strings; ids count from 1, 0 is `void`. */
class BtfWriter {
  readonly #types: number[] = [];
  #count = 0;
  readonly #strings = new Map<string, number>([['', 0]]);
  #stringBytes = 1;

  string(text: string): number {
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    const offset = this.#stringBytes;
    this.#strings.set(text, offset);
    this.#stringBytes += new TextEncoder().encode(text).length + 1;
    return offset;
  }

  /** `words`: what follows struct btf_type. */
  type(name: string, kind: number, count: number, sizeOrType: number, ...words: number[]): number {
    this.#types.push(this.string(name), (kind << 24) | count, sizeOrType, ...words);
    return ++this.#count;
  }

  encode(): Uint8Array {
    const typeBytes = this.#types.length * 4;
    const bytes = new Uint8Array(HEADER_BYTES + typeBytes + this.#stringBytes);
    const data = new DataView(bytes.buffer);
    data.setUint16(0, MAGIC, true);
    data.setUint8(2, 1);
    for (const [index, value] of [HEADER_BYTES, 0, typeBytes, typeBytes, this.#stringBytes].entries())
      data.setUint32(4 + 4 * index, value, true);
    for (const [index, value] of this.#types.entries()) data.setUint32(HEADER_BYTES + 4 * index, value >>> 0, true);
    let at = HEADER_BYTES + typeBytes;
    for (const text of this.#strings.keys()) {
      const encoded = new TextEncoder().encode(text);
      bytes.set(encoded, at);
      at += encoded.length + 1;
    }
    return bytes;
  }
}

/** BTF of a program with at least one function. The first is the main one, the others are static: the verifier follows each call into them. */
export function encodeProgramBtf(functions: readonly FunctionInfo[], lines: readonly LineInfo[]): ProgramBtf {
  const writer = new BtfWriter();
  const int = writer.type('int', Kind.INT, 0, 4, INT_SIGNED | 32);
  const types: Record<ParameterType, number> = {
    int,
    u32: writer.type('__u32', Kind.INT, 0, 4, 32),
    u64: writer.type('__u64', Kind.INT, 0, 8, 64),
    pointer: writer.type('', Kind.POINTER, 0, 0),
  };
  const info = functions.flatMap(({ slot, name, parameters }, index) => {
    const words = parameters.flatMap((parameter) => [writer.string(parameter.name), types[parameter.type]]);
    const prototype = writer.type('', Kind.PROTOTYPE, parameters.length, int, ...words);
    return [slot, writer.type(name, Kind.FUNCTION, index === 0 ? LINKAGE_GLOBAL : LINKAGE_STATIC, prototype)];
  });
  const lineWords = withFunctionStarts(functions, lines).flatMap(({ slot, file, line, column, text }) => [
    slot,
    writer.string(file),
    writer.string(text),
    (Math.min(line, MAX_LINE) << 10) | Math.min(column, MAX_COLUMN),
  ]);
  return { btf: writer.encode(), functionInfo: toBytes(info), lineInfo: toBytes(lineWords) };
}

/** BTF of a storage map's key (type 1, `int`) and value (type 4, an array of bytes). */
export function encodeStorageBtf(valueBytes: number): { readonly btf: Uint8Array; readonly keyType: number; readonly valueType: number } {
  const writer = new BtfWriter();
  const keyType = writer.type('int', Kind.INT, 0, 4, INT_SIGNED | 32);
  const index = writer.type('__u32', Kind.INT, 0, 4, 32);
  const byte = writer.type('__u8', Kind.INT, 0, 1, 8);
  const valueType = writer.type('', Kind.ARRAY, 0, 0, byte, index, valueBytes);
  return { btf: writer.encode(), keyType, valueType };
}

/** The kernel refuses line information in which a function's first instruction has none. */
function withFunctionStarts(functions: readonly FunctionInfo[], lines: readonly LineInfo[]): LineInfo[] {
  if (lines.length === 0) return [];
  const known = new Set(lines.map(({ slot }) => slot));
  const missing = functions
    .filter(({ slot }) => !known.has(slot))
    .map(({ slot, name }) => {
      const next = lines.find((line) => line.slot > slot) ?? lines.at(-1)!;
      return { ...next, slot, text: name };
    });
  return [...lines, ...missing].sort((a, b) => a.slot - b.slot);
}

function toBytes(words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(words.length * 4);
  const data = new DataView(bytes.buffer);
  for (const [index, word] of words.entries()) data.setUint32(index * 4, word >>> 0, true);
  return bytes;
}
