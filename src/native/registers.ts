/** The kernel's register sets to registers by DWARF number. */

/** General-purpose registers by DWARF number (x86-64: 0 rax … 7 rsp, 16 rip; AArch64: 0–30, 31 sp, 32 pc) and the thread pointer. */
export interface ThreadRegisters {
  readonly byDwarf: readonly bigint[];
  readonly ip: bigint;
  readonly sp: bigint;
  /** fs base on x86-64, tpidr_el0 on AArch64. */
  readonly threadPointer: bigint | undefined;
}

/** Room for struct user_regs_struct (x86-64: 27 words) and struct user_pt_regs (AArch64: 34 words). */
export const REGISTER_SET_BYTES = 34 * 8;

/**
 * Place of DWARF registers 0–16 in x86-64's struct user_regs_struct (arch/x86/include/asm/user_64.h), in words; numbering of the
 * System V ABI supplement, figure 3.36.
 */
const X86_PLACES = [10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0, 16];
const X86_FS_BASE = 21;

/** Decodes NT_PRSTATUS (and NT_ARM_TLS) as ptrace gives them; bytes of core dumps have the same form. */
export function decodeRegisters(architecture: 'x86-64' | 'aarch64', set: Uint8Array, tls?: Uint8Array): ThreadRegisters {
  const data = new DataView(set.buffer, set.byteOffset, set.byteLength);
  const word = (index: number) => data.getBigUint64(index * 8, true);
  if (architecture === 'x86-64') {
    const byDwarf = X86_PLACES.map(word);
    return { byDwarf, ip: byDwarf[16]!, sp: byDwarf[7]!, threadPointer: word(X86_FS_BASE) };
  }
  const byDwarf = Array.from({ length: 33 }, (_, index) => word(index));
  const threadPointer = tls === undefined ? undefined : new DataView(tls.buffer, tls.byteOffset, 8).getBigUint64(0, true);
  return { byDwarf, ip: byDwarf[32]!, sp: byDwarf[31]!, threadPointer };
}
