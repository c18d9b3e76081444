import type { Summary } from './statistics.ts';

/** A table in Markdown, its columns lined up so that it reads well on a terminal too; figures stand to the right. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, ...rows];
  const widths = header.map((_, column) => Math.max(3, ...lines.map((line) => line[column]?.length ?? 0)));
  const right = header.map((_, column) => rows.length > 0 && rows.every((row) => /^[\d.,-]/.test(row[column] ?? '')));
  const format = (line: readonly string[]) =>
    `| ${widths.map((width, column) => pad(line[column] ?? '', width, right[column] === true)).join(' | ')} |`;
  const rule = `|${widths.map((width, column) => (right[column] ? `${'-'.repeat(width + 1)}:` : '-'.repeat(width + 2))).join('|')}|`;
  return [format(header), rule, ...rows.map(format)].join('\n');
}

function pad(text: string, width: number, right: boolean): string {
  return right ? text.padStart(width) : text.padEnd(width);
}

/** A count or measure with three significant digits, thousands parted by commas. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const digits = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toLocaleString('en-US', { maximumFractionDigits: Math.min(digits, 6) });
}

/** Bytes as MB, e.g. `237 MB`. */
export function formatMegabytes(bytes: number): string {
  return `${formatNumber(bytes / 2 ** 20)} MB`;
}

/** Median and range, e.g. `12.1 (11.8 .. 14.0)`. */
export function formatSummary(summary: Summary): string {
  return `${formatNumber(summary.median)} (${formatNumber(summary.min)} .. ${formatNumber(summary.max)})`;
}
