/** Sampling rules, and the targets of clients that sample by them. */
import { err, ok, type Result } from '../base/index.ts';
import {
  type CentralSampler,
  DEFAULT_RULE,
  DEFAULT_RULE_NAME,
  type SamplingRule,
  type SamplingTarget,
  sortRules,
} from '../sampling/index.ts';
import {
  type AwsError,
  invalidRequest,
  modelled,
  parseArn,
  parseCreateSamplingRule,
  parseDeleteSamplingRule,
  parseGetSamplingTargets,
  parseNextToken,
  parseUpdateSamplingRule,
  type RuleRecord,
  type RuleReference,
  type SamplingTargetsRequest,
  type Tag,
  toWireRuleRecord,
  toWireTarget,
  toWireWindow,
  type UpdateSamplingRuleRequest,
  type Wire,
} from '../xray/index.ts';
import { type Answer, type Caller, chain, type Handler, pageOfList } from './operation.ts';
import { changeSetting, deleteSetting, type SettingsStore } from './settings-change.ts';

/** A rule as it is kept, under its name. */
interface StoredRule extends RuleRecord {
  readonly tags: readonly Tag[];
}

export const RULE_KIND = 'sampling-rule';
/** AWS allows 25 beside `Default`. */
const MAX_RULES = 100;
const WINDOWS_PER_PAGE = 500;
/** Another server may not know a change for so long: clients that fetched rules meanwhile are to fetch them again. */
const UNSEEN_SECONDS = 2;
const DEFAULT_RECORD: StoredRule = { rule: DEFAULT_RULE, createdSeconds: 0, modifiedSeconds: 0, tags: [] };

type Name =
  | 'CreateSamplingRule'
  | 'DeleteSamplingRule'
  | 'GetSamplingRules'
  | 'GetSamplingStatisticSummaries'
  | 'GetSamplingTargets'
  | 'UpdateSamplingRule';

export class SamplingService {
  readonly operations: Readonly<Record<Name, Handler>> = {
    CreateSamplingRule: (body) => chain(parseCreateSamplingRule(body), async ({ rule, tags }) => this.#create(rule, tags)),
    DeleteSamplingRule: (body) => chain(parseDeleteSamplingRule(body), async (rule) => this.#delete(rule)),
    GetSamplingRules: (body) =>
      chain(parseNextToken(body), () => ok({ SamplingRuleRecords: this.records().map((record) => toWireRuleRecord(record)) })),
    GetSamplingStatisticSummaries: (body) => chain(parseNextToken(body), ({ nextToken }) => this.#statistics(nextToken)),
    GetSamplingTargets: (body, caller) => chain(parseGetSamplingTargets(body), (request) => this.#targets(request, caller)),
    UpdateSamplingRule: (body) => chain(parseUpdateSamplingRule(body), async (request) => this.#update(request)),
  };
  readonly #settings: SettingsStore;
  readonly #sampler: CentralSampler;
  readonly #nowSeconds: () => number;

  constructor(settings: SettingsStore, sampler: CentralSampler, nowSeconds: () => number) {
    this.#settings = settings;
    this.#sampler = sampler;
    this.#nowSeconds = nowSeconds;
  }

  /** All rules in the order in which they are tried. */
  records(): readonly StoredRule[] {
    const stored = this.#settings.list(RULE_KIND).map(({ value }) => value as StoredRule);
    const records = stored.some(({ rule }) => rule.name === DEFAULT_RULE_NAME) ? stored : [...stored, DEFAULT_RECORD];
    const byName = new Map(records.map((record) => [record.rule.name, record]));
    return sortRules(records.map(({ rule }) => rule)).map((rule) => byName.get(rule.name)!);
  }

  async #create(rule: SamplingRule, tags: readonly Tag[]): Promise<Answer> {
    const exists = err(invalidRequest(`A sampling rule named ${rule.name} exists already.`));
    if (rule.name === DEFAULT_RULE_NAME) return exists;
    if (tags.length > 50) return err(invalidRequest('A sampling rule can have at most 50 tags.'));
    if (this.records().length > MAX_RULES) {
      return err(modelled('RuleLimitExceededException', `There are ${MAX_RULES} sampling rules already: delete one first.`));
    }
    const now = this.#timestamp();
    const created = await changeSetting<StoredRule>(this.#settings, { kind: RULE_KIND, id: rule.name }, (current) =>
      current === undefined ? ok({ rule, createdSeconds: now, modifiedSeconds: now, tags }) : exists,
    );
    return recordAnswer(created);
  }

  async #update({ rule: reference, changes }: UpdateSamplingRuleRequest): Promise<Answer> {
    const name = nameOf(reference);
    if (!name.ok) return name;
    const now = this.#timestamp();
    const updated = await changeSetting<StoredRule>(this.#settings, { kind: RULE_KIND, id: name.value }, (stored) => {
      const current = stored ?? (name.value === DEFAULT_RULE_NAME ? DEFAULT_RECORD : undefined);
      if (current === undefined) return err(noRule(name.value));
      const fault = name.value === DEFAULT_RULE_NAME ? checkDefault(current.rule, changes) : undefined;
      return fault ? err(fault) : ok({ ...current, rule: { ...current.rule, ...changes }, modifiedSeconds: now });
    });
    return recordAnswer(updated);
  }

  async #delete(reference: RuleReference): Promise<Answer> {
    const name = nameOf(reference);
    if (!name.ok) return name;
    if (name.value === DEFAULT_RULE_NAME) return err(invalidRequest('The sampling rule Default cannot be deleted.'));
    const deleted = await deleteSetting<StoredRule>(this.#settings, { kind: RULE_KIND, id: name.value }, (current) =>
      current ? ok(current) : err(noRule(name.value)),
    );
    return recordAnswer(deleted);
  }

  #targets({ counts, anomalies, looksLikeNodeSdk }: SamplingTargetsRequest, caller: Caller): Answer {
    const rules = new Map(this.records().map(({ rule }) => [rule.name, rule]));
    const now = this.#nowSeconds();
    const unprocessedBoosts: Wire[] = [];
    for (const count of anomalies) {
      const rule = rules.get(count.rule);
      if (rule === undefined) unprocessedBoosts.push(unprocessed(count.rule));
      else this.#sampler.reportAnomalies(rule, count, now);
    }
    const targets: SamplingTarget[] = [];
    const unknown: Wire[] = [];
    for (const count of counts) {
      const rule = rules.get(count.rule);
      if (rule === undefined) unknown.push(unprocessed(count.rule));
      else targets.push(this.#sampler.report(rule, count, now));
    }
    const forNodeSdk = looksLikeNodeSdk && caller.userAgent === undefined;
    return ok({
      SamplingTargetDocuments: targets.map((target) => toWireTarget(target, forNodeSdk)),
      LastRuleModification: this.#lastModification(),
      UnprocessedStatistics: unknown,
      UnprocessedBoostStatistics: unprocessedBoosts,
    });
  }

  #lastModification(): number {
    const modified = this.records().map((record) => record.modifiedSeconds);
    const last = Math.max(this.#settings.lastDeletedSeconds(RULE_KIND), ...modified);
    return last === 0 ? 0 : last + UNSEEN_SECONDS;
  }

  #statistics(nextToken: string | undefined): Answer {
    const windows = this.#sampler.windows(this.#nowSeconds());
    const keyOf = ({ startSeconds, rule }: (typeof windows)[number]): string => `${startSeconds} ${rule}`;
    const list = { items: windows, keyOf, toWire: toWireWindow, size: WINDOWS_PER_PAGE };
    return pageOfList('GetSamplingStatisticSummaries', 'SamplingStatisticSummaries', list, nextToken);
  }

  /** To the millisecond. */
  #timestamp(): number {
    return Math.round(this.#nowSeconds() * 1000) / 1000;
  }
}

/** Go's SDK takes a code that begins with 4 as: fetch the rules again. */
function unprocessed(rule: string): Wire {
  return { RuleName: rule, ErrorCode: '404', Message: `There is no sampling rule named ${rule}.` };
}

function noRule(name: string): AwsError {
  return invalidRequest(`There is no sampling rule named ${name}.`);
}

function nameOf({ name, arn }: RuleReference): Result<string, AwsError> {
  if (name !== undefined) return ok(name);
  const parsed = parseArn(arn ?? '');
  return parsed?.kind === 'sampling-rule' ? ok(parsed.name) : err(invalidRequest(`${arn} is not the ARN of a sampling rule.`));
}

/** Its rate and reservoir alone may change; the other members may be there as they are. */
function checkDefault(rule: SamplingRule, changes: Partial<SamplingRule>): AwsError | undefined {
  const { fixedRate: _, reservoirSize: __, ...others } = changes;
  const changed = Object.entries(others).filter(
    ([key, value]) => JSON.stringify(value) !== JSON.stringify(rule[key as keyof SamplingRule]),
  );
  if (changed.length === 0) return undefined;
  return invalidRequest(
    `Of the sampling rule Default only FixedRate and ReservoirSize can be changed, not ${changed.map(([key]) => key).join(', ')}.`,
  );
}

function recordAnswer(record: Result<StoredRule, AwsError>): Answer {
  return record.ok ? ok({ SamplingRuleRecord: toWireRuleRecord(record.value) }) : record;
}
