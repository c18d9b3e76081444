// `fluoro demo`: what a newcomer sees within a minute, and that nothing of it stays behind.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { listProcessTree, readCommandLine } from '../../bench/harness/index.ts';
import { Product, type ProductAddresses, removeDirectory, waitUntil } from '../support/product.ts';
import { documentOf, drawEdges, drawRows, findTrace, graph, search } from '../support/trace-answers.ts';
import { until } from '../support/until.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const FREE_PORTS = ['--listen', '127.0.0.1:0', '--xray', '127.0.0.1:0', '--otlp-http', '127.0.0.1:0', '--otlp-grpc', 'off'];
const MINUTE_MS = 60_000;
/** Without `recommend`, which needs Python. */
const SERVICES = ['bank', 'database', 'fulfilment', 'orders', 'payments', 'queue', 'shoppers', 'web'];

interface Said {
  readonly addresses: ProductAddresses;
  readonly data: string;
  readonly shop: { readonly services: readonly string[]; readonly leftOut: readonly string[] };
}

interface Demo {
  readonly process: ChildProcess;
  readonly said: Said;
  /** Every process that it is made of. */
  readonly pids: readonly number[];
  /** Sends the signal; the exit status once it ended. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

let demo: Demo | undefined;

afterEach(() => {
  if (demo?.process.exitCode === null && demo.process.signalCode === null) demo.process.kill('SIGKILL');
  demo = undefined;
});

async function startDemo(flags: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Demo> {
  const child = spawn(process.execPath, [MAIN, 'demo', '--json', '--log-level', 'warn', ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  });
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', (code, signal) => reject(new Error(`fluoro demo ended with ${signal ?? code}`)));
  });
  const ended = new Promise<number | null>((done) => child.once('exit', done));
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    return ended;
  };
  demo = { process: child, said: JSON.parse(line) as Said, pids: listProcessTree(child.pid!), end };
  return demo;
}

const isGone = (pid: number): boolean => (readCommandLine(pid) ?? '') === '';

describe('fluoro demo', () => {
  test('shows all services, something slow, failed, throttled and wrong within a minute, and leaves nothing behind', async () => {
    const startedMs = performance.now();
    const { said, pids, end } = await startDemo(FREE_PORTS);
    const product = { addresses: said.addresses, json: Product.prototype.json } as Product;
    expect(said.shop.services).toEqual(expect.arrayContaining(SERVICES));
    const python = said.shop.services.includes('recommend');
    expect(said.shop.leftOut).toHaveLength(python ? 0 : 1);

    const edges = [
      'client > web',
      'orders > shop@database',
      'payments > bank.example',
      'web > orders',
      'web > payments',
      ...(python ? ['web > recommend'] : []),
    ];
    const found = await until(
      async () => graph(product),
      (answer) =>
        edges.every((edge) => drawEdges(answer).includes(edge)) && answer.nodes.some((node) => node.name === 'fulfilment' && node.active),
      MINUTE_MS,
    );
    expect(found.nodes.find((node) => node.name === 'shop@database')).toMatchObject({ type: 'Database::SQL', active: false });

    for (const filter of [
      'service("orders") { responsetime > 0.5 }',
      'fault',
      'throttle',
      'error AND !throttle',
      'annotation.plan = "business"',
    ]) {
      await until(
        async () => search(product, filter),
        (ids) => ids.length > 0,
        MINUTE_MS,
      );
    }
    await expectSlowTrace(product);
    await expectFault(product);
    await expectOneTree(product);
    expect(performance.now() - startedMs).toBeLessThan(1.2 * MINUTE_MS);

    expect(pids.length).toBeGreaterThanOrEqual(SERVICES.length + 4);
    expect(await end('SIGINT')).toBe(0);
    await waitUntil(() => pids.every(isGone), 5_000, 'every process to be gone');
    expect(existsSync(said.data)).toBe(false);
  });

  /** One query for each order. */
  async function expectSlowTrace(product: Product): Promise<void> {
    const [id] = await until(
      async () => search(product, 'user = "mira" AND service("orders") { responsetime > 0.5 }'),
      (ids) => ids.length > 0,
      MINUTE_MS,
    );
    const trace = await until(
      async () => findTrace(product, id!),
      (answer) => answer !== undefined && !answer.partial,
    );
    expect(trace!.rows.filter((row) => row.name === 'shop@database' && !row.inferred).length).toBeGreaterThan(50);
  }

  async function expectFault(product: Product): Promise<void> {
    const [id] = await search(product, 'service("orders") { fault } AND fault');
    const trace = await findTrace(product, id!);
    expect((await documentOf(product, trace!, 'price order')).document).toMatchObject({ cause: { exceptions: [{ type: 'TypeError' }] } });
  }

  /** A checkout, as three SDKs wrote it, through the queue. */
  async function expectOneTree(product: Product): Promise<void> {
    const ids = await until(
      async () => search(product, 'service("fulfilment") AND service("bank.example")'),
      (some) => some.length > 0,
    );
    const trace = await until(
      async () => findTrace(product, ids.at(-1)!),
      (answer) => answer !== undefined && drawRows(answer).includes('* fulfilment'),
    );
    const picture = drawRows({ ...trace!, rows: trace!.rows.filter((row) => !row.inferred && row.name !== 'shop@database') });
    expect(picture.split('\n')).toEqual([
      '* web 201',
      '  - orders 201',
      '    * orders 201',
      '      - price order',
      '  - payments 201',
      '    * payments 201',
      '      - charge card',
      '        - bank.example 200',
      '  - orders 200',
      '    * orders 200',
      '      - SQS 200',
      '        * fulfilment',
      '          - pack',
      '          - orders 200',
      '            * orders 200',
      '          - SQS 200',
    ]);
  }

  test('leaves nothing behind when it is killed', async () => {
    const { pids, said, end } = await startDemo(FREE_PORTS);
    await end('SIGKILL');
    await waitUntil(() => pids.every(isGone), 20_000, `every process to be gone, of ${said.shop.services.join(', ')}`);
    removeDirectory(said.data);
  });

  test('--server sends to a Fluoroscope that runs; what needs Python is left out and said', async () => {
    const product = await Product.start();
    try {
      const { said, pids, end } = await startDemo(['--server', `http://${product.addresses.page}`], { PYTHONHOME: '/nowhere' });
      expect(said.shop.services.toSorted()).toEqual(SERVICES);
      expect(said.shop.leftOut).toEqual([expect.stringContaining('python3-aws-xray-sdk')]);
      await until(
        async () => search(product, 'service("orders") AND ok'),
        (ids) => ids.length > 0,
      );
      expect(await end('SIGINT')).toBe(0);
      await waitUntil(() => pids.every(isGone), 5_000, 'every process to be gone');
    } finally {
      await product.stop();
      await product.dispose();
    }
  });

  test('--server says so when nobody is there', async () => {
    await expect(startDemo(['--server', 'http://127.0.0.1:1'])).rejects.toThrow('ended with 69');
  });
});
