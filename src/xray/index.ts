export { type EntityPattern, type EntitySelection } from './entity-selector.ts';
export {
  type AwsError,
  errorBody,
  errorHeaders,
  errorOfStatus,
  internalFailure,
  invalidRequest,
  notImplemented,
  serializationError,
  throttled,
  unavailable,
  unknownOperation,
} from './errors.ts';
export { fillPeriods, type GraphCounts, type SeriesPeriod, toWirePeriod, toWireServices } from './graph-responses.ts';
export { type Operation, OPERATIONS, type ServedOperation } from './operations.ts';
export { decodePageToken, encodePageToken, type PagePlace } from './page-token.ts';
export {
  type GetServiceGraphRequest,
  type GetTimeSeriesRequest,
  type GetTraceSummariesRequest,
  parseBody,
  parseGetSamplingTargets,
  parseGetServiceGraph,
  parseGetTimeSeries,
  parseGetTraceSummaries,
  parseNothing,
  parsePutTelemetryRecords,
  parseTraceIds,
  type TelemetryRecord,
  type TimeRange,
  type TraceIdsRequest,
} from './requests.ts';
export { toWireSummary, toWireTrace, type Wire } from './responses.ts';
export { ReservoirShares, samplingRulesResponse } from './sampling.ts';
