import type { TraceListItem } from '../core.ts';
import { formatUtc } from '../time/format.ts';

const COLUMNS: readonly (readonly [string, (trace: TraceListItem) => string | number | undefined])[] = [
  ['id', (trace) => trace.id],
  ['outcome', (trace) => trace.outcome],
  ['partial', (trace) => String(trace.partial)],
  ['start', (trace) => formatUtc(trace.startSeconds)],
  ['response_seconds', (trace) => trace.responseSeconds],
  ['duration_seconds', (trace) => trace.durationSeconds],
  ['method', (trace) => trace.http.method],
  ['url', (trace) => trace.http.url],
  ['status', (trace) => trace.http.status],
  ['client_ip', (trace) => trace.http.clientIp],
  ['user_agent', (trace) => trace.http.userAgent],
  ['entry', (trace) => trace.entry?.name],
  ['entry_type', (trace) => trace.entry?.type],
  ['users', (trace) => trace.users.join(' ')],
  ['nodes', (trace) => trace.nodes.join(' ')],
  ['segments', (trace) => trace.segments],
  ['annotations', (trace) => JSON.stringify(trace.annotations)],
];

/** RFC 4180. Text that a spreadsheet would take for a formula gets an apostrophe before it: URLs and agents come from strangers. */
export function toCsv(traces: readonly TraceListItem[]): string {
  const lines = [COLUMNS.map(([name]) => name).join(',')];
  for (const trace of traces) lines.push(COLUMNS.map(([, read]) => field(read(trace))).join(','));
  return `${lines.join('\r\n')}\r\n`;
}

function field(value: string | number | undefined): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function downloadCsv(traces: readonly TraceListItem[]): void {
  const url = URL.createObjectURL(new Blob([toCsv(traces)], { type: 'text/csv' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = `traces-${new Date().toISOString().slice(0, 19).replaceAll(':', '')}.csv`;
  link.click();
  URL.revokeObjectURL(url);
}
