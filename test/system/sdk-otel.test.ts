// The unmodified OpenTelemetry SDK for JavaScript with each of its exporters, alone and together with the X-Ray SDK.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ClientServer, pointedAt, runClient } from '../support/client-program.ts';
import { Product } from '../support/product.ts';
import { documentOf, drawEdges, findTrace, graph, newTraceId, search, traceAs } from '../support/trace-answers.ts';
import { until } from '../support/until.ts';

let product: Product;

beforeAll(async () => {
  product = await Product.start({ flags: ['--otlp-grpc', '127.0.0.1:0'] });
});

afterAll(async () => {
  expect(await product?.stop()).toBe(0);
  await product.dispose();
});

describe.each([
  ['proto', 'none'],
  ['proto', 'gzip'],
  ['json', 'none'],
  ['json', 'gzip'],
  ['grpc', 'none'],
  ['grpc', 'gzip'],
] as const)('the exporter over %s, compression %s', (exporter, compression) => {
  const name = `${exporter} ${compression}`;
  let id: string;

  beforeAll(async () => {
    const endpoint = exporter === 'grpc' ? product.addresses.otlpGrpc : product.addresses.otlpHttp;
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://${endpoint}`, OTEL_EXPORTER_OTLP_COMPRESSION: compression, TEST_NAME: name };
    ({ id } = await runClient<{ id: string }>(process.execPath, ['otel-spans.mjs', exporter], environment));
  });

  test('its spans are one tree through both services', async () => {
    const trace = await traceAs(
      product,
      id,
      `
      * cart 200
        - read cart
          - carts@db.example
            * carts@db.example [carts@db.example, Database::SQL]
        - stock.example fault 503
          * stock fault 503`,
    );
    expect(trace.id.replaceAll('-', '').slice(1)).toBe(id);
    expect(trace).toMatchObject({
      outcome: 'ok',
      partial: false,
      summary: { entry: { name: 'cart' }, users: ['mira'], http: { method: 'GET', status: 200 } },
    });
    expect(drawEdges(trace.graph)).toEqual(['cart > carts@db.example', 'cart > stock', 'client > cart']);
  });

  test('its attributes are searched for as annotations, and kept', async () => {
    const filter = `annotation.exporter = "${name}" AND annotation.items = 3 AND annotation.price > 9.4 AND annotation.gift = true`;
    expect(await search(product, filter)).toEqual([`1-${id.slice(0, 8)}-${id.slice(8)}`]);
    expect(await search(product, `${filter} AND annotation[customer.tier] = "gold"`)).toHaveLength(1);
    expect(await search(product, `${filter} AND annotation[customer.tier] = "silver"`)).toEqual([]);
    const trace = await findTrace(product, id);
    const { document, span } = await documentOf(product, trace!, 'cart');
    expect(document).toMatchObject({ metadata: { default: { labels: ['a', 'b'] } }, service: { version: '2.0.0' } });
    expect(span).toMatchObject({ scopeSpans: [{ spans: [{ name: 'GET /cart' }] }] });
    expect((await documentOf(product, trace!, 'stock')).document).toMatchObject({
      cause: { exceptions: [{ message: 'the shelf is empty' }] },
    });
  });
});

test('the service map has clients, servers and databases', async () => {
  const found = await until(
    async () => graph(product),
    ({ nodes }) => nodes.some((node) => node.name === 'cart' && node.outcomes?.total === 6),
  );
  expect(drawEdges(found)).toEqual(['cart > carts@db.example', 'cart > stock', 'client > cart']);
  expect(found.nodes.find((node) => node.name === 'stock')).toMatchObject({ active: true, root: false, outcomes: { total: 6, fault: 6 } });
});

test('OTLP spans and X-Ray segments of one trace are one tree', async () => {
  const environment = pointedAt(product);
  const back = await ClientServer.startClient('express-app.mjs', 'back', environment);
  const middle = await ClientServer.startClient('otel-server.cjs', 'middle', { ...environment, DOWNSTREAM: back.url });
  const front = await ClientServer.startClient('express-app.mjs', 'front', { ...environment, DOWNSTREAM: middle.url });
  try {
    const id = newTraceId();
    expect(await front.get('/order/7', `Root=${id};Sampled=1`)).toBe(200);
    const trace = await traceAs(
      product,
      id,
      `
      * front 200
        - 127.0.0.1 200
          * middle 200
            - 127.0.0.1 200
              * back 200`,
    );
    expect(trace).toMatchObject({ partial: false, summary: { segments: 3 } });
    expect(drawEdges(trace.graph)).toEqual(['client > front', 'front > middle', 'middle > back']);
    const w3c = id.slice(2).replaceAll('-', '');
    expect((await findTrace(product, w3c))?.rows).toEqual(trace.rows);
  } finally {
    await Promise.all([front, middle, back].map((server) => server.stop()));
  }
});
