// Payments: plain node:http with OpenTelemetry. It takes part in the X-Ray SDKs' traces through their header.
const { SpanStatusCode, trace } = require('@opentelemetry/api');
const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-proto');
const { registerInstrumentations } = require('@opentelemetry/instrumentation');
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');
const { AWSXRayPropagator } = require('@opentelemetry/propagator-aws-xray');
const { resourceFromAttributes } = require('@opentelemetry/resources');
const { BatchSpanProcessor } = require('@opentelemetry/sdk-trace-base');
const { NodeTracerProvider } = require('@opentelemetry/sdk-trace-node');

// The exporter sends to OTEL_EXPORTER_OTLP_ENDPOINT.
const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ 'service.name': 'payments', 'service.version': '1.4.0' }),
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter(), { scheduledDelayMillis: 1000 })],
});
provider.register({ propagator: new AWSXRayPropagator() });
registerInstrumentations({ instrumentations: [new HttpInstrumentation()] });

const http = require('node:http'); // after the instrumentation, which changes it

const tracer = trace.getTracer('payments');

async function charge({ order, amount, card }) {
  return tracer.startActiveSpan('charge card', { attributes: { 'payment.amount': amount, 'payment.order': order } }, async (span) => {
    try {
      const { post } = await import('./lib/call.mjs');
      const answer = await post(`${process.env.BANK_URL}/authorisations`, { card, amount });
      span.setAttribute('payment.approved', answer.approved);
      return answer;
    } catch (error) {
      span.recordException(error);
      span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
      throw error;
    } finally {
      span.end();
    }
  });
}

async function answer(request, response) {
  const reply = (status, body) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  try {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { approved } = await charge(JSON.parse(Buffer.concat(chunks).toString()));
    if (approved) reply(201, { approved });
    else reply(402, { message: 'the bank declined the card' });
  } catch (error) {
    reply(502, { message: error.message });
  }
}

void import('./lib/service.mjs').then(({ serve }) => serve(http.createServer(answer)));
