/** Requests about sampling: rules, and what clients report. */
import type { Result } from '../base/index.ts';
import type { AnomalyCounts, BoostSettings, ClientCounts, SamplingRule } from '../sampling/index.ts';
import type { AwsError } from './errors.ts';
import { type Members, readMembers } from './members.ts';
import { readTags, type Tag } from './tag-requests.ts';

type Body = Readonly<Record<string, unknown>>;

/** A rule as a request names it: by name or by ARN, not both. */
export interface RuleReference {
  readonly name: string | undefined;
  readonly arn: string | undefined;
}

export interface UpdateSamplingRuleRequest {
  readonly rule: RuleReference;
  /** Only what is to change. */
  readonly changes: Partial<SamplingRule>;
}

export interface SamplingTargetsRequest {
  readonly counts: readonly ClientCounts[];
  readonly anomalies: readonly AnomalyCounts[];
  /** As the X-Ray SDK for Node.js writes it, unless a `User-Agent` came too: see `toWireTarget`. */
  readonly looksLikeNodeSdk: boolean;
}

const MAX_PRIORITY = 9_999;

export function parseCreateSamplingRule(body: Body): Result<{ readonly rule: SamplingRule; readonly tags: readonly Tag[] }, AwsError> {
  return readMembers(body, (members) => {
    const rule = members.neededObject('SamplingRule');
    const arn = rule.text('RuleARN');
    if (arn !== undefined) rule.fail('RuleARN', arn, 'be null: the ARN is made from the name');
    const version = rule.neededInteger('Version', { min: 1 });
    if (version > 1) rule.fail('Version', version, 'be 1');
    for (const [name] of PATTERNS) rule.needed(name, rule.text(name) === undefined ? undefined : []);
    rule.neededInteger('Priority');
    rule.neededInteger('ReservoirSize');
    rule.neededNumber('FixedRate');
    const name = rule.neededText('RuleName', { min: 1, max: 32 });
    const read = { ...WHOLE, ...readRule(rule), name };
    return { rule: read, tags: readTags(members, 'Tags') ?? [] };
  });
}

export function parseUpdateSamplingRule(body: Body): Result<UpdateSamplingRuleRequest, AwsError> {
  return readMembers(body, (members) => {
    const update = members.neededObject('SamplingRuleUpdate');
    return { rule: readRuleReference(update), changes: readRule(update) };
  });
}

export function parseDeleteSamplingRule(body: Body): Result<RuleReference, AwsError> {
  return readMembers(body, readRuleReference);
}

/** Members of the model's `SamplingRule` that are patterns: theirs and our name, and the greatest length. */
const PATTERNS = [
  ['ServiceName', 'serviceName', 64],
  ['ServiceType', 'serviceType', 64],
  ['Host', 'host', 64],
  ['HTTPMethod', 'httpMethod', 10],
  ['URLPath', 'urlPath', 128],
  ['ResourceARN', 'resourceArn', 500],
] as const;

/** Stands for what is missing from a rule that is refused for it. */
const WHOLE: SamplingRule = {
  name: '',
  priority: 1,
  fixedRate: 0,
  reservoirSize: 0,
  serviceName: '*',
  serviceType: '*',
  host: '*',
  httpMethod: '*',
  urlPath: '*',
  resourceArn: '*',
  attributes: {},
};

function readRule(members: Members): Partial<SamplingRule> {
  const priority = members.integer('Priority', { min: 1, max: MAX_PRIORITY });
  const fixedRate = members.number('FixedRate', { min: 0, max: 1 });
  const reservoirSize = members.integer('ReservoirSize', { min: 0 });
  const attributes = members.textMap('Attributes', 5, { min: 1, max: 32 });
  const boost = readBoost(members.object('SamplingRateBoost'));
  const patterns = PATTERNS.flatMap(([theirs, ours, max]) => {
    const pattern = members.text(theirs, { max });
    return pattern === undefined ? [] : [[ours, pattern]];
  });
  return {
    ...(priority !== undefined && { priority }),
    ...(fixedRate !== undefined && { fixedRate }),
    ...(reservoirSize !== undefined && { reservoirSize }),
    ...(attributes && { attributes }),
    ...(boost && { boost }),
    ...(Object.fromEntries(patterns) as Partial<SamplingRule>),
  };
}

function readBoost(members: Members | undefined): BoostSettings | undefined {
  if (members === undefined) return undefined;
  return {
    maxRate: members.neededNumber('MaxRate', { min: 0, max: 1 }),
    cooldownMinutes: members.neededInteger('CooldownWindowMinutes', { min: 0 }),
  };
}

function readRuleReference(members: Members): RuleReference {
  const name = members.text('RuleName', { min: 1, max: 32 });
  const arn = members.text('RuleARN', { min: 1 });
  if (name === undefined && arn === undefined) members.fail('RuleName', undefined, 'not be null when ruleARN is');
  if (name !== undefined && arn !== undefined) members.fail('RuleARN', arn, 'be null when ruleName is given');
  return { name, arn };
}

/** The order in which the X-Ray SDKs for Node.js (3.12) and Python write them; Python's names itself in `User-Agent`, Node's does not. */
const NODE_SDK_MEMBERS = 'RuleName ClientID RequestCount BorrowCount SampledCount Timestamp';

export function parseGetSamplingTargets(body: Body): Result<SamplingTargetsRequest, AwsError> {
  return readMembers(body, (members) => {
    const documents = members.needed('SamplingStatisticsDocuments', members.objects('SamplingStatisticsDocuments'));
    return {
      counts: documents.map(readCounts),
      anomalies: (members.objects('SamplingBoostStatisticsDocuments') ?? []).map(readAnomalies),
      looksLikeNodeSdk: documents.length > 0 && documents.every((document) => document.names.join(' ') === NODE_SDK_MEMBERS),
    };
  });
}

function readCounts(document: Members): ClientCounts {
  document.neededTime('Timestamp');
  return {
    rule: document.neededText('RuleName', { min: 1, max: 32 }),
    client: document.neededText('ClientID', { min: 24, max: 24 }),
    requests: document.neededInteger('RequestCount', { min: 0 }),
    sampled: document.neededInteger('SampledCount', { min: 0 }),
    borrowed: document.integer('BorrowCount', { min: 0 }) ?? 0,
  };
}

function readAnomalies(document: Members): AnomalyCounts {
  document.neededTime('Timestamp');
  return {
    rule: document.neededText('RuleName', { min: 1, max: 32 }),
    service: document.neededText('ServiceName', { max: 64 }),
    total: document.neededInteger('TotalCount', { min: 0 }),
    anomalies: document.neededInteger('AnomalyCount', { min: 0 }),
    sampledAnomalies: document.neededInteger('SampledAnomalyCount', { min: 0 }),
  };
}
