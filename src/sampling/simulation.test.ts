/**
 * Fleets of the X-Ray SDK's own sampler (its rule and reservoir, as `aws-xray-sdk-core` ships them) against one server and two, in made-up
 * time. A quota of nothing is told as text, as the server does for this SDK, which takes the number 0 for no answer.
 */
import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { CentralSampler } from './central-sampler.ts';
import { DEFAULT_RULE, type SamplingRule } from './rule.ts';

interface SdkRule {
  incrementRequestCount(): void;
  incrementBorrowCount(): void;
  incrementSampledCount(): void;
  canBorrow(): boolean;
  getRate(): number;
  setRate(rate: number): void;
  getReservoir(): {
    borrowOrTake(now: number, canBorrow: boolean): 'take' | 'borrow' | false | undefined;
    loadNewQuota(quota: number | '0', until: number, interval: number): void;
  };
  snapshotStatistics(): { requestCount: number; borrowCount: number; sampledCount: number };
}

const SdkRule = createRequire(import.meta.url)('aws-xray-sdk-core/dist/lib/middleware/sampling/sampling_rule.js') as new (
  name: string,
  priority: number,
  rate: number,
  reservoirSize: number,
  ...patterns: string[]
) => SdkRule;

/** Mulberry32: the same numbers in each run. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

class Client {
  readonly id: string;
  readonly phase: number;
  readonly requestsPerSecond: number;
  readonly #rule: SdkRule;
  readonly #random: () => number;

  constructor(index: number, rule: SamplingRule, requestsPerSecond: number, random: () => number) {
    this.id = index.toString(16).padStart(24, '0');
    this.phase = Math.floor(random() * 10);
    this.requestsPerSecond = requestsPerSecond;
    this.#rule = new SdkRule(rule.name, rule.priority, rule.fixedRate, rule.reservoirSize, '*', '*', '*', '*', '*');
    this.#random = random;
  }

  /** `processMatchedRule` of the SDK's default sampler, for a second's requests; how many came, and how many were kept. */
  second(now: number): { requests: number; kept: number } {
    const requests = Math.floor(this.requestsPerSecond * (0.5 + this.#random()) + this.#random());
    let kept = 0;
    for (let i = 0; i < requests; i++) {
      this.#rule.incrementRequestCount();
      const decision = this.#rule.getReservoir().borrowOrTake(now, this.#rule.canBorrow());
      if (decision === 'borrow') this.#rule.incrementBorrowCount();
      else if (decision === 'take' || this.#random() <= this.#rule.getRate()) this.#rule.incrementSampledCount();
      else continue;
      kept++;
    }
    return { requests, kept };
  }

  report(server: CentralSampler, rule: SamplingRule, now: number): void {
    const { requestCount: requests, borrowCount: borrowed, sampledCount: sampled } = this.#rule.snapshotStatistics();
    if (requests === 0) return;
    const target = server.report(rule, { rule: rule.name, client: this.id, requests, sampled, borrowed }, now);
    this.#rule.setRate(target.fixedRate);
    this.#rule.getReservoir().loadNewQuota(target.quota === 0 ? '0' : target.quota, target.quotaUntilSeconds, target.intervalSeconds);
  }
}

interface Fleet {
  readonly rule: SamplingRule;
  readonly clients: number;
  readonly servers: number;
  readonly requestsPerSecond: number;
  /** One client in so many seconds goes, and another comes; 0 for none. */
  readonly everySeconds: number;
  /** Changes the rule at half time. */
  readonly later?: SamplingRule;
}

/** How many requests were kept after the first half minute, and how many should have been. */
function simulate({ rule: first, later, ...fleet }: Fleet): { kept: number; wanted: number } {
  const random = randomNumbers(7);
  const servers = Array.from({ length: fleet.servers }, () => new CentralSampler());
  let made = 0;
  const make = (rule: SamplingRule): Client => new Client(made++, rule, fleet.requestsPerSecond * (0.2 + 1.6 * random()), random);
  let clients = Array.from({ length: fleet.clients }, () => make(first));
  const sum = { kept: 0, wanted: 0 };
  for (let second = 0; second < 240; second++) {
    const now = 1_800_000_000 + second;
    const rule = later !== undefined && second >= 120 ? later : first;
    if (fleet.everySeconds > 0 && second > 0 && second % fleet.everySeconds === 0) clients = [...clients.slice(1), make(rule)];
    let requests = 0;
    let kept = 0;
    for (const client of clients) {
      const count = client.second(now);
      requests += count.requests;
      kept += count.kept;
      if ((second + client.phase) % 10 === 9) client.report(servers[Math.floor(random() * servers.length)]!, rule, now);
    }
    const shared = servers.map((server) => server.takeShared());
    for (const [at, server] of servers.entries())
      server.merge(
        shared.flatMap((reports, from) => (from === at ? [] : reports)),
        now,
      );
    if (second < 30 || (later !== undefined && second >= 120 && second < 140)) continue;
    sum.kept += kept;
    sum.wanted += Math.min(requests, rule.reservoirSize) + Math.max(0, requests - rule.reservoirSize) * rule.fixedRate;
  }
  return sum;
}

const RULE: SamplingRule = { ...DEFAULT_RULE, name: 'shop', priority: 10 };

describe('200 clients with the X-Ray SDK’s sampler keep what the rule says, within 5 %', () => {
  const usual = { clients: 200, servers: 1, requestsPerSecond: 10, everySeconds: 0 };
  test.each<[string, Fleet]>([
    ['a reservoir alone', { ...usual, rule: { ...RULE, reservoirSize: 60, fixedRate: 0 } }],
    ['a reservoir of more than one each', { ...usual, rule: { ...RULE, reservoirSize: 430, fixedRate: 0 } }],
    ['a reservoir and a rate', { ...usual, rule: { ...RULE, reservoirSize: 100, fixedRate: 0.05 } }],
    ['a rate alone', { ...usual, rule: { ...RULE, reservoirSize: 0, fixedRate: 0.1 } }],
    ['a reservoir for all', { ...usual, requestsPerSecond: 2, rule: { ...RULE, reservoirSize: 10_000, fixedRate: 0 } }],
    ['clients that come and go', { ...usual, everySeconds: 5, rule: { ...RULE, reservoirSize: 100, fixedRate: 0.02 } }],
    ['two servers', { ...usual, servers: 2, rule: { ...RULE, reservoirSize: 60, fixedRate: 0 } }],
    [
      'two servers, clients that come and go',
      { ...usual, servers: 2, everySeconds: 5, rule: { ...RULE, reservoirSize: 100, fixedRate: 0.02 } },
    ],
    [
      'a rule that grows',
      { ...usual, rule: { ...RULE, reservoirSize: 20, fixedRate: 0.01 }, later: { ...RULE, reservoirSize: 150, fixedRate: 0.05 } },
    ],
    [
      'a rule that shrinks',
      {
        ...usual,
        servers: 2,
        rule: { ...RULE, reservoirSize: 150, fixedRate: 0.05 },
        later: { ...RULE, reservoirSize: 50, fixedRate: 0.01 },
      },
    ],
  ])('%s', (_, fleet) => {
    const { kept, wanted } = simulate(fleet);
    expect(Math.abs(kept / wanted - 1)).toBeLessThan(0.05);
  });

  test('two servers that do not tell each other give twice as much', () => {
    const rule = { ...RULE, reservoirSize: 10 };
    const counts = { rule: 'shop', client: 'one', requests: 100, sampled: 0, borrowed: 0 };
    const [one, two] = [new CentralSampler(), new CentralSampler()];
    one.report(rule, counts, 1_000);
    const apart = two.report(rule, { ...counts, client: 'two' }, 1_001);
    expect(apart.quota).toBe(10);
    const three = new CentralSampler();
    three.merge(one.takeShared(), 1_001);
    expect(three.report(rule, { ...counts, client: 'two' }, 1_001).quota).toBeLessThanOrEqual(1);
  });
});
