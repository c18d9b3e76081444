/** The filter expression language of X-Ray: text to tree, tree to text, trace to yes or no, expression to SQL-able condition. */
export { matchAnnotation } from './compare.ts';
export { completeFilter, type Completion, type CompletionNames, type CompletionOption } from './complete.ts';
export { evaluateFilter, type EvaluationContext } from './evaluate.ts';
export { filterStatusOf } from './fields.ts';
export { checkGroups, type GroupLookup } from './groups.ts';
export { narrowFilter } from './narrow.ts';
export { type ColumnTest, DURATION_SLACK_SECONDS, type Narrowing, type RowFlag, type RowTest, type TextColumn } from './narrowing.ts';
export { MAX_FILTER_LENGTH, parseFilter } from './parse.ts';
export { printFilter } from './print.ts';
export type { FilterError, FilterExpression } from './syntax.ts';
