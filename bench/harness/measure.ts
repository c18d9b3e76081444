import { summarize, type Summary } from './statistics.ts';

export interface MeasureOptions {
  /** Measured runs of each case; 7 if absent. */
  readonly repeat?: number;
  /** Runs before them that do not count; 1 if absent. */
  readonly warmUp?: number;
}

/** Milliseconds that each run of `work` takes. */
export async function measure(work: () => unknown, options: MeasureOptions = {}): Promise<Summary> {
  const { work: summary } = await measureInTurn({ work }, options);
  return summary;
}

/**
 * Milliseconds that each run of several cases takes. The cases take turns, so that what disturbs the machine for a while
 * disturbs all of them alike: only such figures may be compared.
 */
export async function measureInTurn<Name extends string>(
  cases: Readonly<Record<Name, () => unknown>>,
  { repeat = 7, warmUp = 1 }: MeasureOptions = {},
): Promise<Record<Name, Summary>> {
  const names = Object.keys(cases) as Name[];
  const times = new Map<Name, number[]>(names.map((name) => [name, []]));
  for (let round = -warmUp; round < repeat; round++) {
    for (const name of names) {
      const start = performance.now();
      await cases[name]();
      const elapsed = performance.now() - start;
      if (round >= 0) times.get(name)?.push(elapsed);
    }
  }
  return Object.fromEntries(names.map((name) => [name, summarize(times.get(name) ?? [])])) as Record<Name, Summary>;
}
