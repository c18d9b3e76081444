/**
 * The 38 operations of AWS X-Ray (API version 2016-04-12). All are `POST` to a fixed path, with no parameters in path, query or headers.
 * A daemon whose endpoint is configured with a slash at its end doubles the first slash, some clients add one at the end: routers here
 * take those too.
 */

/** Path by name, in alphabetical order. */
const PATHS = {
  BatchGetTraces: '/Traces',
  CancelTraceRetrieval: '/CancelTraceRetrieval',
  CreateGroup: '/CreateGroup',
  CreateSamplingRule: '/CreateSamplingRule',
  DeleteGroup: '/DeleteGroup',
  DeleteResourcePolicy: '/DeleteResourcePolicy',
  DeleteSamplingRule: '/DeleteSamplingRule',
  GetEncryptionConfig: '/EncryptionConfig',
  GetGroup: '/GetGroup',
  GetGroups: '/Groups',
  GetIndexingRules: '/GetIndexingRules',
  GetInsight: '/Insight',
  GetInsightEvents: '/InsightEvents',
  GetInsightImpactGraph: '/InsightImpactGraph',
  GetInsightSummaries: '/InsightSummaries',
  GetRetrievedTracesGraph: '/GetRetrievedTracesGraph',
  GetSamplingRules: '/GetSamplingRules',
  GetSamplingStatisticSummaries: '/SamplingStatisticSummaries',
  GetSamplingTargets: '/SamplingTargets',
  GetServiceGraph: '/ServiceGraph',
  GetTimeSeriesServiceStatistics: '/TimeSeriesServiceStatistics',
  GetTraceGraph: '/TraceGraph',
  GetTraceSegmentDestination: '/GetTraceSegmentDestination',
  GetTraceSummaries: '/TraceSummaries',
  ListResourcePolicies: '/ListResourcePolicies',
  ListRetrievedTraces: '/ListRetrievedTraces',
  ListTagsForResource: '/ListTagsForResource',
  PutEncryptionConfig: '/PutEncryptionConfig',
  PutResourcePolicy: '/PutResourcePolicy',
  PutTelemetryRecords: '/TelemetryRecords',
  PutTraceSegments: '/TraceSegments',
  StartTraceRetrieval: '/StartTraceRetrieval',
  TagResource: '/TagResource',
  UntagResource: '/UntagResource',
  UpdateGroup: '/UpdateGroup',
  UpdateIndexingRule: '/UpdateIndexingRule',
  UpdateSamplingRule: '/UpdateSamplingRule',
  UpdateTraceSegmentDestination: '/UpdateTraceSegmentDestination',
} as const;

export type OperationName = keyof typeof PATHS;

export interface Operation {
  readonly name: OperationName;
  readonly path: string;
}

/** In alphabetical order. */
export const OPERATIONS: readonly Operation[] = (Object.keys(PATHS) as OperationName[]).map((name) => ({ name, path: PATHS[name] }));
