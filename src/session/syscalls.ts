/** System calls by name, with their parameters' types, for the architectures that are known. */
import type { CType, FunctionType } from '../ctypes/index.ts';
import { parseParameter } from './declarations.ts';
import { SYSCALL_TABLE } from './syscall-table.ts';

export interface Syscall {
  readonly name: string;
  readonly number: number;
  readonly type: FunctionType;
}

const RESULT: CType = { kind: 'integer', name: 'long', size: 8, signed: true, role: 'number' };

/** All system calls of the architecture. `findRecord` looks a `struct X` up in the kernel's types. */
export function readSyscalls(
  architecture: 'x86-64' | 'aarch64',
  findRecord: (name: string, tag: 'struct' | 'union') => CType | undefined,
): readonly Syscall[] {
  return SYSCALL_TABLE.trim()
    .split('\n')
    .flatMap((line) => {
      const [name = '', onX86, onArm, ...rest] = line.split(' ');
      const number = Number(architecture === 'x86-64' ? onX86 : onArm);
      if (!Number.isInteger(number)) return [];
      const declared = rest.join(' ');
      const parameters =
        declared === '' || declared === '?' ? [] : declared.split(', ').flatMap((text) => parseParameter(text, findRecord) ?? []);
      return [{ name, number, type: { kind: 'function', result: RESULT, parameters, variadic: false } as const }];
    });
}
