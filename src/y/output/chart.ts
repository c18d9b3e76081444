/**
 * Charts as the JSON objects that `--json` prints and the page draws; `docs/reference/chart-json.md` is their manual. Integers that
 * JSON's numbers cannot hold exactly (above 2^53) are rounded.
 */
export type Chart = PieChart | BarChart | HistogramChart | TableChart | LineChart | FlameChart;

interface ChartHead {
  readonly title: string;
  /** Of the values: `bytes`, `ns`, …; empty when the program says none. */
  readonly unit: string;
  readonly ver: 1;
}

/** Shares of a whole, largest first. */
export interface PieChart extends ChartHead {
  readonly type: 'pie';
  readonly series: { readonly name: string; readonly data: readonly NamedValue[] };
  readonly summary: Totals;
}

/** Values by name, largest first. */
export interface BarChart extends ChartHead {
  readonly type: 'bar';
  readonly series: { readonly name: string; readonly data: readonly NamedValue[] };
  readonly summary: Totals;
}

export interface NamedValue {
  readonly name: string;
  readonly value: number;
}

export interface Totals {
  readonly total: number;
  /** Entries, or stacks. */
  readonly count: number;
}

/** Counts of samples by powers of two. */
export interface HistogramChart extends ChartHead {
  readonly type: 'dist-bar';
  /**
   * `data`: a bucket's bound nearest to zero to its count. `0`, `1`, `2` (2–3), `4` (4–7) …; `-2` (-3 – -2), `-4` … Empty buckets between
   * filled ones are there.
   */
  readonly series: { readonly name: string; readonly data: Readonly<Record<string, number>> };
  readonly summary: { readonly min: number; readonly max: number; readonly avg: number; readonly cnt: number };
}

export type Cell = string | number;

export interface TableChart extends ChartHead {
  readonly type: 'table';
  /** `data`: the first row is the header. The first `keys` columns are keys: their numbers name something and measure nothing. */
  readonly series: { readonly name: string; readonly keys: number; readonly data: readonly (readonly Cell[])[] };
  readonly summary: { readonly count: number };
}

export interface LineChart extends ChartHead {
  readonly type: 'line';
  /** Points ascend by their first number. */
  readonly series: { readonly name: string; readonly data: readonly Line[] };
  readonly summary: { readonly count: number };
}

export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface FlameChart extends ChartHead {
  readonly type: 'flame';
  /** `frames`: each name once. A stack lists indices into it, outermost first. */
  readonly series: { readonly name: string; readonly frames: readonly string[]; readonly data: readonly FoldedStack[] };
  readonly summary: Totals;
}

export interface FoldedStack {
  readonly stack: readonly number[];
  readonly value: number;
}
