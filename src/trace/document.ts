/**
 * X-Ray's segment document as it travels on the wire (AWS X-Ray developer guide, "segment documents").
 * Everything that an SDK may add is kept: unknown members stay in the object. Times are epoch seconds.
 */
export interface SegmentDocument {
  name: string;
  id: string;
  trace_id?: string;
  parent_id?: string;
  /** `subsegment` on a subsegment that is sent on its own. */
  type?: string;
  start_time: number;
  end_time?: number;
  in_progress?: boolean;
  namespace?: string;
  origin?: string;
  resource_arn?: string;
  user?: string;
  error?: boolean;
  throttle?: boolean;
  fault?: boolean;
  /** Set by some SDKs on the subsegment itself; the documented place is `http.request.traced`. */
  traced?: boolean;
  /** Set on segments that we (or AWS) synthesised for a callee that sends none. */
  inferred?: boolean;
  http?: HttpBlock;
  aws?: Record<string, unknown>;
  sql?: Record<string, unknown>;
  service?: Record<string, unknown>;
  cause?: CauseBlock | string;
  annotations?: Record<string, AnnotationScalar>;
  metadata?: Record<string, unknown>;
  links?: readonly SpanLink[];
  precursor_ids?: readonly string[];
  subsegments?: SegmentDocument[];
  [other: string]: unknown;
}

/** A value that X-Ray indexes. */
export type AnnotationScalar = string | number | boolean;

export interface HttpBlock {
  request?: {
    method?: string;
    url?: string;
    user_agent?: string;
    client_ip?: string;
    x_forwarded_for?: boolean;
    /** The callee is instrumented: no inferred segment is made for it. */
    traced?: boolean;
  };
  response?: { status?: number; content_length?: number };
}

export interface CauseBlock {
  working_directory?: string;
  paths?: readonly string[];
  exceptions?: readonly ExceptionBlock[];
  /** Back reference to an exception recorded elsewhere in the trace (Node SDK). */
  id?: string;
}

export interface ExceptionBlock {
  id?: string;
  message?: string;
  type?: string;
  remote?: boolean;
  truncated?: number;
  skipped?: number;
  cause?: string;
  stack?: readonly { path?: string; line?: number | null; label?: string }[];
}

export interface SpanLink {
  trace_id: string;
  id: string;
  attributes?: Record<string, unknown>;
}
