// What a span costs on its way in, and on its way to the page: npm run bench -- otlp-decode

import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { decodeTraces, decodeTracesJson, resourceFacts, spanFacts, spanToJson, spanToSegment, type OtlpSpan } from '../src/otlp/index.ts';
import { encodeTraces } from '../test/support/encode-otlp.ts';
import { attributesOf, spanOf } from '../test/support/otlp-spans.ts';
import { describeMachine, formatTable, measureInTurn, saveSection } from './harness/index.ts';

const { values } = parseArgs({ options: { repeat: { type: 'string', default: '15' }, save: { type: 'boolean', default: false } } });

const BATCH = 512;
const ROUNDS = 40;

const resource = {
  attributes: attributesOf({
    'service.name': 'checkout',
    'service.version': '4.12.0',
    'telemetry.sdk.language': 'nodejs',
    'telemetry.sdk.name': 'opentelemetry',
    'telemetry.sdk.version': '2.12.1',
    'host.name': 'ip-10-0-3-17',
    'process.pid': 4711,
    'cloud.provider': 'aws',
    'cloud.platform': 'aws_ecs',
    'container.id': randomBytes(32).toString('hex'),
  }),
  droppedAttributesCount: 0,
  schemaUrl: '',
};
const scope = spanOf().scope;

function serverSpan(index: number, traceId: string): OtlpSpan {
  return spanOf({
    traceId,
    spanId: randomBytes(8).toString('hex'),
    name: 'POST /api/orders/:id/items',
    startNanos: index * 1000 + 7,
    resource,
    scope,
    attributes: attributesOf({
      'http.request.method': 'POST',
      'url.scheme': 'https',
      'url.path': `/api/orders/${100_000 + index * 7}/items`,
      'server.address': 'shop.example.com',
      'server.port': 443,
      'http.route': '/api/orders/:id/items',
      'http.response.status_code': 201,
      'user_agent.original': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0 Safari/537.36',
      'client.address': `10.1.${index % 256}.${(index * 7) % 256}`,
      'enduser.id': `user-${index % 1000}`,
    }),
  });
}

function databaseSpan(index: number, parent: OtlpSpan): OtlpSpan {
  return spanOf({
    traceId: parent.traceId,
    spanId: randomBytes(8).toString('hex'),
    parentSpanId: parent.spanId,
    name: 'SELECT orders',
    kind: 3,
    resource,
    scope,
    attributes: attributesOf({
      'db.system.name': 'postgresql',
      'db.namespace': 'orders',
      'db.query.text': 'SELECT id, status, total FROM orders WHERE customer_id = $1 AND status = $2 ORDER BY id DESC LIMIT 20',
      'db.operation.name': 'SELECT',
      'db.collection.name': 'orders',
      'server.address': 'orders-db.internal',
      'server.port': 5432,
      'network.peer.address': '10.0.9.12',
      'db.response.returned_rows': index % 20,
      'thread.name': 'worker-3',
    }),
  });
}

function makeSpans(): OtlpSpan[] {
  return Array.from({ length: BATCH / 4 }, (_, index) => {
    const server = serverSpan(index, randomBytes(16).toString('hex'));
    return [server, databaseSpan(index, server), databaseSpan(index + 1, server), databaseSpan(index + 2, server)];
  }).flat();
}

const bytes = encodeTraces(makeSpans());
const single = encodeTraces(makeSpans().slice(0, 1));
const decoded = decodeTraces(bytes);
if (!decoded.ok || decoded.value.spans.length !== BATCH) throw new Error('The batch does not decode');
const { spans } = decoded.value;
const facts = resourceFacts(spans[0]!.resource);
const json = JSON.stringify({ resourceSpans: spans.map(spanToJson) });

/** Spans per run of each case: the figure is time by span. */
const cases: Readonly<Record<string, { readonly spans: number; readonly run: () => void }>> = {
  'decode protobuf, 512 spans a request': { spans: BATCH * ROUNDS, run: () => times(ROUNDS, () => void decodeTraces(bytes)) },
  'decode protobuf, 1 span a request': { spans: BATCH, run: () => times(BATCH, () => void decodeTraces(single)) },
  'decode JSON, a resource to each span': { spans: BATCH * 4, run: () => times(4, () => void decodeTracesJson(json)) },
  'spanFacts, resource facts at hand': {
    spans: BATCH * ROUNDS,
    run: () => times(ROUNDS, () => spans.forEach((span) => spanFacts(span, facts))),
  },
  'spanFacts alone': { spans: BATCH * ROUNDS, run: () => times(ROUNDS, () => spans.forEach((span) => spanFacts(span))) },
  spanToSegment: { spans: BATCH * 4, run: () => times(4, () => spans.forEach((span) => spanToSegment(span))) },
  spanToJson: { spans: BATCH * 4, run: () => times(4, () => spans.forEach((span) => spanToJson(span))) },
};

function times(count: number, action: () => void): void {
  for (let index = 0; index < count; index++) action();
}

const runs = Object.fromEntries(Object.entries(cases).map(([name, { run }]) => [name, run]));
const summaries = await measureInTurn(runs, { repeat: Number(values.repeat), warmUp: 3 });
const rows = Object.entries(summaries).map(([name, { median, min, max }]) => {
  const perSpan = (milliseconds: number): string => ((milliseconds * 1000) / cases[name]!.spans).toFixed(2);
  return [name, `${perSpan(median)} (${perSpan(min)}–${perSpan(max)})`];
});
const intro = `\`npm run bench -- otlp-decode\` on ${describeMachine()}\n\nSpans of 10 attributes, ${Math.round(bytes.length / BATCH)} bytes each.`;
const body = `## OTLP intake\n\n${intro}\n\n${formatTable(['case', 'µs a span: median (range)'], rows)}`;
console.log(body);
if (values.save) await saveSection('otlp-decode', body);
