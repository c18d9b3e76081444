export { compileRegex } from './compile.ts';
export type { RegexError } from './node.ts';
export { runRegex } from './run.ts';
