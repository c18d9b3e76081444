/** Requests about trace retrieval. */
import type { Result } from '../base/index.ts';
import type { TraceId } from '../trace/index.ts';
import type { AwsError } from './errors.ts';
import { type Members, readMembers } from './members.ts';
import { readRange, readTraceIds, type TimeRange } from './requests.ts';

type Body = Readonly<Record<string, unknown>>;

export interface StartRetrievalRequest extends TimeRange {
  readonly traceIds: readonly TraceId[];
}

export interface RetrievalPageRequest {
  readonly token: string;
  readonly format: 'XRAY' | 'OTEL';
  readonly nextToken: string | undefined;
}

export function parseStartRetrieval(body: Body): Result<StartRetrievalRequest, AwsError> {
  return readMembers(body, (members) => ({ traceIds: readTraceIds(members), ...readRange(members) }));
}

/** `ListRetrievedTraces` and `GetRetrievedTracesGraph`. */
export function parseRetrievalPage(body: Body): Result<RetrievalPageRequest, AwsError> {
  return readMembers(body, (members) => ({
    token: readToken(members),
    format: members.oneOf('TraceFormat', ['XRAY', 'OTEL']) ?? 'XRAY',
    nextToken: members.text('NextToken'),
  }));
}

export function parseCancelRetrieval(body: Body): Result<{ readonly token: string }, AwsError> {
  return readMembers(body, (members) => ({ token: readToken(members) }));
}

function readToken(members: Members): string {
  return members.neededText('RetrievalToken', { max: 1020 });
}
