export { openDetachedMount } from './detached-mount.ts';
export { Errno } from './errno.ts';
export { errnoOf, type NativeError } from './error.ts';
export { detachThread, freezeProcess, readRegisters, type FrozenThread } from './freeze.ts';
export {
  callBpf,
  closeDescriptor,
  closeDescriptorSlowly,
  controlDescriptor,
  MAX_ROOM_BYTES,
  openPerfEvent,
  pokePerfEvent,
  readDescriptor,
} from './kernel-calls.ts';
export { loadPageSize, mapDescriptor, type Mapping } from './mapping.ts';
export { readProcessMemory, type MemoryRange, type ReadOutcome } from './process-memory.ts';
export type { ThreadRegisters } from './registers.ts';
export type { Structure } from './structure.ts';
export { DescriptorSet, watchDescriptor } from './waiting.ts';
