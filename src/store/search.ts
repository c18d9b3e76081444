/**
 * Finds traces that may match a filter, newest first: the narrowing of the filter becomes a condition on rows. What is found is then
 * fetched and tested exactly; so a candidate too many costs time, and one too few would be wrong.
 */
import { assertNever, ok, type Result } from '../base/index.ts';
import { SpanFlag, toAttributeValue } from '../record/index.ts';
import type { ColumnTest, Narrowing, RowFlag, TextColumn } from '../trace/index.ts';
import type { StoreError } from './client.ts';
import { ids, times } from './columns.ts';
import type { Store } from './store.ts';

/** Rows that start in [from, to) are looked at; nanoseconds since 1970, exact, since pages are cut between rows. */
export interface SearchWindow {
  readonly from: bigint;
  readonly to: bigint;
}

/** A window, and the bounds of the whole search: no row outside them matters. */
export interface SearchStep {
  readonly window: SearchWindow;
  readonly bounds: SearchWindow;
}

/** A trace with a row that fits in the window; `last` is the start of its newest such row (nanoseconds since 1970). */
export interface Candidate {
  readonly traceId: string;
  readonly last: bigint;
}

/** Where a condition needs several rows of a trace, they start within this time of each other (nanoseconds). */
const SPREAD = 600_000_000_000n;

/**
 * The newest `limit` candidates in the window (more when several tie for the last place), newest first.
 * `startedBefore`: only those that have a row before that time too (nanoseconds since 1970, not after the window's start).
 */
export async function findCandidates(
  store: Store,
  narrowing: Narrowing,
  { window, bounds }: SearchStep,
  limit: number,
  startedBefore?: bigint,
): Promise<Result<Candidate[], StoreError>> {
  const sql = new ConditionWriter(`${store.layout.database}.spans`, { window, bounds });
  const condition = sql.condition(narrowing);
  const started = startedBefore === undefined ? '' : `AND ${sql.hasRowBefore(startedBefore)}`;
  const table = await store.client.columns(
    `SELECT trace_id, max(ts) AS last FROM ${sql.table} WHERE ${sql.within(window)} AND ${condition} ${started}
     GROUP BY trace_id ORDER BY last DESC LIMIT ${limit} WITH TIES`,
    sql.params,
  );
  if (!table.ok) return table;
  const { seconds, nanos } = times(table.value, 'last');
  const bytes = ids(table.value, 'trace_id');
  return ok(
    Array.from(seconds, (second, row) => ({
      traceId: bytes.toString('hex', row * 16, row * 16 + 16),
      last: BigInt(second) * 1_000_000_000n + BigInt(nanos[row]!),
    })),
  );
}

/** Of the given traces, those with a row that fits in the window. */
export async function filterCandidates(
  store: Store,
  narrowing: Narrowing,
  { window, bounds }: SearchStep,
  traceIds: readonly string[],
): Promise<Result<Set<string>, StoreError>> {
  const sql = new ConditionWriter(`${store.layout.database}.spans`, { window, bounds });
  const condition = sql.condition(narrowing);
  const list = traceIds.map((id) => `unhex('${id.replace(/[^0-9a-f]/g, '')}')`).join(',');
  const table = await store.client.columns(
    `SELECT DISTINCT trace_id FROM ${sql.table} WHERE ${sql.within(window)} AND trace_id IN (${list}) AND ${condition}`,
    sql.params,
  );
  if (!table.ok) return table;
  const bytes = ids(table.value, 'trace_id');
  return ok(new Set(Array.from({ length: table.value.rows }, (_, row) => bytes.toString('hex', row * 16, row * 16 + 16))));
}

const FLAG_BITS: Readonly<Record<RowFlag, number>> = {
  error: SpanFlag.error,
  throttle: SpanFlag.throttle,
  fault: SpanFlag.fault,
  inProgress: SpanFlag.inProgress,
};

const TEXT_COLUMNS: Readonly<Record<TextColumn, string>> = {
  service: 'service',
  type: 'type',
  peer: 'peer',
  peerType: 'peer_type',
  url: 'url',
  method: 'method',
  userAgent: 'user_agent',
  clientIp: 'client_ip',
  user: 'user',
};

/** Writes conditions on rows, and collects the values they mention as parameters. */
class ConditionWriter {
  readonly params: Record<string, string | number> = {};
  readonly table: string;
  readonly #step: SearchStep;

  constructor(table: string, step: SearchStep) {
    this.table = table;
    this.#step = step;
  }

  within(window: SearchWindow): string {
    const from = this.#param(window.from.toString(), 'Int64');
    const to = this.#param(window.to.toString(), 'Int64');
    return `ts >= fromUnixTimestamp64Nano(${from}, 'UTC') AND ts < fromUnixTimestamp64Nano(${to}, 'UTC')`;
  }

  /** A condition on a row. For `and`, the row meets the first part and its trace has rows that meet the others. */
  condition(narrowing: Narrowing): string {
    switch (narrowing.kind) {
      case 'all':
        // What came inside another document is not needed to find a trace, and there is much of it.
        return `bitAnd(flags, ${SpanFlag.embedded}) = 0`;
      case 'row':
        return this.#row(narrowing.test);
      case 'or':
        return `(${narrowing.parts.map((part) => this.condition(part)).join(' OR ')})`;
      case 'and': {
        const [first, ...others] = narrowing.parts;
        const also = others.map((part) => this.#alsoInTrace(part));
        return `(${[this.condition(first!), ...also].join(' AND ')})`;
      }
      default:
        return assertNever(narrowing);
    }
  }

  /** The row's trace has a row shortly before `time`. */
  hasRowBefore(time: bigint): string {
    return `trace_id GLOBAL IN (SELECT trace_id FROM ${this.table} WHERE ${this.within({ from: time - SPREAD, to: time })})`;
  }

  #alsoInTrace(part: Narrowing): string {
    const { window, bounds } = this.#step;
    const around = { from: later(window.from - SPREAD, bounds.from), to: earlier(window.to + SPREAD, bounds.to) };
    return `trace_id GLOBAL IN (SELECT trace_id FROM ${this.table} WHERE ${this.within(around)} AND ${this.condition(part)})`;
  }

  #row(tests: readonly ColumnTest[]): string {
    return `(${tests.map((test) => this.#test(test)).join(' AND ')})`;
  }

  #test(test: ColumnTest): string {
    switch (test.column) {
      case 'segment':
        return `bitTest(flags, 0)`;
      case 'flags':
        return `bitAnd(flags, ${test.anyOf.reduce((bits, flag) => bits | FLAG_BITS[flag], 0)}) != 0`;
      case 'duration':
        return `dur ${test.operator} ${this.#param(durationBound(test.seconds), 'UInt64')}`;
      case 'status':
        return `status ${test.operator} ${this.#param(test.value, 'Float64')}`;
      case 'annotation':
        return this.#annotation(test);
      default:
        return this.#text(TEXT_COLUMNS[test.column], test.operator, test.value);
    }
  }

  #annotation(test: Extract<ColumnTest, { column: 'annotation' }>): string {
    const value = `attrs[${this.#param(test.key, 'String')}]`;
    // An annotation that is there is never stored as an empty text; every text contains an empty one.
    if (test.operator === 'exists' || (test.value === '' && test.operator !== '=')) return `${value} != ''`;
    if (typeof test.value === 'number') {
      return `toFloat64OrNull(${value}) ${test.operator} ${this.#param(test.value, 'Float64')}`;
    }
    return this.#text(value, test.operator, toAttributeValue(String(test.value)));
  }

  #text(column: string, operator: string, value: string): string {
    const parameter = this.#param(value, 'String');
    switch (operator) {
      case 'CONTAINS':
        return `position(${column}, ${parameter}) > 0`;
      case 'BEGINSWITH':
        return `startsWith(${column}, ${parameter})`;
      case 'ENDSWITH':
        return `endsWith(${column}, ${parameter})`;
      case '=':
      case '!=':
        return `${column} ${operator} ${parameter}`;
      default:
        return '1'; // an order of texts: not narrowed
    }
  }

  #param(value: string | number, type: string): string {
    const name = `p${Object.keys(this.params).length}`;
    this.params[name] = value;
    return `{${name}:${type}}`;
  }
}

function earlier(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function later(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

/** Whole nanoseconds, within what 64 bits hold. */
function durationBound(seconds: number): string {
  const nanos = Math.min(Math.max(0, seconds * 1e9), 9e18);
  return BigInt(Math.round(nanos)).toString();
}
