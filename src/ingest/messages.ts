/** What the server's main thread and the intake's thread say to each other. */
import type { Layout, StoreAddress } from '../store/index.ts';
import type { IntakeError, IntakeLimits, Source, Taken } from './intake.ts';
import type { Refusal } from './segment-text.ts';
import type { SpoolRecovery } from './spool.ts';
import type { Result } from '../base/index.ts';

export interface IntakeThreadData {
  readonly spoolDir: string;
  readonly stores: readonly StoreAddress[];
  readonly layout: Layout;
  readonly limits: IntakeLimits;
  /** Where to listen for datagrams; none when undefined. */
  readonly udp: { readonly host: string; readonly port: number } | undefined;
}

export type IntakeCall =
  | { readonly kind: 'segments'; readonly body: Uint8Array }
  | { readonly kind: 'otlp'; readonly source: Source; readonly encoding: 'protobuf' | 'json'; readonly body: Uint8Array }
  | { readonly kind: 'stop'; readonly limitMs: number };

export type ToIntake =
  | { readonly kind: 'call'; readonly id: number; readonly call: IntakeCall }
  /** What follows from a stored batch is written down. */
  | { readonly kind: 'noted'; readonly id: number };

export type CallResult = Result<Taken, IntakeError>;

export type FromIntake =
  | {
      readonly kind: 'ready';
      readonly recovery: SpoolRecovery;
      readonly udp: { readonly host: string; readonly port: number; readonly bufferBytes: number } | undefined;
    }
  | { readonly kind: 'failed-to-start'; readonly code: string | undefined; readonly message: string }
  | { readonly kind: 'answer'; readonly id: number; readonly result: CallResult }
  | { readonly kind: 'stored'; readonly id: number; readonly minutes: readonly number[]; readonly rows: number }
  | {
      readonly kind: 'log';
      readonly level: 'info' | 'warn' | 'error';
      readonly message: string;
      readonly details?: Record<string, unknown>;
    }
  | { readonly kind: 'state'; readonly state: IntakeState };

export interface SourceCounts {
  accepted: number;
  rejected: number;
  dropped: number;
}

export interface RecordedRefusal extends Refusal {
  readonly source: Source;
  readonly atSeconds: number;
}

/** Sent twice a second while anything changes. */
export interface IntakeState {
  readonly counts: Readonly<Record<Source, SourceCounts>>;
  /** Refusals since the last state, at most 100. */
  readonly refusals: readonly RecordedRefusal[];
  readonly refusalsByCode: Readonly<Record<string, number>>;
  readonly spoolBytes: number;
  readonly spoolRecords: number;
  readonly oldestMs: number | undefined;
  readonly storedRows: number;
  /** Why the store did not take the last batch; undefined when it did. */
  readonly storeTrouble: string | undefined;
  /** Why new work is turned away; undefined when it is not. */
  readonly obstacle: string | undefined;
}
