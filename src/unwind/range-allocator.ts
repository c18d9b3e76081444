import { err, ok, type Result } from '../base/index.ts';

/** Entries in a row of one shard. */
export interface ShardRange {
  readonly shard: number;
  readonly first: number;
  readonly count: number;
}

interface FreeRange {
  first: number;
  count: number;
}

interface Waiting {
  readonly range: ShardRange;
  readonly freeAtMs: number;
}

export interface RangeAllocatorOptions {
  /** Entries in a shard. */
  readonly entriesPerShard: number;
  readonly maxShards: number;
  /** How long a freed range is left alone: a program that is running now may still read it. */
  readonly restMs: number;
  readonly nowMs: () => number;
  /** Makes a shard; called once for each number from 0 on. */
  readonly openShard: (shard: number) => Result<void, string>;
}

/** Hands out ranges of entries in shards that are made when they are needed; first fit, freed neighbours join. */
export class RangeAllocator {
  readonly #options: RangeAllocatorOptions;
  readonly #free: FreeRange[][] = [];
  #waiting: Waiting[] = [];

  constructor(options: RangeAllocatorOptions) {
    this.#options = options;
  }

  /** Shards made so far. */
  get shards(): number {
    return this.#free.length;
  }

  /** Entries between 1 and a whole shard's. Fails with a sentence when the shards are used up or one cannot be made. */
  allocate(count: number): Result<ShardRange, string> {
    this.#settle();
    for (const [shard, free] of this.#free.entries()) {
      const found = take(free, count);
      if (found !== undefined) return ok({ shard, first: found, count });
    }
    const shard = this.#free.length;
    if (shard >= this.#options.maxShards) return err(`all ${shard} shards of ${this.#options.entriesPerShard} entries are used up`);
    const opened = this.#options.openShard(shard);
    if (!opened.ok) return opened;
    this.#free.push([{ first: count, count: this.#options.entriesPerShard - count }]);
    return ok({ shard, first: 0, count });
  }

  /** Gives a range back. */
  free(range: ShardRange): void {
    this.#waiting.push({ range, freeAtMs: this.#options.nowMs() + this.#options.restMs });
  }

  /** Ranges that have rested long enough can be handed out again. */
  #settle(): void {
    const now = this.#options.nowMs();
    if (this.#waiting.length === 0 || this.#waiting[0]!.freeAtMs > now) return;
    const ready = this.#waiting.filter((w) => w.freeAtMs <= now);
    this.#waiting = this.#waiting.filter((w) => w.freeAtMs > now);
    for (const { range } of ready) giveBack(this.#free[range.shard]!, range);
  }
}

function take(free: FreeRange[], count: number): number | undefined {
  const index = free.findIndex((range) => range.count >= count);
  const range = free[index];
  if (range === undefined) return undefined;
  const { first } = range;
  range.first += count;
  range.count -= count;
  if (range.count === 0) free.splice(index, 1);
  return first;
}

function giveBack(free: FreeRange[], range: ShardRange): void {
  const at = free.findIndex((other) => other.first > range.first);
  const index = at < 0 ? free.length : at;
  free.splice(index, 0, { first: range.first, count: range.count });
  joinWithNext(free, index);
  if (index > 0) joinWithNext(free, index - 1);
}

function joinWithNext(free: FreeRange[], index: number): void {
  const range = free[index]!;
  const next = free[index + 1];
  if (next === undefined || range.first + range.count !== next.first) return;
  range.count += next.count;
  free.splice(index + 1, 1);
}
