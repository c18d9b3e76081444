/** The filter language as the filter box needs it; the language itself is in `src/trace`. */
import type { NamesAnswer } from '../core.ts';

export interface FilterProblem {
  readonly message: string;
  /** 0-based character. */
  readonly position: number;
  readonly length: number;
}

export interface FilterOption {
  /** What stands in the expression afterwards. */
  readonly insert: string;
  readonly label: string;
  readonly detail?: string;
  readonly kind: 'keyword' | 'operator' | 'value' | 'structure';
}

export interface FilterOptions {
  /** Where the word begins that an option replaces. */
  readonly from: number;
  readonly options: readonly FilterOption[];
}

/** Undefined when the text is a filter expression. */
export function checkFilter(_text: string): FilterProblem | undefined {
  return undefined;
}

/** What could stand at `position`. */
export function completeAt(text: string, position: number, names: NamesAnswer | undefined): FilterOptions {
  const word = /[\w.]*$/.exec(text.slice(0, position))?.[0] ?? '';
  const from = position - word.length;
  const words = ['fault', 'error', 'throttle', 'ok', 'partial', 'responsetime', 'duration', 'http.status', 'http.url', 'http.method', 'user', 'service("', 'edge("', 'AND', 'OR'];
  const options = words.map((insert): FilterOption => ({ insert, label: insert, kind: 'keyword' }));
  for (const key of names?.annotationKeys ?? []) options.push({ insert: `annotation.${key}`, label: `annotation.${key}`, kind: 'value' });
  return { from, options: options.filter((option) => option.insert.startsWith(word.toLowerCase())) };
}
