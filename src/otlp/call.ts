/** What a span calls: the part of the exporter's rules that names a subsegment and says what stands behind it. */
import { hostOf } from './http.ts';
import { onlyText, Slot, textAt, textOf, type KnownAttributes } from './known-attributes.ts';
import { SpanKind, type OtlpSpan } from './model.ts';
import { cleanName } from './names.ts';

/** A call of something outside the span's own process. */
export interface Call {
  /** Name of the subsegment: the callee, by the best name that the span has for it. */
  readonly name: string;
  readonly namespace: 'aws' | 'remote';
  /** Set for calls of AWS. */
  readonly aws: Readonly<Record<string, string>> | undefined;
  /** The call is one of a database that speaks SQL. */
  readonly sql: boolean;
}

/** Name of a span that has no usable one. */
const UNNAMED_SPAN = 'span';

/** `db.system` and `db.system.name` values that mean SQL (OpenTelemetry's registry, old and new). */
const SQL_SYSTEMS: ReadonlySet<string> = new Set(
  (
    'adabas actian.ingres cache clickhouse cloudscape cockroachdb db2 derby edb firebird firstsql h2 h2database hanadb hive hsqldb ' +
    'ibm.db2 informix ingres instantdb interbase intersystems_cache mariadb maxdb microsoft.sql_server mssql mssqlcompact mysql ' +
    'netezza oracle oracle.db other_sql pervasive pointbase postgresql progress redshift aws.redshift sap.hana sap.maxdb ' +
    'softwareag.adabas spanner gcp.spanner sqlite sybase teradata trino vertica'
  ).split(' '),
);

/** Whether the span works with an SQL database. */
export function isSql(known: KnownAttributes): boolean {
  const system = textOf(known, Slot.dbSystemName, Slot.dbSystem);
  return system !== undefined && SQL_SYSTEMS.has(system);
}

/** The call that the span makes; undefined for work within its own process. */
export function callOf(span: OtlpSpan, known: KnownAttributes): Call | undefined {
  if (span.kind === SpanKind.server || span.kind === SpanKind.consumer) return undefined;
  const isAws = isAwsCall(known);
  const sql = !isAws && isSql(known);
  if (span.kind !== SpanKind.client && span.kind !== SpanKind.producer && !isAws && !sql) return undefined;
  return {
    name: cleanName(callName(span, known, isAws, sql), UNNAMED_SPAN),
    namespace: isAws ? 'aws' : 'remote',
    aws: isAws ? awsCallBlock(known) : undefined,
    sql,
  };
}

/** The span's own name, fit for a subsegment. */
export function localName(span: OtlpSpan): string {
  return cleanName(span.name, UNNAMED_SPAN);
}

function isAwsCall(known: KnownAttributes): boolean {
  return textOf(known, Slot.rpcSystem, Slot.rpcSystemName) === 'aws-api' || textAt(known, Slot.awsService) !== undefined;
}

function callName(span: OtlpSpan, known: KnownAttributes, isAws: boolean, sql: boolean): string {
  const named = remoteService(known) ?? textOf(known, Slot.peerService, Slot.awsService);
  if (named !== undefined) return named;
  // An AWS call's database name is that of its table, which is a resource of the service and not its name.
  const service = isAws ? textAt(known, Slot.rpcService) : databaseName(known, sql);
  return (
    service ??
    textOf(known, Slot.rpcService, Slot.httpHost) ??
    textOf(known, Slot.netPeerName, Slot.serverAddress) ??
    urlHost(known) ??
    textOf(known, Slot.messagingDestinationName, Slot.messagingDestination) ??
    textOf(known, Slot.messagingSystem, Slot.dbSystemName) ??
    textOf(known, Slot.dbSystem, Slot.netPeerIp) ??
    span.name
  );
}

/** Application Signals' name of the callee: `AWS::DynamoDB` and `AWS.SDK.DynamoDB` are X-Ray's `DynamoDB`. */
function remoteService(known: KnownAttributes): string | undefined {
  const name = textAt(known, Slot.awsRemoteService);
  if (name === undefined) return undefined;
  if (name.startsWith('AWS.SDK.')) return name.slice('AWS.SDK.'.length);
  return name.startsWith('AWS::') ? name.slice('AWS::'.length) : name;
}

/** `database@host`, as X-Ray names databases; undefined when the span names no database. */
function databaseName(known: KnownAttributes, sql: boolean): string | undefined {
  // Where there is no SQL, a new-style namespace may be no name at all (Redis: a number).
  const name = textAt(known, Slot.dbName) ?? (sql ? textAt(known, Slot.dbNamespace) : undefined);
  if (name === undefined) return undefined;
  const connection = textAt(known, Slot.dbConnectionString);
  const host = (connection === undefined ? undefined : hostOf(connection)) ?? textOf(known, Slot.serverAddress, Slot.netPeerName);
  return host === undefined ? name : `${name}@${host}`;
}

function urlHost(known: KnownAttributes): string | undefined {
  const url = textOf(known, Slot.urlFull, Slot.httpUrl);
  return url === undefined ? undefined : hostOf(url);
}

/** The `aws` block of a subsegment: what was done, and to which resource. */
function awsCallBlock(known: KnownAttributes): Readonly<Record<string, string>> {
  const block: Record<string, string> = {};
  const set = (name: string, value: string | undefined): void => {
    if (value !== undefined) block[name] = value;
  };
  const method = textOf(known, Slot.awsOperation, Slot.rpcMethod);
  set('operation', method?.slice(method.lastIndexOf('/') + 1));
  set('account_id', textAt(known, Slot.awsAccountId));
  set('region', textOf(known, Slot.awsRegion, Slot.cloudRegion));
  set('request_id', textOf(known, Slot.awsRequestId, Slot.awsRequestIdOld));
  set('table_name', tableName(known));
  set('queue_url', queueUrl(known));
  set('topic_arn', topicArn(known));
  set('function_name', textOf(known, Slot.awsFunctionName, Slot.awsLambdaFunctionName) ?? textAt(known, Slot.faasInvokedName));
  set('bucket_name', textOf(known, Slot.awsBucket, Slot.awsBucketName) ?? textAt(known, Slot.awsBucketNameOld));
  set('stream_name', streamName(known));
  return block;
}

function tableName(known: KnownAttributes): string | undefined {
  const named = textOf(known, Slot.awsTableName, Slot.awsTableNameOld);
  const listed = named ?? onlyText(known[Slot.awsTableNames]) ?? onlyText(known[Slot.awsTableNamesOld]);
  if (listed !== undefined || textAt(known, Slot.dbSystem) !== 'dynamodb') return listed;
  return textAt(known, Slot.dbName);
}

function queueUrl(known: KnownAttributes): string | undefined {
  const url = textOf(known, Slot.awsSqsQueueUrl, Slot.awsQueueUrl) ?? textAt(known, Slot.awsQueueUrlOld);
  if (url !== undefined) return url;
  const system = textAt(known, Slot.messagingSystem);
  return system === 'aws_sqs' || system === 'aws.sqs' || system === 'AmazonSQS' ? textAt(known, Slot.messagingUrl) : undefined;
}

function topicArn(known: KnownAttributes): string | undefined {
  const arn = textOf(known, Slot.awsTopicArn, Slot.awsTopicArnOld);
  if (arn !== undefined) return arn;
  const destination = textOf(known, Slot.messagingDestinationName, Slot.messagingDestination);
  return destination?.startsWith('arn:aws:sns:') === true ? destination : undefined;
}

function streamName(known: KnownAttributes): string | undefined {
  return (
    textOf(known, Slot.awsKinesisStreamName, Slot.awsKinesisStreamNameDotted) ?? textOf(known, Slot.awsStreamName, Slot.awsStreamNameOld)
  );
}
