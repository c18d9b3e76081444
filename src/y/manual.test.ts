/** Every program of the manual compiles, with and without optimisation, to a well-formed program. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { stateKnowledge } from '../../test/support/y-state-target.ts';
import { compile } from './compile.ts';
import { verifyIr } from './ir/verify.ts';
import { renderDiagnostics } from './syntax/index.ts';

const MANUAL = readFileSync(new URL('../../docs/reference/y-language.md', import.meta.url), 'utf8');
const EXAMPLES = [...MANUAL.matchAll(/^```y\n(.*?)^```$/gms)].map(([, text], index) => ({ name: `example ${index + 1}`, text: text! }));

test('the manual has examples', () => {
  expect(EXAMPLES.length).toBeGreaterThan(20);
});

test.each(EXAMPLES)('$name compiles', ({ text }) => {
  for (const optimise of [false, true]) {
    const compiled = compile({ file: 'manual.y', text, resolveInclude: () => undefined }, stateKnowledge(), { optimise });
    if (!compiled.ok) expect(renderDiagnostics(compiled.error.diagnostics, compiled.error.sources, { color: false })).toBe('');
    else {
      expect(compiled.value.warnings.map((one) => one.message)).toEqual([]);
      expect(verifyIr(compiled.value.program)).toEqual([]);
    }
  }
});
