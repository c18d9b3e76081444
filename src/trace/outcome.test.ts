import { expect, test } from 'vitest';
import type { SegmentDocument } from './document.ts';
import { outcomeFlags, outcomeOf } from './outcome.ts';

function document(members: Record<string, unknown>): SegmentDocument {
  return { name: 'n', id: '53995c3f42cd8ad8', start_time: 1, end_time: 2, ...members };
}

const status = (value: unknown): Record<string, unknown> => ({ http: { response: { status: value } } });

test.each<[Record<string, unknown>, string, string]>([
  [{}, '', 'ok'],
  [status(200), '', 'ok'],
  [status(302), '', 'ok'],
  [status(404), 'error', 'error'],
  [status(429), 'error throttle', 'throttle'],
  [status(500), 'fault', 'fault'],
  [status('503'), 'fault', 'fault'],
  [status('no'), '', 'ok'],
  [{ error: true }, 'error', 'error'],
  [{ throttle: true }, 'error throttle', 'throttle'],
  [{ throttle: true, error: false }, 'error throttle', 'throttle'],
  [{ fault: true }, 'fault', 'fault'],
  [{ fault: true, error: true }, 'error fault', 'fault'],
  [{ fault: true, throttle: true }, 'error throttle fault', 'fault'],
  [{ fault: false, ...status(500) }, '', 'ok'],
  [{ error: false, throttle: false, fault: false, ...status(429) }, '', 'ok'],
  [{ error: true, ...status(500) }, 'error', 'error'],
  [{ error: null, ...status(500) }, 'fault', 'fault'],
])('outcomeFlags() of %j', (members, set, outcome) => {
  const flags = outcomeFlags(document(members));
  const names = (['error', 'throttle', 'fault'] as const).filter((name) => flags[name]);
  expect(names.join(' ')).toBe(set);
  expect(outcomeOf(flags)).toBe(outcome);
});
