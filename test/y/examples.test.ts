// Every program of the manual and of the conformance sets beside this file, on every engine that can run it.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { parseExamples } from './support/examples.ts';
import { Bench, enginesOf } from './support/run-example.ts';
import { Targets } from './support/targets.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const MANUAL = fileURLToPath(new URL('../../docs/reference/y-language.md', import.meta.url));
const SETS = [
  MANUAL,
  ...readdirSync(HERE)
    .filter((name) => name.endsWith('.md'))
    .map((name) => HERE + name),
];

let targets: Targets;
let bench: Bench;
beforeAll(() => {
  targets = new Targets();
  bench = new Bench(targets);
});
afterAll(() => bench.close());

describe.each(SETS)('%s', (path) => {
  const examples = parseExamples(readFileSync(path, 'utf8'));
  const cases = examples.flatMap((example) => enginesOf(example).map((engine) => ({ ...example, example, engine })));
  test.each(cases)('$line $name on $engine', async ({ example, engine }) => {
    expect(await bench.run(example, engine)).toBe(example.expected.text);
  });
});

void requireOrSkip;
