/**
 * The attributes that decide how a span is shown, found in one pass over a span's keys. Old and new names of the OpenTelemetry
 * semantic conventions have slots of their own; who reads them says which one wins.
 */
import type { OtlpAttributes, OtlpValue, OtlpValues } from './model.ts';

const KEYS = {
  awsAccountId: 'aws.account_id',
  awsBucket: 'aws.s3.bucket',
  awsBucketName: 'aws.bucket.name',
  awsBucketNameOld: 'aws.bucket_name',
  awsFunctionName: 'aws.function_name',
  awsLambdaFunctionName: 'aws.lambda.function.name',
  awsLocalService: 'aws.local.service',
  awsOperation: 'aws.operation',
  awsQueueUrl: 'aws.queue.url',
  awsQueueUrlOld: 'aws.queue_url',
  awsRegion: 'aws.region',
  awsRemoteService: 'aws.remote.service',
  awsRequestId: 'aws.request_id',
  awsRequestIdOld: 'aws.requestId',
  awsService: 'aws.service',
  awsSpanKind: 'aws.span.kind',
  awsSqsQueueUrl: 'aws.sqs.queue.url',
  awsStreamName: 'aws.stream.name',
  awsStreamNameOld: 'aws.stream_name',
  awsKinesisStreamName: 'aws.kinesis.stream_name',
  awsKinesisStreamNameDotted: 'aws.kinesis.stream.name',
  awsTableName: 'aws.table.name',
  awsTableNameOld: 'aws.table_name',
  awsTableNames: 'aws.dynamodb.table_names',
  awsTableNamesOld: 'aws.table_names',
  awsTopicArn: 'aws.sns.topic.arn',
  awsTopicArnOld: 'aws.topic_arn',
  clientAddress: 'client.address',
  cloudRegion: 'cloud.region',
  dbConnectionString: 'db.connection_string',
  dbName: 'db.name',
  dbNamespace: 'db.namespace',
  dbQueryText: 'db.query.text',
  dbStatement: 'db.statement',
  dbSystem: 'db.system',
  dbSystemName: 'db.system.name',
  dbUser: 'db.user',
  enduserId: 'enduser.id',
  faasInvokedName: 'faas.invoked_name',
  httpClientIp: 'http.client_ip',
  httpHost: 'http.host',
  httpMethod: 'http.method',
  httpRequestMethod: 'http.request.method',
  httpResponseBodySize: 'http.response.body.size',
  httpResponseContentLength: 'http.response_content_length',
  httpResponseStatusCode: 'http.response.status_code',
  httpScheme: 'http.scheme',
  httpServerName: 'http.server_name',
  httpStatusCode: 'http.status_code',
  httpTarget: 'http.target',
  httpUrl: 'http.url',
  httpUserAgent: 'http.user_agent',
  messagingDestination: 'messaging.destination',
  messagingDestinationName: 'messaging.destination.name',
  messagingSystem: 'messaging.system',
  messagingUrl: 'messaging.url',
  netHostName: 'net.host.name',
  netHostPort: 'net.host.port',
  netPeerIp: 'net.peer.ip',
  netPeerName: 'net.peer.name',
  netPeerPort: 'net.peer.port',
  netSockPeerAddr: 'net.sock.peer.addr',
  networkPeerAddress: 'network.peer.address',
  peerService: 'peer.service',
  rpcMethod: 'rpc.method',
  rpcService: 'rpc.service',
  rpcSystem: 'rpc.system',
  rpcSystemName: 'rpc.system.name',
  serverAddress: 'server.address',
  serverPort: 'server.port',
  urlFull: 'url.full',
  urlPath: 'url.path',
  urlQuery: 'url.query',
  urlScheme: 'url.scheme',
  userAgentOriginal: 'user_agent.original',
} as const;

type KnownName = keyof typeof KEYS;

const SLOT_COUNT = Object.keys(KEYS).length;
const slotByKey = new Map<string, number>(Object.values(KEYS).map((key, slot) => [key, slot]));

/** Place of each attribute in a `KnownAttributes`. */
export const Slot = Object.fromEntries(Object.keys(KEYS).map((name, slot) => [name, slot])) as Readonly<Record<KnownName, number>>;

/** Values by `Slot`; undefined where the span has no such attribute. */
export type KnownAttributes = readonly OtlpValue[];

/** Picks the known attributes out of a span's. Of a key that occurs twice, the last counts. */
export function findKnown(attributes: OtlpAttributes): KnownAttributes {
  const { keys, values } = attributes;
  const found = new Array<OtlpValue>(SLOT_COUNT).fill(undefined);
  for (let index = 0; index < keys.length; index++) {
    const slot = slotByKey.get(keys[index]!);
    if (slot !== undefined) found[slot] = values[index];
  }
  return found;
}

/** A scalar as text; undefined when absent, empty, or not a scalar. */
export function textAt(known: KnownAttributes, slot: number): string | undefined {
  return scalarText(known[slot]);
}

/** The first of two attributes that says something: the new name, then the old. */
export function textOf(known: KnownAttributes, first: number, second: number): string | undefined {
  return scalarText(known[first]) ?? scalarText(known[second]);
}

/** A whole number, given as one or as digits; undefined when it is neither. */
export function wholeNumberAt(known: KnownAttributes, slot: number): number | undefined {
  const value = known[slot];
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : undefined;
}

/** The single string of a list, or a plain string; undefined otherwise. */
export function onlyText(value: OtlpValue): string | undefined {
  if (typeof value !== 'object' || value instanceof Uint8Array) return scalarText(value);
  const list: OtlpValues = value;
  return list.values.length === 1 ? scalarText(list.values[0]) : undefined;
}

/** A scalar attribute looked up by its key (the last, when it occurs twice), for the few that are read rarely. */
export function findText(attributes: OtlpAttributes, key: string): string | undefined {
  return scalarText(attributes.values[attributes.keys.lastIndexOf(key)]);
}

function scalarText(value: OtlpValue): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}
