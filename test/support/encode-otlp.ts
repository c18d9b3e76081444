/** Writes `OtlpSpan`s as an ExportTraceServiceRequest in protobuf: the plainest encoder that can be, for tests of the decoder. */
import { ValueKind, type OtlpAttributes, type OtlpEvent, type OtlpLink, type OtlpSpan, type OtlpValues } from '../../src/otlp/index.ts';

/** A message's bytes, field after field; fields at their default are left out as protobuf prescribes. */
export class MessageWriter {
  readonly bytes: number[] = [];

  varint(field: number, value: number | bigint): this {
    return Number(value) === 0 ? this : this.present(field, value);
  }

  /** As `varint`, written even when it is 0 (members of a oneof). */
  present(field: number, value: number | bigint): this {
    this.#varint(field * 8);
    this.#varint(value);
    return this;
  }

  raw(field: number, bytes: ArrayLike<number>): this {
    this.#varint(field * 8 + 2);
    this.#varint(bytes.length);
    for (let index = 0; index < bytes.length; index++) this.bytes.push(bytes[index]!);
    return this;
  }

  text(field: number, text: string): this {
    return text === '' ? this : this.raw(field, Buffer.from(text));
  }

  message(field: number, writer: MessageWriter): this {
    return this.raw(field, writer.bytes);
  }

  fixed64(field: number, value: bigint): this {
    const buffer = Buffer.alloc(8);
    buffer.writeBigUInt64LE(value);
    return this.#fixed(field, 1, buffer);
  }

  double(field: number, value: number): this {
    const buffer = Buffer.alloc(8);
    buffer.writeDoubleLE(value);
    return this.#fixed(field, 1, buffer);
  }

  fixed32(field: number, value: number): this {
    if (value === 0) return this;
    const buffer = Buffer.alloc(4);
    buffer.writeUInt32LE(value);
    return this.#fixed(field, 5, buffer);
  }

  #fixed(field: number, wireType: number, buffer: Buffer): this {
    this.#varint(field * 8 + wireType);
    this.bytes.push(...buffer);
    return this;
  }

  #varint(value: number | bigint): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest >= 0x80n) {
      this.bytes.push(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.bytes.push(Number(rest));
  }
}

/** The request for some spans; each gets a ResourceSpans of its own unless the one before has the same resource and scope objects. */
export function encodeTraces(spans: readonly OtlpSpan[]): Uint8Array {
  const request = new MessageWriter();
  for (let start = 0; start < spans.length;) {
    const first = spans[start]!;
    let end = start;
    while (spans[end]?.resource === first.resource && spans[end]?.scope === first.scope) end++;
    request.message(1, resourceSpans(spans.slice(start, end)));
    start = end;
  }
  return Uint8Array.from(request.bytes);
}

function resourceSpans(spans: readonly OtlpSpan[]): MessageWriter {
  const { resource, scope } = spans[0]!;
  const scopeSpans = new MessageWriter().message(1, scopeMessage(scope));
  for (const span of spans) scopeSpans.message(2, encodeSpan(span));
  scopeSpans.text(3, scope.schemaUrl);
  const resourceMessage = attributes(new MessageWriter(), 1, resource.attributes).varint(2, resource.droppedAttributesCount);
  return new MessageWriter().message(1, resourceMessage).message(2, scopeSpans).text(3, resource.schemaUrl);
}

function scopeMessage(scope: OtlpSpan['scope']): MessageWriter {
  const writer = new MessageWriter().text(1, scope.name).text(2, scope.version);
  return attributes(writer, 3, scope.attributes).varint(4, scope.droppedAttributesCount);
}

/** One Span message. */
export function encodeSpan(span: OtlpSpan): MessageWriter {
  const writer = new MessageWriter().raw(1, hex(span.traceId)).raw(2, hex(span.spanId)).text(3, span.traceState);
  if (span.parentSpanId !== '') writer.raw(4, hex(span.parentSpanId));
  writer.text(5, span.name).varint(6, span.kind);
  writer.fixed64(7, nanos(span.startSeconds, span.startNanos)).fixed64(8, nanos(span.endSeconds, span.endNanos));
  attributes(writer, 9, span.attributes).varint(10, span.droppedAttributesCount);
  for (const event of span.events) writer.message(11, eventMessage(event));
  writer.varint(12, span.droppedEventsCount);
  for (const link of span.links) writer.message(13, linkMessage(link));
  writer.varint(14, span.droppedLinksCount);
  writer.message(15, new MessageWriter().text(2, span.statusMessage).varint(3, span.statusCode));
  return writer.fixed32(16, span.flags);
}

function eventMessage(event: OtlpEvent): MessageWriter {
  const writer = new MessageWriter().fixed64(1, nanos(event.seconds, event.nanos)).text(2, event.name);
  return attributes(writer, 3, event.attributes).varint(4, event.droppedAttributesCount);
}

function linkMessage(link: OtlpLink): MessageWriter {
  const writer = new MessageWriter().raw(1, hex(link.traceId)).raw(2, hex(link.spanId)).text(3, link.traceState);
  return attributes(writer, 4, link.attributes).varint(5, link.droppedAttributesCount).fixed32(6, link.flags);
}

function attributes(writer: MessageWriter, field: number, list: OtlpAttributes): MessageWriter {
  for (const [index, key] of list.keys.entries()) {
    writer.message(field, new MessageWriter().text(1, key).message(2, value(list, index)));
  }
  return writer;
}

function value(list: OtlpValues, index: number): MessageWriter {
  const item = list.values[index];
  const writer = new MessageWriter();
  switch (list.kinds[index]) {
    case ValueKind.string:
      return writer.raw(1, Buffer.from(item as string));
    case ValueKind.bool:
      return writer.present(2, item === true ? 1 : 0);
    case ValueKind.int:
      return writer.present(3, BigInt(item as number | string));
    case ValueKind.double:
      return writer.double(4, item as number);
    case ValueKind.array:
      return writer.message(5, elements(item as OtlpValues));
    case ValueKind.kvlist:
      return writer.message(6, attributes(new MessageWriter(), 1, item as OtlpAttributes));
    case ValueKind.bytes:
      return writer.raw(7, item as Uint8Array);
    default:
      return writer;
  }
}

function elements(list: OtlpValues): MessageWriter {
  const writer = new MessageWriter();
  for (let index = 0; index < list.values.length; index++) writer.message(1, value(list, index));
  return writer;
}

function hex(digits: string): Uint8Array {
  return Buffer.from(digits, 'hex');
}

function nanos(seconds: number, rest: number): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(rest);
}
