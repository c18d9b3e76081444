export type {
  ArrayType,
  CType,
  Enumerator,
  EnumType,
  FloatType,
  FunctionType,
  IntegerType,
  Member,
  NamedType,
  PointerType,
  RecordType,
  VoidType,
} from './ctype.ts';
export { findMember, sizeOf, strip, type FoundMember } from './questions.ts';
export { spell, spellDefinition } from './spell.ts';
export { lazy } from './lazy.ts';
