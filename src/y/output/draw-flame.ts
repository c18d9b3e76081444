/** A flame graph as an indented tree: the largest frames that fit, each with its share of the whole. */
import type { FlameChart } from './chart.ts';
import { cutToColumns, faint, heat, padToColumns, toNumberText, type DrawOptions } from './terminal.ts';

/** Shown when the output is no terminal. */
const FILE_FRAMES = 200;

interface Node {
  readonly name: string;
  value: number;
  readonly children: Map<number, Node>;
}

/** Lines, each ended by a newline. */
export function drawFlame(chart: FlameChart, options: DrawOptions): string {
  const root = buildTree(chart);
  if (root.children.size === 0) return '(no stacks)\n';
  const { total, count } = chart.summary;
  const room = options.rows === undefined ? FILE_FRAMES : Math.max(5, options.rows - 5);
  const shown = chooseLargest(root, room);
  const hidden = countNodes(root) - shown.size;
  const lines: string[] = [];
  const valueWidth = toNumberText(total).length;
  for (const { node, own } of walk(root, shown)) {
    const share = total > 0 ? node.value / total : 0;
    const numbers = `${(100 * share).toFixed(1).padStart(5)}%  ${toNumberText(node.value).padStart(valueWidth)}`;
    const room = Math.max(10, options.columns - numbers.length - 2);
    const name = cutToColumns(cutBranches(own, room) + node.name, room);
    lines.push(`${heat(numbers, share, options)}  ${name}`);
  }
  const summary = `${padToColumns('total', 6)}  ${toNumberText(total)} in ${toNumberText(count)} stacks`;
  lines.unshift(faint(summary, options));
  if (hidden > 0) lines.push(faint(`… ${toNumberText(hidden)} smaller frames are not shown`, options));
  return `${lines.join('\n')}\n`;
}

function buildTree({ series }: FlameChart): Node {
  const root: Node = { name: '', value: 0, children: new Map() };
  for (const { stack, value } of series.data) {
    let node = root;
    for (const frame of stack) {
      let child = node.children.get(frame);
      if (child === undefined) {
        child = { name: series.frames[frame] ?? '?', value: 0, children: new Map() };
        node.children.set(frame, child);
      }
      child.value += value;
      node = child;
    }
  }
  return root;
}

/** A frame is never larger than its caller, so the largest ones hang together. */
function chooseLargest(root: Node, limit: number): ReadonlySet<Node> {
  const chosen = new Set<Node>();
  let waiting = sorted(root);
  while (chosen.size < limit) {
    const [largest, ...others] = waiting;
    if (largest === undefined) break;
    chosen.add(largest);
    waiting = [...others, ...sorted(largest)].sort(byValue).slice(0, limit);
  }
  return chosen;
}

function sorted(node: Node): Node[] {
  return [...node.children.values()].sort(byValue);
}

/** Largest first, then by name. */
function byValue(a: Node, b: Node): number {
  return b.value - a.value || (a.name < b.name ? -1 : Number(a.name > b.name));
}

function countNodes(root: Node): number {
  let count = 0;
  const waiting = [root];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    count += node.children.size;
    for (const child of node.children.values()) waiting.push(child);
  }
  return count;
}

interface Placed {
  readonly node: Node;
  /** Of its own line, and of the lines of what it calls. */
  readonly own: string;
  readonly below: string;
}

/**
 * The chosen frames, callers before what they call. A fork is drawn with branches; a frame that is the only one called by its caller
 * stands straight below it.
 */
function walk(root: Node, chosen: ReadonlySet<Node>): readonly Placed[] {
  const placed: Placed[] = [];
  const waiting = sorted(root)
    .filter((node) => chosen.has(node))
    .map((node): Placed => ({ node, own: '', below: '' }))
    .reverse();
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    placed.push(next);
    const children = sorted(next.node).filter((child) => chosen.has(child));
    for (const child of children.reverse()) waiting.push(placeBelow(next, child, children.length === 1, child === children[0]));
  }
  return placed;
}

function placeBelow({ below }: Placed, node: Node, only: boolean, last: boolean): Placed {
  if (only) return { node, own: below, below };
  return { node, own: below + (last ? '└─ ' : '├─ '), below: below + (last ? '   ' : '│  ') };
}

/** Branches that take more than half of the line show their end. */
function cutBranches(branches: string, columns: number): string {
  const room = Math.floor(columns / 2);
  return branches.length <= room ? branches : `…${branches.slice(1 - room)}`;
}
