import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { encodeTraces } from '../../test/support/encode-otlp.ts';
import { spanOf } from '../../test/support/otlp-spans.ts';
import { DEFAULT_LIMITS, Intake, type IntakeLimits, type IntakeObserver } from './intake.ts';
import { Spool } from './spool.ts';

const TRACE = '1-5759e988-bd862e3fe1be46a994272793';
const NOW = Date.now() / 1000;

let dir: string;
let spool: Spool;
let counts: Record<string, number>;

const observer: IntakeObserver = {
  accepted: (source, count) => add(`${source} accepted`, count),
  refused: (source, refusal, count) => add(`${source} ${refusal.code}`, count),
  dropped: (source, count) => add(`${source} dropped`, count),
  spooled: () => add('spooled', 1),
};

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'fluoro-intake-'));
  spool = Spool.open(dir);
  counts = {};
});

afterEach(() => {
  spool.close();
  rmSync(dir, { recursive: true });
});

function add(name: string, count: number): void {
  counts[name] = (counts[name] ?? 0) + count;
}

function intakeWith(limits: Partial<IntakeLimits> = {}): Intake {
  return new Intake(spool, dir, { ...DEFAULT_LIMITS, freeBytes: 0, ...limits }, observer);
}

function segment(id: number, members: Record<string, unknown> = {}): string {
  const own = { id: id.toString(16).padStart(16, '0'), trace_id: TRACE, name: 'shop', start_time: NOW, end_time: NOW + 0.1 };
  return JSON.stringify({ ...own, ...members });
}

describe('takeSegments()', () => {
  test('takes the good ones and says of each other one why not', async () => {
    const taken = await intakeWith().takeSegments('segments', [segment(1), '{', segment(2, { name: '' }), 7, segment(3)]);
    expect(taken).toMatchObject({ ok: true, value: { accepted: 2, rejected: 3 } });
    expect(taken.ok && taken.value.refusals.map((refusal) => refusal.code)).toEqual(['ParseError', 'MissingName', 'ParseError']);
    expect(counts).toEqual({ 'segments accepted': 2, 'segments ParseError': 2, 'segments MissingName': 1, spooled: 1 });
    expect(spool.rows).toBe(2);
  });

  test('answers when it is on the disk, and not before', async () => {
    const append = vi.spyOn(spool, 'append');
    let release: () => void = () => undefined;
    append.mockImplementationOnce(() => new Promise((done) => (release = done)));
    let answered = false;
    const taking = intakeWith()
      .takeSegments('segments', [segment(1)])
      .then(() => (answered = true));
    await sleep(50);
    expect(answered).toBe(false);
    release();
    await taking;
  });

  test('writes what comes during a write with the next one', async () => {
    const append = vi.spyOn(spool, 'append');
    const intake = intakeWith();
    const all = Array.from({ length: 20 }, (_, index) => intake.takeSegments('segments', [segment(index + 1)]));
    expect((await Promise.all(all)).every((taken) => taken.ok)).toBe(true);
    expect(append).toHaveBeenCalledTimes(2);
    expect(spool).toMatchObject({ records: 2, rows: 20 });
  });

  test('takes nothing that could not be written, tells all that wait, and goes on', async () => {
    const append = vi.spyOn(spool, 'append');
    append.mockRejectedValueOnce(Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' }));
    const intake = intakeWith();
    intake.takeDatagram(Buffer.from(segment(9)));
    const first = await intake.takeSegments('segments', [segment(1), segment(2)]);
    expect(first).toMatchObject({ ok: false, error: { kind: 'busy', message: expect.stringContaining('ENOSPC') } });
    expect(await intake.takeSegments('segments', [segment(3)])).toMatchObject({ ok: true });
    expect(spool.rows).toBe(1);
    expect(counts).toEqual({ 'udp dropped': 1, 'segments dropped': 2, 'segments accepted': 1, spooled: 1 });
  });

  test.each<[string, Partial<IntakeLimits>, string]>([
    ['the disk is full', { freeBytes: 1e18 }, 'is full'],
    ['the spool is full', { spoolBytes: -1 }, 'the spool is full'],
    ['the disk is slow', { pendingBytes: -1 }, 'slower'],
  ])('turns away before reading when %s', async (_, limits, message) => {
    const intake = intakeWith(limits);
    const busy = { ok: false, error: { kind: 'busy', message: expect.stringContaining(message) } };
    expect(await intake.takeSegments('segments', ['{', '{'])).toMatchObject(busy);
    expect(await intake.takeOtlp('otlp-http', Buffer.from('nonsense'), 'json')).toMatchObject(busy);
    intake.takeDatagram(Buffer.from(segment(1)));
    expect(counts).toEqual({ 'segments dropped': 2, 'otlp-http dropped': 1, 'udp dropped': 1 });
    expect(spool.records).toBe(0);
  });
});

describe('takeDatagram()', () => {
  test('gathers for a moment, so that the disk is not flushed for each one', async () => {
    const intake = intakeWith();
    for (let id = 1; id <= 50; id++) intake.takeDatagram(Buffer.from(segment(id)));
    expect(spool.records).toBe(0);
    await intake.flush();
    expect(spool).toMatchObject({ records: 1, rows: 50 });
    expect(counts).toEqual({ 'udp accepted': 50, spooled: 1 });
  });

  test('is written without being asked for', async () => {
    intakeWith().takeDatagram(Buffer.from(segment(1)));
    await sleep(400);
    expect(spool.rows).toBe(1);
  });

  test('refuses what is not UTF-8, and what is wrong', async () => {
    const intake = intakeWith();
    intake.takeDatagram(Buffer.from([0x22, 0xff, 0x22]));
    intake.takeDatagram(Buffer.from('{}'));
    intake.takeDatagram(Buffer.from(`[${segment(1)},${segment(0)},{}]`));
    await intake.flush();
    expect(counts).toEqual({ 'udp InvalidEncoding': 1, 'udp MissingId': 2, 'udp InvalidId': 1, 'udp accepted': 1, spooled: 1 });
  });

  test('survives any document', async () => {
    const intake = intakeWith();
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.constantFrom({ toString: 1, valueOf: 2 }, { toJSON: 1 }, [null], { length: 9 }),
    );
    const members = fc.dictionary(
      fc.constantFrom(
        'http',
        'aws',
        'sql',
        'cause',
        'annotations',
        'user',
        'parent_id',
        'origin',
        'namespace',
        'links',
        'error',
        'inferred',
        'service',
        'metadata',
      ),
      fc.oneof(value, fc.record({ request: value, response: fc.record({ status: value }), exceptions: value, account_id: value })),
    );
    fc.assert(
      fc.property(members, members, (top, nested) => {
        const subsegments = [{ id: 'f'.repeat(16), name: 's', start_time: NOW, ...nested, trace_id: nested['aws'] }];
        intake.takeDatagram(Buffer.from(segment(1, { ...top, subsegments })));
      }),
      { numRuns: 500 },
    );
    await intake.flush();
    expect(counts['udp accepted']).toBe(500);
  });
});

describe('takeOtlp()', () => {
  const times = { startSeconds: Math.floor(NOW), endSeconds: Math.floor(NOW) + 1 };

  test('takes good spans and refuses those of other times', async () => {
    const spans = [spanOf(times), spanOf(), spanOf({ ...times, endSeconds: times.startSeconds + 1e7 })];
    const taken = await intakeWith().takeOtlp('otlp-grpc', encodeTraces(spans), 'protobuf');
    expect(taken).toMatchObject({ ok: true, value: { accepted: 1, rejected: 2, refusals: [{ code: 'InvalidStartTime' }, {}] } });
    expect(counts).toEqual({ 'otlp-grpc accepted': 1, 'otlp-grpc InvalidStartTime': 2, spooled: 1 });
  });

  test('an empty request is fine and is not written', async () => {
    expect(await intakeWith().takeOtlp('otlp-http', Buffer.alloc(0), 'protobuf')).toMatchObject({ ok: true, value: { accepted: 0 } });
    expect(spool.records).toBe(0);
  });

  test('a request that cannot be read is said to be so', async () => {
    const taken = await intakeWith().takeOtlp('otlp-http', Buffer.from('{"resourceSpans":5'), 'json');
    expect(taken).toMatchObject({ ok: false, error: { kind: 'unreadable' } });
  });
});
