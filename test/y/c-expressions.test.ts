// A batch of made-up C expressions: what gcc's program computes, both engines compute.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseExamples, type Engine } from './support/examples.ts';
import { Bench } from './support/run-example.ts';
import { Targets } from './support/targets.ts';

const EXPRESSIONS = 400;
const IN_A_PROGRAM = 50;
const VARIABLES: readonly (readonly [type: string, value: string])[] = [
  ['char', '-77'],
  ['char', '65'],
  ['signed char', '-128'],
  ['unsigned char', '200'],
  ['unsigned char', '255'],
  ['short', '-32768'],
  ['short', '1234'],
  ['unsigned short', '65535'],
  ['unsigned short', '40000'],
  ['int', '-2147483647'],
  ['int', '2147483647'],
  ['int', '-1'],
  ['int', '7'],
  ['unsigned', '4294967295u'],
  ['unsigned', '2147483648u'],
  ['long', '-9223372036854775807l'],
  ['long', '1099511627776l'],
  ['long', '-3l'],
  ['unsigned long', '18446744073709551615ul'],
  ['unsigned long', '9223372036854775808ul'],
  ['bool', '1'],
];
const TYPES = ['char', 'signed char', 'unsigned char', 'short', 'unsigned short', 'int', 'unsigned', 'long', 'unsigned long', 'bool'];
const LITERALS = ['0', '1', '3', '255', '0x7fffffff', '0x80000000', '4000000000', '1l', '5u', "'a'", '0xffffffffffffffff', '100000ul'];
const BINARY = ['+', '-', '*', '&', '|', '^', '<', '<=', '>', '>=', '==', '!=', '&&', '||'];

/** The same numbers in every run: a linear congruential generator (Numerical Recipes' constants). */
class Random {
  #state = 20_260;

  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * limit);
  }

  choose<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }
}

/** Nothing that C leaves undefined: shifts stay within 0 … 7 bits, divisors within 3 … 10; gcc wraps signed numbers. */
function makeExpression(random: Random, depth: number): string {
  const inner = (): string => makeExpression(random, depth - 1);
  const kind = depth === 0 ? random.below(2) : 2 + random.below(8);
  if (kind === 0) return `v${random.below(VARIABLES.length)}`;
  if (kind === 1) return random.choose(LITERALS);
  if (kind === 2) return `${random.choose(['-', '~', '!', '+'])}(${inner()})`;
  if (kind === 3) return `(${random.choose(TYPES)})(${inner()})`;
  if (kind === 4) return `(${inner()} ? ${inner()} : ${inner()})`;
  if (kind === 5) return `((${inner()}) ${random.choose(['<<', '>>'])} ((${inner()}) & 7))`;
  if (kind === 6) return `((${inner()}) ${random.choose(['/', '%'])} (((${inner()}) & 7) + 3))`;
  return `(${inner()} ${random.choose(BINARY)} ${inner()})`;
}

const random = new Random();
const expressions = Array.from({ length: EXPRESSIONS }, (_, index) => makeExpression(random, 1 + (index % 4)));
const declarations = VARIABLES.map(([type, value], index) => `${type} v${index} = ${value};`).join('\n');
const batches = Array.from({ length: EXPRESSIONS / IN_A_PROGRAM }, (_, index) => index * IN_A_PROGRAM);

let folder: string;
let bench: Bench;
let expected: readonly string[];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fluoro-c-'));
  bench = new Bench(new Targets());
  const prints = expressions.map((one) => `printf("%ld\\n", (long)(${one}));`).join('\n');
  const source = `#include <stdio.h>\n#include <stdbool.h>\n${declarations}\nint main(void) {\n${prints}\n}\n`;
  writeFileSync(join(folder, 'expressions.c'), source);
  execFileSync('gcc', ['-w', '-O0', '-fwrapv', join(folder, 'expressions.c'), '-o', join(folder, 'expressions')]);
  expected = execFileSync(join(folder, 'expressions'), { encoding: 'utf8' }).trimEnd().split('\n');
});
afterAll(() => {
  bench.close();
  rmSync(folder, { recursive: true });
});

/** The variables are globals of the script, or locals that the optimiser sees through. */
const FORMS: readonly [name: string, program: (prints: string) => string][] = [
  ['globals', (prints) => `${declarations}\n_probe PROBE {\n${prints}\n}\n`],
  ['locals', (prints) => `_probe PROBE {\n${declarations}\n${prints}\n}\n`],
];
const cases = FORMS.flatMap(([form, program]) =>
  (['live', 'ebpf'] as const).flatMap((engine) => batches.map((first) => ({ form, program, engine, first }))),
);

test.each(cases)('expressions from $first of $form on $engine', async ({ program, engine, first }) => {
  const batch = expressions.slice(first, first + IN_A_PROGRAM);
  const printed = await run(program(batch.map((one) => `printf("%ld\\n", (long)(${one}));`).join('\n')), engine);
  expect(printed).toHaveLength(batch.length);
  const wrong = printed.flatMap((value, index) =>
    value === expected[first + index] ? [] : [`${batch[index]}: ${value}, C: ${expected[first + index]}`],
  );
  expect(wrong).toEqual([]);
});

async function run(code: string, engine: Engine): Promise<readonly string[]> {
  const [example] = parseExamples(`# made up\n\n\`\`\`y\n${code}\`\`\`\n\`\`\`text\n\`\`\`\n`);
  return (await bench.run(example!, engine)).trimEnd().split('\n');
}
