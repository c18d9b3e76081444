// Random programs: what the compiled code leaves in its maps is what the intermediate form means.
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { arbitraryArguments, arbitraryProgram } from '../../../../test/support/ir-arbitraries.ts';
import { evaluate } from '../../../../test/support/ir-evaluator.ts';
import { hasLoop, reachableFrom } from './walk.ts';
import type { Program } from '../../ir/program.ts';
import { callOf, OPTIONS, prepareRun } from '../../../../test/support/y-ebpf.ts';

const BUDGET = 60;

/** Two loops within each other have the root each. */
function smallBudget(program: Program): number {
  const [body, called] = program.functions;
  const calls = reachableFrom(program, [0]).length > 1;
  return hasLoop(body!) && calls && hasLoop(called!) ? Math.floor(BUDGET ** 0.5) : BUDGET;
}

test.each([true, false])('compiled random programs compute what they mean (bpf_loop: %s)', (loop) => {
  const limits = { ...OPTIONS.limits, loopBudget: BUDGET, smallLoopBudget: BUDGET };
  const options = { limits, features: { ...OPTIONS.features, loop } };
  let looped = 0;
  fc.assert(
    fc.property(arbitraryProgram, arbitraryArguments, (program, values) => {
      const run = prepareRun(program, options);
      run.hit(callOf(...values));
      const expected = evaluate(program, values, loop ? BUDGET : smallBudget(program));
      const arrays = [0, 1].map((array) => (run.compiled.storage.arrays[array] === undefined ? {} : run.array(array)));
      const globals = [0, 1, 2].map((global) => (run.compiled.storage.globals[global] === undefined ? 0n : run.global(global)));
      expect({ globals, arrays, losses: run.losses() }).toEqual(expected);
      if (run.compiled.object.maps.some(({ name }) => name === 'frames')) looped++;
    }),
    { numRuns: 400 },
  );
  expect(looped).toBeGreaterThan(50);
});
