import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anySpan, attributesOf, spanOf } from '../../test/support/otlp-spans.ts';
import {
  assembleTrace,
  type TraceId,
  calleeNode,
  outcomeFlags,
  requestText,
  segmentNode,
  httpStatus,
  type SegmentDocument,
} from '../trace/index.ts';
import { siblingId } from './derived-id.ts';
import { spanFacts, type SpanFacts } from './facts.ts';
import { SpanKind, StatusCode, ValueKind, type OtlpAttributes, type OtlpSpan } from './model.ts';
import { spanToSegment } from './to-segment.ts';

type Attributes = Parameters<typeof attributesOf>[0];

const PARENT = '1111111111111111';
const { server, client, internal, producer, consumer } = SpanKind;

function clientSpan(attributes: Attributes, members: Partial<OtlpSpan> = {}): OtlpSpan {
  return spanOf({ kind: client, parentSpanId: PARENT, name: 'GET', attributes: attributesOf(attributes), ...members });
}

function resourceOf(attributes: Attributes): OtlpSpan['resource'] {
  return { attributes: attributesOf(attributes), droppedAttributesCount: 0, schemaUrl: '' };
}

/** The facts as the document tells them, read by the functions that the service map uses. */
function factsOfDocument(document: SegmentDocument): Partial<SpanFacts> {
  const isSegment = document.type !== 'subsegment';
  const own = document.subsegments?.[0] ?? document;
  const peer = isSegment && own === document ? undefined : calleeNode(own);
  const node = segmentNode(document);
  return {
    isSegment,
    name: document.name,
    ...(isSegment ? { service: node.name, type: node.type } : { service: document.service!['name'] as string }),
    peerName: peer?.name ?? '',
    peerType: peer?.type ?? '',
    remoteCall: peer !== undefined,
    ...outcomeFlags(own),
    url: requestText(own, 'url') ?? '',
    method: requestText(own, 'method') ?? '',
    status: httpStatus(own) ?? 0,
    userAgent: requestText(own, 'user_agent') ?? '',
    clientIp: requestText(own, 'client_ip') ?? '',
    user: document.user ?? '',
  };
}

describe('spanToSegment() tells segments from subsegments', () => {
  test.each<[string, boolean, Partial<OtlpSpan>]>([
    ['a server', true, { kind: server, parentSpanId: PARENT }],
    ['a server whose parent is said to be local', true, { kind: server, parentSpanId: PARENT, flags: 0x101 }],
    ['an internal span without parent', true, { kind: internal }],
    ['an internal span with a parent', false, { kind: internal, parentSpanId: PARENT }],
    ['an internal span with a remote parent', true, { kind: internal, parentSpanId: PARENT, flags: 0x301 }],
    [
      'an internal span with the remote bit but not the one that makes it count',
      false,
      { kind: internal, parentSpanId: PARENT, flags: 0x200 },
    ],
    ['a client with a parent', false, { kind: client, parentSpanId: PARENT }],
    ['a consumer with a parent of unknown place', true, { kind: consumer, parentSpanId: PARENT }],
    ['a consumer with a local parent', false, { kind: consumer, parentSpanId: PARENT, flags: 0x100 }],
    ['a consumer with a remote parent', true, { kind: consumer, parentSpanId: PARENT, flags: 0x300 }],
    ['a local root', true, { kind: internal, parentSpanId: PARENT, attributes: attributesOf({ 'aws.span.kind': 'LOCAL_ROOT' }) }],
  ])('%s', (_name, isSegment, members) => {
    const document = spanToSegment(spanOf(members));
    expect(document.type).toBe(isSegment ? undefined : 'subsegment');
    expect(document.parent_id).toBe(members.parentSpanId);
    expect(spanFacts(spanOf(members)).isSegment).toBe(isSegment);
  });
});

describe('spanToSegment()', () => {
  test('writes a server span', () => {
    const span = spanOf({
      startNanos: 500_000_000,
      parentSpanId: PARENT,
      attributes: attributesOf({
        'http.request.method': 'GET',
        'url.scheme': 'https',
        'url.path': '/cart',
        'url.query': 'id=7',
        'server.address': 'shop.example.com',
        'server.port': 8443,
        'http.response.status_code': 200,
        'http.response.body.size': 512,
        'user_agent.original': 'curl/8',
        'client.address': '10.0.0.1',
        'enduser.id': 'ada',
        'feature.flags': ['a', 'b'],
        payload: Uint8Array.of(255),
        empty: undefined,
      }),
    });
    expect(spanToSegment(span)).toEqual({
      name: 'shop',
      id: '53995c3f42cd8ad8',
      trace_id: '1-5759e988-bd862e3fe1be46a994272793',
      parent_id: PARENT,
      start_time: 1_700_000_000.5,
      end_time: 1_700_000_001,
      fault: false,
      error: false,
      throttle: false,
      service: { name: 'shop' },
      user: 'ada',
      http: {
        request: { method: 'GET', url: 'https://shop.example.com:8443/cart?id=7', user_agent: 'curl/8', client_ip: '10.0.0.1' },
        response: { status: 200, content_length: 512 },
      },
      annotations: {
        'http.request.method': 'GET',
        'url.scheme': 'https',
        'url.path': '/cart',
        'url.query': 'id=7',
        'server.address': 'shop.example.com',
        'server.port': 8443,
        'http.response.status_code': 200,
        'http.response.body.size': 512,
        'user_agent.original': 'curl/8',
        'client.address': '10.0.0.1',
        'enduser.id': 'ada',
      },
      metadata: { default: { 'feature.flags': ['a', 'b'], payload: '/w==' }, 'otel.resource': { 'service.name': 'shop' } },
    });
  });

  test('writes a call without a parent as a segment around a subsegment', () => {
    const span = clientSpan({ 'url.full': 'https://api.example.com/x', 'enduser.id': 'ada' }, { parentSpanId: '' });
    const document = spanToSegment(span);
    expect(document).toMatchObject({ name: 'shop', id: siblingId(span.spanId, 0), trace_id: '1-5759e988-bd862e3fe1be46a994272793' });
    expect(document.http).toBeUndefined();
    expect(document.subsegments).toMatchObject([
      { name: 'api.example.com', id: span.spanId, namespace: 'remote', http: { request: { url: 'https://api.example.com/x' } } },
    ]);
    expect(Object.keys(document.subsegments![0]!)).not.toContain('parent_id');
    expect(spanFacts(span)).toMatchObject({ isSegment: true, name: 'shop', peerName: 'api.example.com', peerType: 'remote' });
  });

  test.each<[string, string, Attributes]>([
    ['AWS::ECS::Fargate', 'aws_ecs', { 'aws.ecs.launchtype': 'fargate', 'aws.ecs.task.family': 'web' }],
    ['AWS::ECS::EC2', 'aws_ecs', { 'aws.ecs.launchtype': 'EC2' }],
    ['AWS::ECS::Container', 'aws_ecs', {}],
    ['AWS::EKS::Container', 'aws_eks', { 'k8s.cluster.name': 'c' }],
    ['AWS::EC2::Instance', 'aws_ec2', { 'host.id': 'i-1' }],
    ['AWS::Lambda::Function', 'aws_lambda', {}],
    ['AWS::AppRunner::Service', 'aws_app_runner', {}],
    ['AWS::ElasticBeanstalk::Environment', 'aws_elastic_beanstalk', { 'service.namespace': 'e' }],
  ])('has origin %s for cloud.platform %s', (origin, platform, more) => {
    const resource = resourceOf({ 'service.name': 'shop', 'cloud.platform': platform, ...more });
    expect(spanToSegment(spanOf({ resource })).origin).toBe(origin);
    expect(spanFacts(spanOf({ resource })).type).toBe(origin);
  });

  test('has no origin outside AWS', () => {
    const resource = resourceOf({ 'service.name': 'shop', 'cloud.platform': 'gcp_cloud_run' });
    expect(spanToSegment(spanOf({ resource })).origin).toBeUndefined();
    expect(spanFacts(spanOf({ resource })).type).toBe('unknown');
  });

  test('says where a segment runs and what recorded it', () => {
    const resource = resourceOf({
      'service.name': 'shop',
      'service.version': '7',
      'cloud.provider': 'aws',
      'cloud.platform': 'aws_ec2',
      'cloud.account.id': '123456789012',
      'cloud.region': 'eu-west-1',
      'host.id': 'i-1',
      'host.type': 't3.small',
      'telemetry.sdk.language': 'java',
      'telemetry.sdk.name': 'opentelemetry',
      'telemetry.sdk.version': '1.50',
      'telemetry.auto.version': '2.1',
      'aws.log.group.names': ['g'],
    });
    const document = spanToSegment(spanOf({ resource }));
    expect(document.service).toEqual({ name: 'shop', version: '7' });
    expect(document.aws).toEqual({
      account_id: '123456789012',
      region: 'eu-west-1',
      cloudwatch_logs: [{ log_group: 'g' }],
      ec2: { instance_id: 'i-1', instance_size: 't3.small' },
      xray: { sdk: 'opentelemetry for java', sdk_version: '1.50', auto_instrumentation: true },
    });
  });

  test('takes names from outside as they are, and cleans those that X-Ray would refuse', () => {
    const resource = resourceOf({ 'service.name': 'my "shop" (é)!' });
    expect(spanToSegment(spanOf({ resource })).name).toBe('my shop é');
    expect(spanToSegment(spanOf({ resource: resourceOf({}) })).name).toBe('unknown_service');
    expect(spanToSegment(spanOf({ kind: internal, parentSpanId: PARENT, name: '()' })).name).toBe('span');
    expect(spanToSegment(spanOf({ kind: internal, parentSpanId: PARENT, name: 'x'.repeat(300) })).name).toHaveLength(200);
    expect(spanToSegment(spanOf({ attributes: attributesOf({ 'aws.local.service': 'local' }) })).name).toBe('local');
  });

  test('keeps a member called __proto__ as data', () => {
    const attributes: OtlpAttributes = {
      keys: ['__proto__', '__proto__'],
      kinds: [ValueKind.string, ValueKind.array],
      values: ['polluted', { kinds: [], values: [] }],
    };
    const document = spanToSegment(spanOf({ attributes }));
    expect(Object.entries(document.annotations!)).toEqual([['__proto__', 'polluted']]);
    expect(Object.entries(document.metadata!['default'] as object)).toEqual([['__proto__', []]]);
  });

  test('puts declared metadata where it is declared for', () => {
    const attributes = attributesOf({ 'aws.xray.metadata.cart': '{"items":2}', 'aws.xray.metadata.bad': '{', other: true });
    const { annotations, metadata } = spanToSegment(spanOf({ attributes }));
    expect(metadata).toMatchObject({ cart: { items: 2 } });
    expect(annotations).toEqual({ 'aws.xray.metadata.bad': '{', other: true });
  });

  test('writes links and numbers that JSON lacks', () => {
    const link = {
      traceId: 'a'.repeat(32),
      spanId: 'b'.repeat(16),
      traceState: '',
      attributes: attributesOf({ n: 1 }),
      droppedAttributesCount: 0,
      flags: 0,
    };
    const document = spanToSegment(spanOf({ links: [link], attributes: attributesOf({ nan: Number.NaN, big: 2 ** 53 - 1 }) }));
    expect(document.links).toEqual([{ trace_id: `1-aaaaaaaa-${'a'.repeat(24)}`, id: 'b'.repeat(16), attributes: { n: 1 } }]);
    expect(document.annotations).toEqual({ nan: 'NaN', big: 2 ** 53 - 1 });
  });
});

describe('a call', () => {
  test.each<[Attributes, string, string, string]>([
    [{ 'peer.service': 'stock', 'http.host': 'h' }, 'stock', 'stock', 'remote'],
    [{ 'aws.remote.service': 'stock', 'peer.service': 'p' }, 'stock', 'stock', 'remote'],
    [{ 'http.host': 'h:81', 'net.peer.name': 'n' }, 'h:81', 'h:81', 'remote'],
    [{ 'net.peer.name': 'n' }, 'n', 'n', 'remote'],
    [{ 'server.address': 's', 'server.port': 81 }, 's', 's', 'remote'],
    [{ 'url.full': 'https://user:pw@api.example.com:8443/x?y' }, 'api.example.com', 'api.example.com', 'remote'],
    [{ 'url.full': 'http://[::1]:80/' }, '::1', '::1', 'remote'],
    [{ 'rpc.system': 'grpc', 'rpc.service': 'shop.Stock', 'server.address': 's' }, 'shop.Stock', 'shop.Stock', 'remote'],
    [{ 'db.system': 'redis', 'db.namespace': '0', 'server.address': 'cache' }, 'cache', 'cache', 'remote'],
    [{ 'db.system': 'redis' }, 'redis', 'redis', 'remote'],
    [{ 'db.system': 'mongodb', 'db.name': 'shop', 'net.peer.name': 'm' }, 'shop@m', 'shop@m', 'remote'],
    [{}, 'GET', 'GET', 'remote'],
    [
      { 'db.system': 'mysql', 'db.name': 'shop', 'db.connection_string': 'jdbc:mysql://db.local:3306/shop' },
      'shop@db.local',
      'shop@db.local',
      'Database::SQL',
    ],
    [{ 'db.system.name': 'postgresql', 'db.namespace': 'shop', 'server.address': 'db' }, 'shop@db', 'shop@db', 'Database::SQL'],
    [{ 'db.system': 'sqlite' }, 'sqlite', 'sqlite', 'Database::SQL'],
    [
      { 'rpc.system': 'aws-api', 'rpc.service': 'DynamoDB', 'db.system': 'dynamodb', 'aws.dynamodb.table_names': ['games'] },
      'DynamoDB',
      'games',
      'AWS::DynamoDB::Table',
    ],
    [
      { 'rpc.system': 'aws-api', 'rpc.service': 'DynamoDB', 'db.system': 'dynamodb', 'db.name': 'games' },
      'DynamoDB',
      'games',
      'AWS::DynamoDB::Table',
    ],
    [
      { 'rpc.system': 'aws-api', 'rpc.service': 'DynamoDB', 'aws.dynamodb.table_names': ['a', 'b'] },
      'DynamoDB',
      'DynamoDB',
      'AWS::DynamoDB',
    ],
    [
      { 'rpc.system': 'aws-api', 'aws.remote.service': 'AWS::SQS', 'aws.queue.url': 'https://sqs/1/jobs' },
      'SQS',
      'jobs',
      'AWS::SQS::Queue',
    ],
    [
      { 'rpc.system': 'aws-api', 'rpc.service': 'SQS', 'messaging.system': 'aws_sqs', 'messaging.url': 'https://sqs/1/jobs' },
      'SQS',
      'jobs',
      'AWS::SQS::Queue',
    ],
    [
      { 'rpc.system': 'aws-api', 'rpc.service': 'SNS', 'messaging.destination.name': 'arn:aws:sns:eu-west-1:1:news' },
      'SNS',
      'news',
      'AWS::SNS::Topic',
    ],
    [{ 'rpc.system': 'aws-api', 'rpc.service': 'S3', 'aws.s3.bucket': 'b' }, 'S3', 'b', 'AWS::S3::Bucket'],
    [{ 'rpc.system': 'aws-api', 'rpc.service': 'Lambda', 'faas.invoked_name': 'f' }, 'Lambda', 'f', 'AWS::Lambda'],
    [{ 'aws.service': 'Kinesis', 'aws.stream_name': 's' }, 'Kinesis', 's', 'AWS::Kinesis::Stream'],
    [{ 'rpc.system': 'aws-api', 'rpc.service': 'STS' }, 'STS', 'STS', 'AWS::STS'],
  ])('with %j is named %s and goes to %s, %s', (attributes, name, peerName, peerType) => {
    const span = clientSpan(attributes);
    expect(spanToSegment(span).name).toBe(name);
    expect(spanFacts(span)).toMatchObject({ name, peerName, peerType, remoteCall: true, service: 'shop' });
  });

  test('of a producer goes to the destination of its messages', () => {
    const span = clientSpan({ 'messaging.system': 'kafka', 'messaging.destination.name': 'orders' }, { kind: producer });
    expect(spanToSegment(span)).toMatchObject({ name: 'orders', namespace: 'remote' });
  });

  test('of a database is one even inside an internal span; other internal spans call nobody', () => {
    const inner = clientSpan({ 'db.system': 'sqlite', 'db.name': 'a' }, { kind: internal });
    expect(spanFacts(inner)).toMatchObject({ peerName: 'a', peerType: 'Database::SQL' });
    const local = clientSpan({ 'peer.service': 'p', 'http.host': 'h' }, { kind: internal, name: 'render' });
    expect(spanFacts(local)).toMatchObject({ name: 'render', peerName: '', remoteCall: false });
    expect(spanToSegment(local).namespace).toBeUndefined();
  });

  test('writes its sql and aws blocks', () => {
    const sql = clientSpan({ 'db.system': 'mysql', 'db.statement': 'SELECT ?', 'db.user': 'u', 'db.connection_string': 'mysql://h' });
    expect(spanToSegment(sql).sql).toEqual({
      database_type: 'mysql',
      sanitized_query: 'SELECT ?',
      user: 'u',
      connection_string: 'mysql://h',
    });
    const aws = clientSpan({
      'rpc.system': 'aws-api',
      'rpc.service': 'S3',
      'rpc.method': 'S3/GetObject',
      'cloud.region': 'r',
      'aws.request_id': 'q',
    });
    expect(spanToSegment(aws)).toMatchObject({ namespace: 'aws', aws: { operation: 'GetObject', region: 'r', request_id: 'q' } });
  });
});

describe('in a trace', () => {
  test('a call without a parent leads to the service that answers it, and to no inferred node', () => {
    const script = clientSpan({ 'url.full': 'http://shop/x' }, { parentSpanId: '', resource: resourceOf({ 'service.name': 'script' }) });
    const answer = spanOf({ spanId: '2222222222222222', parentSpanId: script.spanId });
    const query = clientSpan({ 'db.system': 'mysql', 'db.name': 'd' }, { spanId: '3333333333333333', parentSpanId: answer.spanId });
    const trace = assembleTrace(script.traceId as TraceId, [query, answer, script].map(spanToSegment));
    const nodes = trace.segments.map(({ node }) => `${node.name} ${node.type}`);
    expect(nodes.sort()).toEqual(['d Database::SQL', 'script unknown', 'shop unknown']);
    expect(trace.root?.name).toBe('script');
    expect(trace.root?.children[0]?.callees.map(({ name }) => name)).toEqual(['shop']);
  });
});

describe('outcome and http', () => {
  test.each<[number | undefined, number, object]>([
    [undefined, StatusCode.unset, { error: false, throttle: false, fault: false }],
    [undefined, StatusCode.ok, { error: false, throttle: false, fault: false }],
    [undefined, StatusCode.error, { error: false, throttle: false, fault: true }],
    [200, StatusCode.error, { error: false, throttle: false, fault: true }],
    [404, StatusCode.error, { error: true, throttle: false, fault: false }],
    [404, StatusCode.unset, { error: true, throttle: false, fault: false }],
    [429, StatusCode.error, { error: true, throttle: true, fault: false }],
    [503, StatusCode.unset, { error: false, throttle: false, fault: true }],
  ])('of status %s and code %s', (status, statusCode, flags) => {
    const attributes = attributesOf(status === undefined ? {} : { 'http.status_code': status });
    expect(spanFacts(spanOf({ statusCode, attributes }))).toMatchObject(flags);
    expect(spanToSegment(spanOf({ statusCode, attributes }))).toMatchObject(flags);
  });

  test.each<[Attributes, string]>([
    [{ 'http.url': 'http://a/b', 'http.method': 'GET' }, 'http://a/b'],
    [{ 'http.method': 'GET', 'http.scheme': 'https', 'http.host': 'a:9', 'http.target': '/b?c' }, 'https://a:9/b?c'],
    [{ 'http.method': 'GET', 'net.host.name': 'a', 'net.host.port': 80, 'http.target': '/b' }, 'http://a/b'],
    [{ 'http.method': 'GET', 'url.scheme': 'https', 'server.address': 'a', 'server.port': 443, 'url.path': '/b' }, 'https://a/b'],
    [{ 'http.method': 'GET', 'server.address': '::1', 'server.port': 8080, 'url.path': '/b' }, 'http://[::1]:8080/b'],
    [{ 'http.method': 'GET', 'url.path': '/b' }, '/b'],
    [{ 'http.method': 'GET' }, ''],
    [{ 'server.address': 'a', 'client.address': 'c' }, ''],
  ])('joins the URL of %j', (attributes, url) => {
    expect(spanFacts(spanOf({ attributes: attributesOf(attributes) })).url).toBe(url);
  });

  test('is not there when the span is not about HTTP', () => {
    const attributes = attributesOf({ 'server.address': 'a', 'client.address': 'c', 'rpc.system': 'grpc' });
    expect(spanToSegment(spanOf({ attributes })).http).toBeUndefined();
    expect(spanFacts(spanOf({ attributes })).clientIp).toBe('');
  });
});

describe('cause', () => {
  test('has an exception for each event, and for each of its causes', () => {
    const stack = 'E: m\n\tat a.B.c(B.java:1)\nCaused by: F: n\n\tat d.E.f(E.java:2)';
    const event = (attributes: Attributes) => ({
      seconds: 1,
      nanos: 0,
      name: 'exception',
      attributes: attributesOf(attributes),
      droppedAttributesCount: 0,
    });
    const events = [
      event({ 'exception.type': 'E', 'exception.message': 'm', 'exception.stacktrace': stack }),
      { ...event({}), name: 'retry' },
      event({ 'exception.type': 'G' }),
    ];
    const { cause } = spanToSegment(spanOf({ kind: client, parentSpanId: PARENT, events }));
    const ids = [1, 2, 3].map((index) => siblingId('53995c3f42cd8ad8', index));
    expect(cause).toEqual({
      exceptions: [
        { id: ids[0], message: 'm', type: 'E', remote: true, stack: [{ path: 'B.java', line: 1, label: 'a.B.c' }], cause: ids[1] },
        { id: ids[1], message: 'n', type: 'F', remote: true, stack: [{ path: 'E.java', line: 2, label: 'd.E.f' }] },
        { id: ids[2], type: 'G', remote: true },
      ],
    });
  });

  test('is the status message of a failed span without exceptions', () => {
    const span = spanOf({ statusCode: StatusCode.error, statusMessage: 'out of stock' });
    expect(spanToSegment(span).cause).toEqual({ exceptions: [{ id: siblingId(span.spanId, 1), message: 'out of stock' }] });
    expect(spanToSegment(spanOf({ statusCode: StatusCode.error })).cause).toBeUndefined();
  });

  test('counts exceptions beyond fifty', () => {
    const event = {
      seconds: 1,
      nanos: 0,
      name: 'exception',
      attributes: attributesOf({ 'exception.type': 'E' }),
      droppedAttributesCount: 0,
    };
    const { cause } = spanToSegment(spanOf({ events: Array.from({ length: 60 }, () => event) }));
    expect(cause).toMatchObject({ exceptions: { length: 50, 0: { skipped: 10 } } });
  });
});

describe('spanFacts() agrees with the segment document', () => {
  const text = fc.constantFrom(
    'a',
    'shop',
    '()',
    'http://h:1/x?y',
    'https://sqs/1/jobs',
    'arn:aws:sns:r:1:t',
    'aws-api',
    'mysql',
    'dynamodb',
    '',
  );
  const plain = fc.oneof(text, fc.integer({ min: -1, max: 700 }), fc.boolean(), fc.array(text, { maxLength: 2 }), fc.constant(undefined));
  const key = fc.constantFrom(
    'http.method',
    'http.request.method',
    'http.url',
    'url.full',
    'url.path',
    'http.target',
    'http.host',
    'http.status_code',
    'http.response.status_code',
    'server.address',
    'server.port',
    'net.peer.name',
    'client.address',
    'http.client_ip',
    'user_agent.original',
    'http.user_agent',
    'enduser.id',
    'db.system',
    'db.system.name',
    'db.name',
    'db.namespace',
    'rpc.system',
    'rpc.service',
    'aws.service',
    'aws.remote.service',
    'aws.local.service',
    'aws.queue_url',
    'aws.table_name',
    'aws.sns.topic.arn',
    'aws.s3.bucket',
    'faas.invoked_name',
    'messaging.destination.name',
    'messaging.system',
    'messaging.url',
    'peer.service',
    'aws.span.kind',
    'aws.stream.name',
    'network.peer.address',
  );

  test('for any span', () => {
    fc.assert(
      fc.property(anySpan, fc.dictionary(key, plain, { maxKeys: 12 }), (made, attributes) => {
        const span = { ...made, attributes: attributesOf(attributes) };
        expect(spanFacts(span)).toMatchObject(factsOfDocument(spanToSegment(span)));
      }),
      { numRuns: 2000 },
    );
  });
});
