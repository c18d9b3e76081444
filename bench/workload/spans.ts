/**
 * Made-up traffic of a shop: traces of 3 to 14 spans over 20 services, ten attributes a span, every request with its own ids, URL, user and
 * address. About as hard to compress as the real thing: what repeats are names, hosts, routes and versions.
 */
import type { Random } from './random.ts';

export interface MadeSpan {
  /** 32 hexadecimal digits. */
  traceId: string;
  spanId: string;
  /** Empty at the top. */
  parentId: string;
  service: string;
  name: string;
  /** OTLP's SpanKind: 1 internal, 2 server, 3 client. */
  kind: number;
  startSeconds: number;
  startMicros: number;
  durationMicros: number;
  status: number;
  attributes: readonly (readonly [string, string | number])[];
  clientIp: string;
  contentLength: number;
}

export const SERVICES =
  'checkout cart payments catalog search users auth orders shipping inventory emails recs pricing gateway web mobile-bff ledger fraud reports media'.split(
    ' ',
  );
const ROUTES = [
  '/api/v1/orders/{id}',
  '/api/v1/cart',
  '/api/v1/users/{id}/profile',
  '/api/v1/search',
  '/healthz',
  '/api/v2/products/{id}',
  '/login',
  '/api/v1/payments',
  '/graphql',
  '/api/v1/shipments/{id}',
];
const CALLS = [
  'SELECT orders',
  'INSERT orders',
  'UPDATE carts',
  'SELECT users',
  'DynamoDB.GetItem',
  'DynamoDB.PutItem',
  'S3.GetObject',
  'SQS.SendMessage',
  'Redis.GET',
  'Redis.SET',
];
const REGIONS = ['us-east-1', 'eu-west-1', 'ap-south-1'];
const METHODS = ['GET', 'GET', 'GET', 'POST', 'PUT', 'DELETE'];
const VERSIONS = ['2026.11.1', '2026.11.2', '2026.10.9'];
const HOSTS = Array.from({ length: 60 }, (_, i) => `ip-10-0-${i >> 4}-${(i * 37) % 256}.ec2.internal`);

/** The spans of one trace that starts at `startSeconds` (fraction allowed). */
export function makeTrace(random: Random, startSeconds: number): MadeSpan[] {
  const second = Math.floor(startSeconds);
  const traceId = second.toString(16).padStart(8, '0') + random.hex8() + random.hex8() + random.hex8();
  const spans: MadeSpan[] = [];
  const count = 3 + random.below(12);
  for (let i = 0; i < count; i++) spans.push(makeSpan(random, traceId, startSeconds, spans));
  return spans;
}

function makeSpan(random: Random, traceId: string, traceStart: number, before: readonly MadeSpan[]): MadeSpan {
  const parent = before.length === 0 ? undefined : random.pick(before);
  const share = random.fraction();
  const kind = parent === undefined ? 2 : share < 0.35 ? 3 : share > 0.75 ? 1 : 2;
  const service = parent !== undefined && kind !== 2 ? parent.service : random.pick(SERVICES);
  const route = random.pick(ROUTES);
  const method = random.pick(METHODS);
  const start = (parent ? parent.startSeconds + parent.startMicros / 1e6 : traceStart) + random.fraction() * 0.2;
  const startSeconds = Math.floor(start);
  const bad = random.fraction();
  const status = bad < 0.01 ? 500 + random.below(4) : bad < 0.04 ? 400 + random.below(30) : 200;
  const u = random.fraction();
  return {
    traceId,
    spanId: random.hex8() + random.hex8(),
    parentId: parent?.spanId ?? '',
    service,
    name: kind === 3 ? random.pick(CALLS) : kind === 1 ? `fn.${random.below(40)}` : `${method} ${route}`,
    kind,
    startSeconds,
    startMicros: Math.floor((start - startSeconds) * 1e6),
    durationMicros: Math.floor(200 * 10 ** (u * u * 4.2)),
    status,
    attributes: [
      ['http.method', method],
      ['http.route', route],
      ['http.url', `https://api.example.com${route.replace('{id}', String(random.below(1_000_000)))}`],
      ['http.status_code', status],
      ['user.id', `u${random.below(100_000)}`],
      ['host.name', random.pick(HOSTS)],
      ['cloud.region', random.pick(REGIONS)],
      ['tenant', `tenant-${random.below(500)}`],
      ['service.version', random.pick(VERSIONS)],
      [
        'request.id',
        `${random.hex8()}-${random.hex8().slice(0, 4)}-4${random.hex8().slice(0, 3)}-a${random.hex8().slice(0, 3)}-${random.hex8()}${random.hex8().slice(0, 4)}`,
      ],
    ],
    clientIp: `10.${random.below(256)}.${random.below(256)}.${random.below(256)}`,
    contentLength: random.below(20_000),
  };
}
