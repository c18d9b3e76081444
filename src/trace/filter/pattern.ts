/** How `rootcause.json = #…` compares. */
import type { JsonValue } from './syntax.ts';

/**
 * Whether `value` has everything that `pattern` names. Objects may have more members than the pattern's. Arrays may have
 * more items, but the pattern's must be found among them in their order. `null` stands for an absent member too.
 * Everything else must be equal.
 */
export function matchesPattern(pattern: JsonValue, value: JsonValue | undefined): boolean {
  if (isArray(pattern)) return value !== undefined && isArray(value) && matchesInOrder(pattern, value);
  if (typeof pattern !== 'object' || pattern === null) return pattern === (value ?? null);
  if (typeof value !== 'object' || value === null || isArray(value)) return false;
  return Object.entries(pattern).every(([key, part]) => matchesPattern(part, Object.hasOwn(value, key) ? value[key] : undefined));
}

/** Taking the first item that fits each part is enough: what follows it leaves most room for the parts that follow. */
function matchesInOrder(pattern: readonly JsonValue[], values: readonly JsonValue[]): boolean {
  let matched = 0;
  for (const value of values) {
    const part = pattern[matched];
    if (part === undefined) break;
    if (matchesPattern(part, value)) matched++;
  }
  return matched === pattern.length;
}

/** `Array.isArray` does not narrow readonly arrays. */
function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
