/** Charts as text for a terminal or a file. */
import type { BarChart, Cell, Chart, HistogramChart, LineChart, NamedValue, PieChart, TableChart } from './chart.ts';
import { drawBar } from './bar.ts';
import { drawFlame } from './draw-flame.ts';
import { drawHistogram, type HistogramRow } from './histogram.ts';
import { bold, cutToColumns, faint, padToColumns, toNumberText, widthOf, type DrawOptions } from './terminal.ts';

export type { DrawOptions } from './terminal.ts';

const LEVELS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** Lines, each ended by a newline, none wider than the terminal. What does not fit its height is cut, and said. */
export function drawChart(chart: Chart, options: DrawOptions): string {
  const unit = chart.unit === '' ? '' : ` (${chart.unit})`;
  const title = bold(cutToColumns(chart.title + unit, options.columns), options);
  return `${title}\n${drawBody(chart, options)}`;
}

function drawBody(chart: Chart, options: DrawOptions): string {
  switch (chart.type) {
    case 'pie':
    case 'bar':
      return drawShares(chart, options);
    case 'dist-bar':
      return drawDistribution(chart, options);
    case 'table':
      return drawTable(chart, options);
    case 'line':
      return drawLines(chart, options);
    case 'flame':
      return drawFlame(chart, options);
  }
}

/** Rows that fit below a title and above a line that says what was cut; all when the output is no terminal. */
function splitToFit<T>(
  rows: readonly T[],
  options: DrawOptions,
  otherLines: number,
): { readonly shown: readonly T[]; readonly cut: number } {
  if (options.rows === undefined) return { shown: rows, cut: 0 };
  const room = Math.max(3, options.rows - otherLines);
  const shown = rows.length <= room ? rows : rows.slice(0, room - 1);
  return { shown, cut: rows.length - shown.length };
}

function drawCut(cut: number, what: string, options: DrawOptions): string {
  return cut === 0 ? '' : `${faint(`… ${toNumberText(cut)} more ${what}`, options)}\n`;
}

/** Name, value, bar; a pie's values with their shares. */
function drawShares(chart: PieChart | BarChart, options: DrawOptions): string {
  const { data } = chart.series;
  if (data.length === 0) return '(no entries)\n';
  const { shown, cut } = splitToFit(data, options, 3);
  const { total } = chart.summary;
  const full = chart.type === 'pie' ? total : Math.max(...data.map(({ value }) => value));
  const texts = shown.map(({ value }) => shareText(chart, value, total));
  const nameWidth = Math.min(Math.max(...shown.map(({ name }) => widthOf(name))), Math.floor(options.columns / 2));
  const textWidth = Math.max(...texts.map((text) => text.length));
  const barWidth = Math.max(4, options.columns - nameWidth - textWidth - 4);
  const lines = shown.map(({ name, value }: NamedValue, index) => {
    const start = `${padToColumns(cutToColumns(name, nameWidth), nameWidth)}  ${texts[index]!.padStart(textWidth)}`;
    return `${start}  ${drawBar(full > 0 ? value / full : 0, barWidth)}`.trimEnd();
  });
  return `${lines.join('\n')}\n${drawCut(cut, 'entries', options)}`;
}

function shareText(chart: PieChart | BarChart, value: number, total: number): string {
  if (chart.type === 'bar') return toNumberText(value);
  return `${toNumberText(value)}  ${(total > 0 ? (100 * value) / total : 0).toFixed(1).padStart(5)}%`;
}

function drawDistribution(chart: HistogramChart, options: DrawOptions): string {
  const { min, max, avg, cnt } = chart.summary;
  const rows = Object.entries(chart.series.data).map(([bound, count]) => rowOf(BigInt(bound), BigInt(count)));
  rows.sort((a, b) => (a.first! < b.first! ? -1 : 1));
  const summary = `count ${toNumberText(cnt)}, min ${toNumberText(min)}, avg ${toNumberText(avg)}, max ${toNumberText(max)}`;
  return drawHistogram(rows, options.columns) + (cnt === 0 ? '' : `${faint(summary, options)}\n`);
}

/** A bucket by its bound nearest to zero. */
function rowOf(bound: bigint, count: bigint): HistogramRow {
  if (bound === 0n) return { first: 0n, last: 0n, count };
  return bound < 0n ? { first: bound * 2n + 1n, last: bound, count } : { first: bound, last: bound * 2n - 1n, count };
}

/** Numbers to the right, texts to the left; the widest columns give way when the line is too long. */
function drawTable(chart: TableChart, options: DrawOptions): string {
  const [header = [], ...rows] = chart.series.data;
  if (rows.length === 0) return '(no rows)\n';
  const { shown, cut } = splitToFit(rows, options, 4);
  const isNumber = header.map((_name, column) => shown.every((row) => typeof row[column] === 'number'));
  const texts = [header, ...shown].map((row) => row.map((cell, column) => toCellText(cell, column < chart.series.keys)));
  const widths = fitWidths(
    header.map((_name, column) => Math.max(...texts.map((row) => widthOf(row[column] ?? '')))),
    options.columns,
  );
  const lines = texts.map((row) =>
    row
      .map((text, column) => padToColumns(cutToColumns(text, widths[column]!), widths[column]!, isNumber[column]))
      .join('  ')
      .trimEnd(),
  );
  const rule = faint(
    '─'.repeat(
      Math.min(
        options.columns,
        widths.reduce((sum, width) => sum + width + 2, -2),
      ),
    ),
    options,
  );
  return `${[bold(lines[0]!, options), rule, ...lines.slice(1)].join('\n')}\n${drawCut(cut, 'rows', options)}`;
}

/** A cell is one line. A key's number is written plain: process 12345 is not a quantity. */
function toCellText(cell: Cell, key: boolean): string {
  if (typeof cell === 'number') return key ? String(cell) : toNumberText(cell);
  return cell.replace(/[\t\r\n]+/g, ' ').trim();
}

function fitWidths(wanted: readonly number[], columns: number): readonly number[] {
  const widths = [...wanted];
  const room = columns - 2 * (widths.length - 1);
  const total = (): number => widths.reduce((sum, width) => sum + width, 0);
  while (total() > room) {
    const widest = widths.indexOf(Math.max(...widths));
    if (widths[widest]! <= 4) break;
    widths[widest]! -= 1;
  }
  return widths;
}

/** For each line its name, its range, and a sparkline. */
function drawLines(chart: LineChart, options: DrawOptions): string {
  const { data } = chart.series;
  if (data.length === 0) return '(no points)\n';
  const { shown, cut } = splitToFit(data, options, 3);
  const nameWidth = Math.min(Math.max(...shown.map(({ name }) => widthOf(name))), Math.floor(options.columns / 3));
  const ranges = shown.map(({ points }) => {
    const values = points.map(([, y]) => y);
    return `${toNumberText(Math.min(...values))} … ${toNumberText(Math.max(...values))}`;
  });
  const rangeWidth = Math.max(...ranges.map((range) => range.length));
  const sparkWidth = Math.max(8, options.columns - nameWidth - rangeWidth - 4);
  const lines = shown.map(({ name, points }, index) => {
    const start = `${padToColumns(cutToColumns(name, nameWidth), nameWidth)}  ${ranges[index]!.padStart(rangeWidth)}`;
    return `${start}  ${drawSparkline(points, sparkWidth)}`;
  });
  return `${lines.join('\n')}\n${drawCut(cut, 'lines', options)}`;
}

/** Each column is the mean of the points that lie in it; one without points is a blank. */
function drawSparkline(points: readonly (readonly [x: number, y: number])[], columns: number): string {
  const first = points[0]![0];
  const span = points.at(-1)![0] - first;
  const width = Math.min(columns, points.length === 1 ? 1 : columns, span + 1);
  const sums = new Array<number>(Math.ceil(width)).fill(0);
  const counts = new Array<number>(sums.length).fill(0);
  for (const [x, y] of points) {
    const column = span === 0 ? 0 : Math.min(sums.length - 1, Math.floor(((x - first) / span) * sums.length));
    sums[column]! += y;
    counts[column]! += 1;
  }
  const means = sums.map((sum, column) => (counts[column] === 0 ? undefined : sum / counts[column]!));
  const known = means.filter((mean) => mean !== undefined);
  const low = Math.min(0, ...known);
  const high = Math.max(...known);
  return means.map((mean) => (mean === undefined ? ' ' : LEVELS[levelOf(mean, low, high)]!)).join('');
}

function levelOf(value: number, low: number, high: number): number {
  return high === low ? 0 : Math.round(((value - low) / (high - low)) * (LEVELS.length - 1));
}
