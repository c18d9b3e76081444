/** The operators, by the values that they compare. */
import type { Token } from './lex.ts';
import type { AnyOperator, EqualityOperator, NumberOperator, TextOperator } from './syntax.ts';

export const EQUALITY_OPERATORS: readonly EqualityOperator[] = ['=', '!='];
export const NUMBER_OPERATORS: readonly NumberOperator[] = ['=', '!=', '<', '<=', '>', '>='];
export const TEXT_OPERATORS: readonly TextOperator[] = ['=', '!=', 'CONTAINS', 'BEGINSWITH', 'ENDSWITH'];
export const ANY_OPERATORS: readonly AnyOperator[] = [...NUMBER_OPERATORS, 'CONTAINS', 'BEGINSWITH', 'ENDSWITH'];

/** The operator that a token spells; undefined for other tokens. */
export function operatorOf(token: Token): AnyOperator | undefined {
  const text = token.kind === 'mark' ? token.mark : token.kind === 'word' ? token.text.toUpperCase() : '';
  return ANY_OPERATORS.find((operator) => operator === text);
}
