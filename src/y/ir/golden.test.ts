/** What small programs become: `testdata/y-ir/NAME.y` to `NAME.ir`, plain and optimised. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { expectGolden } from '../../../test/support/golden.ts';
import { stateKnowledge } from '../../../test/support/y-state-target.ts';
import { checkSource, compile } from '../compile.ts';
import { renderDiagnostics } from '../syntax/index.ts';
import { dumpIr } from './dump.ts';
import { lower } from './lower/lower.ts';
import { PASSES } from './optimise/index.ts';
import { verifyIr } from './verify.ts';

const FOLDER = new URL('../../../testdata/y-ir/', import.meta.url);
const NAMES = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.y'))
  .map((name) => name.slice(0, -2));

function source(name: string) {
  return { file: `${name}.y`, text: readFileSync(new URL(`${name}.y`, FOLDER), 'utf8'), resolveInclude: () => undefined };
}

test.each(NAMES)('%s becomes what its golden file says', (name) => {
  for (const optimise of [false, true]) {
    const compiled = compile(source(name), stateKnowledge(), { optimise });
    if (!compiled.ok) throw new Error(renderDiagnostics(compiled.error.diagnostics, compiled.error.sources, { color: false }));
    expectGolden(`y-ir/${name}${optimise ? '' : '.plain'}.ir`, dumpIr(compiled.value.program));
  }
});

test.each(NAMES)('%s is well-formed after each pass', (name) => {
  const checked = checkSource(source(name), stateKnowledge());
  if (!checked.ok) throw new Error('it does not compile');
  let program = lower(checked.value.program);
  expect(verifyIr(program)).toEqual([]);
  for (const pass of PASSES) {
    program = { ...program, functions: program.functions.map((fn) => pass.run(fn)) };
    expect([pass.name, ...verifyIr(program)]).toEqual([pass.name]);
  }
});
