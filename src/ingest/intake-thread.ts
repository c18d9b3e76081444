/** The intake's own thread: it reads datagrams and bodies, writes the spool and feeds the store, whatever the server's main thread does. */
import { parentPort, workerData } from 'node:worker_threads';
import { assert, err } from '../base/index.ts';
import { connectStore } from '../store/index.ts';
import { Drain } from './drain.ts';
import { Intake, type IntakeObserver, type Source } from './intake.ts';
import type { CallResult, FromIntake, IntakeCall, IntakeThreadData, RecordedRefusal, SourceCounts, ToIntake } from './messages.ts';
import type { Refusal } from './segment-text.ts';
import { Spool } from './spool.ts';
import { listenUdp, type UdpListener } from './udp.ts';

const STATE_INTERVAL_MS = 500;
const REFUSALS_PER_STATE = 100;

assert(parentPort !== null, 'the intake runs as a thread of the server');
const port = parentPort;
const data = workerData as IntakeThreadData;

function say(message: FromIntake): void {
  port.postMessage(message);
}

/** Counts decisions, and tells them twice a second. */
class Ledger implements IntakeObserver {
  readonly counts: Record<Source, SourceCounts> = {
    udp: { accepted: 0, rejected: 0, dropped: 0 },
    segments: { accepted: 0, rejected: 0, dropped: 0 },
    'otlp-http': { accepted: 0, rejected: 0, dropped: 0 },
    'otlp-grpc': { accepted: 0, rejected: 0, dropped: 0 },
  };
  readonly byCode: Record<string, number> = {};
  refusals: RecordedRefusal[] = [];
  onSpooled: () => void = () => undefined;

  accepted(source: Source, count: number): void {
    this.counts[source].accepted += count;
  }

  refused(source: Source, refusal: Refusal, count: number): void {
    this.counts[source].rejected += count;
    this.byCode[refusal.code] = (this.byCode[refusal.code] ?? 0) + count;
    if (this.refusals.length < REFUSALS_PER_STATE) {
      this.refusals.push({ ...refusal, source, atSeconds: Date.now() / 1000 });
    }
  }

  dropped(source: Source, count: number): void {
    this.counts[source].dropped += count;
  }

  spooled(): void {
    this.onSpooled();
  }
}

class IntakeThread {
  readonly #ledger = new Ledger();
  readonly #spool = Spool.open(data.spoolDir);
  readonly #intake = new Intake(this.#spool, data.spoolDir, data.limits, this.#ledger);
  readonly #store = connectStore(data.stores, data.layout);
  readonly #notes = new Map<number, () => void>();
  readonly #drain: Drain;
  #udp: UdpListener | undefined;
  #lastNote = 0;
  #storedRows = 0;
  #storeTrouble: string | undefined;
  #kernelDrops = 0;
  #lastState = '';

  constructor() {
    this.#drain = new Drain(this.#spool, this.#store, data.spoolDir, {
      stored: (minutes, rows) => this.#stored(minutes, rows),
      failed: (message, retryMs) => {
        if (this.#storeTrouble === undefined)
          say({
            kind: 'log',
            level: 'warn',
            message: 'the store did not take a batch; it waits in the spool',
            details: { reason: message, retryMs },
          });
        this.#storeTrouble = message;
      },
      setAside: (path, rows, message) =>
        say({
          kind: 'log',
          level: 'error',
          message: 'the store refuses a batch for good; it is set aside',
          details: { path, rows, reason: message },
        }),
    });
    this.#ledger.onSpooled = () => this.#drain.notify();
  }

  async start(): Promise<void> {
    if (data.udp) this.#udp = await this.#listen(data.udp);
    this.#drain.start();
    port.on('message', (message: ToIntake) => this.#hear(message));
    setInterval(() => this.#tellState(), STATE_INTERVAL_MS);
    const udp = this.#udp && { host: this.#udp.host, port: this.#udp.port, bufferBytes: this.#udp.bufferBytes };
    say({ kind: 'ready', recovery: this.#spool.recovery, udp });
  }

  async #listen(address: { readonly host: string; readonly port: number }): Promise<UdpListener> {
    return listenUdp(address.host, address.port, {
      document: (body) => this.#intake.takeDatagram(body),
      malformed: (message) => this.#ledger.refused('udp', { code: 'InvalidDatagram', message }, 1),
      failed: (message) => say({ kind: 'log', level: 'error', message: 'the UDP socket failed', details: { reason: message } }),
    });
  }

  #hear(message: ToIntake): void {
    if (message.kind === 'noted') {
      this.#notes.get(message.id)?.();
      this.#notes.delete(message.id);
      return;
    }
    const { id, call } = message;
    void this.#answer(call).then((result) => say({ kind: 'answer', id, result }));
  }

  async #answer(call: IntakeCall): Promise<CallResult> {
    try {
      if (call.kind === 'otlp') return await this.#intake.takeOtlp(call.source, call.body, call.encoding);
      if (call.kind === 'segments') return await this.#takeSegments(call.body);
      return await this.#stop(call.limitMs);
    } catch (cause) {
      say({ kind: 'log', level: 'error', message: 'intake failed', details: { reason: String((cause as Error).stack) } });
      return err({ kind: 'busy', message: 'an error of ours; see the log' });
    }
  }

  /** The body of `PutTraceSegments`. */
  async #takeSegments(body: Uint8Array): Promise<CallResult> {
    let request: unknown;
    try {
      request = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'));
    } catch (cause) {
      return err({ kind: 'unreadable', message: `the request is not JSON: ${(cause as Error).message.slice(0, 200)}` });
    }
    const documents = (request as { TraceSegmentDocuments?: unknown } | null)?.TraceSegmentDocuments;
    if (!Array.isArray(documents)) return err({ kind: 'unreadable', message: 'TraceSegmentDocuments must be a list of texts' });
    return this.#intake.takeSegments('segments', documents as unknown[]);
  }

  async #stop(limitMs: number): Promise<CallResult> {
    this.#countKernelDrops();
    await this.#udp?.close();
    await this.#intake.flush();
    await this.#drain.stop(limitMs);
    this.#tellState();
    setImmediate(() => {
      port.close();
      process.exit(0); // ends this thread only
    });
    return { ok: true, value: { accepted: 0, rejected: 0, refusals: [] } };
  }

  async #stored(minutes: readonly number[], rows: number): Promise<void> {
    if (this.#storeTrouble !== undefined) say({ kind: 'log', level: 'info', message: 'the store takes batches again' });
    this.#storeTrouble = undefined;
    this.#storedRows += rows;
    const id = ++this.#lastNote;
    const noted = new Promise<void>((done) => this.#notes.set(id, done));
    say({ kind: 'stored', id, minutes, rows });
    await noted;
  }

  #countKernelDrops(): void {
    const drops = this.#udp?.kernelDrops();
    if (drops === undefined || drops <= this.#kernelDrops) return;
    this.#ledger.dropped('udp', drops - this.#kernelDrops);
    say({
      kind: 'log',
      level: 'warn',
      message: 'the kernel dropped datagrams: its buffer was full',
      details: { dropped: drops - this.#kernelDrops },
    });
    this.#kernelDrops = drops;
  }

  #tellState(): void {
    this.#countKernelDrops();
    const state = {
      counts: this.#ledger.counts,
      refusals: this.#ledger.refusals,
      refusalsByCode: this.#ledger.byCode,
      spoolBytes: this.#spool.bytes,
      spoolRecords: this.#spool.records,
      oldestMs: this.#spool.oldestMs,
      storedRows: this.#storedRows,
      storeTrouble: this.#storeTrouble,
      obstacle: this.#intake.obstacle,
    };
    const text = JSON.stringify(state);
    if (text === this.#lastState) return;
    this.#lastState = text;
    say({ kind: 'state', state });
    this.#ledger.refusals = [];
  }
}

try {
  await new IntakeThread().start();
} catch (cause) {
  const { code, message } = cause as NodeJS.ErrnoException;
  say({ kind: 'failed-to-start', code, message });
  process.exit(1);
}
