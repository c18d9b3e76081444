/** What a trace list, a filter's first stage and X-Ray's trace summaries need to know of a trace. */
import type { AnnotationScalar } from './document.ts';
import { httpStatus, requestText } from './http.ts';
import type { TraceId } from './ids.ts';
import type { Entity, NodeKey, Segment, Trace } from './model.ts';
import { nodeId } from './node.ts';
import { outcomeOf, type Outcome } from './outcome.ts';
import { failureRootCauses, responseTimeRootCauses, type FailureRootCause, type ResponseTimeRootCause } from './root-causes.ts';
import { forEachEntity } from './walk.ts';

export interface TraceSummary {
  readonly id: TraceId;
  readonly revision: number;
  readonly startSeconds: number;
  /** Latest end minus earliest start over all segments. */
  readonly durationSeconds: number;
  /** Of the root segment; undefined when there is none or it is in progress. */
  readonly responseSeconds: number | undefined;
  /** Flags of the root segment; false when there is none. */
  readonly fault: boolean;
  readonly error: boolean;
  /** Any segment or subsegment was throttled. */
  readonly throttle: boolean;
  /** Of the root segment; without one, the worst of what is at the top of the tree. */
  readonly outcome: Outcome;
  readonly partial: boolean;
  readonly limitExceeded: boolean;
  readonly http: SummaryHttp;
  /** At most 50 keys: those of the earliest segments. Distinct values of a key in the order of first use. */
  readonly annotations: readonly SummaryAnnotation[];
  readonly users: readonly SummaryUser[];
  /** Nodes that took part, inferred ones too, in order of first use. */
  readonly nodes: readonly NodeKey[];
  readonly resourceArns: readonly string[];
  readonly instanceIds: readonly string[];
  readonly availabilityZones: readonly string[];
  /** The root segment's node. */
  readonly entry: NodeKey | undefined;
  /** Segments, inferred ones too; placeholders are not counted. */
  readonly segmentCount: number;
  readonly faultRootCauses: readonly FailureRootCause[];
  readonly errorRootCauses: readonly FailureRootCause[];
  readonly responseTimeRootCauses: readonly ResponseTimeRootCause[];
}

/** The root segment's request and response; a member is absent when the root does not say. */
export interface SummaryHttp {
  readonly url?: string;
  readonly method?: string;
  readonly status?: number;
  readonly userAgent?: string;
  readonly clientIp?: string;
}

export interface SummaryAnnotation {
  readonly key: string;
  readonly values: readonly SummaryValue[];
}

/** A value, and the nodes whose (sub)segments carried it. */
export interface SummaryValue {
  readonly value: AnnotationScalar;
  readonly nodes: readonly NodeKey[];
}

export interface SummaryUser {
  readonly name: string;
  readonly nodes: readonly NodeKey[];
}

/** X-Ray indexes so many annotation keys per trace. */
const MAX_ANNOTATION_KEYS = 50;

/** Sums a trace up. Linear in its size. */
export function summarizeTrace(trace: Trace): TraceSummary {
  const { root } = trace;
  const found = collect(trace);
  return {
    id: trace.id,
    revision: trace.revision,
    startSeconds: trace.startSeconds,
    durationSeconds: trace.endSeconds - trace.startSeconds,
    responseSeconds: root?.endSeconds === undefined ? undefined : root.endSeconds - root.startSeconds,
    fault: root?.fault ?? false,
    error: root?.error ?? false,
    throttle: found.throttle,
    outcome: traceOutcome(trace),
    partial: trace.partial,
    limitExceeded: trace.limitExceeded,
    http: root === undefined ? {} : toHttp(root),
    annotations: [...found.annotations].map(([key, values]) => ({ key, values: toValues(values) })),
    users: toValues(found.users).map(({ value, nodes }) => ({ name: String(value), nodes })),
    nodes: [...found.nodes.values()],
    resourceArns: [...found.resourceArns],
    instanceIds: [...found.instanceIds],
    availabilityZones: [...found.availabilityZones],
    entry: root?.node,
    segmentCount: trace.segments.reduce((count, segment) => (segment.placeholder ? count : count + 1), 0),
    faultRootCauses: failureRootCauses(trace, 'fault'),
    errorRootCauses: failureRootCauses(trace, 'error'),
    responseTimeRootCauses: responseTimeRootCauses(trace),
  };
}

/** By `nodeId`, in order of first use. */
type Nodes = Map<string, NodeKey>;
/** Values with the nodes that carried them. Map keys tell `1`, `"1"` and `true` apart. */
type Values = Map<AnnotationScalar, Nodes>;

interface Found {
  throttle: boolean;
  readonly nodes: Nodes;
  readonly annotations: Map<string, Values>;
  readonly users: Values;
  readonly resourceArns: Set<string>;
  readonly instanceIds: Set<string>;
  readonly availabilityZones: Set<string>;
}

function collect(trace: Trace): Found {
  const found: Found = {
    throttle: false,
    nodes: new Map(),
    annotations: new Map(),
    users: new Map(),
    resourceArns: new Set(),
    instanceIds: new Set(),
    availabilityZones: new Set(),
  };
  for (const segment of trace.segments) {
    const id = nodeId(segment.node);
    if (!segment.placeholder) found.nodes.set(id, segment.node);
    addResources(found, segment);
    forEachEntity(segment, (entity) => {
      found.throttle ||= entity.throttle;
      addUserAndAnnotations(found, entity, id);
    });
  }
  return found;
}

function addResources(found: Found, { document }: Segment): void {
  addText(found.resourceArns, document.resource_arn);
  const ec2 = document.aws?.['ec2'];
  if (typeof ec2 !== 'object' || ec2 === null) return;
  const members = ec2 as Readonly<Record<string, unknown>>;
  addText(found.instanceIds, members['instance_id']);
  addText(found.availabilityZones, members['availability_zone']);
}

function addText(texts: Set<string>, value: unknown): void {
  if (typeof value === 'string' && value !== '') texts.add(value);
}

function addUserAndAnnotations(found: Found, entity: Entity, id: string): void {
  const user: unknown = entity.document.user;
  if (typeof user === 'string' && user !== '') addValue(found.users, user, entity.segment, id);
  const annotations: unknown = entity.document.annotations;
  if (typeof annotations !== 'object' || annotations === null || Array.isArray(annotations)) return;
  for (const [key, value] of Object.entries(annotations)) {
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') continue;
    let values = found.annotations.get(key);
    if (values === undefined) {
      if (found.annotations.size >= MAX_ANNOTATION_KEYS) continue;
      values = new Map();
      found.annotations.set(key, values);
    }
    addValue(values, value, entity.segment, id);
  }
}

/** A placeholder's node is nobody's: what stands under it counts without a node. */
function addValue(values: Values, value: AnnotationScalar, segment: Segment, id: string): void {
  let nodes = values.get(value);
  if (nodes === undefined) {
    nodes = new Map();
    values.set(value, nodes);
  }
  if (!segment.placeholder) nodes.set(id, segment.node);
}

function toValues(values: Values): readonly SummaryValue[] {
  return [...values].map(([value, nodes]) => ({ value, nodes: [...nodes.values()] }));
}

function toHttp({ document }: Segment): SummaryHttp {
  const members: { -readonly [Key in keyof SummaryHttp]: SummaryHttp[Key] } = {};
  const url = requestText(document, 'url');
  const method = requestText(document, 'method');
  const status = httpStatus(document);
  const userAgent = requestText(document, 'user_agent');
  const clientIp = requestText(document, 'client_ip');
  if (url !== undefined) members.url = url;
  if (method !== undefined) members.method = method;
  if (status !== undefined) members.status = status;
  if (userAgent !== undefined) members.userAgent = userAgent;
  if (clientIp !== undefined) members.clientIp = clientIp;
  return members;
}

const WORST_FIRST: readonly Outcome[] = ['fault', 'throttle', 'error'];

function traceOutcome(trace: Trace): Outcome {
  if (trace.root !== undefined) return outcomeOf(trace.root);
  const tops = trace.segments.filter((segment) => segment.parent === undefined);
  const outcomes = new Set(tops.flatMap((top) => (top.placeholder ? top.children : [top])).map(outcomeOf));
  return WORST_FIRST.find((outcome) => outcomes.has(outcome)) ?? 'ok';
}
