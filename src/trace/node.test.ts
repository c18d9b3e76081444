import { describe, expect, test } from 'vitest';
import type { SegmentDocument } from './document.ts';
import { calleeNode, isTraced, nodeId, segmentNode } from './node.ts';

function document(members: Partial<SegmentDocument>): SegmentDocument {
  return { name: 'n', id: '53995c3f42cd8ad8', start_time: 1, end_time: 2, ...members };
}

describe('segmentNode()', () => {
  test.each<[Partial<SegmentDocument>, ReturnType<typeof segmentNode>]>([
    [{ name: 'shop' }, { name: 'shop', type: 'unknown' }],
    [
      { name: 'shop', origin: '' },
      { name: 'shop', type: 'unknown' },
    ],
    [
      { name: 'shop', origin: 'AWS::ECS::Container' },
      { name: 'shop', type: 'AWS::ECS::Container' },
    ],
    [
      { name: 'shop', aws: { account_id: '123456789012' } },
      { name: 'shop', type: 'unknown', accountId: '123456789012' },
    ],
    [
      { name: 'shop', aws: { table_name: 't' } },
      { name: 'shop', type: 'unknown' },
    ],
    [
      { name: 'DynamoDB', origin: 'AWS::DynamoDB::Table', inferred: true, aws: { table_name: 'games' } },
      { name: 'games', type: 'AWS::DynamoDB::Table' },
    ],
    [
      { name: 'SNS', origin: 'AWS::SNS', inferred: true, aws: {} },
      { name: 'SNS', type: 'AWS::SNS' },
    ],
  ])('of %j', (members, node) => {
    expect(segmentNode(document(members))).toEqual(node);
  });
});

describe('calleeNode()', () => {
  const aws = (name: string, block?: Record<string, unknown>): Partial<SegmentDocument> =>
    block === undefined ? { name, namespace: 'aws' } : { name, namespace: 'aws', aws: block };
  test.each<[Partial<SegmentDocument>, ReturnType<typeof calleeNode>]>([
    [{}, undefined],
    [{ namespace: 'local' }, undefined],
    [{ namespace: 'local', aws: { table_name: 't' } }, undefined],
    [
      { name: 'h', namespace: 'remote' },
      { name: 'h', type: 'remote' },
    ],
    [
      { name: 'db@h', sql: {} },
      { name: 'db@h', type: 'Database::SQL' },
    ],
    [
      { name: 'db@h', namespace: 'remote', sql: { url: 'u' } },
      { name: 'db@h', type: 'Database::SQL' },
    ],
    [aws('DynamoDB', { table_name: 'games' }), { name: 'games', type: 'AWS::DynamoDB::Table' }],
    [aws('DynamoDB', { table_name: '' }), { name: 'DynamoDB', type: 'AWS::DynamoDB' }],
    [aws('DynamoDB', { table_name: 7 }), { name: 'DynamoDB', type: 'AWS::DynamoDB' }],
    [aws('SQS', { queue_url: 'https://sqs.us-east-1.amazonaws.com/1/jobs' }), { name: 'jobs', type: 'AWS::SQS::Queue' }],
    [aws('SQS', { queue_url: 'jobs' }), { name: 'jobs', type: 'AWS::SQS::Queue' }],
    [aws('SQS', { queue_url: 'http://q/' }), { name: 'http://q/', type: 'AWS::SQS::Queue' }],
    [aws('SNS', { topic_arn: 'arn:aws:sns:us-east-1:1:news' }), { name: 'news', type: 'AWS::SNS::Topic' }],
    [aws('Lambda', { function_name: 'resize' }), { name: 'resize', type: 'AWS::Lambda' }],
    [aws('Lambda', { function_name: 'arn:aws:lambda:r:1:function:resize:3' }), { name: 'resize', type: 'AWS::Lambda' }],
    [aws('Lambda', { function_name: 'arn:aws:lambda:r:1:function:resize' }), { name: 'resize', type: 'AWS::Lambda' }],
    [aws('S3', { bucket_name: 'pictures' }), { name: 'pictures', type: 'AWS::S3::Bucket' }],
    [aws('Kinesis', { stream_name: 'clicks' }), { name: 'clicks', type: 'AWS::Kinesis::Stream' }],
    [aws('SSM', { operation: 'GetParameter' }), { name: 'SSM', type: 'AWS::SSM' }],
    [aws('SSM'), { name: 'SSM', type: 'AWS::SSM' }],
    [aws('AWS::SSM'), { name: 'AWS::SSM', type: 'AWS::SSM' }],
    [aws('S3', { bucket_name: 'b', account_id: '9' }), { name: 'b', type: 'AWS::S3::Bucket', accountId: '9' }],
  ])('of %j', (members, node) => {
    expect(calleeNode(document(members))).toEqual(node);
  });

  test('does not look at traced', () => {
    expect(calleeNode(document({ name: 'h', namespace: 'remote', traced: true }))).toEqual({ name: 'h', type: 'remote' });
  });

  test('survives blocks of the wrong type', () => {
    const damaged = { ...document({ name: 'S3', namespace: 'aws' }), aws: null, sql: null } as unknown as SegmentDocument;
    expect(calleeNode(damaged)).toEqual({ name: 'S3', type: 'AWS::S3' });
  });
});

test('isTraced() reads both places', () => {
  expect(isTraced(document({}))).toBe(false);
  expect(isTraced(document({ traced: true }))).toBe(true);
  expect(isTraced(document({ http: { request: { traced: true } } }))).toBe(true);
  expect(isTraced(document({ http: { request: { traced: false } } }))).toBe(false);
});

test('nodeId() differs when any part does', () => {
  const ids = [nodeId({ name: 'a', type: 'b' }), nodeId({ name: 'b', type: 'a' }), nodeId({ name: 'a', type: 'b', accountId: '1' })];
  expect(new Set(ids).size).toBe(3);
});
