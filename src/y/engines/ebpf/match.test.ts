// Regular expressions: the callback finds what `runRegex` finds.
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { block, irFunction, k, r } from '../../../../test/support/y-program.ts';
import { hitProgram, integerGlobal, prepareRun } from '../../../../test/support/y-ebpf.ts';
import { compileRegex, runRegex } from '../../regex/index.ts';

const GROUPS = 3;

test.each([
  ['a(b+)(c)?', true],
  ['^(a|ab)(c|bcd)', true],
  ['(a*?)(b{2,3})$', true],
  ['', true],
  ['[^b]c$', false],
  ['(?:ab)+|c', false],
])('rx/%s/ (bpf_loop or not)', (source, capturing) => {
  const compiled = compileRegex(source, '', 0);
  const groups = compiled.ok ? (source.match(/\((?!\?)/g)?.length ?? 0) + 1 : 0;
  const regex = compileRegex(source, '', capturing ? groups : 0);
  if (!regex.ok) throw new Error(regex.error.message);
  const subjects = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 12 }).map((letters) => letters.join(''));
  fc.assert(
    fc.property(subjects, fc.boolean(), (subject, loop) => {
      const bytes = new TextEncoder().encode(subject);
      const wanted = capturing ? Array.from({ length: GROUPS }, (_, group) => (group < groups ? { local: group } : undefined)) : [];
      const body = irFunction(
        [
          block([
            { op: 'move', to: 0, from: k(0) },
            { op: 'match', to: 0, regex: 0, subject: { literal: 0 }, groups: wanted },
            { op: 'store-global', global: GROUPS, offset: 0, size: 8, value: r(0) },
            ...Array.from({ length: GROUPS }, (_, local) => ({ op: 'copy-text', to: { global: local }, from: { local } }) as const),
          ]),
        ],
        { texts: new Array<number>(GROUPS).fill(16) },
      );
      const of = hitProgram([body], {
        literals: [bytes],
        regexes: [regex.value],
        globals: [
          ...Array.from({ length: GROUPS }, (_, index) => integerGlobal(`g${index}`, { kind: 'text', size: 16 })),
          integerGlobal('m'),
        ],
      });
      const run = prepareRun(of, {
        features: { loop, forEachElement: true, uprobeMulti: true, cookies: true, kernelFunctions: 'kprobe', lastThreadTold: true },
      });
      run.hit();
      const found = runRegex(regex.value, bytes);
      expect(run.global(GROUPS)).toBe(found === undefined ? 0n : 1n);
      if (found === undefined || !capturing) return;
      const texts = Array.from({ length: GROUPS }, (_, group) => {
        const start = group < groups ? found[2 * group]! : -1;
        return start === -1 ? '' : subject.slice(start, found[2 * group + 1]);
      });
      expect([0, 1, 2].map((group) => run.global(group))).toEqual(texts);
    }),
    { numRuns: 60 },
  );
});
