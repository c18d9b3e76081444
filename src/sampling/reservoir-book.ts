/**
 * Shares one rule's reservoir, so many requests a second, among all clients that report.
 *
 * A client's fair share is the reservoir times its part of the requests. Quotas are whole numbers: a share is rounded at a threshold of the
 * client's own, drawn from its id, and all thresholds are shifted so that the quotas add up to the reservoir. So rates that are never quite
 * steady move few quotas, and servers that know the same reports come to the same quotas without asking each other.
 *
 * Quotas change only when their clients report, and what is given before others have given back would be too much: a quota rises only
 * while those that are out make no more than a tenth above the reservoir. Where there is enough for all, a quota is larger than its
 * client's rate, since requests come in bursts.
 */
import { createHash } from 'node:crypto';

interface Client {
  /** Epoch seconds. */
  seenSeconds: number;
  /** Requests a second, smoothed. */
  demand: number;
  quota: number;
  /** Where shares are rounded, 0 to 1. */
  readonly threshold: number;
}

/** How demand becomes quota, for all clients. */
interface Plan {
  readonly madeSeconds: number;
  readonly size: number;
  readonly clients: number;
  /** Reservoir by request. */
  readonly perRequest: number;
  /** Added to each threshold, so that the sum is right. */
  readonly shift: number;
}

/** Seconds between a client's reports, unless told otherwise. */
export const INTERVAL_SECONDS = 10;
/** A client that did not report for so long sampled nothing under the rule, or is gone: its share goes to others. */
export const IDLE_SECONDS = 3 * INTERVAL_SECONDS;
/** Bounds memory against a sender of ever new client ids. */
const MAX_CLIENTS = 10_000;
/** Weight of the latest report in the smoothed rate. */
const LATEST_WEIGHT = 0.4;
/** Reports that come closer together than this say nothing about a rate. */
const SHORTEST_SECONDS = 1;
/** A quota is at most so many times the client's rate, and so many requests more. */
const BURST_FACTOR = 4;
const BURST_REQUESTS = 4;
/** What may be out at a time, by the reservoir. */
const MOST_OUT = 1.1;
/** Plans are kept for so long, unless many clients join. */
const PLAN_SECONDS = 1;
const SHIFT_STEPS = 24;

export class ReservoirBook {
  readonly #clients = new Map<string, Client>();
  #oldestSeconds = Infinity;
  /** Sum of all quotas. */
  #out = 0;
  #plan: Plan | undefined;

  /** The smoothed rate of a client after it reports `requests` (requests a second). */
  demandAfter(client: string, requests: number, nowSeconds: number): number {
    const known = this.#clients.get(client);
    if (known === undefined) return requests / INTERVAL_SECONDS;
    const elapsed = Math.min(IDLE_SECONDS, Math.max(SHORTEST_SECONDS, nowSeconds - known.seenSeconds));
    return known.demand + LATEST_WEIGHT * (requests / elapsed - known.demand);
  }

  /** Grants a quota of a reservoir of `size` to a client that reports now. */
  grant(client: string, demand: number, size: number, nowSeconds: number): number {
    this.#forgetIdle(nowSeconds);
    const had = this.#clients.get(client)?.quota ?? 0;
    this.record(client, { demand, quota: had, seenSeconds: nowSeconds });
    const known = this.#clients.get(client);
    if (known === undefined) return 0; // more than are kept
    const { perRequest, shift } = this.#planFor(size, nowSeconds);
    // A plan may be of a time when the client asked for less.
    const wanted = Math.min(size, quotaOf(known, perRequest, shift));
    const left = Math.floor(size * MOST_OUT) - (this.#out - had);
    const quota = wanted <= had ? wanted : Math.max(0, Math.min(wanted, left));
    this.record(client, { demand, quota, seenSeconds: nowSeconds });
    return quota;
  }

  /** Takes over what another server granted. */
  record(client: string, { seenSeconds, demand, quota }: Omit<Client, 'threshold'>): void {
    const known = this.#clients.get(client);
    if (known ? known.seenSeconds > seenSeconds : this.#clients.size >= MAX_CLIENTS) return;
    this.#out += quota - (known?.quota ?? 0);
    this.#clients.set(client, { seenSeconds, demand, quota, threshold: known?.threshold ?? thresholdOf(client) });
    this.#oldestSeconds = Math.min(this.#oldestSeconds, seenSeconds);
  }

  #planFor(size: number, nowSeconds: number): Plan {
    const plan = this.#plan;
    const fresh = plan?.size === size && nowSeconds - plan.madeSeconds < PLAN_SECONDS && this.#clients.size <= plan.clients * MOST_OUT;
    if (!fresh) this.#plan = makePlan([...this.#clients.values()], size, nowSeconds);
    return this.#plan!;
  }

  #forgetIdle(nowSeconds: number): void {
    if (nowSeconds - this.#oldestSeconds <= IDLE_SECONDS) return;
    this.#oldestSeconds = Infinity;
    for (const [id, { seenSeconds, quota }] of this.#clients) {
      if (nowSeconds - seenSeconds <= IDLE_SECONDS) this.#oldestSeconds = Math.min(this.#oldestSeconds, seenSeconds);
      else {
        this.#clients.delete(id);
        this.#out -= quota;
      }
    }
  }
}

function makePlan(clients: readonly Client[], size: number, madeSeconds: number): Plan {
  let requests = 0;
  for (const { demand } of clients) requests += demand;
  const perRequest = requests > 0 ? size / requests : 0;
  let low = -1;
  let high = 1;
  for (let step = 0; step < SHIFT_STEPS; step++) {
    const shift = (low + high) / 2;
    let sum = 0;
    for (const client of clients) sum += quotaOf(client, perRequest, shift);
    if (sum > size) high = shift;
    else low = shift;
  }
  return { madeSeconds, size, clients: clients.length, perRequest, shift: low };
}

function quotaOf({ demand, threshold }: Client, perRequest: number, shift: number): number {
  const share = Math.min(demand * perRequest, demand * BURST_FACTOR + BURST_REQUESTS);
  return share === 0 ? 0 : Math.max(0, Math.floor(share + threshold + shift));
}

/** Even over all ids, the same on every server. */
function thresholdOf(client: string): number {
  return createHash('sha256').update(client).digest().readUInt32BE(0) / 2 ** 32;
}
