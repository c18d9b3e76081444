export { emitLoadUnwindState, emitUnwinder, findRegisterOffset, UNWIND_FUNCTIONS, type UnwinderOptions } from './emit-unwinder.ts';
export { STATE, unwindMaps, type UnwindMapOptions } from './layout.ts';
export { processPrograms, type ProcessProgram, type ProcessProgramOffsets } from './process-programs.ts';
export { UNWIND_STATUS, UNWIND_STATUS_TEXTS, type UnwindStatus } from './status.ts';
export { UnwindTables, type UnwindMap, type UnwindObject, type UnwindStats, type UnwindTablesOptions } from './unwind-tables.ts';
export { ModuleTables, unwindThread, type ThreadFrame, type ThreadStack, type UnwindThreadOptions } from './unwind-thread.ts';
export { readUnwoundStack, type UnwoundStack } from './unwound-stack.ts';
