// Every program of the manual and of the conformance sets beside this file, on every engine that can run it.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseExamples, type Example } from './support/examples.ts';
import { Bench, enginesOf, Unsupported } from './support/run-example.ts';
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

/** With UPDATE_GOLDEN=1: what came out, by where it belongs in the file. */
const updates = new Map<Example, string>();

describe.each(SETS)('%s', (path) => {
  const text = readFileSync(path, 'utf8');
  const examples = parseExamples(text);
  const cases = examples.flatMap((example) => enginesOf(example).map((engine) => ({ ...example, example, engine })));
  test.for(cases)('$line $name on $engine', async ({ example, engine }, context) => {
    if (!bench.canBuild(example)) context.skip(`no compiler for ${example.target}`);
    const printed = await bench.run(example, engine).catch((cause: unknown) => {
      if (cause instanceof Unsupported) context.skip(cause.message);
      throw cause;
    });
    if (process.env.UPDATE_GOLDEN === '1' && !updates.has(example)) updates.set(example, printed);
    expect(printed).toBe(updates.get(example) ?? example.expected.text);
  });
  afterAll(() => {
    const changed = examples.filter((example) => updates.has(example) && updates.get(example) !== example.expected.text);
    const rewrite = (all: string, example: Example): string =>
      all.slice(0, example.answer.start) + updates.get(example) + all.slice(example.answer.end);
    if (changed.length > 0) writeFileSync(path, changed.toReversed().reduce(rewrite, text));
  });
});
