/** Searching the store must find what the plain evaluator says: for the language's examples, and for random traces and expressions. */
import { sample } from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TraceReader } from '../../src/server/trace-reader.ts';
import {
  assembleTrace,
  evaluateFilter,
  type FilterExpression,
  type GroupLookup,
  parseFilter,
  parseTraceId,
  type SegmentDocument,
  type TraceId,
} from '../../src/trace/index.ts';
import { FILTER_EXAMPLES, FILTER_GROUPS, filterTraces } from '../fixtures/filter-traces.ts';
import { expressionText, traceDocuments } from '../support/filter-arbitraries.ts';
import { startTestStore, type TestStore } from '../support/store.ts';

const NOW = Math.floor(Date.now() / 1000);
const RANDOM_TRACES = 400;
const RANDOM_EXPRESSIONS = 300;

let started: TestStore;
let reader: TraceReader;

const groups: GroupLookup = (nameOrArn) => {
  const text = FILTER_GROUPS[nameOrArn];
  return text === undefined ? undefined : parse(text);
};

function parse(text: string): FilterExpression {
  const parsed = parseFilter(text);
  if (!parsed.ok) throw new Error(`${text}: ${parsed.error.message}`);
  return parsed.value;
}

async function found(expression: string, fromSeconds: number, toSeconds: number, limit = 10_000): Promise<string[]> {
  const ids: string[] = [];
  let position: string | undefined;
  do {
    const page = await reader.search({
      fromSeconds,
      toSeconds,
      by: 'start',
      filter: parse(expression),
      groups,
      limit,
      position,
      budgetMs: 60_000,
    });
    if (!page.ok) throw new Error(page.error.message);
    ids.push(...page.value.items.map((item) => item.trace.id));
    position = page.value.position;
  } while (position !== undefined);
  return ids.sort();
}

beforeAll(async () => {
  started = await startTestStore();
  reader = new TraceReader(started.store);
});

afterAll(async () => {
  await started.stop();
});

describe('the examples of the language', () => {
  const start = NOW - 6 * 3600;
  const traces = filterTraces(start);
  const idOf = new Map(traces.map((trace) => [trace.name, trace.id]));

  beforeAll(async () => started.insert(traces));

  test.each(FILTER_EXAMPLES)('$expression', async ({ expression, matches }) => {
    const expected = matches.map((name) => idOf.get(name)).sort();
    expect(await found(expression, start - 60, start + 7200)).toEqual(expected);
  });

  test('pages of any size hold every trace once', async () => {
    const all = await found('', start - 60, start + 7200);
    expect(all.length).toBe(traces.length);
    expect(await found('', start - 60, start + 7200, 1)).toEqual(all);
    expect(await found('', start - 60, start + 7200, 3)).toEqual(all);
  });
});

describe('random traces', () => {
  const start = NOW - 24 * 3600;
  const traces: { readonly id: TraceId; readonly documents: readonly SegmentDocument[] }[] = [];

  beforeAll(async () => {
    const samples = sample(traceDocuments('1-00000000-000000000000000000000000'), { numRuns: RANDOM_TRACES, seed: 4 });
    for (const [index, documents] of samples.entries()) {
      const id = parseTraceId(`${'a'.repeat(26)}${(index + 1).toString(16).padStart(6, '0')}`) as TraceId;
      traces.push({ id, documents: withoutCopies(documents).map((document, place) => placed(document, id, start + index, place)) });
    }
    await started.insert(traces);
  });

  test(`${RANDOM_EXPRESSIONS} random expressions find what the evaluator says`, async () => {
    const assembled = traces.map(({ id, documents }) => assembleTrace(id, documents));
    let matched = 0;
    let missed = 0;
    for (const text of sample(expressionText, { numRuns: RANDOM_EXPRESSIONS, seed: 5 })) {
      const expression = parse(text);
      const expected = assembled.filter((trace) => evaluateFilter(expression, trace, { groups })).map((trace) => trace.id);
      expect(await found(text, start - 60, start + 3600), text).toEqual(expected.sort());
      matched += expected.length;
      missed += traces.length - expected.length;
    }
    // The comparison means something only when both answers occur.
    expect(matched).toBeGreaterThan(1_000);
    expect(missed).toBeGreaterThan(1_000);
  });
});

/** Which of two contradictory copies counts is decided by their text, and theirs changes when they are stored. */
function withoutCopies(documents: readonly SegmentDocument[]): SegmentDocument[] {
  return [...new Map(documents.map((document) => [document.id, document])).values()];
}

/** When the generated documents start. */
const GENERATED_START = 1_700_000_000;

/**
 * The same document in the given trace, at a time that the store keeps. Embedded subsegments get ids of their own: in one document two
 * (sub)segments of one id cannot be told apart once they are rows. Every other parent named from outside is an embedded one.
 */
function placed(document: SegmentDocument, traceId: TraceId, startSeconds: number, place: number, depth = 0): SegmentDocument {
  // An id of zeros means none; these are not it.
  const id = document.id.replaceAll('0', 'b');
  const parent = document.parent_id?.replaceAll('0', 'b');
  const moved: SegmentDocument = {
    ...document,
    id,
    ...(parent === undefined ? {} : { parent_id: parent }),
    start_time: startSeconds + document.start_time - GENERATED_START,
  };
  if (depth > 0) moved.id = `${id.slice(0, 13)}${place}a${depth}`;
  else if (moved.parent_id !== undefined && Number(moved.parent_id[0]) % 2 === 1) moved.parent_id = `${moved.parent_id.slice(0, 13)}0a1`;
  if (document.trace_id !== undefined) moved.trace_id = traceId;
  if (typeof document.end_time === 'number') moved.end_time = startSeconds + document.end_time - GENERATED_START;
  if (document.subsegments)
    moved.subsegments = document.subsegments.map((inner, index) => placed(inner, traceId, startSeconds, place, depth * 2 + index + 1));
  return moved;
}
