export { Errno, errnoName } from './errno.ts';
export { errnoOf, type NativeError } from './error.ts';
export { detachThread, freezeProcess, freezeThread, readRegisters, type FrozenThread } from './freeze.ts';
export { readProcessMemory, type MemoryRange, type ReadOutcome } from './process-memory.ts';
export { decodeRegisters, type ThreadRegisters } from './registers.ts';
