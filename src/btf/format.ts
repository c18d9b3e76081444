/** The layout of BTF: Linux `include/uapi/linux/btf.h` (6.18), `Documentation/bpf/btf.rst`. */
export const BTF_MAGIC = 0xeb9f;

/** BTF_KIND_*. */
export const Kind = {
  integer: 1,
  pointer: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  forward: 7,
  typedef: 8,
  volatile: 9,
  const: 10,
  restrict: 11,
  function: 12,
  prototype: 13,
  variable: 14,
  dataSection: 15,
  float: 16,
  declarationTag: 17,
  typeTag: 18,
  enum64: 19,
} as const;

/** Bytes after a type's three words: a fixed part, and a part for each of its `vlen` members. */
const TAILS: readonly (readonly [fixed: number, each: number])[] = [
  [0, 0],
  [4, 0],
  [0, 0],
  [12, 0],
  [0, 12],
  [0, 12],
  [0, 8],
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 8],
  [4, 0],
  [0, 12],
  [0, 0],
  [4, 0],
  [0, 0],
  [0, 12],
];

/** Size of a type of `kind` with `count` members, in bytes; undefined for a kind that is not known. */
export function typeSize(kind: number, count: number): number | undefined {
  const tail = TAILS[kind];
  return tail === undefined || kind === 0 ? undefined : 12 + tail[0] + tail[1] * count;
}
