/** Damaged programs give diagnostics, never an exception; what still compiles is well-formed. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { stateKnowledge } from '../../test/support/y-state-target.ts';
import { compile } from './compile.ts';
import { verifyIr } from './ir/verify.ts';

const FOLDER = new URL('../../testdata/y-ir/', import.meta.url);
const TEXTS = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.y'))
  .map((name) => readFileSync(new URL(name, FOLDER), 'utf8'));
const knowledge = stateKnowledge();

/** Numbers below `bound`, the same ones each time (a linear congruential generator). */
function numbers(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

/** Some tokens taken away, doubled, or exchanged for others of the program. */
function damage(text: string, next: (bound: number) => number): string {
  const tokens = text.match(/\w+|\s+|"[^"\n]*"|\/\/.*|[^\s\w]/g) ?? [];
  for (let times = 1 + next(3); times > 0; times--) {
    const at = next(tokens.length);
    const kind = next(3);
    if (kind === 0) tokens.splice(at, 1);
    else if (kind === 1) tokens.splice(at, 0, tokens[at]!);
    else tokens[at] = tokens[next(tokens.length)]!;
  }
  return tokens.join('');
}

test.each(TEXTS.map((text, index) => ({ index, text })))('program $index, damaged in many ways', ({ index, text }) => {
  const next = numbers(index + Number(process.env.SEED ?? 1));
  for (let round = 0; round < Number(process.env.ROUNDS ?? 60); round++) {
    const damaged = damage(text, next);
    let outcome: ReturnType<typeof compile>;
    try {
      outcome = compile({ file: 't.y', text: damaged, resolveInclude: () => undefined }, knowledge);
    } catch (thrown) {
      throw new Error(`round ${round}: ${String(thrown)}\n${damaged}`, { cause: thrown });
    }
    if (outcome.ok) expect(verifyIr(outcome.value.program)).toEqual([]);
    else expect(outcome.error.diagnostics.some((one) => one.severity === 'error')).toBe(true);
  }
});
