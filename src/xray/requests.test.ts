import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Result } from '../base/index.ts';
import type { AwsError } from './errors.ts';
import {
  parseBody,
  parseGetServiceGraph,
  parseGetTimeSeries,
  parseGetTraceSummaries,
  parsePutTelemetryRecords,
  parseTraceIds,
} from './requests.ts';

interface Captured {
  readonly path: string;
  readonly body: string;
}

const captured = JSON.parse(readFileSync(new URL('../../testdata/xray/client-requests.json', import.meta.url), 'utf8')) as {
  readonly js: Readonly<Record<string, Captured>>;
  readonly cli: readonly Captured[];
  readonly sampling: readonly Captured[];
};

type Body = Readonly<Record<string, unknown>>;

function bodyOf(request: Captured | undefined): Body {
  const body = parseBody(Buffer.from(request?.body ?? 'not captured'));
  if (!body.ok) throw new Error(body.error.message);
  return body.value;
}

const fromCli = (path: string): Captured | undefined => captured.cli.find((request) => request.path === path);

/** The value, or the error's message. */
function outcome<T>(result: Result<T, AwsError>): T | string {
  return result.ok ? result.value : `${result.error.type}: ${result.error.message}`;
}

const RANGE = { StartTime: 1_000, EndTime: 2_000 };
const FAILED = 'InvalidRequestException: 1 validation error detected: ';

describe('parseBody()', () => {
  test.each([
    ['', {}],
    [' \r\n', {}],
    ['{"a":null,"b":1}', { a: null, b: 1 }],
  ])('reads %j', (text, expected) => {
    expect(outcome(parseBody(Buffer.from(text)))).toEqual(expected);
  });

  test.each(['[', '[]', '1', 'null', '{"a":1', '\u0000'])('refuses %j', (text) => {
    expect(outcome(parseBody(Buffer.from(text)))).toMatch(/^SerializationException: The request /);
  });

  test('refuses what is not UTF-8', () => {
    expect(outcome(parseBody(Buffer.from([0x7b, 0xff, 0x7d])))).toMatch(/^SerializationException/);
  });
});

describe('parseGetTraceSummaries()', () => {
  test('reads what the JavaScript client sends', () => {
    expect(outcome(parseGetTraceSummaries(bodyOf(captured.js['GetTraceSummaries'])))).toMatchObject({
      fromSeconds: 1735787045.678,
      toSeconds: 1735787645,
      by: 'activity',
      filter: { kind: 'and' },
      nextToken: 'n',
    });
  });

  test('reads what the CLI sends', () => {
    expect(outcome(parseGetTraceSummaries(bodyOf(fromCli('/TraceSummaries'))))).toMatchObject({
      fromSeconds: 1736000000,
      toSeconds: 1736000600,
      by: 'start',
      filter: { kind: 'flag', key: 'fault' },
    });
  });

  test.each([
    ['milliseconds', { StartTime: 1736000000123, EndTime: 1736000600000 }, 1736000000.123],
    ['ISO text', { StartTime: '2025-01-04T14:13:20Z', EndTime: '2025-01-04T15:13:20+00:00' }, 1736000000],
    ['numbers as text', { StartTime: '1736000000', EndTime: '1736000600' }, 1736000000],
    ['exponents', JSON.parse('{"StartTime":1.736E9,"EndTime":1.7360006e9}') as Body, 1736000000],
  ])('takes times as %s', (_, body, from) => {
    expect(outcome(parseGetTraceSummaries(body))).toMatchObject({ fromSeconds: from });
  });

  test('takes nulls as absent, ignores unknown members, and an empty filter is none', () => {
    const body = { ...RANGE, FilterExpression: '', NextToken: null, TimeRangeType: null, Sampling: null, MaxResults: {}, __proto__: 1 };
    expect(outcome(parseGetTraceSummaries(body))).toEqual({
      fromSeconds: 1_000,
      toSeconds: 2_000,
      by: 'start',
      filter: undefined,
      filterText: '',
      nextToken: undefined,
    });
  });

  test.each([
    [{ EndTime: 1 }, `${FAILED}Value null at 'startTime' failed to satisfy constraint: Member must not be null`],
    [{ StartTime: null, EndTime: 1 }, `${FAILED}Value null at 'startTime' failed to satisfy constraint: Member must not be null`],
    [{ StartTime: 2, EndTime: 1 }, `${FAILED}Value '1' at 'endTime' failed to satisfy constraint: Member must not be before StartTime`],
    [
      { ...RANGE, TimeRangeType: 'Foo' },
      `${FAILED}Value 'Foo' at 'timeRangeType' failed to satisfy constraint: Member must satisfy enum value set: [TraceId, Event, Service]`,
    ],
    [{ ...RANGE, StartTime: 1e300 }, 'Member must be a time between 1970 and 9999'],
    [{ ...RANGE, StartTime: -5 }, 'Member must be a time between 1970 and 9999'],
    [
      { ...RANGE, SamplingStrategy: { Name: 'FixedRate', Value: 2 } },
      "Value '2' at 'samplingStrategy.value' failed to satisfy constraint: Member must have value less than or equal to 1",
    ],
    [
      {},
      "2 validation errors detected: Value null at 'startTime' failed to satisfy constraint: Member must not be null; Value null at 'endTime'",
    ],
    [{ ...RANGE, StartTime: 'yesterday' }, 'SerializationException: StartTime must be a timestamp, not the string yesterday'],
    [{ ...RANGE, FilterExpression: 5 }, 'SerializationException: FilterExpression must be a string, not the number 5'],
    [{ ...RANGE, Sampling: 'yes' }, 'SerializationException: Sampling must be a boolean, not the string yes'],
    [{ ...RANGE, SamplingStrategy: [] }, 'SerializationException: SamplingStrategy must be an object, not a list'],
    [{ ...RANGE, FilterExpression: 'responsetime >' }, 'InvalidRequestException: Invalid filter expression: '],
  ])('refuses %j', (body, message) => {
    expect(outcome(parseGetTraceSummaries(body))).toContain(message);
  });

  test('names the position in a filter', () => {
    expect(outcome(parseGetTraceSummaries({ ...RANGE, FilterExpression: 'fault AND bogus' }))).toContain('position 10');
  });
});

describe('parseTraceIds()', () => {
  test('reads what both clients send', () => {
    expect(outcome(parseTraceIds(bodyOf(captured.js['BatchGetTraces'])))).toEqual({
      traceIds: ['58406520a006649127e371903a2de979'],
      nextToken: undefined,
    });
    expect(outcome(parseTraceIds(bodyOf(fromCli('/Traces'))))).toMatchObject({ traceIds: { length: 2 } });
  });

  test('takes W3C ids, and each id once', () => {
    const ids = ['1-58406520-A006649127e371903a2de979', '58406520a006649127e371903a2de979'];
    expect(outcome(parseTraceIds({ TraceIds: ids }))).toMatchObject({ traceIds: { length: 1 } });
  });

  test.each([
    [{}, "Value null at 'traceIds' failed"],
    [{ TraceIds: ['1-58406520-a006649127e371903a2de979', 'nonsense'] }, "Value 'nonsense' at 'traceIds.2.member' failed"],
    [{ TraceIds: 'x' }, 'SerializationException: TraceIds must be a list'],
    [{ TraceIds: [{}] }, 'SerializationException: TraceIds.1.member must be a string, not an object'],
    [{ TraceIds: Array.from({ length: 101 }, () => '1-58406520-a006649127e371903a2de979') }, 'less than or equal to 100'],
  ])('refuses %j', (body, message) => {
    expect(outcome(parseTraceIds(body))).toContain(message);
  });
});

describe('parseGetServiceGraph()', () => {
  test('reads what the CLI sends', () => {
    expect(outcome(parseGetServiceGraph(bodyOf(fromCli('/ServiceGraph'))))).toEqual({
      fromSeconds: 1736000000,
      toSeconds: 1736000600,
      group: undefined,
      nextToken: undefined,
    });
  });

  test('brings times that nothing can be stored at into what can', () => {
    expect(outcome(parseGetServiceGraph({ StartTime: 0, EndTime: 253_000_000_000_000 }))).toMatchObject({ toSeconds: 4_294_967_280 });
  });
});

describe('parseGetTimeSeries()', () => {
  test('reads what the CLI sends', () => {
    expect(outcome(parseGetTimeSeries(bodyOf(fromCli('/TimeSeriesServiceStatistics'))))).toMatchObject({
      periodSeconds: 60,
      selection: { kind: 'node', to: { name: 'a' } },
    });
  });

  test('without a selector means the requests from outside', () => {
    expect(outcome(parseGetTimeSeries(RANGE))).toMatchObject({ periodSeconds: 60, selection: { kind: 'edge', from: { type: 'client' } } });
  });

  test.each([
    [{ Period: 10 }, 'greater than or equal to 60'],
    [{ Period: 90 }, 'be a multiple of 60'],
    [{ Period: 60.5 }, 'SerializationException: Period must be an integer'],
    [{ Period: 1e9 }, 'less than or equal to 86400'],
    [
      { EntitySelectorExpression: '' },
      "at 'entitySelectorExpression' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ],
    [{ EntitySelectorExpression: `service("${'x'.repeat(500)}")` }, 'less than or equal to 500'],
    [{ GroupName: '' }, "at 'groupName' failed to satisfy constraint: Member must have length greater than or equal to 1"],
  ])('refuses %j', (members, message) => {
    expect(outcome(parseGetTimeSeries({ ...RANGE, ...members }))).toContain(message);
  });
});

describe('parsePutTelemetryRecords()', () => {
  test('reads what both clients send', () => {
    expect(outcome(parsePutTelemetryRecords(bodyOf(captured.js['PutTelemetryRecords'])))).toMatchObject([
      { seconds: 1735787045.678, hostname: 'h', instanceId: 'i-1', resourceArn: 'a', received: 1, sent: 1, backendErrors: { timeout: 0 } },
    ]);
    expect(outcome(parsePutTelemetryRecords(bodyOf(fromCli('/TelemetryRecords'))))).toMatchObject([{ received: 1, sent: 0 }]);
  });
});
