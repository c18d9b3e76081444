/**
 * Ids of types in the running kernel's BTF (/sys/kernel/btf/vmlinux), by which tracing programs name what they attach to. Reads names and kinds
 * alone; the room `btf` decodes the types. Format: Documentation/bpf/btf.rst.
 */
import { readFileSync } from 'node:fs';
import { err, ok, type Result } from '../base/index.ts';
import { kernelError, type KernelError } from './error.ts';

const PATH = '/sys/kernel/btf/vmlinux';
const MAGIC = 0xeb9f;

export const TypeKind = { struct: 4, typedef: 8, function: 12 } as const;

/** Words after struct btf_type, by kind: fixed, and for each of `vlen`. Kinds that are not named have none. */
const FIXED_WORDS: Readonly<Record<number, number>> = { 1: 1, 3: 3, 14: 1, 17: 1 };
const REPEATED_WORDS: Readonly<Record<number, number>> = { 4: 3, 5: 3, 6: 2, 13: 2, 15: 3, 19: 3 };

export class KernelTypes {
  readonly #words: Uint32Array;
  readonly #strings: Buffer;

  private constructor(words: Uint32Array, strings: Buffer) {
    this.#words = words;
    this.#strings = strings;
  }

  static load(path = PATH): Result<KernelTypes, KernelError> {
    let bytes: Buffer;
    try {
      bytes = readFileSync(path);
    } catch (cause) {
      return err(
        kernelError('unsupported', `the kernel's types cannot be read (${(cause as Error).message}); it needs CONFIG_DEBUG_INFO_BTF`),
      );
    }
    if (bytes.length < 24 || bytes.readUInt16LE(0) !== MAGIC) return err(kernelError('failed', `${path} is not BTF`));
    const header = bytes.readUInt32LE(4);
    const [typeOffset, typeBytes, stringOffset, stringBytes] = [8, 12, 16, 20].map((at) => bytes.readUInt32LE(at)) as [
      number,
      number,
      number,
      number,
    ];
    const types = bytes.subarray(header + typeOffset, header + typeOffset + typeBytes);
    const strings = bytes.subarray(header + stringOffset, header + stringOffset + stringBytes);
    return ok(new KernelTypes(new Uint32Array(Uint8Array.from(types).buffer), strings));
  }

  /** The id of a type, undefined when the kernel has none of this name and kind. Some tens of milliseconds: it looks at each type. */
  findId(name: string, kind: number): number | undefined {
    const wanted = this.#findNames(name);
    if (wanted.size === 0) return undefined;
    const words = this.#words;
    let id = 1;
    for (let at = 0; at + 2 < words.length; id++) {
      const info = words[at + 1]!;
      const own = (info >>> 24) & 0x1f;
      if (own === kind && wanted.has(words[at]!)) return id;
      at += 3 + (FIXED_WORDS[own] ?? 0) + (REPEATED_WORDS[own] ?? 0) * (info & 0xffff);
    }
    return undefined;
  }

  /** Places of the name in the strings; the tool that makes BTF stores each once, which nothing promises. */
  #findNames(name: string): Set<number> {
    const places = new Set<number>();
    const needle = Buffer.from(`\0${name}\0`);
    for (let at = this.#strings.indexOf(needle); at >= 0; at = this.#strings.indexOf(needle, at + 1)) places.add(at + 1);
    return places;
  }
}
