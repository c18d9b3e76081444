import { parseFilter, type FilterExpression } from '../../src/trace/index.ts';

/** The tree without the places of its nodes, to be compared. */
export function withoutSpans(expression: FilterExpression): unknown {
  return JSON.parse(JSON.stringify(expression, (key, value) => (key === 'span' ? undefined : value))) as unknown;
}

/** The tree of a text that is known to be right. */
export function filterOf(text: string): FilterExpression {
  const result = parseFilter(text);
  if (!result.ok) throw new Error(`${text}: ${result.error.message}`);
  return result.value;
}
