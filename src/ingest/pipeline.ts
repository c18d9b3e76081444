/** The server's side of the intake: starts its two threads, hands them work, keeps their latest state. */
import { Worker } from 'node:worker_threads';
import { err } from '../base/index.ts';
import type { Layout, StoreAddress } from '../store/index.ts';
import type { IntakeLimits, Source } from './intake.ts';
import type { CallResult, FromIntake, IntakeCall, IntakeState, IntakeThreadData, RecordedRefusal, ToIntake } from './messages.ts';
import type { FromRollup, RollupThreadData, ToRollup } from './rollup-thread.ts';
import type { SpoolRecovery } from './spool.ts';

export interface PipelineOptions {
  /** Directory of the spool and of the list of owed minutes. */
  readonly dir: string;
  readonly stores: readonly StoreAddress[];
  readonly layout: Layout;
  readonly limits: IntakeLimits;
  readonly udp: { readonly host: string; readonly port: number } | undefined;
}

export interface PipelineEvents {
  log(level: 'info' | 'warn' | 'error', message: string, details?: Record<string, unknown>): void;
  /** New spans can be queried; minutes since 1970. */
  stored(minutes: readonly number[]): void;
  /** The service map changed; epoch seconds of minutes. */
  graphUpdated(minutesSeconds: readonly number[]): void;
  /** A thread ended by itself: the server cannot go on. */
  died(message: string): void;
}

/** Bodies that are being worked on; above this, senders are asked to wait. */
const MAX_BYTES_IN_FLIGHT = 64 * 1024 * 1024;
const KEPT_REFUSALS = 200;
const ROLLUP_STOP_LIMIT_MS = 2_000;

/** A listener could not be opened. `code` is the system's (`EADDRINUSE`). */
export class ListenError extends Error {
  readonly code: string | undefined;
  constructor(message: string, code: string | undefined) {
    super(message);
    this.code = code;
  }
}

export class Pipeline {
  readonly recovery: SpoolRecovery;
  /** Where datagrams are received; undefined when they are not. */
  readonly udp: { readonly host: string; readonly port: number; readonly bufferBytes: number } | undefined;
  /** Newest last. */
  readonly refusals: RecordedRefusal[] = [];
  state: IntakeState | undefined;
  /** Minutes of the service map that are still to be counted. */
  owedMinutes = 0;
  readonly #intake: Worker;
  readonly #rollup: Worker;
  readonly #events: PipelineEvents;
  readonly #calls = new Map<number, (result: CallResult) => void>();
  #lastCall = 0;
  #bytesInFlight = 0;
  #stopping = false;

  private constructor(intake: Worker, rollup: Worker, ready: Extract<FromIntake, { kind: 'ready' }>, events: PipelineEvents) {
    this.#intake = intake;
    this.#rollup = rollup;
    this.#events = events;
    this.recovery = ready.recovery;
    this.udp = ready.udp;
    intake.on('message', (message: FromIntake) => this.#hear(message));
    rollup.on('message', (message: FromRollup) => this.#hearRollup(message));
    for (const [name, thread] of [
      ['intake', intake],
      ['rollup', rollup],
    ] as const) {
      thread.on('error', (cause) => this.#died(`${name}: ${cause.stack ?? cause.message}`));
      thread.on('exit', (code) => this.#died(`${name}: ended with ${code}`));
    }
  }

  /** Starts both threads. Throws `ListenError` when the UDP port cannot be had. */
  static async start(options: PipelineOptions, events: PipelineEvents): Promise<Pipeline> {
    const { dir, stores, layout, limits, udp } = options;
    const intakeData: IntakeThreadData = { spoolDir: `${dir}/spool`, stores, layout, limits, udp };
    const intake = new Worker(new URL('./intake-thread.js', import.meta.url), { workerData: intakeData });
    const ready = await new Promise<Extract<FromIntake, { kind: 'ready' }>>((done, fail) => {
      intake.once('error', fail);
      intake.once('message', (message: FromIntake) => {
        intake.off('error', fail);
        if (message.kind === 'ready') done(message);
        else
          fail(
            new ListenError(
              message.kind === 'failed-to-start' ? message.message : 'the intake did not start',
              message.kind === 'failed-to-start' ? message.code : undefined,
            ),
          );
      });
    });
    const rollupData: RollupThreadData = { stores, layout, path: `${dir}/owed-minutes.json` };
    const rollup = new Worker(new URL('./rollup-thread.js', import.meta.url), { workerData: rollupData });
    return new Pipeline(intake, rollup, ready, events);
  }

  /** The body of a `PutTraceSegments` call. Resolved when its good documents are on the disk. The body's memory is given away. */
  async putSegments(body: Uint8Array): Promise<CallResult> {
    return this.#call({ kind: 'segments', body });
  }

  /** An OTLP export request, uncompressed. The body's memory is given away. */
  async putSpans(source: Extract<Source, 'otlp-http' | 'otlp-grpc'>, encoding: 'protobuf' | 'json', body: Uint8Array): Promise<CallResult> {
    return this.#call({ kind: 'otlp', source, encoding, body });
  }

  /** Stops receiving, writes what is pending, and gives the store `limitMs` to take what waits. */
  async stop(limitMs: number): Promise<void> {
    this.#stopping = true;
    const ended = Promise.all([this.#intake, this.#rollup].map((thread) => new Promise((done) => thread.once('exit', done))));
    await this.#call({ kind: 'stop', limitMs });
    this.#sayRollup({ kind: 'stop' });
    // It may wait for an answer of a store that gives none. What it owes is written down, so it can be ended at any time.
    const limit = setTimeout(() => void this.#rollup.terminate(), ROLLUP_STOP_LIMIT_MS);
    await ended;
    clearTimeout(limit);
  }

  async #call(call: IntakeCall): Promise<CallResult> {
    const size = call.kind === 'stop' ? 0 : call.body.byteLength;
    if (this.#bytesInFlight + size > MAX_BYTES_IN_FLIGHT && this.#bytesInFlight > 0) {
      return err({ kind: 'busy', message: 'too many requests are being worked on' });
    }
    this.#bytesInFlight += size;
    const id = ++this.#lastCall;
    const answer = new Promise<CallResult>((done) => this.#calls.set(id, done));
    const message: ToIntake = { kind: 'call', id, call };
    this.#intake.postMessage(message);
    const result = await answer;
    this.#bytesInFlight -= size;
    return result;
  }

  #hear(message: FromIntake): void {
    switch (message.kind) {
      case 'answer':
        this.#calls.get(message.id)?.(message.result);
        this.#calls.delete(message.id);
        return;
      case 'stored':
        this.#sayRollup({ kind: 'mark', id: message.id, minutes: message.minutes });
        this.#events.stored(message.minutes);
        return;
      case 'state':
        this.state = message.state;
        this.refusals.push(...message.state.refusals);
        this.refusals.splice(0, Math.max(0, this.refusals.length - KEPT_REFUSALS));
        return;
      case 'log':
        this.#events.log(message.level, message.message, message.details);
        return;
      default:
        return; // said before anyone listened
    }
  }

  #hearRollup(message: FromRollup): void {
    if (message.kind === 'failed') {
      this.#events.log('warn', 'the service map could not be brought up to date; it is tried again', { reason: message.message });
      return;
    }
    this.owedMinutes = message.owed;
    if (message.kind === 'updated') this.#events.graphUpdated(message.minutes);
    else this.#intake.postMessage({ kind: 'noted', id: message.id } satisfies ToIntake);
  }

  #sayRollup(message: ToRollup): void {
    this.#rollup.postMessage(message);
  }

  #died(message: string): void {
    if (this.#stopping) return;
    this.#stopping = true;
    for (const answer of this.#calls.values()) answer(err({ kind: 'busy', message: 'the intake stopped' }));
    this.#calls.clear();
    this.#events.died(message);
  }
}
