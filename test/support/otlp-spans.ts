/** OTLP spans for tests: plain ones by hand, and any that can be sent, by fast-check. */
import * as fc from 'fast-check';
import {
  NO_ATTRIBUTES,
  SpanKind,
  ValueKind,
  type OtlpAttributes,
  type OtlpEvent,
  type OtlpLink,
  type OtlpSpan,
  type OtlpValue,
  type OtlpValues,
} from '../../src/otlp/index.ts';

type Plain = string | number | boolean | Uint8Array | readonly Plain[] | { readonly [key: string]: Plain } | undefined;

/** Attributes from an object: whole numbers are ints, others doubles. */
export function attributesOf(object: Readonly<Record<string, Plain>>): OtlpAttributes {
  const entries = Object.entries(object);
  if (entries.length === 0) return NO_ATTRIBUTES;
  return { keys: entries.map(([key]) => key), ...valuesOf(entries.map(([, value]) => value)) };
}

function valuesOf(list: readonly Plain[]): OtlpValues {
  const typed = list.map(typedValue);
  return { kinds: typed.map(({ kind }) => kind), values: typed.map(({ value }) => value) };
}

function typedValue(value: Plain): { kind: ValueKind; value: OtlpValue } {
  if (typeof value === 'string') return { kind: ValueKind.string, value };
  if (typeof value === 'boolean') return { kind: ValueKind.bool, value };
  if (typeof value === 'number') return { kind: Number.isInteger(value) ? ValueKind.int : ValueKind.double, value };
  if (value === undefined) return { kind: ValueKind.empty, value };
  if (value instanceof Uint8Array) return { kind: ValueKind.bytes, value };
  if (Array.isArray(value)) return { kind: ValueKind.array, value: valuesOf(value as readonly Plain[]) };
  return { kind: ValueKind.kvlist, value: attributesOf(value as Readonly<Record<string, Plain>>) };
}

/** A server span of the service `shop` without parent, one second long, with `members` changed. */
export function spanOf(members: Partial<OtlpSpan> = {}): OtlpSpan {
  return {
    traceId: '5759e988bd862e3fe1be46a994272793',
    spanId: '53995c3f42cd8ad8',
    parentSpanId: '',
    traceState: '',
    name: 'GET /cart',
    kind: SpanKind.server,
    startSeconds: 1_700_000_000,
    startNanos: 0,
    endSeconds: 1_700_000_001,
    endNanos: 0,
    attributes: NO_ATTRIBUTES,
    droppedAttributesCount: 0,
    events: [],
    droppedEventsCount: 0,
    links: [],
    droppedLinksCount: 0,
    statusCode: 0,
    statusMessage: '',
    flags: 0,
    resource: { attributes: attributesOf({ 'service.name': 'shop' }), droppedAttributesCount: 0, schemaUrl: '' },
    scope: { name: 'made', version: '1', attributes: NO_ATTRIBUTES, droppedAttributesCount: 0, schemaUrl: '' },
    ...members,
  };
}

const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom('', 'http.method', '__proto__', 'é', '\u{1f600}', '\ufeff'),
);

function hexId(bytes: number): fc.Arbitrary<string> {
  return fc
    .uint8Array({ minLength: bytes, maxLength: bytes })
    .filter((id) => id.some((byte) => byte !== 0))
    .map((id) => Buffer.from(id).toString('hex'));
}

const int64 = fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }).map((value) => {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
});

interface Typed {
  readonly kind: ValueKind;
  readonly value: OtlpValue;
}

function typed(kind: ValueKind, values: fc.Arbitrary<OtlpValue>): fc.Arbitrary<Typed> {
  return values.map((value) => ({ kind, value }));
}

const { pairs } = fc.letrec<{ value: Typed; list: OtlpValues; pairs: OtlpAttributes }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    typed(ValueKind.string, text),
    typed(ValueKind.bool, fc.boolean()),
    typed(ValueKind.int, fc.oneof(int64, fc.integer())),
    typed(ValueKind.double, fc.double()),
    typed(ValueKind.bytes, fc.uint8Array({ maxLength: 20 })),
    typed(ValueKind.empty, fc.constant(undefined)),
    typed(ValueKind.array, tie('list')),
    typed(ValueKind.kvlist, tie('pairs')),
  ),
  list: fc.array(tie('value'), { maxLength: 4 }).map(splitTyped),
  pairs: fc
    .array(fc.tuple(text, tie('value')), { maxLength: 6 })
    .map((items) => ({ keys: items.map(([key]) => key), ...splitTyped(items.map(([, item]) => item)) })),
}));

function splitTyped(items: readonly Typed[]): OtlpValues {
  return { kinds: items.map(({ kind }) => kind), values: items.map(({ value }) => value) };
}

const seconds = fc.oneof(fc.integer({ min: 0, max: 18_446_744_072 }), fc.integer({ min: 1_600_000_000, max: 1_900_000_000 }));
const nanos = fc.integer({ min: 0, max: 999_999_999 });

const event: fc.Arbitrary<OtlpEvent> = fc.record({ seconds, nanos, name: text, attributes: pairs, droppedAttributesCount: uint32 });

const link: fc.Arbitrary<OtlpLink> = fc.record({
  traceId: hexId(16),
  spanId: hexId(8),
  traceState: text,
  attributes: pairs,
  droppedAttributesCount: uint32,
  flags: uint32,
});

/** Any sound span. */
export const anySpan: fc.Arbitrary<OtlpSpan> = fc
  .record({
    traceId: hexId(16),
    spanId: hexId(8),
    parentSpanId: fc.oneof(fc.constant(''), hexId(8)),
    traceState: text,
    name: text,
    kind: fc.integer({ min: 0, max: 5 }),
    startSeconds: seconds,
    startNanos: nanos.map((value) => Math.max(1, value)),
    endSeconds: seconds,
    endNanos: nanos,
    attributes: pairs,
    droppedAttributesCount: uint32,
    events: fc.array(event, { maxLength: 3 }),
    droppedEventsCount: uint32,
    links: fc.array(link, { maxLength: 3 }),
    droppedLinksCount: uint32,
    statusCode: fc.integer({ min: 0, max: 2 }),
    statusMessage: text,
    flags: uint32,
    resource: fc.record({ attributes: pairs, droppedAttributesCount: uint32, schemaUrl: text }),
    scope: fc.record({ name: text, version: text, attributes: pairs, droppedAttributesCount: uint32, schemaUrl: text }),
  })
  .map((span) => {
    const backwards = span.endSeconds < span.startSeconds || (span.endSeconds === span.startSeconds && span.endNanos < span.startNanos);
    return backwards ? { ...span, endSeconds: span.startSeconds, endNanos: span.startNanos } : span;
  });
