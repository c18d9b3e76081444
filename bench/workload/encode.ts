/** The made-up spans as X-Ray segment documents and as OTLP requests. */
import type { MadeSpan } from './spans.ts';

const AGENT = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36';

function seconds(whole: number, micros: number): string {
  const carried = Math.floor(micros / 1e6);
  return `${whole + carried}.${String(micros - carried * 1e6).padStart(6, '0')}`;
}

/** A segment document of about 850 bytes; client spans become independent subsegments that call out. */
export function toSegmentText(span: MadeSpan): string {
  const attribute = new Map(span.attributes);
  const method = attribute.get('http.method');
  const traceId = `1-${span.traceId.slice(0, 8)}-${span.traceId.slice(8)}`;
  const isCall = span.kind === 3;
  const parent = span.parentId === '' ? '' : `"parent_id":"${span.parentId}",`;
  const kind = isCall
    ? `"type":"subsegment","namespace":"remote","name":"${span.name}"`
    : `"name":"${span.service}","origin":"AWS::ECS::Container"`;
  const flag = span.status >= 500 ? ',"fault":true' : span.status >= 400 ? ',"error":true' : '';
  return `{"trace_id":"${traceId}","id":"${span.spanId}",${parent}${kind},"start_time":${seconds(span.startSeconds, span.startMicros)},"end_time":${seconds(span.startSeconds, span.startMicros + span.durationMicros)},"http":{"request":{"method":"${method}","url":"${attribute.get('http.url')}","user_agent":"${AGENT}","client_ip":"${span.clientIp}"},"response":{"status":${span.status},"content_length":${span.contentLength}}},"aws":{"ec2":{"instance_id":"i-0${String(attribute.get('host.name')).length}aa12bb","availability_zone":"${attribute.get('cloud.region')}a"},"region":"${attribute.get('cloud.region')}","request_id":"${attribute.get('request.id')}"},"annotations":{"tenant":"${attribute.get('tenant')}","user.id":"${attribute.get('user.id')}","http.route":"${attribute.get('http.route')}","service.version":"${attribute.get('service.version')}"},"metadata":{"default":{"host.name":"${attribute.get('host.name')}","span.kind":${span.kind},"op":"${span.name}"}}${flag}}`;
}

/** Growing protobuf message. */
class Message {
  bytes = Buffer.allocUnsafe(128);
  length = 0;

  #room(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.length + count));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }

  varint(value: number): void {
    this.#room(10);
    let rest = value;
    while (rest >= 128) {
      this.bytes[this.length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.bytes[this.length++] = rest;
  }

  number(field: number, value: number): void {
    this.varint(field << 3);
    this.varint(value);
  }

  fixed64(field: number, value: bigint): void {
    this.varint((field << 3) | 1);
    this.#room(8);
    this.bytes.writeBigUInt64LE(value, this.length);
    this.length += 8;
  }

  text(field: number, value: string): void {
    this.varint((field << 3) | 2);
    const size = Buffer.byteLength(value);
    this.varint(size);
    this.#room(size);
    this.length += this.bytes.write(value, this.length);
  }

  hex(field: number, digits: string): void {
    this.varint((field << 3) | 2);
    this.varint(digits.length / 2);
    this.#room(digits.length / 2);
    this.length += this.bytes.write(digits, this.length, 'hex');
  }

  message(field: number, inner: Message): void {
    this.varint((field << 3) | 2);
    this.varint(inner.length);
    this.#room(inner.length);
    inner.bytes.copy(this.bytes, this.length, 0, inner.length);
    this.length += inner.length;
  }
}

function attributeMessage(key: string, value: string | number): Message {
  const any = new Message();
  if (typeof value === 'string') any.text(1, value);
  else any.number(3, value);
  const pair = new Message();
  pair.text(1, key);
  pair.message(2, any);
  return pair;
}

function spanMessage(span: MadeSpan): Message {
  const message = new Message();
  message.hex(1, span.traceId);
  message.hex(2, span.spanId);
  if (span.parentId !== '') message.hex(4, span.parentId);
  message.text(5, span.name);
  message.number(6, span.kind);
  const start = BigInt(span.startSeconds) * 1_000_000_000n + BigInt(span.startMicros) * 1000n;
  message.fixed64(7, start);
  message.fixed64(8, start + BigInt(span.durationMicros) * 1000n);
  for (const [key, value] of span.attributes) message.message(9, attributeMessage(key, value));
  const status = new Message();
  if (span.status >= 500) status.number(3, 2);
  message.message(15, status);
  return message;
}

/** An ExportTraceServiceRequest: one ResourceSpans per service that occurs. */
export function toOtlpRequest(spans: readonly MadeSpan[]): Buffer {
  const byService = new Map<string, MadeSpan[]>();
  for (const span of spans) {
    const group = byService.get(span.service);
    if (group) group.push(span);
    else byService.set(span.service, [span]);
  }
  const request = new Message();
  for (const [service, group] of byService) {
    const resource = new Message();
    for (const [key, value] of [
      ['service.name', service],
      ['telemetry.sdk.language', 'nodejs'],
      ['telemetry.sdk.name', 'opentelemetry'],
      ['telemetry.sdk.version', '2.2.0'],
    ] as const) {
      resource.message(1, attributeMessage(key, value));
    }
    const scope = new Message();
    scope.text(1, 'http');
    const scopeSpans = new Message();
    scopeSpans.message(1, scope);
    for (const span of group) scopeSpans.message(2, spanMessage(span));
    const resourceSpans = new Message();
    resourceSpans.message(1, resource);
    resourceSpans.message(2, scopeSpans);
    request.message(1, resourceSpans);
  }
  return Buffer.from(request.bytes.subarray(0, request.length));
}
