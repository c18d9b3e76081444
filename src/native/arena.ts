/**
 * One piece of memory outside of the JavaScript heap, for everything whose address the kernel is given: it never moves and is
 * never freed. (A garbage-collected buffer whose address was embedded in a structure may be gone when the kernel reads it.)
 * A call takes what it needs from the start and gives all of it back: calls are synchronous and do not nest.
 */
import { assert, err, ok, type Result } from '../base/index.ts';
import type { NativeError } from './error.ts';
import { lastError, loadLibc, type Libc, type SyscallNumbers } from './libc.ts';

const SIZE = 24 << 20;
const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = 0x22;

/** Memory with a fixed address. */
export class Arena {
  readonly libc: Libc;
  readonly numbers: SyscallNumbers;
  readonly bytes: Uint8Array;
  readonly data: DataView;
  readonly #address: number;
  #used = 0;

  constructor(libc: Libc, numbers: SyscallNumbers, address: number) {
    this.libc = libc;
    this.numbers = numbers;
    this.#address = address;
    const buffer = libc.view(address, SIZE);
    this.bytes = new Uint8Array(buffer);
    this.data = new DataView(buffer);
  }

  /** Takes back all that was given. */
  reset(): void {
    this.#used = 0;
  }

  /** Bytes that `reserve` can still give. */
  get free(): number {
    return SIZE - this.#used - 16;
  }

  /** The index of `length` bytes, aligned to 8, of any content. */
  reserve(length: number): number {
    const index = (this.#used + 7) & ~7;
    assert(length >= 0 && index + length <= SIZE, `the arena has no room for ${length} bytes more`);
    this.#used = index + length;
    return index;
  }

  /** As `reserve`, zeroed. */
  reserveZeroed(length: number): number {
    const index = this.reserve(length);
    this.bytes.fill(0, index, index + length);
    return index;
  }

  /** Copies `bytes` in; the index. */
  put(bytes: Uint8Array): number {
    const index = this.reserve(bytes.length);
    this.bytes.set(bytes, index);
    return index;
  }

  /** The address of a byte, for the kernel. */
  address(index: number): number {
    return this.#address + index;
  }

  setU64(index: number, value: number | bigint): void {
    if (typeof value === 'bigint') this.data.setBigUint64(index, BigInt.asUintN(64, value), true);
    else {
      this.data.setUint32(index, value >>> 0, true);
      this.data.setUint32(index + 4, Math.floor(value / 2 ** 32) >>> 0, true);
    }
  }
}

const made: { result?: Result<Arena, NativeError> } = {};

/** The thread's arena, made at the first call, emptied at each. */
export function takeArena(): Result<Arena, NativeError> {
  const result = (made.result ??= make());
  if (result.ok) result.value.reset();
  return result;
}

function make(): Result<Arena, NativeError> {
  const loaded = loadLibc();
  if (!loaded.ok) return loaded;
  const { libc, numbers } = loaded.value;
  const address = libc.mmap(0, SIZE, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
  if (address === -1) return err(lastError(libc, 'mmap'));
  return ok(new Arena(libc, numbers, address));
}
