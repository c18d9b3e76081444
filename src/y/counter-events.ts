/** Counters that `_pmu` names (perf_event_open(2)): the kernel's own, then those of the processor, which virtual machines often lack. */
export const COUNTER_EVENTS = [
  'cpu-clock',
  'task-clock',
  'page-faults',
  'minor-faults',
  'major-faults',
  'context-switches',
  'cpu-migrations',
  'cycles',
  'instructions',
  'cache-references',
  'cache-misses',
  'branches',
  'branch-misses',
] as const;

export type CounterEvent = (typeof COUNTER_EVENTS)[number];
