/** Guesses which word somebody meant. */
import { editDistance } from '../../base/index.ts';

/** What people write for these keywords, by habit from elsewhere. */
const HABITS: ReadonlyMap<string, string> = new Map([
  ['status', 'http.status'],
  ['url', 'http.url'],
  ['method', 'http.method'],
  ['useragent', 'http.useragent'],
  ['clientip', 'http.clientip'],
  ['http.user_agent', 'http.useragent'],
  ['http.client_ip', 'http.clientip'],
  ['latency', 'responsetime'],
  ['response_time', 'responsetime'],
  ['not', '!'],
]);

const LONGEST_WORD = 40;

/** The candidate that is at most two letters away from `word` (one for short words), or a habit's; undefined when none is. */
export function suggest(word: string, candidates: readonly string[]): string | undefined {
  const lower = word.toLowerCase();
  const habit = HABITS.get(lower);
  if (habit === '!' || (habit !== undefined && candidates.includes(habit))) return habit;
  if (lower.length > LONGEST_WORD) return undefined;
  let best: string | undefined;
  let bestDistance = lower.length <= 4 ? 2 : 3; // exclusive
  for (const candidate of candidates) {
    // People forget the `http.` more often than they remember it.
    const plain = candidate.replace(/^http\./, '');
    const distance = Math.min(editDistance(lower, candidate, bestDistance), editDistance(lower, plain, bestDistance));
    if (distance >= bestDistance) continue;
    best = candidate;
    bestDistance = distance;
  }
  return best;
}
