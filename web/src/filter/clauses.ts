/** Filter expressions made from what a person clicks. */
import type { Outcome } from '../core.ts';

export interface NodeName {
  readonly name: string;
  readonly type: string;
}

export function quote(text: string): string {
  return `"${text.replace(/\\/g, '\\\\').replace(/"/g, '\\"')}"`;
}

/** `service("x") { … }`; `exact` names the type too, for when two nodes share a name. */
export function serviceClause(node: NodeName, inner: string, exact = false): string {
  const entity = exact ? `id(name: ${quote(node.name)}, type: ${quote(node.type)})` : quote(node.name);
  return `service(${entity})${inner === '' ? '' : ` { ${inner} }`}`;
}

export function edgeClause(from: NodeName, to: NodeName, inner: string): string {
  const caller = from.type === 'client' ? 'id(type: "client")' : quote(from.name);
  return `edge(${caller}, ${quote(to.name)})${inner === '' ? '' : ` { ${inner} }`}`;
}

/** Nothing when all four are chosen. A throttle is an error too, so errors alone exclude it. */
export function outcomeClause(chosen: ReadonlySet<Outcome>): string {
  if (chosen.size === 4 || chosen.size === 0) return '';
  const parts: string[] = [];
  if (chosen.has('ok')) parts.push('ok');
  if (chosen.has('error')) parts.push(chosen.has('throttle') ? 'error' : '(error AND !throttle)');
  else if (chosen.has('throttle')) parts.push('throttle');
  if (chosen.has('fault')) parts.push('fault');
  if (parts.length === 1) return parts[0]!;
  return `(${parts.join(' OR ')})`;
}

/** Response time between two values in seconds; either may be open. */
export function responseTimeClause(low: number | undefined, high: number | undefined): string {
  const parts: string[] = [];
  if (low !== undefined && low > 0) parts.push(`responsetime >= ${toNumber(low)}`);
  if (high !== undefined) parts.push(`responsetime <= ${toNumber(high)}`);
  return parts.join(' AND ');
}

/** Four significant digits without exponent. */
function toNumber(value: number): string {
  return Number(value.toPrecision(4))
    .toFixed(9)
    .replace(/\.?0+$/, '');
}

export function joinAnd(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(' AND ');
}

/** Adds a condition to an expression that may hold an OR at its top. */
export function narrow(filter: string, clause: string): string {
  const before = filter.trim();
  if (before === '' || clause === '') return before || clause;
  return `${/\bor\b/i.test(before) ? `(${before})` : before} AND ${clause}`;
}
