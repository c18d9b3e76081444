/** Groups: named filter expressions. Evaluated when they are asked for, over all stored traces. */
import { randomBytes } from 'node:crypto';
import { err, ok, type Result } from '../base/index.ts';
import { checkGroups, type FilterExpression, type GroupLookup, groupReferences, parseFilter } from '../trace/index.ts';
import {
  type AwsError,
  type CreateGroupRequest,
  groupArn,
  type GroupReference,
  type InsightsChoice,
  invalidRequest,
  parseArn,
  parseCreateGroup,
  parseFilterText,
  parseGroup,
  parseNextToken,
  parseUpdateGroup,
  type Tag,
  type UpdateGroupRequest,
  type Wire,
} from '../xray/index.ts';
import { type Answer, chain, type Handler, pageOfList } from './operation.ts';
import { changeSetting, deleteSetting, type SettingsStore } from './settings-change.ts';

/** A group as it is kept, under its name. */
interface StoredGroup {
  readonly filter: string;
  readonly insights: boolean;
  readonly notifications: boolean;
  /** None for `Default`. */
  readonly uniqueId?: string;
  readonly tags: readonly Tag[];
}

export interface Group extends StoredGroup {
  readonly name: string;
}

export const GROUP_KIND = 'group';
const DEFAULT_NAME = 'Default';
const DEFAULT_GROUP: StoredGroup = { filter: '', insights: false, notifications: false, tags: [] };
/** AWS allows 25. */
const MAX_GROUPS = 100;
const GROUPS_PER_PAGE = 50;

export class GroupService {
  readonly operations: Readonly<Record<'CreateGroup' | 'DeleteGroup' | 'GetGroup' | 'GetGroups' | 'UpdateGroup', Handler>> = {
    CreateGroup: (body) => chain(parseCreateGroup(body), async (request) => this.#create(request)),
    DeleteGroup: (body) => chain(parseGroup(body), async (group) => this.#delete(group)),
    GetGroup: (body) =>
      chain(parseGroup(body), (reference) => {
        const group = this.find(reference);
        return group.ok ? ok({ Group: toWireGroup(group.value) }) : group;
      }),
    GetGroups: (body) => chain(parseNextToken(body), ({ nextToken }) => this.#list(nextToken)),
    UpdateGroup: (body) => chain(parseUpdateGroup(body), async (request) => this.#update(request)),
  };
  readonly #settings: SettingsStore;

  constructor(settings: SettingsStore) {
    this.#settings = settings;
  }

  /** All groups by name, `Default` among them. */
  all(): readonly Group[] {
    const stored = this.#settings.list(GROUP_KIND).map(({ id, value }) => ({ name: id, ...(value as StoredGroup) }));
    const groups = stored.some(({ name }) => name === DEFAULT_NAME) ? stored : [...stored, { name: DEFAULT_NAME, ...DEFAULT_GROUP }];
    return groups.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The group that a request names; by both, they must agree. */
  find({ name, arn }: GroupReference): Result<Group, AwsError> {
    const parsed = arn === undefined ? undefined : parseArn(arn);
    if (arn !== undefined && parsed?.kind !== 'group') return err(invalidRequest(`${arn} is not the ARN of a group.`));
    if (name !== undefined && parsed !== undefined && parsed.name !== name) {
      return err(invalidRequest(`GroupName ${name} and GroupARN ${arn} are of different groups: give one of them.`));
    }
    const wanted = parsed?.name ?? name;
    const group = this.all().find((one) => one.name === wanted);
    const sameId = parsed === undefined || wanted === DEFAULT_NAME || parsed.uniqueId === group?.uniqueId;
    return group && sameId ? ok(group) : err(noGroup(arn ?? wanted ?? ''));
  }

  /** What `group.name` and `group.arn` in filter expressions stand for. */
  readonly lookup: GroupLookup = (nameOrArn) => {
    const found = this.find(nameOrArn.startsWith('arn:') ? { name: undefined, arn: nameOrArn } : { name: nameOrArn, arn: undefined });
    return found.ok ? expressionOf(found.value.filter) : undefined;
  };

  /** The filter of the group that a request names; undefined when it is every trace. */
  filterOf(reference: GroupReference | undefined): Result<FilterExpression | undefined, AwsError> {
    if (reference === undefined) return ok(undefined);
    const group = this.find(reference);
    return group.ok ? parseFilterText(group.value.filter) : group;
  }

  /** Refuses a filter that refers to groups that do not exist. */
  check(filter: FilterExpression | undefined, lookup: GroupLookup = this.lookup): AwsError | undefined {
    const fault = filter && checkGroups(filter, lookup);
    return fault && invalidRequest(`Invalid filter expression: ${fault.message}`);
  }

  #list(nextToken: string | undefined): Answer {
    const list = { items: this.all(), keyOf: ({ name }: Group) => name, toWire: toWireGroup, size: GROUPS_PER_PAGE };
    return pageOfList('GetGroups', 'Groups', list, nextToken);
  }

  async #create({ name, filterText, insights, tags }: CreateGroupRequest): Promise<Answer> {
    const fault = this.#checkOwn(name, filterText);
    if (fault) return err(fault);
    if (tags.length > 50) return err(invalidRequest('A group can have at most 50 tags.'));
    if (this.all().length > MAX_GROUPS) return err(invalidRequest(`There are ${MAX_GROUPS} groups already: delete one first.`));
    const exists = err(invalidRequest(`A group named ${name} exists already.`));
    if (name === DEFAULT_NAME) return exists;
    const created = await changeSetting<StoredGroup>(this.#settings, { kind: GROUP_KIND, id: name }, (current) => {
      if (current !== undefined) return exists;
      const chosen = withInsights({ ...DEFAULT_GROUP, filter: filterText, uniqueId: uniqueId(), tags }, insights);
      return chosen;
    });
    return created.ok ? ok({ Group: toWireGroup({ name, ...created.value }) }) : created;
  }

  async #update({ group: reference, filterText, insights }: UpdateGroupRequest): Promise<Answer> {
    const group = this.find(reference);
    if (!group.ok) return group;
    const { name } = group.value;
    if (name === DEFAULT_NAME && filterText !== undefined && filterText !== '') {
      return err(invalidRequest('The group Default is every trace: it has no filter expression.'));
    }
    const fault = filterText === undefined ? undefined : this.#checkOwn(name, filterText);
    if (fault) return err(fault);
    const updated = await changeSetting<StoredGroup>(this.#settings, { kind: GROUP_KIND, id: name }, (stored) => {
      const current = stored ?? (name === DEFAULT_NAME ? DEFAULT_GROUP : undefined);
      if (current === undefined) return err(noGroup(name));
      return withInsights({ ...current, filter: filterText ?? current.filter }, insights);
    });
    return updated.ok ? ok({ Group: toWireGroup({ name, ...updated.value }) }) : updated;
  }

  async #delete(reference: GroupReference): Promise<Answer> {
    const group = this.find(reference);
    if (!group.ok) return group;
    const { name } = group.value;
    if (name === DEFAULT_NAME) return err(invalidRequest('The group Default cannot be deleted.'));
    const users = this.all().filter((other) => other.name !== name && refersTo(other, group.value));
    if (users.length > 0) {
      return err(invalidRequest(`${users.map((user) => user.name).join(', ')} refers to the group ${name}: change it first.`));
    }
    const deleted = await deleteSetting<StoredGroup>(this.#settings, { kind: GROUP_KIND, id: name }, (current) =>
      current ? ok(current) : err(noGroup(name)),
    );
    return deleted.ok ? ok({}) : deleted;
  }

  /** A group's own new expression: it must parse, and not lead back to itself. */
  #checkOwn(name: string, filterText: string): AwsError | undefined {
    const filter = parseFilterText(filterText);
    if (!filter.ok) return filter.error;
    const isOwn = (reference: string): boolean => reference === name || parseArn(reference)?.name === name;
    return this.check(filter.value, (reference) => (isOwn(reference) ? expressionOf(filterText) : this.lookup(reference)));
  }
}

function noGroup(nameOrArn: string): AwsError {
  return invalidRequest(`Group not found: ${nameOrArn}. GetGroups tells which there are.`);
}

/** What notifications tell of are insights. */
function withInsights(group: StoredGroup, { enabled, notifications }: InsightsChoice): Result<StoredGroup, AwsError> {
  const insights = enabled ?? group.insights;
  const notify = notifications ?? (insights && group.notifications);
  if (notify && !insights) return err(invalidRequest('NotificationsEnabled needs InsightsEnabled.'));
  return ok({ ...group, insights, notifications: notify });
}

function expressionOf(text: string): FilterExpression | undefined {
  const parsed = parseFilter(text);
  return parsed.ok ? parsed.value : undefined;
}

function refersTo(group: Group, target: Group): boolean {
  const expression = expressionOf(group.filter);
  return (
    expression !== undefined &&
    groupReferences(expression).some(({ value }) => value === target.name || parseArn(value)?.name === target.name)
  );
}

/** `Group` and `GroupSummary`. */
function toWireGroup({ name, filter, insights, notifications, uniqueId: id }: Group): Wire {
  return {
    GroupName: name,
    GroupARN: groupArn(name, id),
    ...(filter !== '' && { FilterExpression: filter }),
    InsightsConfiguration: { InsightsEnabled: insights, NotificationsEnabled: notifications },
  };
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** 52 characters, as in AWS's ARNs of groups. */
function uniqueId(): string {
  return Array.from(randomBytes(52), (byte) => BASE32[byte % 32]).join('');
}
