/** The filter language as the filter box needs it; the language itself is in `src/trace/filter`. */
import { completeFilter, parseFilter, type Completion, type NamesAnswer } from '../core.ts';

export interface FilterProblem {
  readonly message: string;
  /** 0-based character. */
  readonly position: number;
  readonly length: number;
}

/** Stands in the empty box. */
export const FILTER_HINT = 'fault OR responsetime > 1 — or paste a trace id';

const NO_NAMES: NamesAnswer = { nodes: [], annotationKeys: [] };

/** Undefined when the text is a filter expression. */
export function checkFilter(text: string): FilterProblem | undefined {
  const result = parseFilter(text);
  return result.ok ? undefined : result.error;
}

/** What could stand at `position`. */
export function completeAt(text: string, position: number, names: NamesAnswer | undefined): Completion {
  return completeFilter(text, position, names ?? NO_NAMES);
}
