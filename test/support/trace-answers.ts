// Asks the running product for traces and graphs, and draws the answers as text.

import { randomBytes } from 'node:crypto';
import type { GraphAnswer, SegmentAnswer, TraceAnswer, TraceListAnswer } from '../../src/api/index.ts';
import type { Product } from './product.ts';
import { until } from './until.ts';

/** All that a test sends lies in this time. */
const RANGE_SECONDS = 900;

export function newTraceId(): string {
  const seconds = Math.floor(Date.now() / 1000);
  return `1-${seconds.toString(16)}-${randomBytes(12).toString('hex')}`;
}

/** A trace as the API tells it; undefined while nothing of it is known. */
export async function findTrace(product: Product, id: string): Promise<TraceAnswer | undefined> {
  const answer = await fetch(`http://${product.addresses.page}/api/v1/traces/${id}`);
  if (answer.status === 404) return undefined;
  if (!answer.ok) throw new Error(`${id}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as TraceAnswer;
}

/** The trace once it looks as drawn (see `drawRows`); fails with the difference after a while. */
export async function traceAs(product: Product, id: string, picture: string): Promise<TraceAnswer> {
  const wanted = unindent(picture);
  const trace = await until(
    async () => findTrace(product, id),
    (found) => found !== undefined && drawRows(found) === wanted,
    15_000,
  ).catch(async () => findTrace(product, id));
  if (!trace || drawRows(trace) !== wanted)
    throw new Error(`expected ${id} as\n${wanted}\n\nbut it is\n${trace ? drawRows(trace) : 'not there'}`);
  return trace;
}

/**
 * A trace as indented lines, one per row: `* name` is a segment, `- name` a subsegment; then its outcome unless it is ok, its
 * status, and `[node, type]` where the node is inferred. Rows that stand outside of the tree are marked.
 */
export function drawRows(trace: TraceAnswer): string {
  return trace.rows
    .map((row) => {
      const marks = [
        row.outcome === 'ok' ? undefined : row.outcome,
        row.status,
        row.endSeconds === undefined ? 'in progress' : undefined,
        row.orphan ? 'orphan' : undefined,
        row.placeholder ? 'placeholder' : undefined,
        row.inferred ? `[${row.node.name}, ${row.node.type}]` : undefined,
      ];
      return `${'  '.repeat(row.depth)}${[row.kind === 'segment' ? '*' : '-', row.name, ...marks.filter((mark) => mark !== undefined)].join(' ')}`;
    })
    .join('\n');
}

function unindent(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const margin = Math.min(...lines.map((line) => line.length - line.trimStart().length));
  return lines.map((line) => line.slice(margin).trimEnd()).join('\n');
}

/** The document of the first row of that name. */
export async function documentOf(product: Product, trace: TraceAnswer, name: string): Promise<SegmentAnswer> {
  const row = trace.rows.find((one) => one.name === name && !one.inferred);
  if (!row) throw new Error(`no row ${name} in\n${drawRows(trace)}`);
  return product.json<SegmentAnswer>(`/api/v1/traces/${trace.id}/segments/${row.id}`);
}

/** Ids of the traces that a filter expression finds. */
export async function search(product: Product, filter: string): Promise<string[]> {
  const now = Math.ceil(Date.now() / 1000);
  const query = new URLSearchParams({ from: String(now - RANGE_SECONDS), to: String(now + 1), limit: '100', filter });
  const { traces } = await product.json<TraceListAnswer>(`/api/v1/traces?${query.toString()}`);
  return traces.map((trace) => trace.id);
}

/** The service map of all that was sent. */
export async function graph(product: Product): Promise<GraphAnswer> {
  const now = Math.ceil(Date.now() / 1000);
  return product.json<GraphAnswer>(`/api/v1/graph?from=${now - RANGE_SECONDS}&to=${now + 60}`);
}

/** A graph's edges, `caller > callee`, sorted; `client` is who calls from outside. */
export function drawEdges({ nodes, edges }: GraphAnswer): string[] {
  const nameOf = (id: number): string => {
    const node = nodes.find((one) => one.id === id)!;
    return node.type === 'client' ? 'client' : node.name;
  };
  return edges.map((edge) => `${nameOf(edge.from)} > ${nameOf(edge.to)}`).toSorted();
}
