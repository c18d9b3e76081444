export { check, type Checked } from './check.ts';
export { dumpTyped } from './dump.ts';
export type {
  ArithmeticOperator,
  ComparisonOperator,
  Expression,
  Local,
  Place,
  RemotePlace,
  Statement,
  TypedFunction,
  TypedProgram,
} from './typed.ts';
export type { YType } from './ytype.ts';
