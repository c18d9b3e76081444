/** A trace's rows as the timeline walks, folds, searches and paints them: rows in display order, facts beside them in arrays. */
import type { TimelineRow, TraceAnswer } from '../../core.ts';
import { nodeKey } from '../../map/graph-model.ts';

export interface TimelineModel {
  readonly rows: readonly TimelineRow[];
  /** Epoch seconds; the end covers rows that outlast the root. */
  readonly start: number;
  readonly end: number;
  /** Index after the last row below row i. */
  readonly subtreeEnd: Int32Array;
  /** Which of `nodeKeys` row i belongs to; also its colour. */
  readonly nodeIndex: Uint16Array;
  readonly nodeKeys: readonly string[];
  /** Rows that failed, in order. */
  readonly failing: readonly number[];
  /** The failing row that has no failing row below it, faults before the rest: where the trouble probably began. */
  readonly likelyCause: number | undefined;
  readonly indexById: ReadonlyMap<string, number>;
}

export function toTimelineModel(trace: TraceAnswer): TimelineModel {
  const { rows } = trace;
  const subtreeEnd = new Int32Array(rows.length);
  const nodeIndex = new Uint16Array(rows.length);
  const failsBelow = new Uint8Array(rows.length);
  const nodes = new Map<string, number>();
  const indexById = new Map<string, number>();
  const failing: number[] = [];
  let start = trace.startSeconds;
  let end = trace.endSeconds;
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index]!;
    subtreeEnd[index] = index + 1;
    const key = nodeKey(row.node);
    if (!nodes.has(key)) nodes.set(key, nodes.size);
    nodeIndex[index] = nodes.get(key)!;
    indexById.set(row.id, index);
    if (row.outcome !== 'ok') failing.push(index);
    start = Math.min(start, row.startSeconds);
    end = Math.max(end, row.endSeconds ?? row.startSeconds);
  }
  for (let index = rows.length - 1; index >= 0; index--) {
    const { parent, outcome } = rows[index]!;
    if (parent < 0) continue;
    if (subtreeEnd[parent]! < subtreeEnd[index]!) subtreeEnd[parent] = subtreeEnd[index]!;
    if (outcome !== 'ok' || failsBelow[index]) failsBelow[parent] = 1;
  }
  // What an inferred row failed with is recorded on the row that called it.
  const recorded = (index: number | undefined): number | undefined =>
    index !== undefined && rows[index]!.inferred && rows[index]!.parent >= 0 ? rows[index]!.parent : index;
  const leaves = failing.filter((index) => !failsBelow[index]);
  return {
    rows,
    start,
    end: Math.max(end, start + 1e-6),
    subtreeEnd,
    nodeIndex,
    nodeKeys: [...nodes.keys()],
    failing,
    likelyCause: recorded(leaves.find((index) => rows[index]!.outcome === 'fault') ?? leaves[0]),
    indexById,
  };
}

export function hasChildren(model: TimelineModel, index: number): boolean {
  return model.subtreeEnd[index]! > index + 1;
}

/** The rows that are not below a folded one. */
export function visibleRows(model: TimelineModel, folded: ReadonlySet<number>): Int32Array {
  const visible = new Int32Array(model.rows.length);
  let count = 0;
  for (let index = 0; index < model.rows.length; index = folded.has(index) ? model.subtreeEnd[index]! : index + 1) visible[count++] = index;
  return visible.subarray(0, count);
}

/** Where `row` stands among `visible` (ascending); -1 when it is folded away. */
export function positionOf(visible: Int32Array, row: number): number {
  let low = 0;
  let high = visible.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const value = visible[middle]!;
    if (value === row) return middle;
    if (value < row) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

export function ancestorsOf(model: TimelineModel, index: number): number[] {
  const found: number[] = [];
  for (let row = model.rows[index]?.parent ?? -1; row >= 0; row = model.rows[row]!.parent) found.push(row);
  return found;
}

/** Rows whose name, node, URL, id or namespace holds the text, in order. */
export function findRows(model: TimelineModel, text: string): readonly number[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === '') return [];
  const found: number[] = [];
  for (let index = 0; index < model.rows.length; index++) if (rowText(model.rows[index]!).includes(wanted)) found.push(index);
  return found;
}

function rowText(row: TimelineRow): string {
  return `${row.name}\n${row.node.name}\n${row.method ?? ''} ${row.url ?? ''}\n${row.status ?? ''}\n${row.namespace ?? ''}\n${row.id}\n${row.outcome}`.toLowerCase();
}
