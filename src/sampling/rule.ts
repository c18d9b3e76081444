/** A sampling rule: which requests it is about, and how many of them are kept. */

export interface SamplingRule {
  readonly name: string;
  /** Lower first; 1 to 9999, and 10000 for `Default`. */
  readonly priority: number;
  /** Share of the requests that the reservoir does not take, 0 to 1. */
  readonly fixedRate: number;
  /** Requests a second, over all clients together. */
  readonly reservoirSize: number;
  /** Patterns with `*` and `?`. */
  readonly serviceName: string;
  readonly serviceType: string;
  readonly host: string;
  readonly httpMethod: string;
  readonly urlPath: string;
  readonly resourceArn: string;
  /** Pattern by attribute. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly boost?: BoostSettings;
}

/** How far a rule's rate may rise while something is wrong. */
export interface BoostSettings {
  readonly maxRate: number;
  readonly cooldownMinutes: number;
}

/** The name of the rule that takes what no other does. */
export const DEFAULT_RULE_NAME = 'Default';

/** The rule that every AWS account begins with: one request a second over all clients, and 5 % of the others. */
export const DEFAULT_RULE: SamplingRule = {
  name: DEFAULT_RULE_NAME,
  priority: 10_000,
  fixedRate: 0.05,
  reservoirSize: 1,
  serviceName: '*',
  serviceType: '*',
  host: '*',
  httpMethod: '*',
  urlPath: '*',
  resourceArn: '*',
  attributes: {},
};

/** In the order in which clients try rules: by priority, then by name. */
export function sortRules<R extends Pick<SamplingRule, 'name' | 'priority'>>(rules: readonly R[]): readonly R[] {
  return rules.toSorted((a, b) => a.priority - b.priority || (a.name < b.name ? -1 : Number(a.name > b.name)));
}
