/** Requests about what belongs to the whole account: encryption, resource policies, indexing rules, where segments go. */
import type { Result } from '../base/index.ts';
import type { AwsError } from './errors.ts';
import { type Members, readMembers } from './members.ts';

type Body = Readonly<Record<string, unknown>>;

export interface EncryptionChoice {
  readonly type: 'NONE' | 'KMS';
  readonly keyId: string | undefined;
}

export interface PutResourcePolicyRequest {
  readonly name: string;
  readonly document: string;
  readonly revisionId: string | undefined;
  readonly bypassLockoutCheck: boolean;
}

export type SegmentDestination = 'XRay' | 'CloudWatchLogs';

export function parsePutEncryptionConfig(body: Body): Result<EncryptionChoice, AwsError> {
  return readMembers(body, (members) => {
    members.neededText('Type');
    const type = members.oneOf('Type', ['NONE', 'KMS']) ?? 'NONE';
    const keyId = members.text('KeyId', { min: 1, max: 3000 });
    if (type === 'KMS' && keyId === undefined) members.fail('KeyId', undefined, 'not be null for the type KMS');
    if (type === 'NONE' && keyId !== undefined) members.fail('KeyId', keyId, 'be null for the type NONE');
    return { type, keyId };
  });
}

export function parsePutResourcePolicy(body: Body): Result<PutResourcePolicyRequest, AwsError> {
  return readMembers(body, (members) => ({
    name: readPolicyName(members),
    document: members.neededText('PolicyDocument'),
    revisionId: members.text('PolicyRevisionId'),
    bypassLockoutCheck: members.boolean('BypassPolicyLockoutCheck') ?? false,
  }));
}

export function parseDeleteResourcePolicy(
  body: Body,
): Result<{ readonly name: string; readonly revisionId: string | undefined }, AwsError> {
  return readMembers(body, (members) => ({ name: readPolicyName(members), revisionId: members.text('PolicyRevisionId') }));
}

function readPolicyName(members: Members): string {
  const name = members.neededText('PolicyName', { min: 1, max: 128 });
  if (!/^[\w+=,.@-]*$/.test(name)) members.fail('PolicyName', name, 'satisfy regular expression pattern: [\\w+=,.@-]+');
  return name;
}

export function parseUpdateIndexingRule(body: Body): Result<{ readonly name: string; readonly percentage: number }, AwsError> {
  return readMembers(body, (members) => {
    const rule = members.neededObject('Rule').neededObject('Probabilistic');
    return { name: members.neededText('Name'), percentage: rule.neededNumber('DesiredSamplingPercentage', { min: 0, max: 100 }) };
  });
}

/** Undefined: as it was. A key for log groups is refused: no log group is made here. */
export function parseUpdateDestination(body: Body): Result<SegmentDestination | undefined, AwsError> {
  return readMembers(body, (members) => {
    const key = members.object('CloudWatchLogsConfiguration')?.text('SpansLogGroupKmsKeyId');
    if (key !== undefined) members.fail('CloudWatchLogsConfiguration', key, 'be null: no log group is about to be made');
    return members.oneOf('Destination', ['XRay', 'CloudWatchLogs']);
  });
}

/** Operations without parameters. */
export function parseNothing(body: Body): Result<undefined, AwsError> {
  return readMembers(body, () => undefined);
}
