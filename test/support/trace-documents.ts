import { readFileSync } from 'node:fs';
import { parseTraceId, type SegmentDocument, type TraceId } from '../../src/trace/index.ts';

/** The trace that the documents made here belong to. */
export const TRACE = parseTraceId('1-58406520-a006649127e371903a2de979') as TraceId;

/** A 16-digit id that is easy to tell: `id('a')` is `aaaaaaaaaaaaaaaa`. */
export const id = (digit: string): string => digit.repeat(16);

/** A complete segment from second 10 to 20, named for its digit. */
export function segment(digit: string, members: Partial<SegmentDocument> = {}): SegmentDocument {
  return { ...embedded(digit), trace_id: '1-58406520-a006649127e371903a2de979', ...members };
}

/** A subsegment of `parent` that is sent on its own. */
export function streamed(digit: string, parent: string, members: Partial<SegmentDocument> = {}): SegmentDocument {
  return segment(digit, { type: 'subsegment', parent_id: id(parent), ...members });
}

/** A subsegment to be put into `subsegments`. */
export function embedded(digit: string, members: Partial<SegmentDocument> = {}): SegmentDocument {
  return { name: digit, id: id(digit), start_time: 10, end_time: 20, ...members };
}

/** Documents captured from the Node SDK, by what the request did. */
export function nodeSamples(): Readonly<Record<string, readonly SegmentDocument[]>> {
  return readSample('node-sdk.json') as Record<string, SegmentDocument[]>;
}

/** Documents captured from the Python SDK: several traces in one list. */
export function pythonSamples(): readonly SegmentDocument[] {
  return readSample('python-sdk.json') as SegmentDocument[];
}

function readSample(file: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../testdata/xray/${file}`, import.meta.url), 'utf8'));
}
