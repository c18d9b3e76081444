export { BtfTypes, type BtfEnumerator, type BtfError, type BtfFunction, type BtfKind } from './btf-types.ts';
