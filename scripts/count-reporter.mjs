// A vitest reporter that ends the run with one line for machines and people alike: `12 passed, 0 failed, 1 skipped`.
// A test file that could not be loaded, and an error outside any test, each count as one failure.

/**
 * Counts the outcomes of a run.
 * @param {readonly import("vitest/node").TestModule[]} modules
 * @param {number} strayErrors errors that belong to no test
 */
export function countOutcomes(modules, strayErrors) {
  const counts = { passed: 0, failed: strayErrors, skipped: 0 };
  for (const module of modules) {
    if (module.errors().length > 0) counts.failed += 1;
    for (const test of module.children.allTests()) {
      const state = test.result().state;
      if (state === 'passed') counts.passed += 1;
      else if (state === 'failed') counts.failed += 1;
      else counts.skipped += 1;
    }
  }
  return counts;
}

/** @implements {import("vitest/node").Reporter} */
export default class CountReporter {
  onTestRunEnd(modules, errors) {
    const { passed, failed, skipped } = countOutcomes(modules, errors.length);
    if (passed + failed === 0) {
      console.error('no test ran');
      process.exitCode = 1;
    }
    // The last line of all: vitest's own summary is printed first.
    process.once('exit', () => process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`));
  }
}
