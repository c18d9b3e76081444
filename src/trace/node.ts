/**
 * Which node of the service map a document belongs to, and which node it calls.
 * Called once per subsegment at intake: plain property tests, and no allocation but the answer.
 */
import type { SegmentDocument } from './document.ts';
import type { NodeKey } from './model.ts';

/** Type of a node whose segments do not say what they run on. */
export const UNKNOWN_NODE_TYPE = 'unknown';

/**
 * The node that a segment's document reports for: its name and origin, the account from `aws.account_id`.
 * A segment that was inferred (by us, or by AWS in exported data) belongs to the resource that its `aws` block names.
 */
export function segmentNode(document: SegmentDocument): NodeKey {
  const account = text(document.aws?.['account_id']);
  const type = text(document.origin) ?? UNKNOWN_NODE_TYPE;
  if (document.inferred === true && isBlock(document.aws)) {
    const resource = resourceNode(document.aws, account);
    if (resource !== undefined) return resource;
  }
  return nodeKey(nameOf(document), type, account);
}

/**
 * The node that a subsegment's document calls; undefined when it calls nobody (local work).
 * Does not look at `traced`: whether the callee reports for itself is `isTraced`.
 * AWS calls that name no resource of a known kind are one node per service: `AWS::<subsegment name>`.
 */
export function calleeNode(document: SegmentDocument): NodeKey | undefined {
  const account = text(document.aws?.['account_id']);
  if (isBlock(document.sql)) return nodeKey(nameOf(document), 'Database::SQL', account);
  if (document.namespace === 'remote') return nodeKey(nameOf(document), 'remote', account);
  if (document.namespace !== 'aws') return undefined;
  const resource = isBlock(document.aws) ? resourceNode(document.aws, account) : undefined;
  if (resource !== undefined) return resource;
  const service = nameOf(document);
  return nodeKey(service, serviceType(service), account);
}

/** The document's name; `unknown` when an embedded subsegment, which intake does not check, has none. */
export function nameOf(document: SegmentDocument): string {
  return text(document.name) ?? 'unknown';
}

/** Whether the subsegment says that its callee reports for itself, in either place that SDKs write it. */
export function isTraced(document: SegmentDocument): boolean {
  return document.traced === true || document.http?.request?.traced === true;
}

/** One string per distinct node, for use as a map key. */
export function nodeId(node: NodeKey): string {
  return `${node.type}\n${node.name}\n${node.accountId ?? ''}`;
}

function resourceNode(aws: Readonly<Record<string, unknown>>, account: string | undefined): NodeKey | undefined {
  const table = text(aws['table_name']);
  if (table !== undefined) return nodeKey(table, 'AWS::DynamoDB::Table', account);
  const queue = text(aws['queue_url']);
  if (queue !== undefined) return nodeKey(lastPart(queue, '/'), 'AWS::SQS::Queue', account);
  const topic = text(aws['topic_arn']);
  if (topic !== undefined) return nodeKey(lastPart(topic, ':'), 'AWS::SNS::Topic', account);
  const lambda = text(aws['function_name']);
  if (lambda !== undefined) return nodeKey(functionName(lambda), 'AWS::Lambda', account);
  const bucket = text(aws['bucket_name']);
  if (bucket !== undefined) return nodeKey(bucket, 'AWS::S3::Bucket', account);
  const stream = text(aws['stream_name']);
  if (stream !== undefined) return nodeKey(stream, 'AWS::Kinesis::Stream', account);
  return undefined;
}

function serviceType(name: string): string {
  return name.startsWith('AWS::') ? name : `AWS::${name}`;
}

/** Lambda is called by name, or by ARN with the name after `:function:` and perhaps a version after that. */
function functionName(nameOrArn: string): string {
  const marker = nameOrArn.indexOf(':function:');
  if (marker < 0) return nameOrArn;
  const start = marker + ':function:'.length;
  const end = nameOrArn.indexOf(':', start);
  return end < 0 ? nameOrArn.slice(start) : nameOrArn.slice(start, end);
}

/** What follows the last separator; the whole text when nothing does. */
function lastPart(whole: string, separator: string): string {
  const last = whole.slice(whole.lastIndexOf(separator) + 1);
  return last === '' ? whole : last;
}

function nodeKey(name: string, type: string, accountId: string | undefined): NodeKey {
  return accountId === undefined ? { name, type } : { name, type, accountId };
}

function isBlock(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** A string that says something; SDKs write `""`, null and numbers where they know nothing. */
function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
