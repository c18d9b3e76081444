/** Tags of groups and sampling rules; they are kept with what they are on. */
import { err, ok, type Result } from '../base/index.ts';
import {
  type AwsError,
  MAX_TAGS,
  modelled,
  parseArn,
  parseListTags,
  parseTagResource,
  parseUntagResource,
  resourceNotFound,
  type Tag,
} from '../xray/index.ts';
import type { GroupService } from './group-service.ts';
import { GROUP_KIND } from './group-service.ts';
import { type Answer, chain, type Handler, pageOfList } from './operation.ts';
import { RULE_KIND, type SamplingService } from './sampling-service.ts';
import { changeSetting, type SettingsStore } from './settings-change.ts';

interface Tagged {
  readonly tags: readonly Tag[];
}

interface Resource {
  readonly kind: string;
  readonly id: string;
  /** As it is now: built in, or stored. */
  readonly value: Tagged;
}

const TAGS_PER_PAGE = 200;

export class TagService {
  readonly operations: Readonly<Record<'ListTagsForResource' | 'TagResource' | 'UntagResource', Handler>> = {
    ListTagsForResource: (body) =>
      chain(parseListTags(body), ({ arn, nextToken }) => {
        const resource = this.#find(arn);
        if (!resource.ok) return resource;
        const items = resource.value.value.tags.toSorted((a, b) => (a.Key < b.Key ? -1 : 1));
        const list = { items, keyOf: (tag: Tag) => tag.Key, toWire: (tag: Tag) => tag, size: TAGS_PER_PAGE };
        return pageOfList('ListTagsForResource', 'Tags', list, nextToken, { arn });
      }),
    TagResource: (body) =>
      chain(parseTagResource(body), async ({ arn, tags }) => {
        const keys = new Set(tags.map((tag) => tag.Key));
        return this.#change(arn, (present) => [...present.filter((tag) => !keys.has(tag.Key)), ...tags]);
      }),
    UntagResource: (body) =>
      chain(parseUntagResource(body), async ({ arn, keys }) =>
        this.#change(arn, (present) => present.filter((tag) => !keys.includes(tag.Key))),
      ),
  };
  readonly #settings: SettingsStore;
  readonly #groups: GroupService;
  readonly #sampling: SamplingService;

  constructor(settings: SettingsStore, groups: GroupService, sampling: SamplingService) {
    this.#settings = settings;
    this.#groups = groups;
    this.#sampling = sampling;
  }

  #find(arn: string): Result<Resource, AwsError> {
    const parsed = parseArn(arn);
    if (parsed?.kind === 'group') {
      const group = this.#groups.find({ name: undefined, arn });
      if (group.ok) {
        const { name, ...value } = group.value;
        return ok({ kind: GROUP_KIND, id: name, value });
      }
    }
    if (parsed?.kind === 'sampling-rule') {
      const record = this.#sampling.records().find(({ rule }) => rule.name === parsed.name);
      if (record) return ok({ kind: RULE_KIND, id: parsed.name, value: record });
    }
    return err(noResource(arn));
  }

  async #change(arn: string, next: (present: readonly Tag[]) => readonly Tag[]): Promise<Answer> {
    const resource = this.#find(arn);
    if (!resource.ok) return resource;
    const { value } = resource.value;
    const changed = await changeSetting<Tagged>(this.#settings, resource.value, (stored) => {
      if (stored === undefined && resource.value.id !== 'Default') return err(noResource(arn));
      const current = stored ?? value;
      const tags = next(current.tags);
      if (tags.length > MAX_TAGS) return err(modelled('TooManyTagsException', `${arn} would have more than ${MAX_TAGS} tags.`, arn));
      return ok({ ...current, tags });
    });
    return changed.ok ? ok({}) : changed;
  }
}

function noResource(arn: string): AwsError {
  return resourceNotFound(arn, `There is no group and no sampling rule ${arn}.`);
}
