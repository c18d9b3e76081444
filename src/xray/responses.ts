/**
 * Traces and their summaries in the model's shapes. Lists are never absent and types never null: clients go through them unasked
 * (Grafana's data source, see docs/reference/xray-api.md).
 */
import {
  type AnnotationScalar,
  compileSegments,
  type FailureRootCause,
  type NodeKey,
  type ResponseTimeRootCause,
  type RootCauseService,
  type SummaryHttp,
  toXRayTraceId,
  type Trace,
  type TraceSummary,
} from '../trace/index.ts';
import { roundMicros } from './numbers.ts';

/** A JSON object of the model. */
export type Wire = Readonly<Record<string, unknown>>;

/** `TraceSummary`. `matchedSeconds`: the event in the range, for the time range types `Event` and `Service`. */
export function toWireSummary(summary: TraceSummary, matchedSeconds?: number): Wire {
  return {
    Id: toXRayTraceId(summary.id),
    StartTime: roundMicros(summary.startSeconds),
    Duration: roundMicros(summary.durationSeconds),
    // Without a root there is none, but Grafana sorts and formats it.
    ResponseTime: roundMicros(summary.responseSeconds ?? 0),
    HasFault: summary.fault,
    HasError: summary.error,
    HasThrottle: summary.throttle,
    IsPartial: summary.partial,
    Http: toWireHttp(summary.http),
    Annotations: toWireAnnotations(summary),
    Users: summary.users.map((user) => ({ UserName: user.name, ServiceIds: user.nodes.map(toServiceId) })),
    ServiceIds: summary.nodes.map(toServiceId),
    ResourceARNs: summary.resourceArns.map((arn) => ({ ARN: arn })),
    InstanceIds: summary.instanceIds.map((id) => ({ Id: id })),
    AvailabilityZones: summary.availabilityZones.map((name) => ({ Name: name })),
    ...(summary.entry && { EntryPoint: toServiceId(summary.entry) }),
    FaultRootCauses: summary.faultRootCauses.map(toWireFailure),
    ErrorRootCauses: summary.errorRootCauses.map(toWireFailure),
    ResponseTimeRootCauses: summary.responseTimeRootCauses.map(toWireResponseTime),
    Revision: summary.revision,
    ...(matchedSeconds !== undefined && { MatchedEventTime: roundMicros(matchedSeconds) }),
  };
}

/** `ServiceId`. */
export function toServiceId(node: NodeKey): Wire {
  return { Name: node.name, Names: [node.name], ...(node.accountId !== undefined && { AccountId: node.accountId }), Type: node.type };
}

function toWireHttp(http: SummaryHttp): Wire {
  return {
    ...(http.url !== undefined && { HttpURL: http.url }),
    ...(http.status !== undefined && { HttpStatus: Math.trunc(http.status) }),
    ...(http.method !== undefined && { HttpMethod: http.method }),
    ...(http.userAgent !== undefined && { UserAgent: http.userAgent }),
    ...(http.clientIp !== undefined && { ClientIp: http.clientIp }),
  };
}

/** A `__proto__` key is an annotation like any other: entries, not assignments. */
function toWireAnnotations(summary: TraceSummary): Wire {
  return Object.fromEntries(
    summary.annotations.map(({ key, values }) => [
      key,
      values.map(({ value, nodes }) => ({ AnnotationValue: toAnnotationValue(value), ServiceIds: nodes.map(toServiceId) })),
    ]),
  );
}

function toAnnotationValue(value: AnnotationScalar): Wire {
  if (typeof value === 'number') return { NumberValue: value };
  return typeof value === 'boolean' ? { BooleanValue: value } : { StringValue: value };
}

function toWireFailure(cause: FailureRootCause): Wire {
  return {
    Services: cause.services.map((service) => ({
      ...toCauseService(service),
      EntityPath: service.entityPath.map(({ name, exceptions, remote }) => ({
        Name: name,
        Exceptions: exceptions.map((exception) => ({ Name: exception.name, Message: exception.message })),
        Remote: remote,
      })),
    })),
    ClientImpacting: cause.clientImpacting,
  };
}

function toWireResponseTime(cause: ResponseTimeRootCause): Wire {
  return {
    Services: cause.services.map((service) => ({
      ...toCauseService(service),
      EntityPath: service.entityPath.map(({ name, coverage, remote }) => ({ Name: name, Coverage: roundMicros(coverage), Remote: remote })),
    })),
    ClientImpacting: cause.clientImpacting,
  };
}

function toCauseService({ node, inferred }: RootCauseService<unknown>): Wire {
  return { ...toServiceId(node), Inferred: inferred };
}

/** `Trace`: each segment's document as a JSON text, inferred segments included. */
export function toWireTrace(trace: Trace): Wire {
  return {
    Id: toXRayTraceId(trace.id),
    Duration: roundMicros(trace.endSeconds - trace.startSeconds),
    LimitExceeded: trace.limitExceeded,
    Segments: compileSegments(trace).map(({ id, document }) => ({ Id: id, Document: JSON.stringify(document) })),
  };
}
