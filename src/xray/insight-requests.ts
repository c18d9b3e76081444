/** Requests about insights. */
import type { Result } from '../base/index.ts';
import type { AwsError } from './errors.ts';
import { type GroupReference, readNeededGroup } from './group-requests.ts';
import { type Members, readMembers } from './members.ts';
import { readRange, type TimeRange } from './requests.ts';

type Body = Readonly<Record<string, unknown>>;

export interface InsightEventsRequest {
  readonly id: string;
  readonly limit: number;
  readonly nextToken: string | undefined;
}

export interface InsightGraphRequest extends TimeRange {
  readonly id: string;
  readonly nextToken: string | undefined;
}

export interface InsightSummariesRequest extends TimeRange {
  readonly group: GroupReference;
  readonly state: 'ACTIVE' | 'CLOSED' | undefined;
  readonly limit: number;
  readonly nextToken: string | undefined;
}

const MOST_SUMMARIES = 100;
const MOST_EVENTS = 50;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const TOKEN_LENGTH = { min: 1, max: 2000 };

export function parseGetInsight(body: Body): Result<{ readonly id: string }, AwsError> {
  return readMembers(body, (members) => ({ id: readId(members) }));
}

export function parseGetInsightEvents(body: Body): Result<InsightEventsRequest, AwsError> {
  return readMembers(body, (members) => ({ id: readId(members), ...readPage(members, MOST_EVENTS) }));
}

export function parseGetInsightGraph(body: Body): Result<InsightGraphRequest, AwsError> {
  return readMembers(body, (members) => ({
    id: readId(members),
    ...readRange(members),
    nextToken: members.text('NextToken', TOKEN_LENGTH),
  }));
}

export function parseGetInsightSummaries(body: Body): Result<InsightSummariesRequest, AwsError> {
  return readMembers(body, (members) => {
    const states = members.texts('States') ?? [];
    if (states.length > 1) members.fail('States', states.length, 'have length less than or equal to 1');
    const [state] = states;
    if (state !== undefined && state !== 'ACTIVE' && state !== 'CLOSED') {
      members.fail('States.1.member', state, 'satisfy enum value set: [ACTIVE, CLOSED]');
    }
    return {
      group: readNeededGroup(members),
      state: state as InsightSummariesRequest['state'],
      ...readRange(members),
      ...readPage(members, MOST_SUMMARIES),
    };
  });
}

function readPage(members: Members, most: number): { readonly limit: number; readonly nextToken: string | undefined } {
  return { limit: members.integer('MaxResults', { min: 1, max: most }) ?? most, nextToken: members.text('NextToken', TOKEN_LENGTH) };
}

function readId(members: Members): string {
  const id = members.neededText('InsightId');
  if (id !== '' && !UUID.test(id)) members.fail('InsightId', id, 'be a UUID');
  return id;
}
