import { editDistance } from '../../base/index.ts';

/** Longest names that are compared; longer ones are similar to nothing. */
const MAX_LENGTH = 64;

/**
 * The candidates that `name` may be a misspelling of, best first, at most `limit`: those at an edit distance (insert, delete, replace,
 * swap of neighbours) of at most a third of its length, letters' case counting for nothing but order.
 */
export function findSimilar(name: string, candidates: Iterable<string>, limit = 3): readonly string[] {
  if (name.length === 0 || name.length > MAX_LENGTH) return [];
  const bound = Math.max(1, Math.floor(name.length / 3));
  const lower = name.toLowerCase();
  const found: { readonly name: string; readonly distance: number }[] = [];
  for (const candidate of new Set(candidates)) {
    if (candidate === name || Math.abs(candidate.length - name.length) > bound) continue;
    const distance = editDistance(lower, candidate.toLowerCase(), bound);
    if (distance <= bound) found.push({ name: candidate, distance });
  }
  found.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1));
  return found.slice(0, limit).map((one) => one.name);
}

/** The candidate that `name` is most likely a misspelling of; undefined when none is similar. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  return findSimilar(name, candidates, 1)[0];
}

/** `did you mean "a" or "b"?`, or undefined when nothing is similar. */
export function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  const similar = findSimilar(name, candidates);
  if (similar.length === 0) return undefined;
  return `did you mean ${similar.map((one) => `"${one}"`).join(' or ')}?`;
}
