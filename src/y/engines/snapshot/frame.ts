/**
 * The registers, texts, objects and iterators of one running function.
 *
 * A 64-bit integer register is a double while its value (as a signed integer) is a safe integer, which addresses, sizes and counts
 * are; else its double is NaN and the value is in `big`. Doubles are added and compared without allocation, and a NaN falls
 * through every range test into the slow way by itself. Constants have registers of their own behind the function's.
 */
import type { IrFunction } from '../../ir/program.ts';
import type { ArrayEntry } from './storage.ts';

const MAX_SAFE = Number.MAX_SAFE_INTEGER;
const MIN_SAFE = Number.MIN_SAFE_INTEGER;
const MAX_SAFE_BIG = BigInt(MAX_SAFE);
const MIN_SAFE_BIG = BigInt(MIN_SAFE);

/** A text's bytes; `bytes` has the capacity of the place. */
export class TextBuffer {
  readonly bytes: Uint8Array;
  length = 0;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
  }

  view(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  /** Cuts at the capacity. `text` may lie in this very buffer. */
  set(text: Uint8Array): void {
    const taken = text.length > this.bytes.length ? text.subarray(0, this.bytes.length) : text;
    this.bytes.set(taken);
    this.length = taken.length;
  }
}

/** A `_foreach` under way: the entries as they were, and the current one. */
export interface Iterator {
  entries: readonly ArrayEntry[];
  /** -1 before the first. */
  at: number;
}

export class Frame {
  readonly num: Float64Array;
  readonly big: BigInt64Array;
  readonly texts: readonly TextBuffer[];
  readonly objects: readonly DataView[];
  readonly iterators: readonly Iterator[];
  /** What the function returned: a register's two halves, or a text. */
  resultNum = 0;
  resultBig = 0n;
  resultText: Uint8Array = new Uint8Array(0);

  constructor(source: IrFunction, registers: number, iterators: number) {
    this.num = new Float64Array(registers);
    this.big = new BigInt64Array(registers);
    this.texts = source.texts.map((capacity) => new TextBuffer(capacity));
    this.objects = source.objects.map((size) => new DataView(new ArrayBuffer(size)));
    this.iterators = Array.from({ length: iterators }, () => ({ entries: [], at: -1 }));
  }

  /** As if it was new: constants in their registers, all else zero. */
  reset(constants: ConstantPool): void {
    const { first, num, big } = constants;
    this.num.fill(0, 0, first);
    for (let index = 0; index < num.length; index++) {
      this.num[first + index] = num[index]!;
      this.big[first + index] = big[index]!;
    }
    for (const text of this.texts) text.length = 0;
    for (const object of this.objects) new Uint8Array(object.buffer).fill(0);
    for (const iterator of this.iterators) {
      iterator.entries = [];
      iterator.at = -1;
    }
  }
}

/** Constants of one function, each in a register behind the function's own. */
export class ConstantPool {
  readonly first: number;
  readonly num: number[] = [];
  readonly big: bigint[] = [];
  readonly #found = new Map<bigint, number>();

  constructor(first: number) {
    this.first = first;
  }

  registerOf(constant: bigint): number {
    const value = BigInt.asIntN(64, constant);
    const found = this.#found.get(value);
    if (found !== undefined) return found;
    const register = this.first + this.num.length;
    this.num.push(isSafe(value) ? Number(value) : NaN);
    this.big.push(value);
    this.#found.set(value, register);
    return register;
  }
}

/** True when a signed value fits the double of its register. */
export function isSafeNumber(value: number): boolean {
  return value <= MAX_SAFE && value >= MIN_SAFE;
}

function isSafe(value: bigint): boolean {
  return value <= MAX_SAFE_BIG && value >= MIN_SAFE_BIG;
}

/** The register's value, signed. */
export function getInteger(frame: Frame, register: number): bigint {
  const value = frame.num[register]!;
  return value === value ? BigInt(value) : frame.big[register]!;
}

/** The register's value, unsigned. */
export function getUnsigned(frame: Frame, register: number): bigint {
  return BigInt.asUintN(64, getInteger(frame, register));
}

/** Sets an integer register, modulo 2^64. */
export function setInteger(frame: Frame, register: number, value: bigint): void {
  const signed = BigInt.asIntN(64, value);
  if (isSafe(signed)) {
    frame.num[register] = Number(signed);
    return;
  }
  frame.num[register] = NaN;
  frame.big[register] = signed;
}

/** A register as a count that is used to cut: `low` and `high` bound what may come out; beyond 2^53 is the bound. */
export function getClamped(frame: Frame, register: number, low: number, high: number): number {
  const value = frame.num[register]!;
  const plain = value === value ? value : frame.big[register]! < 0n ? -Infinity : Infinity;
  return Math.min(Math.max(plain, low), high);
}
