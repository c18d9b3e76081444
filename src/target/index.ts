export { findMapping } from './proc-maps.ts';
export { openTarget, type OpenOptions, type TargetChoice } from './open-target.ts';
export { findProcesses, type FoundProcess, type ProcessChanges, type ProcessQuery, type ProcessSet } from './process-set.ts';
export type { Architecture, Identity, Mapping, Memory, Registers, Target, TargetError, TargetModule, TargetThread } from './target.ts';
