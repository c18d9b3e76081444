// The unmodified OpenTelemetry SDK with one of its exporters (`otel-spans.mjs proto|json|grpc`), which reads its endpoint
// and compression from OTEL_EXPORTER_OTLP_*. Prints the ids of what it sent as JSON.
import { setTimeout as sleep } from 'node:timers/promises';
import { context, propagation, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtoExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';

const Exporter = { proto: ProtoExporter, json: JsonExporter, grpc: GrpcExporter }[process.argv[2]];

function service(name) {
  return new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': name, 'service.version': '2.0.0' }),
    spanProcessors: [new BatchSpanProcessor(new Exporter())],
  });
}

const cart = service('cart');
const stock = service('stock');
cart.register(); // context and W3C propagation
const tracers = { cart: cart.getTracer('test'), stock: stock.getTracer('test') };

/** The other service: takes the trace over from `traceparent`, and fails. */
function reserve(carrier) {
  const attributes = {
    'http.request.method': 'POST',
    'url.path': '/reservations',
    'server.address': 'stock.example',
    'http.response.status_code': 503,
  };
  const span = tracers.stock.startSpan(
    'POST /reservations',
    { kind: SpanKind.SERVER, attributes },
    propagation.extract(context.active(), carrier),
  );
  span.recordException(new Error('the shelf is empty'));
  span.setStatus({ code: SpanStatusCode.ERROR, message: 'the shelf is empty' });
  span.end();
}

function call() {
  const attributes = {
    'http.request.method': 'POST',
    'url.full': 'http://stock.example/reservations',
    'server.address': 'stock.example',
    'http.response.status_code': 503,
  };
  tracers.cart.startActiveSpan('POST', { kind: SpanKind.CLIENT, attributes }, (span) => {
    const carrier = {};
    propagation.inject(context.active(), carrier);
    reserve(carrier);
    span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
  });
}

function readCart() {
  const attributes = {
    'db.system.name': 'postgresql',
    'db.namespace': 'carts',
    'db.query.text': 'SELECT * FROM carts',
    'server.address': 'db.example',
  };
  tracers.cart.startActiveSpan('read cart', (span) => {
    tracers.cart.startSpan('SELECT carts', { kind: SpanKind.CLIENT, attributes }).end();
    span.end();
  });
}

const attributes = {
  'http.request.method': 'GET',
  'url.scheme': 'http',
  'url.path': '/cart',
  'server.address': 'cart.example',
  'http.response.status_code': 200,
  'enduser.id': 'mira',
  'customer.tier': 'gold',
  items: 3,
  price: 9.5,
  gift: true,
  labels: ['a', 'b'],
  exporter: process.env.TEST_NAME,
};
const id = await tracers.cart.startActiveSpan('GET /cart', { kind: SpanKind.SERVER, attributes }, async (span) => {
  readCart();
  await sleep(5); // so that the order of the two is known
  call();
  span.end();
  return span.spanContext().traceId;
});
await Promise.all([cart.shutdown(), stock.shutdown()]);
process.stdout.write(`${JSON.stringify({ id })}\n`);
