/** What sampling clients say of themselves, and what servers tell each other of it. */

/** What a client counted for one rule since its last report. */
export interface ClientCounts {
  readonly rule: string;
  /** A random name of the client process. */
  readonly client: string;
  readonly requests: number;
  /** X-Ray's SDKs leave the borrowed ones out, OpenTelemetry's samplers count them in. */
  readonly sampled: number;
  /** Taken beyond any quota: at most one a second. */
  readonly borrowed: number;
}

/** What a client counted of requests in which something was wrong, for one rule and service. */
export interface AnomalyCounts {
  readonly rule: string;
  readonly service: string;
  readonly total: number;
  readonly anomalies: number;
  readonly sampledAnomalies: number;
}

/** What servers tell each other. Times are epoch seconds, by the clock of the server that tells. */
export type SharedReport =
  | {
      readonly kind: 'client';
      readonly atSeconds: number;
      readonly counts: ClientCounts;
      /** Requests a second, smoothed. */
      readonly demand: number;
      /** What the client was granted in answer. */
      readonly quota: number;
    }
  | { readonly kind: 'anomalies'; readonly atSeconds: number; readonly counts: AnomalyCounts }
  | { readonly kind: 'boost'; readonly atSeconds: number; readonly rule: string; readonly rate: number };
