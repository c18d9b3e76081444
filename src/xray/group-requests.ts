/** Requests about groups, and the parts that name a group in others. */
import type { Result } from '../base/index.ts';
import type { AwsError } from './errors.ts';
import { type Members, readMembers } from './members.ts';
import { readTags, type Tag } from './tag-requests.ts';

type Body = Readonly<Record<string, unknown>>;

/** A group as a request names it: by name, ARN or both. */
export interface GroupReference {
  readonly name: string | undefined;
  readonly arn: string | undefined;
}

export interface InsightsChoice {
  readonly enabled: boolean | undefined;
  readonly notifications: boolean | undefined;
}

export interface CreateGroupRequest {
  readonly name: string;
  readonly filterText: string;
  readonly insights: InsightsChoice;
  readonly tags: readonly Tag[];
}

export interface UpdateGroupRequest {
  readonly group: GroupReference;
  /** Undefined: as it was. */
  readonly filterText: string | undefined;
  readonly insights: InsightsChoice;
}

export function parseCreateGroup(body: Body): Result<CreateGroupRequest, AwsError> {
  return readMembers(body, (members) => {
    const name = members.neededText('GroupName', { min: 1, max: 32 });
    if (!/^[A-Za-z0-9-]*$/.test(name)) members.fail('GroupName', name, 'satisfy regular expression pattern: [A-Za-z0-9-]+');
    return {
      name,
      filterText: members.text('FilterExpression') ?? '',
      insights: readInsights(members),
      tags: readTags(members, 'Tags') ?? [],
    };
  });
}

export function parseUpdateGroup(body: Body): Result<UpdateGroupRequest, AwsError> {
  return readMembers(body, (members) => ({
    group: readNeededGroup(members),
    filterText: members.text('FilterExpression'),
    insights: readInsights(members),
  }));
}

/** `GetGroup` and `DeleteGroup`. */
export function parseGroup(body: Body): Result<GroupReference, AwsError> {
  return readMembers(body, readNeededGroup);
}

/** Undefined when the request names no group. */
export function readGroup(members: Members): GroupReference | undefined {
  const name = members.text('GroupName', { min: 1, max: 32 });
  const arn = members.text('GroupARN', { min: 1, max: 400 });
  return name === undefined && arn === undefined ? undefined : { name, arn };
}

export function readNeededGroup(members: Members): GroupReference {
  const group = readGroup(members);
  if (group === undefined) members.fail('GroupName', undefined, 'not be null when groupARN is');
  return group ?? { name: undefined, arn: undefined };
}

function readInsights(members: Members): InsightsChoice {
  const insights = members.object('InsightsConfiguration');
  return { enabled: insights?.boolean('InsightsEnabled'), notifications: insights?.boolean('NotificationsEnabled') };
}
