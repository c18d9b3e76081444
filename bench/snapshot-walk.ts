// What a walk over a linked list in another process costs the snapshot engine: npm run bench -- snapshot-walk

import { parseArgs } from 'node:util';
import { SnapshotEngine } from '../src/y/engines/snapshot/index.ts';
import { block, branch, irFunction, k, program, r, testEnvironment } from '../test/support/y-program.ts';
import { describeMachine, formatNumber, formatTable, measureInTurn, saveSection } from './harness/index.ts';

const { values } = parseArgs({
  options: {
    repeat: { type: 'string', default: '9' },
    nodes: { type: 'string', default: '1000000' },
    save: { type: 'boolean', default: false },
  },
});

const NODES = Number(values.nodes);
const NODE_BYTES = 32;
const BASE = 0x7f00_0000_0000;
/** Prime, and far from one page to the next: each node lies on another page than the one before. */
const FAR = 700_001;

/** `next` at 0, a number at 8, a small one at 16. `step` says how far the next node is, in nodes. */
function makeList(step: number): Buffer {
  const bytes = Buffer.alloc(Math.ceil((NODES * NODE_BYTES) / 4096) * 4096);
  for (let index = 0, at = 0; index < NODES; index++) {
    const next = (at + step) % NODES;
    bytes.writeBigUInt64LE(index + 1 < NODES ? BigInt(BASE + next * NODE_BYTES) : 0n, at * NODE_BYTES);
    bytes.writeBigInt64LE(BigInt(index), at * NODE_BYTES + 8);
    bytes.writeInt32LE(index % 7, at * NODE_BYTES + 16);
    at = next;
  }
  return bytes;
}

/** for (n = list; n; n = n->next) { sum += n->number; if (n->small == 3) threes++; } */
const read = { op: 'read', space: 'user', address: r(0), signed: true, onFail: undefined } as const;
const walk = program(
  [
    irFunction([
      block([{ op: 'move', to: 0, from: k(BASE) }], { op: 'jump', to: 1 }),
      block([{ op: 'binary', to: 2, operator: 'ne', left: r(0), right: k(0) }], branch(r(2), 2, 5)),
      block(
        [
          { ...read, to: 3, offset: 8, size: 8 },
          { op: 'binary', to: 1, operator: 'add', left: r(1), right: r(3) },
          { ...read, to: 4, offset: 16, size: 4 },
          { op: 'binary', to: 6, operator: 'eq', left: r(4), right: k(3) },
        ],
        branch(r(6), 3, 4),
      ),
      block([{ op: 'binary', to: 5, operator: 'add', left: r(5), right: k(1) }], { op: 'jump', to: 4 }),
      block([{ ...read, to: 0, offset: 0, size: 8 }], { op: 'jump', to: 1 }),
      block([{ op: 'store-global', global: 0, offset: 0, size: 8, value: r(1) }]),
    ]),
  ],
  {
    globals: [
      {
        name: 'sum',
        kind: 'integer',
        size: 8,
        signed: true,
        sharing: 'shared',
        initial: undefined,
        place: { file: 'walk.y', line: 1, column: 1 },
      },
    ],
  },
);

function makeWalker(step: number): () => void {
  const bytes = makeList(step);
  const memory = {
    read(address: bigint, length: number): Uint8Array | undefined {
      const offset = Number(address) - BASE;
      return offset >= 0 && offset + length <= bytes.length ? bytes.subarray(offset, offset + length) : undefined;
    },
    readText: () => undefined,
  };
  const { environment, storage } = testEnvironment(walk, memory);
  const engine = new SnapshotEngine(walk, environment);
  const expected = (BigInt(NODES) * BigInt(NODES - 1)) / 2n;
  return () => {
    const outcome = engine.run(0);
    const sum = Buffer.from(storage.loadGlobal(0)).readBigInt64LE();
    if (outcome.kind !== 'done' || sum !== expected) throw new Error(`the walk gave ${sum} and not ${expected}`);
  };
}

const runs = { 'nodes in order': makeWalker(1), 'each node on another page': makeWalker(FAR) };
const summaries = await measureInTurn(runs, { repeat: Number(values.repeat), warmUp: 2 });
const rows = Object.entries(summaries).map(([name, { median, min, max }]) => {
  const perNode = (milliseconds: number): string => formatNumber((milliseconds * 1e6) / NODES);
  return [name, `${perNode(median)} (${perNode(min)} .. ${perNode(max)})`];
});
const intro = `\`npm run bench -- snapshot-walk\` on ${describeMachine()}\n\nA list of ${NODES.toLocaleString('en-US')} nodes of ${NODE_BYTES} bytes; for each, three reads, two sums, two comparisons and the jumps between. The system calls that read another process are not in it.`;
const body = `## Walking a target's data\n\n${intro}\n\n${formatTable(['case', 'ns a node: median (range)'], rows)}`;
console.log(body);
if (values.save) await saveSection('snapshot-walk', body);
