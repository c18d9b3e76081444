export { DEFAULT_LIMITS, type IntakeError, type IntakeLimits, type Source, type Taken } from './intake.ts';
export type { CallResult, IntakeState, RecordedRefusal } from './messages.ts';
export { ListenError, Pipeline, type PipelineEvents, type PipelineOptions } from './pipeline.ts';
