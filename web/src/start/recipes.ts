/** How to point applications here: lines to copy, filled with the addresses the server really took. */
import type { StatusAnswer } from '../core.ts';

export interface Step {
  readonly title: string;
  readonly code: string;
}

export interface Recipe {
  readonly key: string;
  readonly label: string;
  readonly steps: readonly Step[];
  readonly note?: string;
}

type Addresses = StatusAnswer['addresses'];

export function recipesFor(addresses: Addresses): readonly Recipe[] {
  return [
    ...(addresses.xray === undefined ? [] : [node(hostPort(addresses.xray)), python(hostPort(addresses.xray))]),
    otel(addresses),
    commandLine(withScheme(addresses.page)),
  ];
}

function node(address: string): Recipe {
  return {
    key: 'node',
    label: 'Node.js, X-Ray SDK',
    steps: [
      { title: 'Install', code: 'npm install express aws-xray-sdk' },
      {
        title: 'Open a segment for each request (app.cjs)',
        code: `const xray = require('aws-xray-sdk');
xray.captureHTTPsGlobal(require('http'));
const express = require('express');

const app = express();
app.use(xray.express.openSegment('my-service'));
app.get('/', (request, response) => response.send('hello'));
app.use(xray.express.closeSegment());
app.listen(3000);`,
      },
      {
        title: 'Start it with the daemon address set, and ask it something',
        code: `AWS_XRAY_DAEMON_ADDRESS=${address} node app.cjs &\nsleep 1; curl http://localhost:3000/`,
      },
    ],
    note: 'An application that has the SDK already needs only the variable.',
  };
}

function python(address: string): Recipe {
  return {
    key: 'python',
    label: 'Python, X-Ray SDK',
    steps: [
      { title: 'Install', code: 'pip install aws-xray-sdk' },
      {
        title: 'Record a segment (app.py)',
        code: `from aws_xray_sdk.core import patch_all, xray_recorder

xray_recorder.configure(service='my-service', sampling=False)
patch_all()

with xray_recorder.in_segment('my-service'):
    with xray_recorder.in_subsegment('work'):
        print('hello')`,
      },
      { title: 'Run it with the daemon address set', code: `AWS_XRAY_DAEMON_ADDRESS=${address} python3 app.py` },
    ],
    note: 'Flask and Django have a middleware: XRayMiddleware(app, xray_recorder).',
  };
}

function otel(addresses: Addresses): Recipe {
  // The page's own address takes OTLP too.
  const url = withScheme(addresses.otlpHttp ?? addresses.page);
  const steps: Step[] = [
    {
      title: 'Over HTTP (protobuf or JSON)',
      code: `export OTEL_EXPORTER_OTLP_ENDPOINT=${url}\nexport OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\nexport OTEL_SERVICE_NAME=my-service`,
    },
    {
      title: 'For example, a Node.js application as it is',
      code: `npm install @opentelemetry/api @opentelemetry/auto-instrumentations-node\nnode --require @opentelemetry/auto-instrumentations-node/register app.js`,
    },
  ];
  if (addresses.otlpGrpc !== undefined)
    steps.push({
      title: 'Over gRPC',
      code: `export OTEL_EXPORTER_OTLP_ENDPOINT=${withScheme(addresses.otlpGrpc)}\nexport OTEL_EXPORTER_OTLP_PROTOCOL=grpc`,
    });
  return { key: 'otel', label: 'OpenTelemetry', steps, note: 'A collector works too: an otlphttp exporter with this endpoint.' };
}

function commandLine(url: string): Recipe {
  return {
    key: 'aws',
    label: 'aws command',
    steps: [
      {
        title: 'Send one segment by hand',
        code: `NOW=$(date +%s)
ID=$(printf '1-%08x-%s' "$NOW" "$(openssl rand -hex 12)")
aws xray put-trace-segments --endpoint-url ${url} --region us-east-1 --no-sign-request \\
  --trace-segment-documents "{\\"trace_id\\":\\"$ID\\",\\"id\\":\\"$(openssl rand -hex 8)\\",\\"name\\":\\"by-hand\\",\\"start_time\\":$NOW,\\"end_time\\":$NOW.25}"`,
      },
      {
        title: 'Ask for it',
        code: `aws xray batch-get-traces --endpoint-url ${url} --region us-east-1 --no-sign-request --trace-ids "$ID"`,
      },
    ],
  };
}

export function withScheme(address: string): string {
  return /^[a-z]+:\/\//i.test(address) ? address.replace(/\/$/, '') : `http://${address}`;
}

export function hostPort(address: string): string {
  return address.replace(/^[a-z]+:\/\//i, '').replace(/\/$/, '');
}
