/**
 * The page's only door to the rest of the house: the JSON contract (types) and pure functions that run in a browser.
 */
export type * from '../../src/api/index.ts';
export { completeFilter, parseFilter, parseTraceId, toXRayTraceId, type Completion, type CompletionOption } from '../../src/trace/index.ts';
