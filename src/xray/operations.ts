/**
 * The 38 operations of AWS X-Ray (API version 2016-04-12). All are `POST` to a fixed path, with no parameters in path, query or headers.
 * A daemon whose endpoint is configured with a slash at its end doubles the first slash, some clients add one at the end: routers here
 * take those too.
 */

/** Operations that are answered. */
export type ServedOperation =
  | 'BatchGetTraces'
  | 'GetSamplingRules'
  | 'GetSamplingTargets'
  | 'GetServiceGraph'
  | 'GetTimeSeriesServiceStatistics'
  | 'GetTraceGraph'
  | 'GetTraceSummaries'
  | 'PutTelemetryRecords'
  | 'PutTraceSegments';

export type Operation =
  | { readonly kind: 'served'; readonly name: ServedOperation; readonly path: string }
  | { readonly kind: 'planned'; readonly name: string; readonly path: string; readonly planned: string };

const NEXT = 'release 0.2';
const LATER = 'a later release';

function served(name: ServedOperation, path = `/${name}`): Operation {
  return { kind: 'served', name, path };
}

function planned(planned: string, name: string, path = `/${name}`): Operation {
  return { kind: 'planned', name, path, planned };
}

/** In alphabetical order. */
export const OPERATIONS: readonly Operation[] = [
  served('BatchGetTraces', '/Traces'),
  planned(LATER, 'CancelTraceRetrieval'),
  planned(NEXT, 'CreateGroup'),
  planned(NEXT, 'CreateSamplingRule'),
  planned(NEXT, 'DeleteGroup'),
  planned(LATER, 'DeleteResourcePolicy'),
  planned(NEXT, 'DeleteSamplingRule'),
  planned(NEXT, 'GetEncryptionConfig', '/EncryptionConfig'),
  planned(NEXT, 'GetGroup'),
  planned(NEXT, 'GetGroups', '/Groups'),
  planned(LATER, 'GetIndexingRules'),
  planned(NEXT, 'GetInsight', '/Insight'),
  planned(NEXT, 'GetInsightEvents', '/InsightEvents'),
  planned(NEXT, 'GetInsightImpactGraph', '/InsightImpactGraph'),
  planned(NEXT, 'GetInsightSummaries', '/InsightSummaries'),
  planned(LATER, 'GetRetrievedTracesGraph'),
  served('GetSamplingRules'),
  planned(NEXT, 'GetSamplingStatisticSummaries', '/SamplingStatisticSummaries'),
  served('GetSamplingTargets', '/SamplingTargets'),
  served('GetServiceGraph', '/ServiceGraph'),
  served('GetTimeSeriesServiceStatistics', '/TimeSeriesServiceStatistics'),
  served('GetTraceGraph', '/TraceGraph'),
  planned(LATER, 'GetTraceSegmentDestination'),
  served('GetTraceSummaries', '/TraceSummaries'),
  planned(LATER, 'ListResourcePolicies'),
  planned(LATER, 'ListRetrievedTraces'),
  planned(NEXT, 'ListTagsForResource'),
  planned(NEXT, 'PutEncryptionConfig', '/PutEncryptionConfig'),
  planned(LATER, 'PutResourcePolicy'),
  served('PutTelemetryRecords', '/TelemetryRecords'),
  served('PutTraceSegments', '/TraceSegments'),
  planned(LATER, 'StartTraceRetrieval'),
  planned(NEXT, 'TagResource'),
  planned(NEXT, 'UntagResource'),
  planned(NEXT, 'UpdateGroup'),
  planned(LATER, 'UpdateIndexingRule'),
  planned(NEXT, 'UpdateSamplingRule'),
  planned(LATER, 'UpdateTraceSegmentDestination'),
];
