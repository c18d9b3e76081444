/** The bodies of requests, from bytes to what each operation asks for. */
import { err, ok, type Result } from '../base/index.ts';
import { type FilterExpression, parseFilter, parseTraceId, type TraceId } from '../trace/index.ts';
import { type GroupReference, readGroup } from './group-requests.ts';
import { type AwsError, invalidRequest, serializationError } from './errors.ts';
import { type EntitySelection, parseEntitySelector, WHOLE_TRAFFIC } from './entity-selector.ts';
import { isRecord, type Members, readMembers } from './members.ts';

/** Start inclusive, end exclusive; epoch seconds. */
export interface TimeRange {
  readonly fromSeconds: number;
  readonly toSeconds: number;
}

export interface GetTraceSummariesRequest extends TimeRange {
  /** Which time of a trace lies in the range: its start, any activity of it, or the end of one of its segments. */
  readonly by: 'start' | 'activity' | 'end';
  /** Undefined when every trace is meant. */
  readonly filter: FilterExpression | undefined;
  readonly filterText: string;
  readonly nextToken: string | undefined;
}

export interface TraceIdsRequest {
  /** Distinct, in the order in which they were asked for. */
  readonly traceIds: readonly TraceId[];
  readonly nextToken: string | undefined;
}

export interface GetServiceGraphRequest extends TimeRange {
  readonly group: GroupReference | undefined;
  readonly nextToken: string | undefined;
}

export interface GetTimeSeriesRequest extends TimeRange {
  readonly group: GroupReference | undefined;
  readonly periodSeconds: number;
  readonly selection: EntitySelection;
  readonly nextToken: string | undefined;
}

/** What a daemon or collector says of itself, about once a minute. Counts are since its last record. */
export interface TelemetryRecord {
  readonly seconds: number;
  readonly hostname: string | undefined;
  readonly instanceId: string | undefined;
  readonly resourceArn: string | undefined;
  readonly received: number;
  readonly sent: number;
  readonly spilled: number;
  readonly rejected: number;
  readonly backendErrors: TelemetryErrors;
}

export interface TelemetryErrors {
  readonly timeout: number;
  readonly refused: number;
  readonly status4xx: number;
  readonly status5xx: number;
  readonly unknownHost: number;
  readonly other: number;
}

/** AWS answers for at most 5; more do no harm here. */
const MAX_TRACE_IDS = 100;
/** Statistics are kept by the minute. */
export const PERIOD_STEP_SECONDS = 60;
const MAX_PERIOD_SECONDS = 86_400;
/** The latest whole minute that 32 bits hold: nothing is stored after it. */
const LATEST_SECONDS = 4_294_967_280;

/** Reads a body as a JSON object; no body at all is an empty one. */
export function parseBody(body: Uint8Array): Result<Readonly<Record<string, unknown>>, AwsError> {
  let value: unknown;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    if (text.trim() === '') return ok({});
    value = JSON.parse(text);
  } catch (cause) {
    return err(serializationError(`The request is not JSON: ${(cause as Error).message.slice(0, 200)}`));
  }
  return isRecord(value) ? ok(value) : err(serializationError('The request must be a JSON object'));
}

type Body = Readonly<Record<string, unknown>>;

const TIME_RANGE_TYPES = { TraceId: 'start', Event: 'activity', Service: 'end' } as const;

/** `Sampling` and `SamplingStrategy` allow an answer of fewer traces, and are checked only: all that match are given. */
export function parseGetTraceSummaries(body: Body): Result<GetTraceSummariesRequest, AwsError> {
  const request = readMembers(body, (members) => {
    members.boolean('Sampling');
    const strategy = members.object('SamplingStrategy');
    strategy?.oneOf('Name', ['PartialScan', 'FixedRate']);
    strategy?.number('Value', { min: 0, max: 1 });
    return {
      ...readRange(members),
      by: TIME_RANGE_TYPES[members.oneOf('TimeRangeType', ['TraceId', 'Event', 'Service']) ?? 'TraceId'],
      filterText: members.text('FilterExpression') ?? '',
      nextToken: members.text('NextToken'),
    };
  });
  if (!request.ok) return request;
  const filter = parseFilterText(request.value.filterText);
  return filter.ok ? ok({ ...request.value, filter: filter.value }) : filter;
}

export function parseTraceIds(body: Body): Result<TraceIdsRequest, AwsError> {
  return readMembers(body, (members) => ({ traceIds: readTraceIds(members), nextToken: members.text('NextToken') }));
}

/** `TraceIds`, each once. */
export function readTraceIds(members: Members): readonly TraceId[] {
  const texts = members.needed('TraceIds', members.texts('TraceIds'));
  if (texts.length > MAX_TRACE_IDS) members.fail('TraceIds', texts.length, `have length less than or equal to ${MAX_TRACE_IDS}`);
  const traceIds = texts.flatMap((text, index) => {
    const id = parseTraceId(text);
    if (id === undefined) members.fail(`TraceIds.${index + 1}.member`, text, 'be a trace id such as 1-58406520-a006649127e371903a2de979');
    return id ?? [];
  });
  return [...new Set(traceIds)];
}

export function parseGetServiceGraph(body: Body): Result<GetServiceGraphRequest, AwsError> {
  return readMembers(body, (members) => ({
    ...readRange(members),
    group: readGroup(members),
    nextToken: members.text('NextToken'),
  }));
}

/** `ForecastStatistics` is accepted and not answered. */
export function parseGetTimeSeries(body: Body): Result<GetTimeSeriesRequest, AwsError> {
  const request = readMembers(body, (members) => {
    members.boolean('ForecastStatistics');
    return {
      ...readRange(members),
      group: readGroup(members),
      selector: members.text('EntitySelectorExpression', { min: 1, max: 500 }),
      periodSeconds: readPeriod(members),
      nextToken: members.text('NextToken'),
    };
  });
  if (!request.ok) return request;
  const { selector, ...rest } = request.value;
  const selection = selector === undefined ? ok(WHOLE_TRAFFIC) : parseEntitySelector(selector);
  return selection.ok ? ok({ ...rest, selection: selection.value }) : selection;
}

/** Operations that list what there is take a token and no other member. */
export function parseNextToken(body: Body): Result<{ readonly nextToken: string | undefined }, AwsError> {
  return readMembers(body, (members) => ({ nextToken: members.text('NextToken') }));
}

export function parsePutTelemetryRecords(body: Body): Result<readonly TelemetryRecord[], AwsError> {
  return readMembers(body, (members) => {
    const sender = {
      hostname: members.text('Hostname', { max: 255 }),
      instanceId: members.text('EC2InstanceId', { max: 20 }),
      resourceArn: members.text('ResourceARN', { max: 500 }),
    };
    const records = members.needed('TelemetryRecords', members.objects('TelemetryRecords'));
    return records.map((record) => ({
      ...sender,
      seconds: record.neededTime('Timestamp'),
      received: record.integer('SegmentsReceivedCount') ?? 0,
      sent: record.integer('SegmentsSentCount') ?? 0,
      spilled: record.integer('SegmentsSpilloverCount') ?? 0,
      rejected: record.integer('SegmentsRejectedCount') ?? 0,
      backendErrors: readBackendErrors(record.object('BackendConnectionErrors')),
    }));
  });
}

function readBackendErrors(errors: Members | undefined): TelemetryErrors {
  return {
    timeout: errors?.integer('TimeoutCount') ?? 0,
    refused: errors?.integer('ConnectionRefusedCount') ?? 0,
    status4xx: errors?.integer('HTTPCode4XXCount') ?? 0,
    status5xx: errors?.integer('HTTPCode5XXCount') ?? 0,
    unknownHost: errors?.integer('UnknownHostCount') ?? 0,
    other: errors?.integer('OtherCount') ?? 0,
  };
}

/** `StartTime` and `EndTime`. */
export function readRange(members: Members): TimeRange {
  const fromSeconds = members.neededTime('StartTime');
  const toSeconds = members.neededTime('EndTime');
  if (toSeconds < fromSeconds) members.fail('EndTime', toSeconds, 'not be before StartTime');
  return { fromSeconds: Math.min(fromSeconds, LATEST_SECONDS), toSeconds: Math.min(toSeconds, LATEST_SECONDS) };
}

function readPeriod(members: Members): number {
  const period = members.integer('Period', { min: PERIOD_STEP_SECONDS, max: MAX_PERIOD_SECONDS }) ?? PERIOD_STEP_SECONDS;
  if (period % PERIOD_STEP_SECONDS !== 0) members.fail('Period', period, `be a multiple of ${PERIOD_STEP_SECONDS}`);
  return period;
}

/** The expression; undefined when every trace is meant. Whether its groups exist is not looked at. */
export function parseFilterText(text: string): Result<FilterExpression | undefined, AwsError> {
  const parsed = parseFilter(text);
  if (!parsed.ok) return err(invalidRequest(`Invalid filter expression: ${parsed.error.message}`));
  return ok(parsed.value.kind === 'everything' ? undefined : parsed.value);
}
