/** Types of parameters as the kernel's tables spell them (`const char *filename`, `struct rusage *ru`), for system calls. */
import type { CType, IntegerType } from '../ctypes/index.ts';

const VOID: CType = { kind: 'void' };

const SIZES: Readonly<Record<string, readonly [size: IntegerType['size'], signed: boolean]>> = {
  char: [1, true],
  short: [2, true],
  int: [4, true],
  long: [8, true],
  'unsigned char': [1, false],
  'unsigned short': [2, false],
  'unsigned int': [4, false],
  unsigned: [4, false],
  'unsigned long': [8, false],
  'long long': [8, true],
  'unsigned long long': [8, false],
  size_t: [8, false],
  ssize_t: [8, true],
  loff_t: [8, true],
  off_t: [8, true],
  pid_t: [4, true],
  uid_t: [4, false],
  gid_t: [4, false],
  umode_t: [2, false],
  u32: [4, false],
  u64: [8, false],
  __u32: [4, false],
  __u64: [8, false],
  __s32: [4, true],
  key_t: [4, true],
  key_serial_t: [4, true],
  mqd_t: [4, true],
  qid_t: [4, false],
  timer_t: [4, true],
  clockid_t: [4, true],
  rwf_t: [4, true],
  aio_context_t: [8, false],
  sigset_t: [8, false],
  old_sigset_t: [8, false],
  fd_set: [8, false],
};

/** Reads one parameter. `findRecord` gives a `struct X` or `union X`; a record that it does not know counts as void behind a pointer. */
export function parseParameter(
  text: string,
  findRecord: (name: string, tag: 'struct' | 'union') => CType | undefined,
): { readonly name: string; readonly type: CType } | undefined {
  const parts = /^(?<words>[\w\s]+?)\s*(?<stars>\**)\s*(?<name>\w+)$/.exec(text.trim())?.groups as
    | Record<'words' | 'stars' | 'name', string>
    | undefined;
  if (!parts) return undefined;
  const words = parts.words.split(/\s+/).filter((word) => word !== 'const' && word !== '__user' && word !== 'volatile');
  const base = baseType(words, findRecord);
  let type = base ?? (parts.stars === '' ? integer('unsigned long', 8, false) : VOID);
  for (const _ of parts.stars) type = { kind: 'pointer', form: 'pointer', size: 8, target: type };
  return { name: parts.name, type };
}

function baseType(words: readonly string[], findRecord: (name: string, tag: 'struct' | 'union') => CType | undefined): CType | undefined {
  const [first, second] = words;
  if ((first === 'struct' || first === 'union') && second !== undefined) return findRecord(second, first);
  if (first === 'void') return VOID;
  const name = words.join(' ');
  const known = SIZES[name];
  return known && integer(name, known[0], known[1]);
}

function integer(name: string, size: IntegerType['size'], signed: boolean): IntegerType {
  return { kind: 'integer', name, size, signed, role: name === 'char' ? 'char' : 'number' };
}
