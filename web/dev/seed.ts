/** Sends the made-up shop's traces to a real server, as X-Ray segment documents. */
import { shopTrace, traceNumberAt, type MockSpan, type MockTrace } from './shop.ts';

const BATCH = 50;

/** Sends the last `count` traces up to now to `url` (`PutTraceSegments`); how many documents were taken. Rejects when one is refused. */
export async function seedShop(url: string, count: number): Promise<number> {
  const last = traceNumberAt(Date.now() / 1000) - 2;
  const documents: string[] = [];
  for (let number = last - count; number < last; number++) documents.push(...documentsOf(shopTrace(number)));
  for (let at = 0; at < documents.length; at += BATCH) await send(url, documents.slice(at, at + BATCH));
  return documents.length;
}

async function send(url: string, documents: readonly string[]): Promise<void> {
  const response = await fetch(`${url}/TraceSegments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ TraceSegmentDocuments: documents }),
  });
  const answer = (await response.json()) as { UnprocessedTraceSegments?: unknown[] };
  const refused = answer.UnprocessedTraceSegments ?? [answer];
  if (!response.ok || refused.length > 0) throw new Error(`${response.status}: refused ${JSON.stringify(refused[0])}`);
}

/** Inferred segments are the server's to make. */
function documentsOf(trace: MockTrace): string[] {
  const traced = new Set(trace.spans.filter((span) => span.kind === 'segment' && !span.inferred).map((span) => span.parent));
  return trace.spans.flatMap((span, index) => (span.inferred ? [] : [JSON.stringify(toDocument(trace, span, traced.has(index)))]));
}

function toDocument(trace: MockTrace, span: MockSpan, traced: boolean): Record<string, unknown> {
  const { origin, ...rest } = span.document;
  const document: Record<string, unknown> = { ...rest, trace_id: trace.id };
  if (span.kind === 'segment') {
    if (origin !== 'unknown') document['origin'] = origin;
    if (span.parent < 0 && trace.user) document['user'] = trace.user;
    return document;
  }
  document['type'] = 'subsegment';
  const http = document['http'] as { request: Record<string, unknown> } | undefined;
  if (http && traced) document['http'] = { ...http, request: { ...http.request, traced: true } };
  return document;
}
