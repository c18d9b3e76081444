// A plain HTTP server with OpenTelemetry's unmodified HTTP instrumentation, which takes part in traces of X-Ray SDKs.
// `otel-server.cjs NAME`, with DOWNSTREAM (a URL) where it shall call something. Says `listening PORT`.
const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-proto');
const { registerInstrumentations } = require('@opentelemetry/instrumentation');
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');
const { AWSXRayPropagator } = require('@opentelemetry/propagator-aws-xray');
const { resourceFromAttributes } = require('@opentelemetry/resources');
const { SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-base');
const { NodeTracerProvider } = require('@opentelemetry/sdk-trace-node');

const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ 'service.name': process.argv[2] }),
  spanProcessors: [new SimpleSpanProcessor(new OTLPTraceExporter())],
});
provider.register({ propagator: new AWSXRayPropagator() });
registerInstrumentations({ instrumentations: [new HttpInstrumentation()] });

const http = require('node:http');

const server = http.createServer((request, response) => {
  http.get(`${process.env.DOWNSTREAM}${request.url}`, (answer) => {
    answer.resume().on('end', () => response.writeHead(answer.statusCode).end());
  });
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`listening ${server.address().port}\n`));
process.stdin.resume().on('end', () => process.exit(0));
