export { assembleTrace, type AssembleOptions } from './assemble.ts';
export { compileSegments, type CompiledSegment } from './compile.ts';
export type { AnnotationScalar, CauseBlock, ExceptionBlock, HttpBlock, SegmentDocument, SpanLink } from './document.ts';
export * from './filter/index.ts';
export {
  CLIENT_TYPE,
  type GraphEdgeTally,
  GraphFlag,
  type GraphNodeTally,
  type GraphRows,
  type GraphTally,
  mergeGraphs,
  Tally,
  tallyGraph,
} from './graph.ts';
export { httpStatus, requestText } from './http.ts';
export { parseSpanId, parseTraceId, toXRayTraceId, type SpanId, type TraceId } from './ids.ts';
export type { Entity, NodeKey, Segment, Trace } from './model.ts';
export { calleeNode, isTraced, segmentNode, UNKNOWN_NODE_TYPE } from './node.ts';
export { outcomeFlags, type Outcome, type OutcomeFlags } from './outcome.ts';
export {
  type FailurePathEntity,
  type FailureRootCause,
  type ResponseTimePathEntity,
  type ResponseTimeRootCause,
  type RootCause,
  type RootCauseService,
} from './root-causes.ts';
export {
  summarizeTrace,
  type SummaryAnnotation,
  type SummaryHttp,
  type SummaryUser,
  type SummaryValue,
  type TraceSummary,
} from './summary.ts';
export { timelineRows, type TimelineRow } from './timeline.ts';
