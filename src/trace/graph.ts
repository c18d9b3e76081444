/**
 * The service graph of a set of spans: nodes with what they served, edges with what their callers saw.
 *
 * One implementation for a single trace and for a minute of a busy system, so it works on flat columns: one hash table from span to row,
 * no object per span. Rules (X-Ray developer guide, "service graph"; see docs/reference/service-graph.md):
 * - a segment counts for its node; it is called from the node of its parent, as its parent subsegment saw it;
 * - a segment without a parent is called by a client;
 * - a subsegment that calls out and that no segment names as its parent stands for an inferred node, unless it says that its callee is traced;
 * - a span that was received more than once counts once: the complete one, then the longest.
 */
import { Histogram } from './histogram.ts';

/** Bits of `GraphRows.flags`. */
export const GraphFlag = { segment: 1, inProgress: 4, error: 8, throttle: 16, fault: 32, traced: 64 } as const;

/** Spans as columns, `count` of them, in any order. Traces must be whole for their edges to be found. */
export interface GraphRows {
  readonly count: number;
  /** 16 bytes each. */
  readonly traceIds: Uint8Array;
  /** 8 bytes each. */
  readonly spanIds: Uint8Array;
  /** 8 bytes each, zero for none. */
  readonly parentIds: Uint8Array;
  /** Start, epoch seconds. */
  readonly starts: Float64Array;
  readonly durationNanos: Float64Array;
  readonly flags: ArrayLike<number>;
  /** Node of the span's segment; empty when only its parents know. */
  readonly service: readonly string[];
  readonly type: readonly string[];
  /** Node that the span calls; empty for none. */
  readonly peer: readonly string[];
  readonly peerType: readonly string[];
}

/** Requests by outcome, with their times. */
export class Tally {
  total = 0;
  errors = 0;
  throttles = 0;
  faults = 0;
  nanos = 0;
  firstSeconds = Infinity;
  lastSeconds = -Infinity;
  readonly histogram = new Histogram();

  /** Counts one request: `errors` are those that are not faults, throttles among them. */
  add(flags: number, startSeconds: number, durationNanos: number): void {
    this.total++;
    if ((flags & GraphFlag.fault) !== 0) this.faults++;
    else if ((flags & (GraphFlag.error | GraphFlag.throttle)) !== 0) {
      this.errors++;
      if ((flags & GraphFlag.throttle) !== 0) this.throttles++;
    }
    this.nanos += durationNanos;
    this.histogram.add(durationNanos);
    if (startSeconds < this.firstSeconds) this.firstSeconds = startSeconds;
    const end = startSeconds + durationNanos / 1e9;
    if (end > this.lastSeconds) this.lastSeconds = end;
  }

  merge(other: Tally): void {
    this.total += other.total;
    this.errors += other.errors;
    this.throttles += other.throttles;
    this.faults += other.faults;
    this.nanos += other.nanos;
    this.firstSeconds = Math.min(this.firstSeconds, other.firstSeconds);
    this.lastSeconds = Math.max(this.lastSeconds, other.lastSeconds);
    this.histogram.merge(other.histogram);
  }
}

export interface GraphNodeTally {
  readonly name: string;
  readonly type: string;
  /** Answered a request that no traced service made. */
  root: boolean;
  /** Reports its own segments. */
  active: boolean;
  readonly tally: Tally;
}

export interface GraphEdgeTally {
  readonly from: { readonly name: string; readonly type: string };
  readonly to: { readonly name: string; readonly type: string };
  readonly tally: Tally;
}

export interface GraphTally {
  readonly nodes: ReadonlyMap<string, GraphNodeTally>;
  readonly edges: ReadonlyMap<string, GraphEdgeTally>;
}

/** Type of the node that stands for whoever sent a request from outside. */
export const CLIENT_TYPE = 'client';

const NONE = -1;
/** Deeper chains of subsegments without a known segment are given up: a cycle, or nonsense. */
const MAX_CHAIN = 10_000;

/** Counts the spans that start in [fromSeconds, toSeconds); the others only give context. hot: about 1 µs per row. */
export function tallyGraph(rows: GraphRows, fromSeconds = -Infinity, toSeconds = Infinity): GraphTally {
  const index = new SpanIndex(rows);
  const parents = index.parents();
  const called = markCalled(rows, index, parents);
  const graph = new GraphBuilder(rows, parents);
  for (let row = 0; row < rows.count; row++) {
    const start = rows.starts[row]!;
    if (start < fromSeconds || start >= toSeconds || index.isStale(row)) continue;
    const flags = rows.flags[row]!;
    if ((flags & GraphFlag.segment) !== 0) graph.addSegment(row);
    // A call that nobody made (an OTLP client span without a parent) is a segment and calls out.
    if (rows.peer[row] !== '' && called[row] === 0 && (flags & GraphFlag.traced) === 0) graph.addInferred(row);
  }
  return { nodes: graph.nodes, edges: graph.edges };
}

/** Adds up graphs of disjoint sets of traces. The first is added to and returned. */
export function mergeGraphs(parts: readonly GraphTally[]): GraphTally {
  const nodes = new Map<string, GraphNodeTally>();
  const edges = new Map<string, GraphEdgeTally>();
  for (const part of parts) {
    for (const [key, node] of part.nodes) {
      const known = nodes.get(key);
      if (!known) nodes.set(key, node);
      else {
        known.root ||= node.root;
        known.active ||= node.active;
        known.tally.merge(node.tally);
      }
    }
    for (const [key, edge] of part.edges) {
      const known = edges.get(key);
      if (known) known.tally.merge(edge.tally);
      else edges.set(key, edge);
    }
  }
  return { nodes, edges };
}

/** Which rows are named as the parent of a segment. */
function markCalled(rows: GraphRows, index: SpanIndex, parents: Int32Array): Uint8Array {
  const called = new Uint8Array(rows.count);
  for (let row = 0; row < rows.count; row++) {
    const parent = parents[row]!;
    if (parent !== NONE && !index.isStale(row) && (rows.flags[row]! & GraphFlag.segment) !== 0) called[parent] = 1;
  }
  return called;
}

/** Open-addressing hash table from (trace, span) to row; of rows with the same key the best one stays. */
class SpanIndex {
  readonly #rows: GraphRows;
  readonly #slots: Int32Array;
  readonly #mask: number;
  readonly #stale: Uint8Array;
  readonly #traces: DataView;
  readonly #spans: DataView;
  readonly #parents: DataView;

  constructor(rows: GraphRows) {
    this.#rows = rows;
    const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#traces = view(rows.traceIds);
    this.#spans = view(rows.spanIds);
    this.#parents = view(rows.parentIds);
    let capacity = 16;
    while (capacity < rows.count * 2) capacity *= 2;
    this.#mask = capacity - 1;
    this.#slots = new Int32Array(capacity).fill(NONE);
    this.#stale = new Uint8Array(rows.count);
    for (let row = 0; row < rows.count; row++) this.#insert(row);
  }

  /** A better copy of the same span is among the rows. */
  isStale(row: number): boolean {
    return this.#stale[row] === 1;
  }

  /** The row of each row's parent, or -1. */
  parents(): Int32Array {
    const parents = new Int32Array(this.#rows.count);
    for (let row = 0; row < parents.length; row++) {
      const low = this.#parents.getUint32(row * 8, true);
      const high = this.#parents.getUint32(row * 8 + 4, true);
      const found = low === 0 && high === 0 ? NONE : this.#find(row, low, high);
      parents[row] = found === row ? NONE : found;
    }
    return parents;
  }

  #insert(row: number): void {
    const low = this.#spans.getUint32(row * 8, true);
    const high = this.#spans.getUint32(row * 8 + 4, true);
    for (let slot = this.#slotOf(row, low, high); ; slot = (slot + 1) & this.#mask) {
      const other = this.#slots[slot]!;
      if (other === NONE) {
        this.#slots[slot] = row;
        return;
      }
      if (!this.#isSpan(other, low, high) || !this.#sameTrace(other, row)) continue;
      const better = this.#isBetter(row, other);
      this.#stale[better ? other : row] = 1;
      if (better) this.#slots[slot] = row;
      return;
    }
  }

  #find(row: number, low: number, high: number): number {
    for (let slot = this.#slotOf(row, low, high); ; slot = (slot + 1) & this.#mask) {
      const other = this.#slots[slot]!;
      if (other === NONE || (this.#isSpan(other, low, high) && this.#sameTrace(other, row))) return other;
    }
  }

  /** The trace counts too: some senders number the spans of each trace from one. */
  #slotOf(row: number, low: number, high: number): number {
    const trace = this.#traces.getUint32(row * 16 + 12, true);
    const mixed = Math.imul(low ^ Math.imul(high ^ Math.imul(trace, 0xc2b2ae35), 0x9e3779b1), 0x85ebca6b);
    return (mixed ^ (mixed >>> 15)) & this.#mask;
  }

  #isSpan(row: number, low: number, high: number): boolean {
    return this.#spans.getUint32(row * 8, true) === low && this.#spans.getUint32(row * 8 + 4, true) === high;
  }

  #sameTrace(a: number, b: number): boolean {
    for (let at = 0; at < 16; at += 4) {
      if (this.#traces.getUint32(a * 16 + at, true) !== this.#traces.getUint32(b * 16 + at, true)) return false;
    }
    return true;
  }

  #isBetter(row: number, other: number): boolean {
    const open = this.#rows.flags[row]! & GraphFlag.inProgress;
    const otherOpen = this.#rows.flags[other]! & GraphFlag.inProgress;
    if (open !== otherOpen) return open === 0;
    const longer = this.#rows.durationNanos[row]! - this.#rows.durationNanos[other]!;
    return longer === 0 ? this.#comesFirst(row, other) : longer > 0;
  }

  /** Between equals anything will do that does not depend on the order in which they came. */
  #comesFirst(row: number, other: number): boolean {
    const { starts, flags, service, type, peer, peerType } = this.#rows;
    if (starts[row] !== starts[other]) return starts[row]! < starts[other]!;
    if (flags[row] !== flags[other]) return flags[row]! > flags[other]!;
    for (const texts of [service, type, peer, peerType]) {
      if (texts[row] !== texts[other]) return texts[row]! > texts[other]!;
    }
    return this.#parentText(row) > this.#parentText(other);
  }

  #parentText(row: number): string {
    return `${this.#parents.getUint32(row * 8)} ${this.#parents.getUint32(row * 8 + 4)}`;
  }
}

class GraphBuilder {
  readonly nodes = new Map<string, GraphNodeTally>();
  readonly edges = new Map<string, GraphEdgeTally>();
  readonly #rows: GraphRows;
  readonly #parents: Int32Array;

  constructor(rows: GraphRows, parents: Int32Array) {
    this.#rows = rows;
    this.#parents = parents;
  }

  addSegment(row: number): void {
    const { service, type, flags, starts, durationNanos } = this.#rows;
    const name = service[row]!;
    const nodeType = type[row]!;
    const node = this.#node(name, nodeType);
    node.active = true;
    const parent = this.#parents[row]!;
    if (parent === NONE && this.#hasNoParent(row)) {
      node.root = true;
      this.#node(name, CLIENT_TYPE);
      this.#count(row, this.#edge(name, CLIENT_TYPE, name, nodeType));
    }
    if (parent !== NONE) this.#addCall(row, parent, name, nodeType);
    if ((flags[row]! & GraphFlag.inProgress) === 0) node.tally.add(flags[row]!, starts[row]!, durationNanos[row]!);
  }

  addInferred(row: number): void {
    const owner = this.#ownerOf(row);
    if (owner === NONE) return; // its segment has not come: who called is not known yet
    const { peer, peerType, service, type } = this.#rows;
    this.#count(row, this.#node(peer[row]!, peerType[row]!).tally);
    this.#count(row, this.#edge(service[owner]!, type[owner]!, peer[row]!, peerType[row]!));
  }

  /** The caller's view when the caller has one of its own: its subsegment. */
  #addCall(row: number, parent: number, name: string, type: string): void {
    const owner = this.#ownerOf(parent);
    if (owner === NONE) return;
    const edge = this.#edge(this.#rows.service[owner]!, this.#rows.type[owner]!, name, type);
    const isCall = (this.#rows.flags[parent]! & GraphFlag.segment) === 0 || this.#rows.peer[parent] !== '';
    this.#count(isCall ? parent : row, edge);
  }

  #count(row: number, tally: Tally): void {
    const { flags, starts, durationNanos } = this.#rows;
    if ((flags[row]! & GraphFlag.inProgress) === 0) tally.add(flags[row]!, starts[row]!, durationNanos[row]!);
  }

  #hasNoParent(row: number): boolean {
    const { parentIds } = this.#rows;
    for (let at = row * 8; at < row * 8 + 8; at++) if (parentIds[at] !== 0) return false;
    return true;
  }

  /** The nearest row, itself or above, that knows its node; -1 when there is none. */
  #ownerOf(row: number): number {
    const { service } = this.#rows;
    let current = row;
    for (let steps = 0; steps < MAX_CHAIN && current !== NONE; steps++) {
      if (service[current] !== '') return current;
      current = this.#parents[current]!;
    }
    return NONE;
  }

  #node(name: string, type: string): GraphNodeTally {
    const key = `${type}\n${name}`;
    let node = this.nodes.get(key);
    if (node === undefined) {
      node = { name, type, root: false, active: false, tally: new Tally() };
      this.nodes.set(key, node);
    }
    return node;
  }

  #edge(fromName: string, fromType: string, toName: string, toType: string): Tally {
    const key = `${fromType}\n${fromName}\n${toType}\n${toName}`;
    let edge = this.edges.get(key);
    if (edge === undefined) {
      this.#node(fromName, fromType); // a caller that is still in progress is on the map all the same
      edge = { from: { name: fromName, type: fromType }, to: { name: toName, type: toType }, tally: new Tally() };
      this.edges.set(key, edge);
    }
    return edge.tally;
  }
}
