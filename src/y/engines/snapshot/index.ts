export type { DescribedFrame, Describer } from './describer.ts';
export { SnapshotEngine, type LossCount, type RunOutcome } from './engine.ts';
export type { HostClock, HostIdentity, OutputSink, SnapshotEnvironment, SnapshotMemory, StackForm } from './environment.ts';
export { MemoryStorage } from './memory-storage.ts';
export { describeInteger } from './output-steps.ts';
export type { AggregateTarget, ArrayEntry, Key, KeyPart, Storage } from './storage.ts';
