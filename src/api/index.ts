/**
 * What the page and the command line ask of the server, and what it answers: JSON over `/api/v1`.
 * Times are epoch seconds, durations seconds. Errors are `ApiError` with a 4xx or 5xx status.
 */
import type { Outcome, TimelineRow } from '../trace/index.ts';

export type { Outcome, TimelineRow };

/** `GET /api/v1/graph?from&to[&filter]` — the service map over a time range. */
export interface GraphAnswer {
  readonly from: number;
  readonly to: number;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** Requests by outcome; `total = ok + error + fault`; throttles are errors too and counted in `error`. */
export interface Outcomes {
  readonly ok: number;
  readonly error: number;
  readonly throttle: number;
  readonly fault: number;
  readonly total: number;
  /** Sum of response times. */
  readonly totalSeconds: number;
}

export interface Latency {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  /** Response times, at most 100 entries, ascending. */
  readonly histogram: readonly { readonly value: number; readonly count: number }[];
}

export interface GraphNode {
  /** Index within this answer; edges refer to it. */
  readonly id: number;
  readonly name: string;
  readonly type: string;
  /** Serves requests that no traced service made. */
  readonly root: boolean;
  /** Reports its own segments; otherwise it is known only from its callers. */
  readonly active: boolean;
  /** Absent on `client` nodes. */
  readonly outcomes?: Outcomes;
  readonly latency?: Latency;
}

export interface GraphEdge {
  readonly from: number;
  readonly to: number;
  /** As seen by the caller. */
  readonly outcomes: Outcomes;
  readonly latency: Latency;
}

/** `GET /api/v1/traces?from&to[&filter][&limit][&cursor]` — newest first. */
export interface TraceListAnswer {
  readonly traces: readonly TraceListItem[];
  /** Pass it back for the next page; absent on the last. */
  readonly cursor?: string;
  /** Traces examined for this page, matched or not. */
  readonly scanned: number;
  /** The search has covered the range from here to `to`. */
  readonly reachedSeconds: number;
}

export interface TraceListItem {
  readonly id: string;
  readonly startSeconds: number;
  readonly durationSeconds: number;
  /** Of the root segment; absent when there is none or it is in progress. */
  readonly responseSeconds?: number;
  readonly outcome: Outcome;
  readonly partial: boolean;
  readonly entry?: { readonly name: string; readonly type: string };
  readonly http: {
    readonly url?: string;
    readonly method?: string;
    readonly status?: number;
    readonly userAgent?: string;
    readonly clientIp?: string;
  };
  readonly users: readonly string[];
  /** Names of the nodes that took part. */
  readonly nodes: readonly string[];
  readonly segments: number;
  readonly annotations: Readonly<Record<string, readonly (string | number | boolean)[]>>;
}

/** `GET /api/v1/traces/:id` — id in X-Ray or W3C form. Rows in display order: depth first, callees under their caller. */
export interface TraceAnswer {
  readonly id: string;
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly outcome: Outcome;
  readonly partial: boolean;
  readonly limitExceeded: boolean;
  readonly summary: TraceListItem;
  readonly rows: readonly TimelineRow[];
  readonly graph: GraphAnswer;
  /** Traces that this one links to, or that link to it. */
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
}

/** `GET /api/v1/traces/:id/segments/:spanId` — one segment's or subsegment's document, without its subsegments. */
export interface SegmentAnswer {
  readonly id: string;
  readonly traceId: string;
  readonly document: Readonly<Record<string, unknown>>;
  /** The span as it was sent, when it came by OTLP. */
  readonly span?: Readonly<Record<string, unknown>>;
}

/** `GET /api/v1/activity?from&to` — requests that entered from outside, over time and by response time. */
export interface ActivityAnswer {
  readonly from: number;
  readonly to: number;
  readonly stepSeconds: number;
  /** One per step, oldest first, empty steps included. */
  readonly steps: readonly { readonly startSeconds: number; readonly outcomes: Outcomes }[];
  readonly latency: Latency;
}

/** `GET /api/v1/names?from&to` — what completion offers. */
export interface NamesAnswer {
  readonly nodes: readonly { readonly name: string; readonly type: string }[];
  readonly annotationKeys: readonly string[];
}

/** `GET /api/v1/status` */
export interface StatusAnswer {
  readonly version: string;
  readonly startedSeconds: number;
  readonly addresses: {
    readonly page: string;
    readonly xray?: string;
    readonly otlpHttp?: string;
    readonly otlpGrpc?: string;
  };
  readonly intake: readonly IntakeCount[];
  readonly store: { readonly state: 'ready' | 'starting' | 'down'; readonly detail?: string };
  /** Acknowledged but not yet in the store. */
  readonly spool: { readonly bytes: number; readonly batches: number; readonly oldestSeconds?: number };
  readonly rejects: readonly Reject[];
  /** X-Ray daemons and collectors that told of themselves; who was heard of last comes first. */
  readonly agents?: readonly AgentCounts[];
  /** Whether any trace was ever stored. */
  readonly hasData: boolean;
}

export interface IntakeCount {
  readonly source: 'udp' | 'segments' | 'otlp-http' | 'otlp-grpc';
  readonly accepted: number;
  readonly rejected: number;
  /** Lost before we could read them (kernel buffer full), or turned away for lack of room. */
  readonly dropped: number;
}

/** What an X-Ray daemon or collector said it handled since the server started. */
export interface AgentCounts {
  readonly name: string;
  readonly lastSeconds: number;
  readonly received: number;
  readonly sent: number;
  readonly spilled: number;
  readonly rejected: number;
}

export interface Reject {
  readonly atSeconds: number;
  readonly source: IntakeCount['source'];
  readonly code: string;
  readonly message: string;
  readonly id?: string;
}

/** `GET /api/v1/live` — server-sent events; each `data:` line is one of these, sent when new data can be queried. */
export interface LiveEvent {
  readonly kind: 'data';
  /** Start of the earliest and latest new span. */
  readonly fromSeconds: number;
  readonly toSeconds: number;
}

/** Body of every answer that is not 2xx. `position` (0-based, in characters) when a filter expression is at fault. */
export interface ApiError {
  readonly error: { readonly code: string; readonly message: string; readonly position?: number };
}
