export { assert, assertNever } from './assert.ts';
export type { Brand } from './brand.ts';
export { editDistance } from './edit-distance.ts';
export { err, ok, type Result } from './result.ts';
