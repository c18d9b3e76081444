export { findMapping } from './proc-maps.ts';
export { openTarget, type OpenOptions, type TargetChoice } from './open-target.ts';
export type { Architecture, Identity, Mapping, Memory, Registers, Target, TargetError, TargetModule, TargetThread } from './target.ts';
