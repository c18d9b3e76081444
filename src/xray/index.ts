export {
  type EncryptionChoice,
  parseDeleteResourcePolicy,
  parseNothing,
  parsePutEncryptionConfig,
  parsePutResourcePolicy,
  parseUpdateDestination,
  parseUpdateIndexingRule,
  type PutResourcePolicyRequest,
  type SegmentDestination,
} from './account-requests.ts';
export { groupArn, parseArn, type ParsedArn } from './arns.ts';
export { type EntityPattern, type EntitySelection } from './entity-selector.ts';
export {
  type AwsError,
  errorBody,
  errorHeaders,
  errorOfStatus,
  internalFailure,
  invalidRequest,
  modelled,
  resourceNotFound,
  serializationError,
  throttled,
  unavailable,
  unknownOperation,
} from './errors.ts';
export { fillPeriods, type GraphCounts, type SeriesPeriod, toWirePeriod, toWireServices } from './graph-responses.ts';
export {
  type InsightEventsRequest,
  type InsightGraphRequest,
  type InsightSummariesRequest,
  parseGetInsight,
  parseGetInsightEvents,
  parseGetInsightGraph,
  parseGetInsightSummaries,
} from './insight-requests.ts';
export { OPERATIONS, type OperationName } from './operations.ts';
export {
  type CreateGroupRequest,
  type GroupReference,
  type InsightsChoice,
  parseCreateGroup,
  parseGroup,
  parseUpdateGroup,
  type UpdateGroupRequest,
} from './group-requests.ts';
export { decodePageToken, encodePageToken, type PagePlace } from './page-token.ts';
export {
  type GetServiceGraphRequest,
  type GetTimeSeriesRequest,
  type GetTraceSummariesRequest,
  parseBody,
  parseFilterText,
  parseGetServiceGraph,
  parseGetTimeSeries,
  parseGetTraceSummaries,
  parseNextToken,
  parsePutTelemetryRecords,
  parseTraceIds,
  type TelemetryRecord,
  type TimeRange,
  type TraceIdsRequest,
} from './requests.ts';
export {
  parseCancelRetrieval,
  parseRetrievalPage,
  parseStartRetrieval,
  type RetrievalPageRequest,
  type StartRetrievalRequest,
} from './retrieval-requests.ts';
export { toServiceId, toWireSummary, toWireTrace, type Wire } from './responses.ts';
export {
  parseCreateSamplingRule,
  parseDeleteSamplingRule,
  parseGetSamplingTargets,
  parseUpdateSamplingRule,
  type RuleReference,
  type SamplingTargetsRequest,
  type UpdateSamplingRuleRequest,
} from './sampling-requests.ts';
export { type RuleRecord, toWireRuleRecord, toWireTarget, toWireWindow } from './sampling-responses.ts';
export { MAX_TAGS, parseListTags, parseTagResource, parseUntagResource, type Tag } from './tag-requests.ts';
