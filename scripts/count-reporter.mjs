// A vitest reporter that ends the run with one line for machines and people alike: `12 passed, 0 failed, 1 skipped`.
//
// A test file that could not be loaded, a suite whose preparation failed, and an error outside any test each count as one
// failure. A run without any test fails, and so does one with a skipped test where FLUORO_REQUIRE_KERNEL=1 says that the
// machine has everything that tests may need.

/**
 * Counts the outcomes of a run.
 * @param {readonly import("vitest/node").TestModule[]} modules
 * @param {number} strayErrors errors that belong to no test
 */
export function countOutcomes(modules, strayErrors) {
  const counts = { passed: 0, failed: strayErrors, skipped: 0 };
  for (const module of modules) {
    if (module.errors().length > 0) counts.failed += 1;
    for (const suite of module.children.allSuites()) {
      if (suite.errors().length > 0) counts.failed += 1;
    }
    for (const test of module.children.allTests()) {
      const state = test.result().state;
      if (state === 'passed') counts.passed += 1;
      else if (state === 'failed') counts.failed += 1;
      else counts.skipped += 1;
    }
  }
  return counts;
}

/**
 * Why a run fails although no test did; undefined when it does not.
 * @param {{ passed: number, failed: number, skipped: number }} counts
 * @param {boolean} maySkip
 */
export function findFault({ passed, failed, skipped }, maySkip) {
  if (passed + failed === 0) return 'no test ran';
  if (skipped > 0 && !maySkip) return `${skipped} tests were skipped, and FLUORO_REQUIRE_KERNEL=1 says that none need be`;
  return undefined;
}

/** @implements {import("vitest/node").Reporter} */
export default class CountReporter {
  #filtered = false;

  onInit(vitest) {
    this.#filtered = vitest.config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules, errors) {
    const counts = countOutcomes(modules, errors.length);
    const fault = findFault(counts, this.#filtered || process.env.FLUORO_REQUIRE_KERNEL !== '1');
    if (fault !== undefined) {
      console.error(fault);
      process.exitCode = 1;
    }
    // The last line of all: vitest's own summary is printed first.
    process.once('exit', () => {
      process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
    });
  }
}
