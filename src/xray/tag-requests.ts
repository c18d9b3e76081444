/** Requests about tags. */
import type { Result } from '../base/index.ts';
import type { AwsError } from './errors.ts';
import { type Members, readMembers } from './members.ts';

type Body = Readonly<Record<string, unknown>>;

export interface Tag {
  readonly Key: string;
  readonly Value: string;
}

/** Tags a resource may have. */
export const MAX_TAGS = 50;
const MAX_LISTED = 200;

export function parseTagResource(body: Body): Result<{ readonly arn: string; readonly tags: readonly Tag[] }, AwsError> {
  return readMembers(body, (members) => ({
    arn: members.neededText('ResourceARN', { min: 1, max: 1011 }),
    tags: members.needed('Tags', readTags(members, 'Tags')),
  }));
}

export function parseUntagResource(body: Body): Result<{ readonly arn: string; readonly keys: readonly string[] }, AwsError> {
  return readMembers(body, (members) => {
    const keys = members.needed('TagKeys', members.texts('TagKeys', { min: 1, max: 128 }));
    if (keys.length > MAX_LISTED) members.fail('TagKeys', keys.length, `have length less than or equal to ${MAX_LISTED}`);
    return { arn: members.neededText('ResourceARN', { min: 1, max: 1011 }), keys };
  });
}

export function parseListTags(body: Body): Result<{ readonly arn: string; readonly nextToken: string | undefined }, AwsError> {
  return readMembers(body, (members) => ({
    arn: members.neededText('ResourceARN', { min: 1, max: 1011 }),
    nextToken: members.text('NextToken'),
  }));
}

/** A list of tags with distinct keys. */
export function readTags(members: Members, name: string): readonly Tag[] | undefined {
  const tags = members.objects(name)?.map((tag) => {
    const key = tag.neededText('Key', { min: 1, max: 128 });
    if (/^aws:/i.test(key)) tag.fail('Key', key, 'not begin with aws:, which is reserved');
    return { Key: key, Value: tag.neededText('Value', { max: 256 }) };
  });
  if (tags === undefined) return undefined;
  if (tags.length > MAX_LISTED) members.fail(name, tags.length, `have length less than or equal to ${MAX_LISTED}`);
  if (new Set(tags.map((tag) => tag.Key)).size < tags.length) members.fail(name, tags.length, 'have distinct keys');
  return tags;
}
