/** Types by the hash of their name: chains in two arrays. */
export class NameTable {
  readonly #heads: Uint32Array;
  readonly #next: Uint32Array;

  private constructor(heads: Uint32Array, next: Uint32Array) {
    this.#heads = heads;
    this.#next = next;
  }

  /**
   * @param offsets where each type's words are in `bytes`; the first word is its name
   * @param firstString number of the first string of `strings`; names before it belong to the base and are not entered
   */
  static build(bytes: Uint8Array, offsets: Uint32Array, strings: Uint8Array, firstString: number): NameTable {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const heads = new Uint32Array(2 ** Math.ceil(Math.log2(offsets.length + 16)));
    const next = new Uint32Array(offsets.length + 1);
    for (let index = offsets.length - 1; index >= 0; index--) {
      const start = view.getUint32(offsets[index]!, true) - firstString;
      if (start < 0 || strings[start] === undefined || strings[start] === 0) continue;
      const slot = hashText(strings, start) & (heads.length - 1);
      next[index + 1] = heads[slot]!;
      heads[slot] = index + 1;
    }
    return new NameTable(heads, next);
  }

  /** Indices of types whose name may be `name`, in their order. */
  candidates(name: Uint8Array): number[] {
    const found: number[] = [];
    for (let at = this.#heads[hashText(name, 0) & (this.#heads.length - 1)]!; at !== 0; at = this.#next[at]!) found.push(at - 1);
    return found;
  }
}

/** No name of the kernel is longer; it bounds the work where strings overlap. */
const HASHED = 512;

/** FNV-1a up to a NUL or the end. */
function hashText(bytes: Uint8Array, start: number): number {
  let hash = 0x811c_9dc5;
  const end = Math.min(bytes.length, start + HASHED);
  for (let index = start; index < end && bytes[index] !== 0; index++) hash = Math.imul(hash ^ bytes[index]!, 0x0100_0193);
  return (hash ^ (hash >>> 15)) >>> 0;
}
