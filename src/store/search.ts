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
import { traceIdList } from './trace-ids.ts';

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
  step: SearchStep,
  limit: number,
  startedBefore?: bigint,
): Promise<Result<Candidate[], StoreError>> {
  const sql = new CandidateQuery(`${store.layout.database}.spans`, step);
  const started = startedBefore === undefined ? '1' : sql.hasRowBefore(startedBefore);
  const query = sql.write(narrowing, started);
  const table = await store.client.columns(`${query} ORDER BY last DESC LIMIT ${limit} WITH TIES`, sql.params);
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
  step: SearchStep,
  traceIds: readonly string[],
): Promise<Result<Set<string>, StoreError>> {
  const sql = new CandidateQuery(`${store.layout.database}.spans`, step);
  const list = traceIdList(traceIds);
  const table = await store.client.columns(sql.write(narrowing, `trace_id IN (${list})`), sql.params);
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

/** Writes a query for candidates, and collects the values it mentions as parameters. */
class CandidateQuery {
  readonly params: Record<string, string | number> = {};
  readonly #table: string;
  readonly #step: SearchStep;
  /** Conditions on single rows, each once. */
  readonly #rowConditions = new Map<string, string>();

  constructor(table: string, step: SearchStep) {
    this.#table = table;
    this.#step = step;
  }

  /**
   * One pass over the rows that meet any of the conditions on rows. A trace is a candidate when its rows together meet the narrowing,
   * and one of them lies in the window; those around it count too.
   */
  write(narrowing: Narrowing, also: string): string {
    const { window, bounds } = this.#step;
    const having = this.#overRows(narrowing);
    const anyRow = `(${[...this.#rowConditions.values()].join(' OR ')})${this.#sharedOwner(narrowing)}`;
    if (!needsSeveralRows(narrowing)) {
      return `SELECT trace_id, max(ts) AS last FROM ${this.#table} WHERE ${this.#within(window)} AND ${anyRow} AND ${also} GROUP BY trace_id`;
    }
    const around = { from: later(window.from - SPREAD, bounds.from), to: earlier(window.to + SPREAD, bounds.to) };
    const inWindow = this.#within(window);
    return `SELECT trace_id, maxIf(ts, ${inWindow}) AS last FROM ${this.#table}
      WHERE ${this.#within(around)} AND ${anyRow} AND ${also}
      GROUP BY trace_id HAVING countIf(${inWindow}) > 0 AND ${having}`;
  }

  /** The row's trace has a row shortly before `time`. */
  hasRowBefore(time: bigint): string {
    return `trace_id GLOBAL IN (SELECT trace_id FROM ${this.#table} WHERE ${this.#within({ from: time - SPREAD, to: time })})`;
  }

  #within({ from, to }: SearchWindow): string {
    const start = this.#param(from.toString(), 'Int64');
    const end = this.#param(to.toString(), 'Int64');
    return `ts >= fromUnixTimestamp64Nano(${start}, 'UTC') AND ts < fromUnixTimestamp64Nano(${end}, 'UTC')`;
  }

  /** The narrowing as a condition on a group of rows of one trace. */
  #overRows(narrowing: Narrowing): string {
    switch (narrowing.kind) {
      case 'all':
        // What came inside another document is not needed to find a trace, and there is much of it.
        return this.#someRow('all', () => `bitAnd(flags, ${SpanFlag.embedded}) = 0`);
      case 'row':
        return this.#someRow(JSON.stringify(narrowing.test), () => this.#row(narrowing.test));
      case 'and':
      case 'or':
        return `(${narrowing.parts.map((part) => this.#overRows(part)).join(` ${narrowing.kind.toUpperCase()} `)})`;
      default:
        return assertNever(narrowing);
    }
  }

  /** Where all conditions are about rows of one node: said once more by itself, the database tests it first and on its own. */
  #sharedOwner(narrowing: Narrowing): string {
    const names = new Set(rowTests(narrowing).map((tests) => ownerOf(tests)));
    const [name] = names;
    return names.size === 1 && name !== undefined ? ` AND service IN (${this.#param(name, 'String')}, '')` : '';
  }

  #someRow(key: string, write: () => string): string {
    let condition = this.#rowConditions.get(key);
    if (condition === undefined) {
      condition = write();
      this.#rowConditions.set(key, condition);
    }
    return `countIf(${condition}) > 0`;
  }

  #row(tests: readonly ColumnTest[]): string {
    return `(${tests.map((test) => this.#test(test)).join(' AND ')})`;
  }

  #test(test: ColumnTest): string {
    switch (test.column) {
      case 'segment':
        return `bitTest(flags, 0)`;
      case 'owner':
        return `service IN (${this.#param(test.name, 'String')}, '')`;
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

function rowTests(narrowing: Narrowing): readonly (readonly ColumnTest[])[] {
  if (narrowing.kind === 'row') return [narrowing.test];
  return narrowing.kind === 'all' ? [[]] : narrowing.parts.flatMap(rowTests);
}

/** The node that a row must belong to, if it knows its node. */
function ownerOf(tests: readonly ColumnTest[]): string | undefined {
  for (const test of tests) {
    if (test.column === 'owner') return test.name;
    if (test.column === 'service' && test.operator === '=') return test.value;
  }
  return undefined;
}

/** Otherwise any row that meets a condition makes its trace a candidate. */
function needsSeveralRows(narrowing: Narrowing): boolean {
  return narrowing.kind === 'and' || (narrowing.kind === 'or' && narrowing.parts.some(needsSeveralRows));
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
