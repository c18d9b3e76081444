/** A filter expression's tree back to text, in one canonical form. */
import { assertNever } from '../../base/index.ts';
import type {
  AnnotationCondition,
  AnnotationSetCondition,
  EdgeCondition,
  FilterExpression,
  Literal,
  NodeSelector,
  ServiceCondition,
} from './syntax.ts';

/**
 * Canonical text: keywords in lower case, operators in upper case, explicit AND, only the parentheses that are needed.
 * Parsing it gives the same tree but for the spans. It may be longer than the text that the tree came from.
 */
export function printFilter(expression: FilterExpression): string {
  switch (expression.kind) {
    case 'everything':
      return '';
    case 'and':
      return expression.operands.map(operand).join(' AND ');
    case 'or':
      return expression.operands.map((part) => (part.kind === 'or' ? `(${printFilter(part)})` : printFilter(part))).join(' OR ');
    case 'not':
      return `!${operand(expression.operand)}`;
    default:
      return printCondition(expression);
  }
}

/** What stands beside AND or behind `!`. */
function operand(expression: FilterExpression): string {
  const text = printFilter(expression);
  return expression.kind === 'and' || expression.kind === 'or' ? `(${text})` : text;
}

type Condition = Exclude<FilterExpression, { readonly kind: 'everything' | 'and' | 'or' | 'not' }>;

function printCondition(condition: Condition): string {
  switch (condition.kind) {
    case 'flag':
      return flag(condition.key, condition.expected);
    case 'number':
    case 'text':
      return `${condition.key} ${condition.operator} ${literal(condition.value)}`;
    case 'set':
      return condition.key;
    case 'annotation':
      return `${annotationKey(condition)} ${condition.operator} ${literal(condition.value)}`;
    case 'annotation-set':
      return annotationKey(condition);
    case 'service':
      return printService(condition);
    case 'edge':
      return printEdge(condition);
    case 'group':
      return `group.${condition.by} ${condition.operator} ${literal(condition.value)}`;
    case 'rootcause':
      return `rootcause.${condition.cause}.${condition.part} { ${printFilter(condition.block)} }`;
    case 'rootcause-impact':
      return flag(`rootcause.${condition.cause}.client_impacting`, condition.expected);
    case 'rootcause-json': {
      const key = condition.cause === undefined ? 'rootcause.json' : `rootcause.${condition.cause}.json`;
      return `${key} ${condition.operator} #${JSON.stringify(condition.pattern)}`;
    }
    default:
      return assertNever(condition);
  }
}

function flag(key: string, expected: boolean): string {
  return expected ? key : `${key} = false`;
}

/** A value as it is written in an expression: strings quoted, quotes and backslashes in them escaped. */
export function literal(value: Literal): string {
  return typeof value === 'string' ? `"${value.replace(/["\\]/g, '\\$&')}"` : String(value);
}

const PLAIN_KEY = /^[A-Za-z0-9_]+$/;

function annotationKey(condition: AnnotationCondition | AnnotationSetCondition): string {
  const owner = condition.owner === 'own' ? '' : `${condition.owner}.`;
  return `${owner}annotation${annotationSuffix(condition.key)}`;
}

/** `.key`, or `["a key"]` for one with other characters than letters, digits and `_`. */
export function annotationSuffix(key: string): string {
  return PLAIN_KEY.test(key) ? `.${key}` : `[${literal(key)}]`;
}

function printService(condition: ServiceCondition): string {
  return `service(${selector(condition.selector)})${block(condition.block)}`;
}

function printEdge(condition: EdgeCondition): string {
  const source = selector(condition.source);
  const ends = condition.destination === undefined ? source : `${source}, ${selector(condition.destination)}`;
  return `edge(${ends})${block(condition.block)}`;
}

function block(expression: FilterExpression | undefined): string {
  return expression === undefined ? '' : ` { ${printFilter(expression)} }`;
}

function selector(node: NodeSelector | undefined): string {
  if (node === undefined) return '';
  if (node.name !== undefined && node.type === undefined && node.accountId === undefined) return literal(node.name);
  const parts: (readonly [string, string | undefined])[] = [
    ['name', node.name],
    ['type', node.type],
    ['account.id', node.accountId],
  ];
  const given = parts.flatMap(([key, value]) => (value === undefined ? [] : [`${key}: ${literal(value)}`]));
  return `id(${given.join(', ')})`;
}
