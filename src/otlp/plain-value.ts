import { toBase64 } from './base64.ts';
import { ValueKind, type OtlpAttributes, type OtlpValue, type OtlpValues } from './model.ts';

/** A JSON value for a typed one: bytes as base64, NaN and infinities as text; undefined when there is no value. */
export function plainValue(kind: ValueKind | undefined, value: OtlpValue): unknown {
  if (kind === ValueKind.bytes) return toBase64(value as Uint8Array);
  if (kind === ValueKind.kvlist) return plainObject(value as OtlpAttributes);
  if (kind !== ValueKind.array) return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
  const list = value as OtlpValues;
  // A list keeps its places: JSON's null stands for a value that was not set.
  return list.values.map((item, index) => plainValue(list.kinds[index], item) ?? null);
}

/** Attributes as an object; of a key that occurs twice the last counts, and unset values are left out. */
export function plainObject(attributes: OtlpAttributes): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (let index = 0; index < attributes.keys.length; index++) {
    const value = plainValue(attributes.kinds[index], attributes.values[index]);
    if (value !== undefined) putMember(object, attributes.keys[index]!, value);
  }
  return object;
}

/** Sets a member whose name came from outside: `__proto__` too becomes an ordinary member. */
export function putMember<T>(object: Record<string, T>, name: string, value: T): void {
  if (name !== '__proto__') object[name] = value;
  else Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
}
