/**
 * A made-up shop: every three seconds one request enters. A trace is computed from its number alone, so any range has data.
 */
import type { Outcome, TimelineRow } from '../../src/api/index.ts';
import { createRandom, type Random } from './random.ts';

export const SECONDS_PER_TRACE = 3;

export interface MockSpan extends TimelineRow {
  readonly document: Record<string, unknown>;
}

export interface MockTrace {
  readonly id: string;
  readonly spans: MockSpan[];
  readonly user: string | undefined;
  readonly annotations: Record<string, string | number | boolean>;
}

const TYPES: Readonly<Record<string, string>> = {
  storefront: 'AWS::ECS::Container',
  'mobile-api': 'AWS::ApiGateway::Stage',
  orders: 'AWS::EC2::Instance',
  payments: 'AWS::ECS::Container',
  catalog: 'AWS::Lambda::Function',
  inventory: 'AWS::EKS::Container',
  recommendations: 'AWS::ElasticBeanstalk::Environment',
  mailer: 'unknown',
};

const USERS = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace'];
const AGENTS = ['Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0', 'ShopApp/8.2 (iOS 19.1)', 'curl/8.14.1'];

/** Call plans: name of the callee, median seconds, what is called inside, in order. */
interface Plan {
  readonly to: string;
  readonly median: number;
  readonly kind: 'service' | 'sql' | 'aws' | 'remote';
  readonly what: string;
  readonly calls?: readonly Plan[];
  readonly failure?: number;
  readonly throttle?: number;
}

const stock: Plan = {
  to: 'stock@db.shop.internal',
  kind: 'sql',
  median: 0.004,
  what: 'SELECT sku, quantity FROM stock WHERE sku = ANY($1) FOR UPDATE',
};
const items: Plan = { to: 'catalog-items', kind: 'aws', median: 0.007, what: 'GetItem', throttle: 0.03 };
const images: Plan = { to: 'shop-images', kind: 'aws', median: 0.019, what: 'GetObject' };
const catalog: Plan = { to: 'catalog', kind: 'service', median: 0.011, what: 'GET /items', calls: [items, images] };
const inventory: Plan = { to: 'inventory', kind: 'service', median: 0.009, what: 'GET /stock', calls: [stock], failure: 0.004 };
const advice: Plan = {
  to: 'recommendations',
  kind: 'service',
  median: 0.03,
  what: 'GET /for-you',
  calls: [
    {
      ...stock,
      to: 'events@warehouse',
      median: 0.12,
      what: 'SELECT item, count(*) FROM views WHERE visitor = $1 GROUP BY item ORDER BY 2 DESC LIMIT 20',
    },
  ],
};
const card: Plan = { to: 'api.stripe.com', kind: 'remote', median: 0.21, what: 'POST https://api.stripe.com/v1/charges', failure: 0.04 };
const payments: Plan = {
  to: 'payments',
  kind: 'service',
  median: 0.012,
  what: 'POST /charge',
  calls: [card, { ...stock, to: 'ledger@db.shop.internal', what: 'INSERT INTO ledger (order_id, cents) VALUES ($1, $2)' }],
};
const queue: Plan = { to: 'order-events', kind: 'aws', median: 0.006, what: 'SendMessage' };
const mailer: Plan = {
  to: 'mailer',
  kind: 'service',
  median: 0.05,
  what: 'POST /confirmations',
  calls: [{ to: 'smtp.mailhost.example', kind: 'remote', median: 0.12, what: 'POST https://smtp.mailhost.example/send', throttle: 0.05 }],
};
const orders: Plan = {
  to: 'orders',
  kind: 'service',
  median: 0.014,
  what: 'POST /orders',
  calls: [
    inventory,
    payments,
    { ...stock, to: 'orders@db.shop.internal', what: 'INSERT INTO orders (id, owner, total) VALUES ($1, $2, $3)' },
    queue,
    mailer,
  ],
};

const ENTRIES: readonly { weight: number; entry: string; method: string; path: string; calls: readonly Plan[] }[] = [
  { weight: 34, entry: 'storefront', method: 'GET', path: '/', calls: [catalog, advice] },
  { weight: 30, entry: 'storefront', method: 'GET', path: '/items/:n', calls: [catalog, inventory] },
  { weight: 9, entry: 'storefront', method: 'POST', path: '/checkout', calls: [orders] },
  { weight: 17, entry: 'mobile-api', method: 'GET', path: '/v2/items', calls: [catalog, catalog] },
  { weight: 10, entry: 'mobile-api', method: 'POST', path: '/v2/orders', calls: [orders] },
];

export function traceNumberAt(seconds: number): number {
  return Math.floor(seconds / SECONDS_PER_TRACE);
}

export function shopTraceId(number: number): string {
  const random = createRandom(number);
  const time = Math.floor(number * SECONDS_PER_TRACE);
  return `1-${time.toString(16).padStart(8, '0')}-${random.hex(12)}${number.toString(16).padStart(12, '0')}`;
}

export function shopTraceNumber(id: string): number {
  return Number.parseInt(id.slice(-12), 16);
}

export function shopTrace(number: number): MockTrace {
  const random = createRandom(number * 7919 + 13);
  const id = shopTraceId(number);
  let roll = random.next() * 100;
  const entry = ENTRIES.find((candidate) => (roll -= candidate.weight) < 0) ?? ENTRIES[0]!;
  const builder = new Builder(id, random, number);
  const start = number * SECONDS_PER_TRACE + random.next() * SECONDS_PER_TRACE;
  const path = entry.path.replace(':n', String(random.int(100, 999)));
  builder.root(entry.entry, entry.method, `https://shop.example${path}`, start, entry.calls);
  const user = entry.path.includes('items') ? undefined : random.pick(USERS);
  return { id, spans: builder.spans, user, annotations: builder.annotations };
}

class Builder {
  readonly spans: MockSpan[] = [];
  readonly annotations: Record<string, string | number | boolean> = {};
  readonly #id: string;
  readonly #random: Random;
  readonly #slow: boolean;
  readonly #trouble: boolean;
  readonly #open: boolean;

  constructor(id: string, random: Random, number: number) {
    this.#id = id;
    this.#random = random;
    this.#slow = random.chance(0.03);
    this.#trouble = number % 400 < 60;
    this.#open = random.chance(0.01);
  }

  root(name: string, method: string, url: string, start: number, calls: readonly Plan[]): void {
    const at = this.#push({
      parent: -1,
      depth: 0,
      kind: 'segment',
      name,
      node: { name, type: TYPES[name]! },
      startSeconds: start,
      outcome: 'ok',
      method,
      url,
    });
    this.annotations['version'] = this.#trouble ? '2026.8.2' : '2026.8.1';
    if (url.includes('orders') || url.includes('checkout'))
      this.annotations['order_total'] = Math.round(this.#random.skewed(48, 0.8) * 100) / 100;
    let now = start + this.#random.skewed(0.003, 0.5);
    let outcome: Outcome = 'ok';
    for (const call of calls) {
      const result = this.#call(call, at, 1, now, { name, type: TYPES[name]! });
      now = result.end + this.#random.skewed(0.001, 0.5);
      if (result.outcome !== 'ok' && outcome === 'ok') outcome = result.outcome;
    }
    if (outcome === 'ok' && this.#random.chance(0.02)) outcome = 'error';
    const status = outcome === 'fault' ? 500 : outcome === 'throttle' ? 429 : outcome === 'error' ? 404 : 200;
    this.#finish(at, now + this.#random.skewed(0.002, 0.6), outcome, status);
  }

  #call(plan: Plan, parent: number, depth: number, start: number, owner: NodeName): { end: number; outcome: Outcome } {
    const random = this.#random;
    const failing = random.chance((plan.failure ?? 0) * (this.#trouble ? 6 : 1));
    const throttled = random.chance((plan.throttle ?? 0) * (this.#trouble ? 3 : 1));
    const { sub, callee, node } = this.#begin(plan, parent, depth, start, owner);
    let now = start + random.skewed(plan.median, 0.7) * (this.#slow && plan.to.includes('warehouse') ? 18 : 1);
    let outcome: Outcome = failing ? 'fault' : throttled ? 'throttle' : 'ok';
    for (const call of plan.calls ?? []) {
      const result = this.#call(call, callee, depth + 2, now, node);
      // The mail is sent without waiting for it: the callee overhangs.
      if (call.to !== 'mailer') now = result.end + random.skewed(0.0008, 0.5);
      if (result.outcome === 'fault' && outcome === 'ok') outcome = 'fault';
    }
    const end = now + random.skewed(plan.median * 0.3, 0.5);
    const failed = plan.kind === 'remote' ? 503 : 500;
    const status = plan.kind === 'sql' ? undefined : outcome === 'fault' ? failed : outcome === 'throttle' ? 429 : 200;
    const cut = this.#open && plan.to === 'mailer';
    this.#finish(callee, cut ? undefined : end, outcome, status);
    this.#finish(sub, cut ? undefined : end + 0.0004, outcome, status);
    return { end, outcome };
  }

  /** The caller's subsegment and the callee's segment, both without end. */
  #begin(
    plan: Plan,
    parent: number,
    depth: number,
    startSeconds: number,
    owner: NodeName,
  ): { sub: number; callee: number; node: NodeName } {
    const request = requestOf(plan);
    const name = plan.kind === 'service' ? `${plan.to}.shop.internal` : plan.to;
    const namespace = plan.kind === 'aws' ? 'aws' : 'remote';
    const extra = detailsOf(plan, this.#random.hex(20));
    const sub = this.#push(
      { parent, depth, kind: 'subsegment', name, node: owner, startSeconds, outcome: 'ok', namespace, ...request },
      extra,
    );
    const node = { name: plan.to, type: typeOf(plan) };
    const traced = plan.kind === 'service';
    const callee = this.#push({
      parent: sub,
      depth: depth + 1,
      kind: 'segment',
      name: plan.to,
      node,
      startSeconds: startSeconds + (traced ? 0.0006 : 0),
      outcome: 'ok',
      inferred: !traced,
      ...request,
    });
    return { sub, callee, node };
  }

  #push(
    row: Omit<MockSpan, 'id' | 'document' | 'inferred' | 'orphan' | 'placeholder'> & { inferred?: boolean },
    extra: Record<string, unknown> = {},
  ): number {
    const id = this.#random.hex(16);
    const document: Record<string, unknown> = {
      id,
      name: row.name,
      start_time: row.startSeconds,
      ...(row.kind === 'segment'
        ? {
            trace_id: this.#id,
            origin: row.node.type,
            service: { version: this.annotations['version'] ?? '2026.8.1', runtime: 'nodejs', runtime_version: 'v24.4.0' },
          }
        : {}),
      ...(row.parent >= 0 ? { parent_id: this.spans[row.parent]!.id } : {}),
      ...(row.namespace ? { namespace: row.namespace } : {}),
      ...(row.method
        ? {
            http: {
              request: {
                method: row.method,
                url: row.url,
                user_agent: this.#random.pick(AGENTS),
                client_ip: `203.0.113.${this.#random.int(1, 254)}`,
              },
            },
          }
        : {}),
      ...extra,
    };
    this.spans.push({ inferred: false, orphan: false, placeholder: false, ...row, id, document });
    return this.spans.length - 1;
  }

  #finish(index: number, end: number | undefined, outcome: Outcome, status: number | undefined): void {
    const span = this.spans[index]!;
    const document = span.document;
    if (end === undefined) document['in_progress'] = true;
    else document['end_time'] = end;
    if (outcome !== 'ok') document[outcome === 'throttle' ? 'throttle' : outcome] = true;
    if (outcome === 'throttle') document['error'] = true;
    const http = document['http'] as Record<string, unknown> | undefined;
    if (http && status !== undefined) http['response'] = { status, content_length: 1204 };
    if (span.kind === 'segment' && !span.inferred) {
      document['annotations'] = { ...this.annotations, region: 'eu-central-1', canary: this.#trouble };
      document['metadata'] = {
        default: {
          cart: {
            lines: [
              { sku: 'A-204', quantity: 2 },
              { sku: 'K-011', quantity: 1 },
            ],
            currency: 'EUR',
          },
          flags: { new_checkout: this.#trouble },
        },
      };
      document['aws'] = {
        ec2: { instance_id: 'i-0a1b2c3d4e5f60718', availability_zone: 'eu-central-1b' },
        xray: { sdk: 'X-Ray for Node.js', sdk_version: '3.12.0' },
      };
    }
    if (outcome === 'fault') document['cause'] = span.inferred ? undefined : failure(span.id);
    this.spans[index] = {
      ...span,
      ...(end === undefined ? {} : { endSeconds: end }),
      outcome,
      ...(status === undefined ? {} : { status }),
    };
  }
}

interface NodeName {
  readonly name: string;
  readonly type: string;
}

function requestOf(plan: Plan): { method?: string; url?: string } {
  const [method, target] = plan.what.split(' ') as [string, string];
  if (plan.kind === 'service') return { method, url: `http://${plan.to}.shop.internal${target}` };
  return plan.kind === 'remote' ? { method, url: target } : {};
}

const AWS_TYPES: Readonly<Record<string, string>> = {
  GetItem: 'AWS::DynamoDB::Table',
  GetObject: 'AWS::S3::Bucket',
  SendMessage: 'AWS::SQS::Queue',
};

function typeOf(plan: Plan): string {
  if (plan.kind === 'service') return TYPES[plan.to] ?? 'unknown';
  if (plan.kind === 'sql') return 'Database::SQL';
  return plan.kind === 'aws' ? (AWS_TYPES[plan.what] ?? 'AWS::Unknown') : 'remote';
}

function detailsOf(plan: Plan, requestId: string): Record<string, unknown> {
  if (plan.kind === 'sql') {
    const url = 'postgresql://db.shop.internal:5432/shop';
    return { sql: { url, sanitized_query: plan.what, database_type: 'PostgreSQL', user: 'shop', preparation: 'statement' } };
  }
  if (plan.kind !== 'aws') return {};
  const table = plan.what === 'GetItem' ? { table_name: plan.to } : {};
  return { aws: { operation: plan.what, region: 'eu-central-1', request_id: requestId, ...table } };
}

function failure(seed: string): Record<string, unknown> {
  const inner = `${seed.slice(0, 12)}beef`;
  return {
    working_directory: '/srv/shop',
    exceptions: [
      {
        id: `${seed.slice(0, 12)}cafe`,
        type: 'PaymentDeclined',
        message: 'charge for order 8841 was not accepted: upstream answered 503',
        cause: inner,
        truncated: 12,
        stack: [
          { path: 'src/charge.js', line: 88, label: 'charge' },
          { path: 'src/order.js', line: 41, label: 'async placeOrder' },
          { path: 'node_modules/express/lib/router/layer.js', line: 95, label: 'Layer.handle' },
          { path: 'node_modules/express/lib/router/route.js', line: 144, label: 'next' },
        ],
      },
      {
        id: inner,
        type: 'HttpError',
        message: 'POST https://api.stripe.com/v1/charges answered 503 Service Unavailable',
        remote: true,
        stack: [
          { path: 'node_modules/undici/lib/api/api-request.js', line: 214, label: 'RequestHandler.onHeaders' },
          { path: 'src/stripe-client.js', line: 19, label: 'post' },
        ],
      },
    ],
  };
}
