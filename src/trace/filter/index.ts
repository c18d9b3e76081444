/** The filter expression language of X-Ray: text to tree, tree to text, trace to yes or no, expression to SQL-able condition. */
export { matchAnnotation } from './compare.ts';
export { completeFilter, type Completion, type CompletionNames, type CompletionOption } from './complete.ts';
export { evaluateFilter, type EvaluationContext } from './evaluate.ts';
export { checkGroups, groupReferences, type GroupLookup } from './groups.ts';
export { narrowFilter } from './narrow.ts';
export { type ColumnTest, type Narrowing, type RowFlag, type RowTest, type TextColumn } from './narrowing.ts';
export { parseFilter } from './parse.ts';
export { printFilter } from './print.ts';
export type { FilterError, FilterExpression } from './syntax.ts';
