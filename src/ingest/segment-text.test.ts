import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DocumentLimits, readSegmentText } from './segment-text.ts';

const NOW = 1_790_000_000;
const LIMITS: DocumentLimits = {
  maxSize: 64 * 1024,
  maxDepth: 64,
  maxSubsegments: 500,
  earliestSeconds: NOW - 30 * 86_400,
  latestSeconds: NOW + 86_400,
};
const ID = '53995c3f42cd8ad8';
const TRACE = '1-5759e988-bd862e3fe1be46a994272793';
const GOOD = { id: ID, trace_id: TRACE, name: 'shop', start_time: NOW, end_time: NOW + 0.5 };

/** `undefined` leaves a member out. */
function textOf(members: Record<string, unknown> = {}): string {
  return JSON.stringify({ ...GOOD, ...members });
}

function codesOf(text: string): string[] {
  return readSegmentText(text, LIMITS).map((outcome) => (outcome.ok ? 'ok' : outcome.error.code));
}

function subsegments(count: number): unknown[] {
  return Array.from({ length: count }, (_, index) => ({
    id: (index + 1).toString(16).padStart(16, '0'),
    name: 'call',
    start_time: NOW,
    end_time: NOW,
  }));
}

describe('readSegmentText() refuses with the code of the specification (6.9)', () => {
  test.each([
    ['not JSON', '{"id":', 'ParseError', undefined],
    ['nothing', '', 'ParseError', undefined],
    ['a number', '5', 'ParseError', undefined],
    ['null', 'null', 'ParseError', undefined],
    ['an array of numbers', '[5]', 'ParseError', undefined],
    ['NUL outside of a text', `${textOf()}\u0000`, 'ParseError', undefined],
    ['too many characters', textOf({ metadata: 'x'.repeat(70_000) }), 'DocumentTooLarge', ID],
    ['nested too deep', `${'{"a":'.repeat(70)}1${'}'.repeat(70)}`, 'DocumentTooDeep', undefined],
    ['nested very deep', '['.repeat(60_000), 'DocumentTooDeep', undefined],
    ['an empty array', '[]', 'MissingId', undefined],
    ['no id', textOf({ id: undefined }), 'MissingId', undefined],
    ['an id that is null', textOf({ id: null }), 'MissingId', undefined],
    ['an empty id', textOf({ id: '' }), 'MissingId', undefined],
    ['a short id', textOf({ id: 'abc' }), 'InvalidId', 'abc'],
    ['an id of other letters', textOf({ id: 'g'.repeat(16) }), 'InvalidId', 'g'.repeat(16)],
    ['an id of zeros', textOf({ id: '0'.repeat(16) }), 'InvalidId', '0'.repeat(16)],
    ['an id that is a number', textOf({ id: 5 }), 'InvalidId', undefined],
    ['an id that is an object', textOf({ id: { toString: 1 } }), 'InvalidId', undefined],
    ['no trace_id', textOf({ trace_id: undefined }), 'MissingTraceId', ID],
    ['a trace_id that is null', textOf({ trace_id: null }), 'MissingTraceId', ID],
    ['neither trace_id nor name', textOf({ trace_id: undefined, name: undefined }), 'MissingTraceId', ID],
    ['a short trace_id', textOf({ trace_id: '1-5759e988-bd86' }), 'InvalidTraceId', ID],
    ['a trace_id of version 2', textOf({ trace_id: TRACE.replace('1-', '2-') }), 'InvalidTraceId', ID],
    ['a trace_id that is a number', textOf({ trace_id: 7 }), 'InvalidTraceId', ID],
    ['a trace_id of zeros', textOf({ trace_id: '0'.repeat(32) }), 'InvalidTraceId', ID],
    ['no name', textOf({ name: undefined }), 'MissingName', ID],
    ['a blank name', textOf({ name: ' \t' }), 'MissingName', ID],
    ['a name that is a list', textOf({ name: ['shop'] }), 'InvalidName', ID],
    ['no start_time', textOf({ start_time: undefined }), 'MissingStartTime', ID],
    ['a start_time that is text', textOf({ start_time: String(NOW) }), 'InvalidStartTime', ID],
    ['a start_time of 1970', textOf({ start_time: 1 }), 'InvalidStartTime', ID],
    ['a start_time before 1970', textOf({ start_time: -1 }), 'InvalidStartTime', ID],
    ['a start_time in milliseconds', textOf({ start_time: NOW * 1000 }), 'InvalidStartTime', ID],
    ['a start_time of 1e308', textOf({ start_time: 1e308 }), 'InvalidStartTime', ID],
    ['a start_time of 1e999', textOf().replace(`"start_time":${NOW}`, '"start_time":1e999'), 'InvalidStartTime', ID],
    ['a start_time past what is kept', textOf({ start_time: NOW - 40 * 86_400, end_time: NOW }), 'InvalidStartTime', ID],
    ['a start_time in two days', textOf({ start_time: NOW + 2 * 86_400, end_time: undefined }), 'InvalidStartTime', ID],
    ['an end_time that is text', textOf({ end_time: 'soon' }), 'InvalidEndTime', ID],
    ['an end before the start', textOf({ end_time: NOW - 1 }), 'InvalidEndTime', ID],
    ['an end years later', textOf({ end_time: NOW + 1e7 }), 'InvalidEndTime', ID],
    ['a subsegment of its own without parent_id', textOf({ type: 'subsegment' }), 'MissingParentId', ID],
    ['a subsegment of its own with a wrong parent_id', textOf({ type: 'subsegment', parent_id: 'x' }), 'MissingParentId', ID],
    ['subsegments that are no array', textOf({ subsegments: { a: 1 } }), 'InvalidSegment', ID],
    ['a subsegment that is a number', textOf({ subsegments: [1] }), 'InvalidSegment', ID],
    ['a subsegment that is an array', textOf({ subsegments: [[]] }), 'InvalidSegment', ID],
    ['a subsegment without id', textOf({ subsegments: [{ name: 'a', start_time: NOW }] }), 'MissingId', ID],
    ['a subsegment of 1970', textOf({ subsegments: [{ id: ID, name: 'a', start_time: 0 }] }), 'InvalidStartTime', ID],
    ['too many subsegments', textOf({ subsegments: subsegments(501) }), 'TooManySubsegments', ID],
    ['a member twice', `{"id":"${ID}",${textOf().slice(1)}`, 'DuplicateKey', ID],
    ['a member twice, once escaped', `{"\\u0069d":"${ID}",${textOf().slice(1)}`, 'DuplicateKey', ID],
    ['a member twice, deep inside', textOf({ metadata: { a: [{ b: 1 }] } }).replace('"b":1', '"b":1,"b":2'), 'DuplicateKey', ID],
  ])('%s', (_, text, code, id) => {
    const [outcome, ...others] = readSegmentText(text, LIMITS);
    expect(others).toEqual([]);
    expect(outcome).toEqual({ ok: false, error: expect.objectContaining({ code, message: expect.stringMatching(/\S/) }) });
    expect(outcome?.ok === false && outcome.error.id).toBe(id);
  });

  test('10,000 subsegments, however deep', () => {
    let chain: unknown[] = [];
    for (let index = 0; index < 20; index++) chain = [{ ...(subsegments(1)[0] as object), subsegments: [...subsegments(500), ...chain] }];
    const text = textOf({ subsegments: chain });
    const limits = { ...LIMITS, maxSize: 1e7, maxSubsegments: 5_000 };
    expect(readSegmentText(text, limits)).toMatchObject([{ ok: false, error: { code: 'TooManySubsegments', id: ID } }]);
  });
});

describe('readSegmentText() takes', () => {
  test.each([
    ['the plainest segment', textOf()],
    ['one in progress', textOf({ end_time: undefined, in_progress: true })],
    ['an end_time that is null', textOf({ end_time: null })],
    ['subsegments that are null', textOf({ subsegments: null })],
    ['a W3C trace id', textOf({ trace_id: '5759e988bd862e3fe1be46a994272793' })],
    ['upper case ids', textOf({ id: ID.toUpperCase(), trace_id: TRACE.toUpperCase() })],
    ['an exponent', textOf().replace(`"start_time":${NOW}`, '"start_time":1.79e9')],
    ['a subsegment of its own', textOf({ type: 'subsegment', parent_id: ID })],
    ['a parent that is no id: it is left out of the tree', textOf({ parent_id: 'none' })],
    ['__proto__ and constructor as data', textOf().replace('{', '{"__proto__":{"a":1},"constructor":{"prototype":1},')],
    ['NUL and separators in texts', textOf({ user: 'a\u0000b\u001fc' })],
    ['colons, braces and quotes in texts', textOf({ metadata: { 'a:"{[': '":{[\\' } })],
    ['numbers beyond doubles in metadata', textOf({ metadata: 1 }).replace('"metadata":1', '"metadata":[1e308,-1e999,1e-999]')],
    ['members of any type', textOf({ http: 5, aws: null, cause: [], annotations: 'a', error: {}, sql: false, metadata: [[[]]] })],
  ])('%s', (_, text) => {
    expect(codesOf(text)).toEqual(['ok']);
  });

  test('an array, and refuses what is wrong with each item alone', () => {
    const bad = JSON.stringify({ ...GOOD, name: '' });
    expect(codesOf(`[${textOf()},${bad},7,${textOf()}]`)).toEqual(['ok', 'MissingName', 'ParseError', 'ok']);
  });

  test('a name of more than 200 characters, shortened', () => {
    const [outcome] = readSegmentText(textOf({ name: 'n'.repeat(300) }), LIMITS);
    expect(outcome?.ok === true && outcome.value.document.name).toBe('n'.repeat(200));
  });

  test('leaves Object.prototype alone', () => {
    readSegmentText(textOf().replace('{', '{"__proto__":{"polluted":true},'), LIMITS);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('readSegmentText() never throws', () => {
  const hostileKey = fc.constantFrom(
    'id',
    'name',
    'trace_id',
    'start_time',
    'end_time',
    'subsegments',
    'type',
    'parent_id',
    'toString',
    '__proto__',
  );
  const hostile = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom(ID, TRACE, NOW, null, true, '', 'subsegment', 1e308, -0, 'x'),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(hostileKey, tie('value'), { maxKeys: 6 }),
    ),
  })).value;

  test('for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (text) => {
        expect(readSegmentText(text, LIMITS).length).toBeGreaterThan(0);
      }),
    );
  });

  test('for any JSON that looks like a segment', () => {
    fc.assert(
      fc.property(fc.dictionary(hostileKey, hostile), (members) => {
        expect(readSegmentText(JSON.stringify({ ...GOOD, ...members }), LIMITS)).toHaveLength(1);
      }),
      { numRuns: 500 },
    );
  });

  test('for a good document with any piece cut out or put in', () => {
    const text = textOf({ subsegments: subsegments(2), metadata: { a: { b: [1, 'x'] } } });
    const at = fc.nat({ max: text.length });
    fc.assert(
      fc.property(at, at, fc.string({ maxLength: 5 }), (from, to, piece) => {
        expect(readSegmentText(text.slice(0, from) + piece + text.slice(to), LIMITS).length).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });
});
