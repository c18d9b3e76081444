export { type Boost } from './boost.ts';
export { CentralSampler, LOOK_BACK_SECONDS, type SamplingTarget } from './central-sampler.ts';
export type { AnomalyCounts, ClientCounts, SharedReport } from './reports.ts';
export { type BoostSettings, DEFAULT_RULE, DEFAULT_RULE_NAME, type SamplingRule, sortRules } from './rule.ts';
export { type WindowCounts } from './windows.ts';
