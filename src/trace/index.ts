export type {
  AnnotationScalar,
  CauseBlock,
  ExceptionBlock,
  HttpBlock,
  SegmentDocument,
  SpanLink,
} from './document.ts';
export { parseSpanId, parseTraceId, toXRayTraceId, type SpanId, type TraceId } from './ids.ts';
export type { Entity, NodeKey, Segment, Trace } from './model.ts';
export { calleeNode, isTraced, nodeId, segmentNode, UNKNOWN_NODE_TYPE } from './node.ts';
export { httpStatus, outcomeFlags, outcomeOf, type Outcome, type OutcomeFlags } from './outcome.ts';
