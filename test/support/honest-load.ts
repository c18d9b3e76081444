/**
 * Sends segments and spans with ids of their own and remembers what became of them: a batch is sent once, whatever is answered.
 * Afterwards every acknowledged id must be in the store exactly once, and no other id of a batch more than once.
 */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeTraces } from './encode-otlp.ts';
import { spanOf } from './otlp-spans.ts';
import type { ProductAddresses } from './product.ts';

/** Documents or spans of a batch. */
const BATCH = 5;
const SENDERS = 3;

interface Batch {
  readonly url: string;
  readonly type: string;
  readonly body: string | Uint8Array;
  readonly ids: readonly string[];
}

export class HonestLoad {
  /** Answered with 200 and not refused. */
  readonly acknowledged = new Set<string>();
  /** Sent in any way. */
  readonly sent = new Set<string>();
  /** Answers by status; 0 for none. */
  readonly answers = new Map<number, number>();
  /** `Retry-After` of the answers with 429 or 503. */
  readonly retryAfter: (string | null)[] = [];
  readonly traceIds: string[] = [];
  readonly #addresses: ProductAddresses;
  readonly #prefix = randomBytes(4).toString('hex');
  #lastId = 0;
  #stopped = false;

  constructor(addresses: ProductAddresses) {
    this.#addresses = addresses;
  }

  /** Sends for so long, or until `stop`. */
  async run(milliseconds: number): Promise<void> {
    this.#stopped = false;
    const end = performance.now() + milliseconds;
    const senders = Array.from({ length: SENDERS }, (_, index) => this.#send(index, () => !this.#stopped && performance.now() < end));
    await Promise.all([...senders, this.#sendDatagrams(() => !this.#stopped && performance.now() < end)]);
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Sends one batch and waits for its answer. */
  async once(kind: number): Promise<number> {
    return this.#post([this.#segments(), this.#jsonSpans(), this.#protobufSpans()][kind % 3]!);
  }

  async #send(first: number, going: () => boolean): Promise<void> {
    for (let kind = first; going(); kind++) {
      const status = await this.once(kind);
      if (status !== 200) await sleep(20);
    }
  }

  async #post({ url, type, body, ids }: Batch): Promise<number> {
    for (const id of ids) this.sent.add(id);
    let status = 0;
    try {
      const answer = await fetch(url, { method: 'POST', headers: { 'content-type': type }, body });
      const text = await answer.text(); // an answer that is cut off is none
      status = answer.status;
      if (status === 429 || status === 503) this.retryAfter.push(answer.headers.get('retry-after'));
      if (status === 200) this.#acknowledge(ids, text);
    } catch {
      // nobody there, or gone while it answered
    }
    this.answers.set(status, (this.answers.get(status) ?? 0) + 1);
    return status;
  }

  #acknowledge(ids: readonly string[], answer: string): void {
    if (/"(ErrorCode|rejectedSpans)"/.test(answer)) throw new Error(`sound documents were refused: ${answer.slice(0, 200)}`);
    for (const id of ids) this.acknowledged.add(id);
  }

  async #sendDatagrams(going: () => boolean): Promise<void> {
    const socket = createSocket('udp4');
    socket.on('error', () => undefined); // nobody listens for a while
    const [host, port] = this.#addresses.xrayUdp.split(':');
    while (going()) {
      const { text, ids } = this.#segment();
      for (const id of ids) this.sent.add(id);
      socket.send(`{"format":"json","version":1}\n${text}`, Number(port), host);
      await sleep(5);
    }
    await new Promise<void>((done) => socket.close(() => done()));
  }

  #id(): string {
    return this.#prefix + (++this.#lastId).toString(16).padStart(8, '0');
  }

  #traceId(): string {
    const id = Math.floor(Date.now() / 1000).toString(16) + randomBytes(12).toString('hex');
    this.traceIds.push(id);
    return id;
  }

  /** A segment with one subsegment in it. */
  #segment(): { text: string; ids: string[] } {
    const [trace, id, embedded] = [this.#traceId(), this.#id(), this.#id()];
    const end = Date.now() / 1000;
    const text = JSON.stringify({
      trace_id: `1-${trace.slice(0, 8)}-${trace.slice(8)}`,
      id,
      name: 'load',
      start_time: end - 0.01,
      end_time: end,
      http: { request: { method: 'GET', url: `http://load.test/${id}` }, response: { status: 200 } },
      annotations: { id },
      subsegments: [{ id: embedded, name: 'db', namespace: 'remote', start_time: end - 0.005, end_time: end }],
    });
    return { text, ids: [id, embedded] };
  }

  #segments(): Batch {
    const segments = Array.from({ length: BATCH }, () => this.#segment());
    return {
      url: `http://${this.#addresses.xrayTcp}/TraceSegments`,
      type: 'application/json',
      body: JSON.stringify({ TraceSegmentDocuments: segments.map((segment) => segment.text) }),
      ids: segments.flatMap((segment) => segment.ids),
    };
  }

  #jsonSpans(): Batch {
    const now = BigInt(Date.now()) * 1_000_000n;
    const spans = Array.from({ length: BATCH }, () => ({
      traceId: this.#traceId(),
      spanId: this.#id(),
      name: 'load',
      kind: 2,
      startTimeUnixNano: String(now),
      endTimeUnixNano: String(now + 5_000_000n),
    }));
    return {
      url: `http://${this.#addresses.otlpHttp}/v1/traces`,
      type: 'application/json',
      body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }),
      ids: spans.map((span) => span.spanId),
    };
  }

  #protobufSpans(): Batch {
    const seconds = Math.floor(Date.now() / 1000);
    const times = { startSeconds: seconds, startNanos: 1, endSeconds: seconds, endNanos: 2_000_000 };
    const spans = Array.from({ length: BATCH }, () => spanOf({ traceId: this.#traceId(), spanId: this.#id(), ...times }));
    return {
      url: `http://${this.#addresses.otlpHttp}/v1/traces`,
      type: 'application/x-protobuf',
      body: encodeTraces(spans),
      ids: spans.map((span) => span.spanId),
    };
  }
}
