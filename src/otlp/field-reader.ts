/**
 * The parts that spans, events, links, resources and scopes are made of, out of protobuf (common/v1/common.proto): strings, ids,
 * attributes and their values. Keeps account of the memory that a request makes us take. Case labels are tags: field number × 8 + wire type.
 */
import {
  MAX_ATTRIBUTES,
  MAX_DEPTH,
  NO_ATTRIBUTES,
  NO_VALUES,
  ValueKind,
  type OtlpAttributes,
  type OtlpValue,
  type OtlpValues,
} from './model.ts';
import { hex8, TextReader } from './text.ts';
import type { WireReader } from './wire.ts';

/** Attributes under construction. */
export interface MutableAttributes extends OtlpAttributes {
  readonly keys: string[];
  readonly kinds: ValueKind[];
  readonly values: OtlpValue[];
}

/** Memory that a request may make us take: so many times its own size, plus a base. Honest ones stay below 15. */
const MEMORY_FACTOR = 32;
const MEMORY_BASE = 1 << 20;
/** Approximate bytes that V8 takes for each object that two bytes of input can call for. */
export const COST = { span: 400, event: 96, link: 200, attribute: 24, value: 16, container: 480 } as const;

/** Reads fields from where `reader` stands; every method is given the end of the message that the field belongs to. */
export class FieldReader {
  /** A string read since this was last cleared was not UTF-8. */
  badUtf8 = false;
  readonly #reader: WireReader;
  readonly #text: TextReader;
  /** Kind of the value that `#value` returned last. */
  #kind: ValueKind = ValueKind.empty;
  #memoryLeft: number;
  /** The last trace id read: neighbours mostly share it. */
  #lastTraceIdAt = -1;
  #lastTraceId = '';

  constructor(reader: WireReader) {
    this.#reader = reader;
    this.#text = new TextReader(reader.bytes);
    this.#memoryLeft = reader.bytes.length * MEMORY_FACTOR + MEMORY_BASE;
  }

  /** A new, empty list of attributes. */
  attributes(): MutableAttributes {
    this.spend(COST.container);
    return { keys: [], kinds: [], values: [] };
  }

  /** One KeyValue message, added to `list`. */
  attribute(list: MutableAttributes, end: number, depth: number): void {
    // hot: about 130 ns for an attribute with a short value (otlp-decode bench).
    const reader = this.#reader;
    if (list.keys.length >= MAX_ATTRIBUTES) {
      reader.fail('too-many-attributes', `More than ${MAX_ATTRIBUTES} attributes in one place`);
    }
    this.spend(COST.attribute);
    let key = '';
    let value: OtlpValue;
    let kind: ValueKind = ValueKind.empty;
    while (reader.pos < end) {
      const tag = reader.tag(end);
      // key, value
      if (tag === 10) key = this.string(end);
      else if (tag === 18) {
        value = this.#value(reader.lengthEnd(end), depth);
        kind = this.#kind;
      } else reader.skipUnknown(tag, end, 0b110);
    }
    list.keys.push(key);
    list.kinds.push(kind);
    list.values.push(value);
  }

  /** One AnyValue message; its kind is left in `#kind`. */
  #value(end: number, depth: number): OtlpValue {
    const reader = this.#reader;
    let value: OtlpValue;
    let kind: ValueKind = ValueKind.empty;
    while (reader.pos < end) {
      const tag = reader.tag(end);
      switch (tag) {
        case 10: // string_value
          value = this.string(end);
          kind = ValueKind.string;
          break;
        case 16: // bool_value
          value = reader.int64(end) !== 0;
          kind = ValueKind.bool;
          break;
        case 24: // int_value
          value = reader.int64(end);
          kind = ValueKind.int;
          break;
        case 33: // double_value
          value = reader.double(end);
          kind = ValueKind.double;
          break;
        case 42: // array_value
          value = this.#array(reader.lengthEnd(end), depth + 1);
          kind = ValueKind.array;
          break;
        case 50: // kvlist_value
          value = this.#map(reader.lengthEnd(end), depth + 1);
          kind = ValueKind.kvlist;
          break;
        case 58: {
          // bytes_value
          const after = reader.lengthEnd(end);
          this.spend(COST.container);
          value = reader.bytes.subarray(reader.pos, after);
          reader.pos = after;
          kind = ValueKind.bytes;
          break;
        }
        default:
          reader.skipUnknown(tag, end, 0xfe);
      }
    }
    this.#kind = kind;
    return value;
  }

  #array(end: number, depth: number): OtlpValues {
    const reader = this.#reader;
    this.#checkDepth(depth);
    let list: { kinds: ValueKind[]; values: OtlpValue[] } | undefined;
    while (reader.pos < end) {
      const tag = reader.tag(end);
      // values
      if (tag !== 10) {
        reader.skipUnknown(tag, end, 0b10);
        continue;
      }
      if (list === undefined) {
        this.spend(COST.container);
        list = { kinds: [], values: [] };
      }
      this.spend(COST.value);
      list.values.push(this.#value(reader.lengthEnd(end), depth));
      list.kinds.push(this.#kind);
    }
    return list ?? NO_VALUES;
  }

  #map(end: number, depth: number): OtlpAttributes {
    const reader = this.#reader;
    this.#checkDepth(depth);
    let list: MutableAttributes | undefined;
    while (reader.pos < end) {
      const tag = reader.tag(end);
      // values
      if (tag === 10) this.attribute((list ??= this.attributes()), reader.lengthEnd(end), depth);
      else reader.skipUnknown(tag, end, 0b10);
    }
    return list ?? NO_ATTRIBUTES;
  }

  #checkDepth(depth: number): void {
    if (depth > MAX_DEPTH) this.#reader.fail('too-deep', `Values are nested deeper than ${MAX_DEPTH}`);
  }

  /** Takes `cost` bytes from what the request may make us allocate. */
  spend(cost: number): void {
    this.#memoryLeft -= cost;
    if (this.#memoryLeft < 0) this.#reader.fail('too-large', 'The request describes far more than its size allows for');
  }

  /** A string field; empty, with `badUtf8` set, when it is not UTF-8. */
  string(end: number): string {
    const reader = this.#reader;
    const after = reader.lengthEnd(end);
    const text = this.#text.read(reader.pos, after);
    reader.pos = after;
    if (text !== undefined) return text;
    this.badUtf8 = true;
    return '';
  }

  /** A trace id field as digits; empty when it is not 16 bytes long. */
  traceId(end: number): string {
    const reader = this.#reader;
    const { bytes } = reader;
    const after = reader.lengthEnd(end);
    const start = reader.pos;
    reader.pos = after;
    if (after - start !== 16) return '';
    if (this.#lastTraceIdAt >= 0) {
      let same = 0;
      while (same < 16 && bytes[start + same] === bytes[this.#lastTraceIdAt + same]) same++;
      if (same === 16) return this.#lastTraceId;
    }
    this.#lastTraceIdAt = start;
    this.#lastTraceId = hex8(bytes, start) + hex8(bytes, start + 8);
    return this.#lastTraceId;
  }

  /** A span id field as digits; empty when it is not 8 bytes long. */
  spanId(end: number): string {
    const reader = this.#reader;
    const after = reader.lengthEnd(end);
    const start = reader.pos;
    reader.pos = after;
    return after - start === 8 ? hex8(reader.bytes, start) : '';
  }
}
