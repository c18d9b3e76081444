/** What the operators mean. Fields may have several values (users, annotations): any of them may match, and `!=` is no `=`. */
import type { AnnotationScalar } from '../document.ts';
import type { AnyOperator, Literal, NumberOperator, TextOperator } from './syntax.ts';

/** Whether a value fits; `!=` is true when no value is equal, so also without values. */
export function matchNumbers(values: readonly number[], operator: NumberOperator, wanted: number): boolean {
  if (operator === '!=') return !values.includes(wanted);
  return values.some((value) => compareNumber(value, operator, wanted));
}

/** Whether a value fits, upper and lower case told apart; `!=` is true when no value is equal, so also without values. */
export function matchTexts(values: readonly string[], operator: TextOperator, wanted: string): boolean {
  if (operator === '!=') return !values.includes(wanted);
  return values.some((value) => compareText(value, operator, wanted));
}

/**
 * Whether one annotation fits, for every operator but `!=` (which asks of all values that none is equal).
 * Types must agree, but for `true` and `false`, which AWS's documents write with and without quotes. A text operator with ""
 * asks only whether there is a value.
 */
export function matchAnnotation(value: AnnotationScalar, operator: Exclude<AnyOperator, '!='>, wanted: Literal): boolean {
  switch (operator) {
    case 'CONTAINS':
    case 'BEGINSWITH':
    case 'ENDSWITH':
      if (wanted === '') return true;
      return typeof value === 'string' && compareText(value, operator, String(wanted));
    case '=':
      if (typeof value === 'boolean' || typeof wanted === 'boolean') return equalBooleans(value, wanted);
      return value === wanted;
    default:
      return typeof value === 'number' && typeof wanted === 'number' && compareNumber(value, operator, wanted);
  }
}

function equalBooleans(value: AnnotationScalar, wanted: Literal): boolean {
  if (typeof value === 'number' || typeof wanted === 'number') return false;
  return String(value) === String(wanted);
}

function compareNumber(value: number, operator: Exclude<NumberOperator, '!='>, wanted: number): boolean {
  switch (operator) {
    case '=':
      return value === wanted;
    case '<':
      return value < wanted;
    case '<=':
      return value <= wanted;
    case '>':
      return value > wanted;
    case '>=':
      return value >= wanted;
  }
}

function compareText(value: string, operator: Exclude<TextOperator, '!='>, wanted: string): boolean {
  switch (operator) {
    case '=':
      return value === wanted;
    case 'CONTAINS':
      return value.includes(wanted);
    case 'BEGINSWITH':
      return value.startsWith(wanted);
    case 'ENDSWITH':
      return value.endsWith(wanted);
  }
}
