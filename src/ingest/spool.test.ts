import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Spool, type SpoolBatch } from './spool.ts';

let dir: string;
const opened: Spool[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'fluoro-spool-'));
});

afterEach(() => {
  for (const spool of opened.splice(0)) spool.close();
  rmSync(dir, { recursive: true });
});

/** As after a crash: nothing is closed in order. */
function open(): Spool {
  const spool = Spool.open(dir);
  opened.push(spool);
  return spool;
}

async function put(spool: Spool, ...texts: readonly string[]): Promise<void> {
  for (const text of texts) await spool.append({ payload: Buffer.from(text), rows: 1, minutes: [7, text.length] });
}

function textsOf(batch: SpoolBatch | undefined): string[] {
  return (batch?.payloads ?? []).map((payload) => Buffer.from(payload).toString());
}

function takeAll(spool: Spool): SpoolBatch | undefined {
  return spool.take(1_000, 1e9);
}

function logFiles(): string[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith('.log'))
    .sort()
    .map((name) => join(dir, name));
}

/** Where each record of a file starts, and where the last one ends. */
function bordersOf(path: string): number[] {
  const file = readFileSync(path);
  const borders = [0];
  for (let at = 0; at < file.length;) {
    at += 28 + file.readUInt32LE(at + 24) * 4 + file.readUInt32LE(at + 4);
    borders.push(at);
  }
  return borders;
}

function flip(path: string, offset: number): void {
  const bytes = readFileSync(path);
  bytes[offset]! ^= 1;
  writeFileSync(path, bytes);
}

describe('Spool', () => {
  test('gives records back in order, with their rows and minutes', async () => {
    const spool = open();
    await put(spool, 'a', 'bb', 'ccc');
    expect(spool).toMatchObject({ records: 3, rows: 3 });
    const batch = takeAll(spool)!;
    expect(textsOf(batch)).toEqual(['a', 'bb', 'ccc']);
    expect(batch).toMatchObject({ rows: 3, minutes: [7, 1, 2, 3] });
    spool.done(batch);
    expect(spool).toMatchObject({ records: 0, rows: 0, bytes: 0, oldestMs: undefined });
    expect(takeAll(spool)).toBeUndefined();
  });

  test.each([
    { rows: 2, bytes: 1e9, expected: ['a', 'b'] },
    { rows: 1e9, bytes: 2, expected: ['a', 'b'] },
    { rows: 0, bytes: 0, expected: ['a'] },
  ])('take($rows rows, $bytes bytes) takes $expected', async ({ rows, bytes, expected }) => {
    const spool = open();
    await put(spool, 'a', 'b', 'c');
    expect(textsOf(spool.take(rows, bytes))).toEqual(expected);
  });

  test('a batch stays the same batch until it is done, whatever comes meanwhile and however often it is opened', async () => {
    const spool = open();
    await put(spool, 'a', 'b');
    const first = takeAll(spool)!;
    await put(spool, 'c');
    const again = takeAll(spool)!;
    expect([again.token, textsOf(again)]).toEqual([first.token, ['a', 'b']]);
    for (let i = 0; i < 3; i++) {
      const reopened = open();
      const batch = reopened.take(1, 1)!;
      expect([batch.token, textsOf(batch)]).toEqual([first.token, ['a', 'b']]);
    }
    const last = open();
    last.done(takeAll(last)!);
    const next = takeAll(last)!;
    expect(textsOf(next)).toEqual(['c']);
    expect(next.token).not.toBe(first.token);
  });

  test('two spools never share a token', async () => {
    const spool = open();
    await put(spool, 'a');
    const { token } = takeAll(spool)!;
    rmSync(dir, { recursive: true });
    const other = Spool.open(dir);
    opened.push(other);
    await put(other, 'a');
    expect(takeAll(other)!.token).not.toBe(token);
  });

  test('what is done does not come back, nor does its number', async () => {
    const spool = open();
    await put(spool, 'a', 'b');
    const batch = takeAll(spool)!;
    spool.done(batch);
    expect(logFiles()).toEqual([]);
    const reopened = open();
    expect(reopened.records).toBe(0);
    await put(reopened, 'c');
    expect(takeAll(reopened)!.first).toBe(batch.last + 1);
  });

  test('a new file is begun when one is large, and each is removed when its records are done', async () => {
    const spool = open();
    const payload = Buffer.alloc(33 * 1024 * 1024, 1);
    for (let i = 0; i < 3; i++) await spool.append({ payload, rows: 1, minutes: [] });
    expect(logFiles()).toHaveLength(2);
    const reopened = open();
    expect(reopened.records).toBe(3);
    for (let left = 2; left >= 0; left--) {
      reopened.done(reopened.take(1, 1)!);
      expect(reopened.records).toBe(left);
    }
    expect(logFiles()).toHaveLength(0);
  });

  test('done() leaves a file alone while a record is written to it', async () => {
    const spool = open();
    await put(spool, 'a');
    const batch = takeAll(spool)!;
    const writing = put(spool, 'b');
    spool.done(batch);
    await writing;
    expect(textsOf(takeAll(open()))).toEqual(['b']);
  });
});

describe('Spool.open() after a damage', () => {
  test.each([1, 5, 27, 28, 40])('a record cut off %i bytes before its end is gone, the others stay', async (cut) => {
    await put(open(), 'a'.repeat(20), 'b'.repeat(20), 'c'.repeat(20));
    const [path] = logFiles();
    const borders = bordersOf(path!);
    truncateSync(path!, borders[3]! - cut);
    const spool = open();
    const torn = borders[3]! - borders[2]! - cut;
    expect(spool.recovery).toMatchObject({ records: 2, tornBytes: torn, damagedBytes: 0 });
    expect(spool.recovery.kept.map((kept) => statSync(kept).size)).toEqual([torn]);
    await put(spool, 'd');
    expect(textsOf(takeAll(open()))).toEqual(['a'.repeat(20), 'b'.repeat(20), 'd']);
  });

  test('garbage at the end is put aside', async () => {
    await put(open(), 'a');
    appendFileSync(logFiles()[0]!, 'FLSPgarbage'.repeat(9));
    const spool = open();
    expect(spool.recovery).toMatchObject({ records: 1, tornBytes: 99, damagedBytes: 0 });
    expect(readFileSync(spool.recovery.kept[0]!, 'utf8')).toBe('FLSPgarbage'.repeat(9));
    expect(open().recovery).toMatchObject({ records: 1, tornBytes: 0 });
  });

  test.each([0, 1, 2])('a bit flipped in record %i of three loses that one only', async (index) => {
    const texts = ['a'.repeat(50), 'b'.repeat(50), 'c'.repeat(50)];
    await put(open(), ...texts);
    const [path] = logFiles();
    const borders = bordersOf(path!);
    flip(path!, borders[index + 1]! - 10);
    const spool = open();
    expect(spool.recovery).toMatchObject({ records: 2, tornBytes: 0, damagedBytes: borders[index + 1]! - borders[index]! });
    expect(textsOf(takeAll(spool))).toEqual(texts.filter((_, at) => at !== index));
    expect(readFileSync(spool.recovery.kept[0]!, 'utf8')).toContain(texts[index]!.slice(0, 40));
  });

  test('any byte changed anywhere loses at most the record that it stands in, and never throws', async () => {
    const texts = ['first', 'second', 'third', 'fourth'];
    await put(open(), ...texts);
    const [path] = logFiles();
    const bytes = readFileSync(path!);
    const borders = bordersOf(path!);
    for (let offset = 0; offset < bytes.length; offset++) {
      const damaged = Buffer.from(bytes);
      damaged[offset]! ^= 0xff;
      writeFileSync(path!, damaged);
      const hit = borders.findLastIndex((border) => border <= offset);
      const spool = Spool.open(dir);
      expect(textsOf(takeAll(spool))).toEqual(texts.filter((_, index) => index !== hit));
      spool.close();
    }
  });

  test('a damaged record of a batch that was sent does not free its number', async () => {
    const spool = open();
    await put(spool, 'a', 'b');
    const sent = takeAll(spool)!;
    const [path] = logFiles();
    flip(path!, statSync(path!).size - 1);
    const reopened = open();
    await put(reopened, 'new');
    const again = takeAll(reopened)!;
    expect([again.token, textsOf(again)]).toEqual([sent.token, ['a']]);
    reopened.done(again);
    expect(textsOf(takeAll(reopened))).toEqual(['new']);
  });

  test('damage among what was done already is no loss', async () => {
    const spool = open();
    await put(spool, 'a', 'b', 'c');
    spool.done(spool.take(1, 1e9)!);
    const [path] = logFiles();
    flip(path!, 30);
    expect(open().recovery).toMatchObject({ records: 2, tornBytes: 0, damagedBytes: 0, kept: [] });
  });

  test('a record that the disk changes while it waits is not given out', async () => {
    const spool = open();
    await put(spool, 'a'.repeat(50));
    flip(logFiles()[0]!, 60);
    expect(() => takeAll(spool)).toThrow('changed on disk');
  });

  test('a slot of the progress file that was cut off leaves the other one', async () => {
    const spool = open();
    await put(spool, 'a', 'b');
    spool.done(spool.take(1, 1)!);
    const progress = join(dir, 'taken');
    const bytes = readFileSync(progress);
    const newest = bytes.subarray(0, 512).includes('"generation":2') ? 0 : 512;
    bytes.fill(0x20, newest + 4, newest + 512);
    writeFileSync(progress, bytes);
    const batch = takeAll(open())!; // as before done(): the same batch under the same token
    expect([batch.token.endsWith(':1-1'), textsOf(batch)]).toEqual([true, ['a']]);
  });

  test('any crash between any two steps gives each record back once, in the same batches', async () => {
    const steps = fc.array(fc.constantFrom('put', 'take', 'done', 'open'), { maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(steps, async (list) => {
        const home = mkdtempSync(join(dir, 'run-'));
        let spool = Spool.open(home);
        const stored = new Map<string, string>();
        let written = 0;
        for (const step of list) {
          if (step === 'put') await put(spool, `r${written++}`);
          if (step === 'open') spool = Spool.open(home);
          const batch = step === 'take' || step === 'done' ? spool.take(3, 1e9) : undefined;
          if (batch === undefined) continue;
          // What the store does: the first to come with a token counts.
          if (!stored.has(batch.token)) stored.set(batch.token, textsOf(batch).join());
          expect(stored.get(batch.token)).toBe(textsOf(batch).join());
          if (step === 'done') spool.done(batch);
        }
        for (let batch = spool.take(3, 1e9); batch; batch = spool.take(3, 1e9)) {
          if (!stored.has(batch.token)) stored.set(batch.token, textsOf(batch).join());
          spool.done(batch);
        }
        expect([...stored.values()].join()).toBe(Array.from({ length: written }, (_, i) => `r${i}`).join());
      }),
      { numRuns: 60 },
    );
  });
});
