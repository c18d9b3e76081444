/** A segment document as an OTLP/JSON span, for those who want OpenTelemetry's form of what came in X-Ray's. */
import { outcomeFlags, type SegmentDocument } from '../trace/index.ts';

type Json = Readonly<Record<string, unknown>>;

/** OTLP's numbers. */
const KIND = { internal: 1, server: 2, client: 3 } as const;
const STATUS_ERROR = 2;

/**
 * One ResourceSpans with one span, as OTLP rows have it. A segment is a server's span, a call to another service a client's, everything else
 * internal. Annotations become attributes under their own names; what has no counterpart is under `aws.xray.`.
 */
export function toOtelDocument(document: SegmentDocument, traceId: string): Json {
  const { fault, error } = outcomeFlags(document);
  const exceptions = typeof document.cause === 'object' ? (document.cause.exceptions ?? []) : [];
  return {
    resource: { attributes: toAttributes(resourceOf(document)) },
    scopeSpans: [
      {
        scope: { name: 'aws.xray' },
        spans: [
          {
            traceId,
            spanId: document.id,
            ...(document.parent_id !== undefined && { parentSpanId: document.parent_id }),
            name: document.name,
            kind: kindOf(document),
            startTimeUnixNano: toNanos(document.start_time),
            ...(document.end_time !== undefined && { endTimeUnixNano: toNanos(document.end_time) }),
            attributes: toAttributes(attributesOf(document)),
            events: exceptions.map((exception) => ({
              timeUnixNano: toNanos(document.end_time ?? document.start_time),
              name: 'exception',
              attributes: toAttributes({ 'exception.type': exception.type, 'exception.message': exception.message }),
            })),
            links: Array.isArray(document.links)
              ? document.links.map((link) => ({
                  traceId: plainTraceId(link.trace_id),
                  spanId: link.id,
                  attributes: toAttributes(link.attributes ?? {}),
                }))
              : [],
            status: fault || error ? { code: STATUS_ERROR } : {},
          },
        ],
      },
    ],
  };
}

function kindOf(document: SegmentDocument): number {
  if (document.type !== 'subsegment') return KIND.server;
  return document.namespace === 'aws' || document.namespace === 'remote' ? KIND.client : KIND.internal;
}

function resourceOf(document: SegmentDocument): Json {
  if (document.type === 'subsegment') return {};
  return { 'service.name': document.name, 'cloud.platform': document.origin, 'aws.xray.resource_arn': document.resource_arn };
}

function attributesOf(document: SegmentDocument): Json {
  const { request, response } = document.http ?? {};
  return {
    'http.request.method': request?.method,
    'url.full': request?.url,
    'user_agent.original': request?.user_agent,
    'client.address': request?.client_ip,
    'http.response.status_code': response?.status,
    'enduser.id': document.user,
    ...document.annotations,
    'aws.xray.metadata': document.metadata,
    'aws.xray.aws': document.aws,
    'aws.xray.sql': document.sql,
    'aws.xray.namespace': document.namespace,
    'aws.xray.in_progress': document.in_progress,
  };
}

function toAttributes(values: Json): readonly Json[] {
  return Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [{ key, value: toValue(value) }]));
}

function toValue(value: unknown): Json {
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  return { stringValue: typeof value === 'string' ? value : JSON.stringify(value) };
}

function plainTraceId(id: string): string {
  return id.replace(/^1-/, '').replaceAll('-', '');
}

/** Microseconds are what a double holds of today's times. */
function toNanos(seconds: number): string {
  return String(BigInt(Math.round(seconds * 1e6)) * 1000n);
}
