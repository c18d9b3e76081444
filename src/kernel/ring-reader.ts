/**
 * Reads a BPF ring buffer: records are scanned in the shared pages and handed on in place. Layout and order of accesses:
 * kernel/bpf/ringbuf.c and Documentation/bpf/ringbuf.rst of Linux 6.18.
 */
import { err, ok, type Result } from '../base/index.ts';
import { DescriptorSet, loadPageSize, mapDescriptor, watchDescriptor, type Mapping } from '../native/index.ts';
import { toKernelError, type KernelError } from './error.ts';

const BUSY = 0x8000_0000 | 0;
const DISCARDED = 0x4000_0000;
const LENGTH_MASK = 0x3fff_ffff;
const TWO_32 = 2 ** 32;

/** What a reader has seen since it was opened. Records for which the ring had no room are counted by the programs, not here. */
export interface RingCounts {
  records: number;
  bytes: number;
  discarded: number;
}

/** Of one record: `bytes` holds it from `offset` on. Valid during the call alone: the kernel writes there again afterwards. */
export type OnRecord = (bytes: Uint8Array, offset: number, length: number, data: DataView) => void;

/**
 * The only reader of a ring. May be made in any thread from the map's descriptor; it does not own the descriptor. Close it before the process
 * lets go of the ring.
 */
export class RingReader {
  readonly counts: RingCounts = { records: 0, bytes: 0, discarded: 0 };
  readonly #fd: number;
  readonly #size: number;
  readonly #pageBytes: number;
  readonly #consumer: Mapping;
  readonly #producer: Mapping;
  readonly #consumed: BigUint64Array;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #data: DataView;
  #position: number;
  #unwatch: (() => void) | undefined;
  #closed = false;

  private constructor(fd: number, size: number, pageBytes: number, consumer: Mapping, producer: Mapping) {
    this.#fd = fd;
    this.#size = size;
    this.#pageBytes = pageBytes;
    this.#consumer = consumer;
    this.#producer = producer;
    this.#consumed = new BigUint64Array(consumer.buffer);
    this.#words = new Int32Array(producer.buffer);
    this.#bytes = new Uint8Array(producer.buffer);
    this.#data = new DataView(producer.buffer);
    this.#position = Number(this.#consumed[0]);
  }

  /** `sizeBytes`: the map's `maxEntries`. */
  static open(fd: number, sizeBytes: number): Result<RingReader, KernelError> {
    const pageSize = loadPageSize();
    if (!pageSize.ok) return err(toKernelError(pageSize.error));
    const pageBytes = pageSize.value;
    const consumer = mapDescriptor(fd, pageBytes, 0, true);
    if (!consumer.ok) return err(toKernelError(consumer.error, 'ring buffer'));
    // The data pages come twice, so that a record that wraps around reads on.
    const producer = mapDescriptor(fd, pageBytes + 2 * sizeBytes, pageBytes, false);
    if (producer.ok) return ok(new RingReader(fd, sizeBytes, pageBytes, consumer.value, producer.value));
    consumer.value.close();
    return err(toKernelError(producer.error, 'ring buffer'));
  }

  /**
   * Hands on the records that are there, oldest first; their number. Stops after `limit`, at a record that is still being written, and after one
   * ring's worth. Room is given back each eighth of the ring, and at the end, also when `onRecord` throws.
   *
   * hot: no allocation, bigint or throw per record.
   */
  drain(onRecord: OnRecord, limit = Infinity): number {
    if (this.#closed) return 0;
    const words = this.#words;
    const pageBytes = this.#pageBytes;
    const mask = this.#size - 1;
    const step = this.#size >> 3;
    const start = this.#position;
    let position = start;
    let committed = start;
    let produced = Atomics.load(words, 0) >>> 0;
    let records = 0;
    try {
      while (records < limit && position - start < this.#size) {
        if (position % TWO_32 === produced) {
          produced = Atomics.load(words, 0) >>> 0;
          if (position % TWO_32 === produced) break;
        }
        const place = pageBytes + (position < 0x8000_0000 ? position & mask : position % this.#size);
        const header = Atomics.load(words, place >> 2);
        if ((header & BUSY) !== 0) break;
        const length = header & LENGTH_MASK;
        position += (length + 15) & ~7;
        if ((header & DISCARDED) !== 0) this.counts.discarded++;
        else {
          records++;
          this.counts.bytes += length;
          onRecord(this.#bytes, place + 8, length, this.#data);
        }
        if (position - committed >= step) {
          Atomics.store(this.#consumed, 0, BigInt(position));
          committed = position;
        }
      }
    } finally {
      this.counts.records += records;
      this.#position = position;
      // One aligned store of 64 bits: two of 32 could be seen half done.
      if (position !== committed) Atomics.store(this.#consumed, 0, BigInt(position));
    }
    return records;
  }

  /** Bytes that wait, records still being written included. */
  get pendingBytes(): number {
    if (this.#closed) return 0;
    return ((Atomics.load(this.#words, 0) >>> 0) - (this.#position % TWO_32) + TWO_32) % TWO_32;
  }

  /** Drains on this thread's event loop whenever records come, until `close`. */
  watch(onRecord: OnRecord, afterDrain?: (records: number) => void): Result<void, KernelError> {
    const watching = watchDescriptor(this.#fd, () => {
      const records = this.drain(onRecord);
      afterDrain?.(records);
    });
    if (!watching.ok) return err(toKernelError(watching.error));
    this.#unwatch?.();
    this.#unwatch = watching.value;
    return ok(undefined);
  }

  /** Unmaps; later drains find nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#unwatch?.();
    this.#consumer.close();
    this.#producer.close();
  }
}

/** For a thread that may block: waits until one of the rings has records, and tells whether. `close` ends it. */
export function createRingWaiter(fds: readonly number[]): Result<DescriptorSet, KernelError> {
  const set = DescriptorSet.create(fds);
  return set.ok ? set : err(toKernelError(set.error, 'waiting for ring buffers'));
}
