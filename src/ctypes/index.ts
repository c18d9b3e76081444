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
