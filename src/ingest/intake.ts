/**
 * Where everything that arrives becomes durable: documents and spans are checked, laid into rows, collected in one block,
 * and the block is written to the spool with one flush for all that came meanwhile (group commit). Only then is anyone told.
 * Memory is bounded: over the limits, new work is turned away before it is read.
 */
import { statfsSync } from 'node:fs';
import { isUtf8 } from 'node:buffer';
import { err, ok, type Result } from '../base/index.ts';
import { decodeTraces, decodeTracesJson, type OtlpBatch, type OtlpSpan } from '../otlp/index.ts';
import { RowsOfDocuments, RowsOfSpans, type SpanRow } from '../record/index.ts';
import { ByteWriter, SpanBlock } from '../store/index.ts';
import { type DocumentLimits, readSegmentText, type Refusal } from './segment-text.ts';
import type { Spool } from './spool.ts';

export type Source = 'udp' | 'segments' | 'otlp-http' | 'otlp-grpc';

export interface IntakeLimits {
  /** Largest segment document in characters. */
  readonly documentSize: number;
  /** Bytes in memory that are not yet on disk. */
  readonly pendingBytes: number;
  /** Bytes that wait on disk for the store. */
  readonly spoolBytes: number;
  /** Free bytes to leave on the disk, so that the store can take what waits. */
  readonly freeBytes: number;
  readonly retainDays: number;
}

export const DEFAULT_LIMITS: IntakeLimits = {
  documentSize: 1024 * 1024,
  pendingBytes: 32 * 1024 * 1024,
  spoolBytes: 8 * 1024 * 1024 * 1024,
  freeBytes: 64 * 1024 * 1024,
  retainDays: 30,
};

/** Why a whole request was not taken. `busy`: come back later; `unreadable`: it never will be. */
export interface IntakeError {
  readonly kind: 'busy' | 'unreadable';
  readonly message: string;
}

export interface Taken {
  readonly accepted: number;
  readonly rejected: number;
  /** Why, one by one; spans of one request that were refused for one reason share an entry. */
  readonly refusals: readonly Refusal[];
}

/** Told of every decision, for counters and the list of recent rejects. */
export interface IntakeObserver {
  accepted(source: Source, count: number): void;
  refused(source: Source, refusal: Refusal, count: number): void;
  dropped(source: Source, count: number): void;
  /** A record is on the disk and can be sent to the store. */
  spooled(): void;
}

/** Unhurried senders (UDP) wait this long for company, so that the disk is not flushed for each datagram. */
const LINGER_MS = 100;
/** Rows of one block: bounds the memory that one record takes. */
const BLOCK_ROWS = 20_000;
const BLOCK_BYTES = 16 * 1024 * 1024;

interface Waiter {
  readonly done: () => void;
  readonly failed: (error: IntakeError) => void;
}

export class Intake {
  readonly #spool: Spool;
  readonly #limits: IntakeLimits;
  readonly #observer: IntakeObserver;
  readonly #dir: string;
  readonly #documents = new RowsOfDocuments();
  readonly #spans = new RowsOfSpans();
  readonly #out = new ByteWriter(1 << 20);
  #block = new SpanBlock();
  #minutes = new Set<number>();
  #waiters: Waiter[] = [];
  /** Documents of datagrams among the pending rows. */
  #datagramDocuments = 0;
  #committing: Promise<void> | undefined;
  #lingerTimer: NodeJS.Timeout | undefined;
  #spaceCheckedMs = 0;
  #space: string | undefined;

  constructor(spool: Spool, dir: string, limits: IntakeLimits, observer: IntakeObserver) {
    this.#spool = spool;
    this.#dir = dir;
    this.#limits = limits;
    this.#observer = observer;
  }

  /** Why nothing can be taken now; undefined when it can. */
  get obstacle(): string | undefined {
    if (this.#block.sizeBytes > this.#limits.pendingBytes) return 'the disk is slower than the senders';
    if (this.#spool.bytes > this.#limits.spoolBytes) return 'the store is behind and the spool is full';
    return this.#diskSpace();
  }

  #diskSpace(): string | undefined {
    const now = performance.now();
    if (now - this.#spaceCheckedMs > 250) {
      this.#spaceCheckedMs = now;
      const stat = statfsSync(this.#dir);
      const free = stat.bavail * stat.bsize;
      this.#space = free < this.#limits.freeBytes ? `the disk of ${this.#dir} is full (${Math.floor(free / 1e6)} MB free)` : undefined;
    }
    return this.#space;
  }

  /** Takes segment documents, each as its own text; resolved when the good ones are on the disk. */
  async takeSegments(source: Source, texts: readonly unknown[]): Promise<Result<Taken, IntakeError>> {
    const obstacle = this.obstacle;
    if (obstacle !== undefined) return this.#turnAway(source, texts.length, obstacle);
    const rows: SpanRow[] = [];
    const refusals: Refusal[] = [];
    let accepted = 0;
    const limits = this.#documentLimits();
    for (const text of texts) {
      accepted += this.#readDocument(text, limits, rows, (refusal) => {
        refusals.push(refusal);
        this.#observer.refused(source, refusal, 1);
      });
    }
    return this.#commitAndAnswer(source, rows, { accepted, rejected: refusals.length, refusals });
  }

  /** Takes one datagram's document; nobody waits for it. */
  takeDatagram(body: Buffer): void {
    if (this.obstacle !== undefined) {
      this.#observer.dropped('udp', 1);
      return;
    }
    const refused = (refusal: Refusal): void => this.#observer.refused('udp', refusal, 1);
    if (!isUtf8(body)) {
      refused({ code: 'InvalidEncoding', message: 'the document is not UTF-8' });
      return;
    }
    const rows: SpanRow[] = [];
    const accepted = this.#readDocument(body.toString('utf8'), this.#documentLimits(), rows, refused);
    if (accepted === 0) return;
    this.#datagramDocuments += accepted;
    this.#push(rows);
    this.#commitSoon();
  }

  /** Takes an OTLP export request; resolved when its good spans are on the disk. */
  async takeOtlp(source: Source, body: Uint8Array, encoding: 'protobuf' | 'json'): Promise<Result<Taken, IntakeError>> {
    const obstacle = this.obstacle;
    if (obstacle !== undefined) return this.#turnAway(source, 1, obstacle);
    const batch = encoding === 'json' ? decodeTracesJson(body) : decodeTraces(body);
    if (!batch.ok) {
      this.#observer.refused(source, { code: batch.error.code, message: batch.error.message }, 1);
      return err({ kind: 'unreadable', message: batch.error.message });
    }
    const rows: SpanRow[] = [];
    const refusals = this.#refusalsOf(source, batch.value);
    let accepted = 0;
    let rejected = batch.value.rejected;
    const { earliestSeconds, latestSeconds } = this.#documentLimits();
    for (const span of batch.value.spans) {
      if (span.startSeconds < earliestSeconds || span.startSeconds > latestSeconds || span.endSeconds - span.startSeconds > 8e6) {
        const refusal = outOfTime(span);
        refusals.push(refusal);
        this.#observer.refused(source, refusal, 1);
        rejected++;
        continue;
      }
      this.#spans.append(span, rows);
      accepted++;
    }
    return this.#commitAndAnswer(source, rows, { accepted, rejected, refusals });
  }

  /** Writes what is pending and waits for it. */
  async flush(): Promise<void> {
    while (this.#block.rows > 0 || this.#committing) await this.#commitNow();
  }

  #documentLimits(): DocumentLimits {
    const now = Date.now() / 1000;
    return {
      maxSize: this.#limits.documentSize,
      maxDepth: 256,
      maxSubsegments: 5_000,
      earliestSeconds: now - this.#limits.retainDays * 86_400,
      latestSeconds: now + 86_400,
    };
  }

  #turnAway(source: Source, count: number, message: string): Result<Taken, IntakeError> {
    this.#observer.dropped(source, count);
    return err({ kind: 'busy', message });
  }

  #readDocument(text: unknown, limits: DocumentLimits, rows: SpanRow[], refused: (refusal: Refusal) => void): number {
    if (typeof text !== 'string') {
      refused({ code: 'ParseError', message: 'a document must be a JSON text' });
      return 0;
    }
    let accepted = 0;
    for (const outcome of readSegmentText(text, limits)) {
      if (outcome.ok) {
        this.#documents.append(outcome.value.document, outcome.value.traceId, rows);
        accepted++;
      } else {
        refused(outcome.error);
      }
    }
    return accepted;
  }

  #refusalsOf(source: Source, batch: OtlpBatch): Refusal[] {
    return batch.rejects.map((reject) => {
      const refusal: Refusal = { code: reject.reason, message: reject.message, id: reject.spanId };
      this.#observer.refused(source, refusal, reject.count);
      return refusal;
    });
  }

  async #commitAndAnswer(source: Source, rows: SpanRow[], taken: Taken): Promise<Result<Taken, IntakeError>> {
    if (rows.length === 0) return ok(taken);
    this.#push(rows);
    const outcome = await new Promise<IntakeError | undefined>((resolve) => {
      this.#waiters.push({ done: () => resolve(undefined), failed: resolve });
      void this.#commitNow();
    });
    if (outcome) {
      this.#observer.dropped(source, taken.accepted);
      return err(outcome);
    }
    this.#observer.accepted(source, taken.accepted);
    return ok(taken);
  }

  #push(rows: readonly SpanRow[]): void {
    const seen = Math.floor(Date.now() / 1000);
    for (const row of rows) {
      this.#block.push(row, seen);
      this.#minutes.add(Math.floor(row.startSeconds / 60));
    }
  }

  #commitSoon(): void {
    if (this.#block.rows > BLOCK_ROWS || this.#block.sizeBytes > BLOCK_BYTES) void this.#commitNow();
    else this.#lingerTimer ??= setTimeout(() => void this.#commitNow(), LINGER_MS);
  }

  /** One write at a time; what comes during it goes with the next. */
  async #commitNow(): Promise<void> {
    if (this.#committing) return this.#committing;
    this.#committing = this.#commitPending().finally(() => {
      this.#committing = undefined;
      if (this.#waiters.length > 0) void this.#commitNow();
      else if (this.#block.rows > 0) this.#commitSoon();
    });
    return this.#committing;
  }

  async #commitPending(): Promise<void> {
    clearTimeout(this.#lingerTimer);
    this.#lingerTimer = undefined;
    if (this.#block.rows === 0) return;
    const rows = this.#block.rows;
    const minutes = [...this.#minutes];
    const waiters = this.#waiters;
    const datagramDocuments = this.#datagramDocuments;
    this.#waiters = [];
    this.#minutes = new Set();
    this.#datagramDocuments = 0;
    this.#out.clear();
    this.#block.takeBlock(this.#out);
    try {
      await this.#spool.append({ payload: this.#out.bytes(), rows, minutes });
    } catch (cause) {
      this.#observer.dropped('udp', datagramDocuments);
      this.#spaceCheckedMs = 0;
      const message = `cannot write to ${this.#dir}: ${(cause as Error).message}`;
      for (const waiter of waiters) waiter.failed({ kind: 'busy', message });
      return;
    }
    if (datagramDocuments > 0) this.#observer.accepted('udp', datagramDocuments);
    for (const waiter of waiters) waiter.done();
    this.#observer.spooled();
  }
}

function outOfTime(span: OtlpSpan): Refusal {
  const start = new Date(span.startSeconds * 1000).toISOString();
  return { code: 'InvalidStartTime', message: `the span starts at ${start}, or lasts longer than what is kept`, id: span.spanId };
}
