/** Guesses which word somebody meant. */

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
    const distance = Math.min(editDistance(lower, candidate), editDistance(lower, candidate.replace(/^http\./, '')));
    if (distance >= bestDistance) continue;
    best = candidate;
    bestDistance = distance;
  }
  return best;
}

/** Letters to insert, remove, replace or swap with their neighbour (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let best = Math.min(last[column]! + 1, current[column - 1]! + 1, last[column - 1]! + (same ? 0 : 1));
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (row > 1 && column > 1 && swapped) best = Math.min(best, beforeLast[column - 2]! + 1);
      current.push(best);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length]!;
}
