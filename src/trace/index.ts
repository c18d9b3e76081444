export { assembleTrace, type AssembleOptions } from './assemble.ts';
export { compileSegments, type CompiledSegment } from './compile.ts';
export type {
  AnnotationScalar,
  CauseBlock,
  ExceptionBlock,
  HttpBlock,
  SegmentDocument,
  SpanLink,
} from './document.ts';
export { exceptionsOf } from './exceptions.ts';
export { httpStatus, requestText } from './http.ts';
export { parseSpanId, parseTraceId, toXRayTraceId, type SpanId, type TraceId } from './ids.ts';
export type { Entity, NodeKey, Segment, Trace } from './model.ts';
export { calleeNode, isTraced, nodeId, segmentNode, UNKNOWN_NODE_TYPE } from './node.ts';
export { outcomeFlags, outcomeOf, type Outcome, type OutcomeFlags } from './outcome.ts';
export { timelineRows, type TimelineRow } from './timeline.ts';
export { findEntity, forEachEntity } from './walk.ts';
