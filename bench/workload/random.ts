/** xoshiro128**: the same numbers in every run. */
export class Random {
  #s0: number;
  #s1 = 0x243f6a88;
  #s2 = 0xb7e15162;
  #s3 = 0xdeadbeef;

  constructor(seed = 0x9e3779b1) {
    this.#s0 = seed | 0;
    for (let i = 0; i < 16; i++) this.uint32();
  }

  uint32(): number {
    let r = Math.imul(this.#s1, 5);
    r = Math.imul((r << 7) | (r >>> 25), 9);
    const t = this.#s1 << 9;
    this.#s2 ^= this.#s0;
    this.#s3 ^= this.#s1;
    this.#s1 ^= this.#s2;
    this.#s0 ^= this.#s3;
    this.#s2 ^= t;
    this.#s3 = (this.#s3 << 11) | (this.#s3 >>> 21);
    return r >>> 0;
  }

  /** 0 to 1. */
  fraction(): number {
    return this.uint32() / 4294967296;
  }

  /** 0 to below `limit`. */
  below(limit: number): number {
    return this.uint32() % limit;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }

  hex8(): string {
    return this.uint32().toString(16).padStart(8, '0');
  }
}
