/** Why a stack ends where it does. The numbers are what the in-kernel unwinder writes. */
export const UNWIND_STATUS = {
  complete: 0,
  maxFrames: 1,
  noProcess: 2,
  unmapped: 3,
  noRow: 4,
  fault: 5,
  unsupported: 6,
  lostRegister: 7,
  noProgress: 8,
  returnProbe: 9,
  noTable: 10,
  kernelThread: 11,
  notRun: 12,
} as const;

export type UnwindStatus = keyof typeof UNWIND_STATUS;

/** One sentence for people, for each status. */
export const UNWIND_STATUS_TEXTS: Readonly<Record<UnwindStatus, string>> = {
  complete: 'The whole stack, down to the thread’s first function.',
  maxFrames: 'There are more frames than are kept.',
  noProcess: 'The process is not in the tables yet.',
  unmapped: 'An address lies in no executable mapping that the tables know; it was mapped since, or the frame before was misread.',
  noRow: 'Code without call-frame information, and the frame pointer does not point into the stack.',
  fault: 'Stack memory could not be read (paged out, or the frame before was misread).',
  unsupported: 'The call-frame information uses an expression that the unwinder does not compute.',
  lostRegister: 'The frame’s address depends on a register that calls do not preserve.',
  noProgress: 'A frame lies below the one that it called.',
  returnProbe: 'The return address is replaced by a return probe’s trampoline.',
  noTable: 'The module’s call-frame information is damaged or does not fit in the tables.',
  kernelThread: 'A thread of the kernel has no user stack.',
  notRun: 'The unwinder’s maps could not be read.',
};

const BY_NUMBER = Object.keys(UNWIND_STATUS) as UnwindStatus[];

/** Name of a status number; `notRun` for one that does not exist. */
export function toUnwindStatus(code: number): UnwindStatus {
  return BY_NUMBER[code] ?? 'notRun';
}
