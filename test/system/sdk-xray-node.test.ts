// The unmodified X-Ray SDK for Node.js: applications that it traces, and what the product makes of it.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ClientServer, pointedAt, runClient } from '../support/client-program.ts';
import { Product } from '../support/product.ts';
import { documentOf, drawEdges, findTrace, graph, newTraceId, search, traceAs } from '../support/trace-answers.ts';
import { until } from '../support/until.ts';

let product: Product;

beforeAll(async () => {
  product = await Product.start();
});

afterAll(async () => {
  expect(await product?.stop()).toBe(0);
  await product.dispose();
});

describe('aws-xray-sdk with Express, HTTP and SQL', () => {
  let database: ClientServer;
  let back: ClientServer;
  let front: ClientServer;

  beforeAll(async () => {
    database = await ClientServer.start(['examples/shop/database.mjs'], {});
    const environment = { ...pointedAt(product), DATABASE_PORT: String(database.port) };
    back = await ClientServer.startClient('express-app.mjs', 'back', environment);
    front = await ClientServer.startClient('express-app.mjs', 'front', { ...environment, DOWNSTREAM: back.url });
  });

  afterAll(async () => {
    await Promise.all([front, back, database].map((server) => server?.stop()));
  });

  test('a request through two applications and a database is one tree', async () => {
    const id = newTraceId();
    expect(await front.get('/order/42', `Root=${id};Sampled=1`)).toBe(200);
    const trace = await traceAs(
      product,
      id,
      `
      * front 200
        - shop@127.0.0.1
          * shop@127.0.0.1 [shop@127.0.0.1, Database::SQL]
        - 127.0.0.1 200
          * back 200
            - shop@127.0.0.1
              * shop@127.0.0.1 [shop@127.0.0.1, Database::SQL]`,
    );
    expect(trace).toMatchObject({
      outcome: 'ok',
      partial: false,
      summary: { entry: { name: 'front' }, users: ['mira'], http: { method: 'GET', status: 200 } },
    });
    expect(drawEdges(trace.graph)).toEqual(['back > shop@127.0.0.1', 'client > front', 'front > back', 'front > shop@127.0.0.1']);
  });

  test('annotations are searched for, metadata and SQL kept', async () => {
    const id = newTraceId();
    await front.get('/order/77', `Root=${id};Sampled=1`);
    const trace = await until(
      async () => findTrace(product, id),
      (found) => found?.rows.length === 7,
    );
    for (const filter of [
      'annotation.order = 77',
      'annotation.order = 77 AND annotation.tier = "gold" AND annotation.gift = true AND user = "mira"',
    ]) {
      expect(await search(product, filter)).toEqual([id]);
    }
    expect(await search(product, 'annotation.order = 77 AND annotation.tier = "silver"')).toEqual([]);
    const { document } = await documentOf(product, trace!, 'front');
    expect(document).toMatchObject({ metadata: { default: { cart: { lines: [1, 2] } }, experiments: { flag: 'x' } }, user: 'mira' });
    expect((await documentOf(product, trace!, 'shop@127.0.0.1')).document).toMatchObject({
      namespace: 'remote',
      sql: { user: 'tester', url: `mysql://127.0.0.1:${database.port}/shop`, sanitized_query: 'SELECT name FROM products WHERE id = ?' },
    });
  });

  test.each([
    ['error', 404, '/missing'],
    ['throttle', 429, '/busy'],
  ])('it is found by %s when the answer is %i', async (outcome, status, path) => {
    const id = newTraceId();
    expect(await front.get(path, `Root=${id};Sampled=1`)).toBe(status);
    await traceAs(product, id, `* front ${outcome} ${status}`);
    expect(await search(product, outcome)).toContain(id);
    expect(await search(product, 'fault')).not.toContain(id);
  });

  test('an exception in a handler is a fault, and is told with its stack', async () => {
    const id = newTraceId();
    expect(await front.get('/broken', `Root=${id};Sampled=1`)).toBe(500);
    const trace = await traceAs(product, id, '* front fault 500');
    const { document } = await documentOf(product, trace, 'front');
    const cause = document['cause'] as { exceptions: { message: string; type: string; stack: unknown[] }[] };
    expect(cause.exceptions).toMatchObject([{ type: 'RangeError', message: 'the shelf is too short' }]);
    expect(cause.exceptions[0]!.stack.length).toBeGreaterThan(1);
    expect(await search(product, 'rootcause.fault.exception { message = "the shelf is too short" }')).toEqual([id]);
  });

  test('failed calls of others are faults where they happened', async () => {
    const [query, call] = [newTraceId(), newTraceId()];
    await front.get('/bad-query', `Root=${query};Sampled=1`);
    await front.get('/unreachable', `Root=${call};Sampled=1`);
    await traceAs(
      product,
      query,
      '* front fault 500\n  - shop@127.0.0.1 fault\n    * shop@127.0.0.1 fault [shop@127.0.0.1, Database::SQL]',
    );
    await traceAs(product, call, '* front fault 500\n  - 127.0.0.1 fault\n    * 127.0.0.1 fault [127.0.0.1, remote]');
  });

  test('what is not sampled sends nothing, nor do those whom it calls', async () => {
    const [unsampled, sampled] = [newTraceId(), newTraceId()];
    expect(await front.get('/order/1', `Root=${unsampled};Sampled=0`)).toBe(200);
    await front.get('/order/2', `Root=${sampled};Sampled=1`);
    await until(
      async () => findTrace(product, sampled),
      (found) => found?.rows.length === 7,
    );
    await product.settle();
    expect(await findTrace(product, unsampled)).toBeUndefined();
  });

  test('the service map has both applications, and their database', async () => {
    const found = await until(
      async () => graph(product),
      ({ nodes }) => nodes.some((node) => node.name === 'back' && node.active),
    );
    expect(drawEdges(found)).toEqual(
      expect.arrayContaining(['client > front', 'front > back', 'front > shop@127.0.0.1', 'back > shop@127.0.0.1']),
    );
    expect(found.nodes.find((node) => node.name === 'front' && node.type !== 'client')).toMatchObject({ root: true, active: true });
    expect(found.nodes.find((node) => node.name === 'shop@127.0.0.1')).toMatchObject({ root: false, active: false, type: 'Database::SQL' });
  });

  test('sampling rules and targets come from the daemon port', async () => {
    const sampler = await ClientServer.startClient('express-app.mjs', 'sampler', { ...pointedAt(product), AWS_XRAY_LOG_LEVEL: 'info' });
    try {
      await sampler.get('/missing'); // the first request makes the SDK fetch its rules
      await until(
        async () => sampler.said,
        (said) => said.includes('Successfully refreshed centralized sampling rule cache'),
      );
      await sampler.get('/busy'); // one a second is sampled by the rule
      const [id] = await until(
        async () => search(product, 'service("sampler") { throttle }'),
        (found) => found.length > 0,
      );
      const trace = await findTrace(product, id!);
      expect((await documentOf(product, trace!, 'sampler')).document).toMatchObject({ aws: { xray: { rule_name: 'Default' } } });
      await until(
        async () => sampler.said,
        (said) => said.includes('Successfully reported rule statistics to get new sampling quota'),
      );
      expect(sampler.said).not.toMatch(/Failed|Unhandled/);
    } finally {
      await sampler.stop();
    }
  });
});

describe('aws-xray-sdk-core by hand', () => {
  let sent: Readonly<Record<'streamed' | 'failed' | 'linked', string>>;

  beforeAll(async () => {
    sent = await runClient(process.execPath, ['manual-segments.mjs'], pointedAt(product));
  });

  test('250 subsegments, streamed as documents of their own, are one tree', async () => {
    const trace = await until(
      async () => findTrace(product, sent.streamed),
      (found) => found?.rows.length === 252 && !found.partial,
    );
    expect(trace!.rows.slice(0, 2)).toMatchObject([
      { name: 'batch', depth: 0, kind: 'segment' },
      { name: 'outer', depth: 1, parent: 0 },
    ]);
    const steps = trace!.rows.slice(2);
    expect(steps.every((row) => row.depth === 2 && row.parent === 1 && !row.orphan)).toBe(true);
    expect(new Set(steps.map((row) => row.name)).size).toBe(250);
    expect((await documentOf(product, trace!, 'step 249')).document).toMatchObject({ metadata: { default: { number: 249 } } });
  });

  test('an exception that goes up is told once, where it began', async () => {
    const trace = await traceAs(
      product,
      sent.failed,
      `
      * nightly fault
        - load fault
          - parse fault
        - inventory throttle
          * inventory throttle [inventory, remote]`,
    );
    expect((await documentOf(product, trace, 'parse')).document).toMatchObject({
      cause: { exceptions: [{ type: 'TypeError', message: 'no such column' }] },
    });
    expect(await search(product, 'service("nightly") { fault }')).toEqual([sent.failed]);
  });

  test('a segment hangs below the subsegment that called it', async () => {
    const trace = await traceAs(product, sent.linked, '* sender\n  - receiver\n    * receiver');
    expect(drawEdges(trace.graph)).toEqual(['client > sender', 'sender > receiver']);
  });
});
