/** Where the kernel's pt_regs keep registers: asm/ptrace.h of both architectures, Linux 6.18. Offsets in bytes. */
import type { AccessSize } from '../../../bpf/index.ts';

type Architecture = 'x86-64' | 'aarch64';

const X86 = {
  r15: 0,
  r14: 8,
  r13: 16,
  r12: 24,
  bp: 32,
  bx: 40,
  r11: 48,
  r10: 56,
  r9: 64,
  r8: 72,
  ax: 80,
  cx: 88,
  dx: 96,
  si: 104,
  di: 112,
  orig_ax: 120,
  ip: 128,
  flags: 144,
  sp: 152,
} as const;

const aarch64 = (register: number): number => 8 * register;

/** System V: rdi, rsi, rdx, rcx, r8, r9. AArch64: x0–x7. */
export const ARGUMENT_REGISTERS: Readonly<Record<Architecture, readonly number[]>> = {
  'x86-64': [X86.di, X86.si, X86.dx, X86.cx, X86.r8, X86.r9],
  aarch64: [0, 1, 2, 3, 4, 5, 6, 7].map(aarch64),
};

/** The others, at a function's first instruction: behind the return address on x86-64. */
export const STACK_ARGUMENTS: Readonly<Record<Architecture, { readonly stackPointer: number; readonly first: number }>> = {
  'x86-64': { stackPointer: X86.sp, first: 8 },
  aarch64: { stackPointer: 8 * 31, first: 0 },
};

/** System calls take r10 where functions take rcx; x0 is overwritten by the result, so that `orig_x0` is used. */
export const SYSCALL_REGISTERS: Readonly<Record<Architecture, readonly number[]>> = {
  'x86-64': [X86.di, X86.si, X86.dx, X86.r10, X86.r8, X86.r9],
  aarch64: [272, ...[1, 2, 3, 4, 5].map(aarch64)],
};

export const RETURN_REGISTER: Readonly<Record<Architecture, number>> = { 'x86-64': X86.ax, aarch64: 0 };

/** `addr` of struct bpf_perf_event_data (asm/bpf_perf_event.h): behind the registers and the period. */
export const PERF_ADDRESS: Readonly<Record<Architecture, number>> = { 'x86-64': 176, aarch64: 280 };

/** The number of the system call that is running, and its size. */
export const SYSCALL_NUMBER: Readonly<Record<Architecture, { readonly offset: number; readonly size: 4 | 8 }>> = {
  'x86-64': { offset: X86.orig_ax, size: 8 },
  aarch64: { offset: 280, size: 4 },
};

/** A register by any of its names, with or without `%`; `size` is how many of its lower bytes the name means. */
export function findRegister(architecture: Architecture, name: string): { readonly offset: number; readonly size: AccessSize } | undefined {
  const plain = name.replace(/^%/, '').toLowerCase();
  return architecture === 'x86-64' ? findX86(plain) : findAarch64(plain);
}

function findX86(name: string): { readonly offset: number; readonly size: AccessSize } | undefined {
  const numbered = /^(r(?:8|9|1[0-5]))([dwb]?)$/.exec(name);
  if (numbered !== null) {
    const size = ({ '': 8, d: 4, w: 2, b: 1 } as const)[numbered[2] as '' | 'd' | 'w' | 'b'];
    return { offset: X86[numbered[1] as 'r8'], size };
  }
  const legacy = /^([re]?)([abcd]x|[sd]i|[sb]p|ip|flags)$/.exec(name);
  if (legacy !== null) return { offset: X86[legacy[2] as 'ax'], size: ({ r: 8, e: 4, '': 8 } as const)[legacy[1] as 'r'] };
  const byte = /^([abcd])l$|^(si|di|bp|sp)l$/.exec(name);
  if (byte === null) return undefined;
  return { offset: X86[(byte[1] === undefined ? byte[2] : `${byte[1]}x`) as 'ax'], size: 1 };
}

function findAarch64(name: string): { readonly offset: number; readonly size: AccessSize } | undefined {
  const special = { sp: 31, pc: 32, ip: 32, lr: 30, fp: 29, pstate: 33 }[name];
  if (special !== undefined) return { offset: 8 * special, size: 8 };
  const general = /^([xw])(\d|[12]\d|30)$/.exec(name);
  return general === null ? undefined : { offset: 8 * Number(general[2]), size: general[1] === 'w' ? 4 : 8 };
}
