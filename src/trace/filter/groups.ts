/** References from one filter expression to others: `group.name`, `group.arn`. */
import type { FilterError, FilterExpression, GroupCondition } from './syntax.ts';

/** The expression of the group of this name or ARN (`arn:…`; names have no colon); undefined when there is none. */
export type GroupLookup = (nameOrArn: string) => FilterExpression | undefined;

/** How many groups may refer to each other in a row. */
export const MAX_GROUP_DEPTH = 10;

/**
 * The first group reference that cannot be followed: unknown, leading back to itself, or through more than
 * `MAX_GROUP_DEPTH` groups. Undefined when all can. To be asked before an expression is stored or evaluated; for a
 * group's own new expression, with a lookup that already answers with it.
 */
export function checkGroups(expression: FilterExpression, groups: GroupLookup): FilterError | undefined {
  const fine = new Map<string, number>();
  for (const reference of groupReferences(expression)) {
    const result = heightOf(reference.value, groups, fine, []);
    if (typeof result === 'number') continue;
    const { start, end } = reference.span;
    return { message: result, position: start, length: end - start, expected: [] };
  }
  return undefined;
}

/** How many groups the reference leads through, or why it cannot be followed. */
function heightOf(reference: string, groups: GroupLookup, fine: Map<string, number>, path: readonly string[]): number | string {
  const trail = [...path, reference];
  if (path.includes(reference)) return `The group refers to itself: ${trail.join(' → ')}.`;
  const known = fine.get(reference) ?? 1;
  if (trail.length + known - 1 > MAX_GROUP_DEPTH)
    return `More than ${MAX_GROUP_DEPTH} groups refer to each other in a row: ${trail.join(' → ')}.`;
  if (fine.has(reference)) return known;
  const expression = groups(reference);
  if (expression === undefined) return `There is no group "${reference}".`;
  let height = 1;
  for (const inner of groupReferences(expression)) {
    const below = heightOf(inner.value, groups, fine, trail);
    if (typeof below === 'string') return below;
    height = Math.max(height, below + 1);
  }
  fine.set(reference, height);
  return height;
}

/** All group references of an expression, in its order. They stand outside of blocks only. */
export function groupReferences(expression: FilterExpression): readonly GroupCondition[] {
  switch (expression.kind) {
    case 'group':
      return [expression];
    case 'not':
      return groupReferences(expression.operand);
    case 'and':
    case 'or':
      return expression.operands.flatMap(groupReferences);
    default:
      return [];
  }
}
