/** Insights over the X-Ray API. What there is to tell comes from an `InsightStore`. */
import { err, ok } from '../base/index.ts';
import {
  type AwsError,
  decodePageToken,
  groupArn,
  type InsightEventsRequest,
  type InsightGraphRequest,
  type InsightSummariesRequest,
  invalidRequest,
  parseGetInsight,
  parseGetInsightEvents,
  parseGetInsightGraph,
  parseGetInsightSummaries,
  toServiceId,
  type Wire,
} from '../xray/index.ts';
import type { NodeKey } from '../trace/index.ts';
import type { GroupService } from './group-service.ts';
import { type Answer, chain, type Handler, nextPage, positionOf } from './operation.ts';

/** Requests by outcome. */
export interface InsightImpact {
  readonly faults: number;
  readonly ok: number;
  readonly total: number;
}

/** What an insight, or one moment of it, says of the incident. Times are epoch seconds. */
export interface InsightState {
  readonly text: string;
  readonly clientImpact: InsightImpact;
  readonly rootCauseImpact: InsightImpact;
  readonly anomalous: readonly NodeKey[];
}

export interface Insight extends InsightState {
  /** A UUID. */
  readonly id: string;
  readonly groupName: string;
  readonly groupUniqueId: string | undefined;
  readonly rootCause: NodeKey;
  readonly startSeconds: number;
  /** Undefined while it goes on. */
  readonly endSeconds: number | undefined;
  readonly updatedSeconds: number;
}

export interface InsightEvent extends InsightState {
  readonly atSeconds: number;
}

/** A node of the map of an incident, with the nodes it calls as places in the list. */
export interface InsightGraphNode {
  readonly node: NodeKey;
  readonly calls: readonly number[];
}

/** Where insights are found. */
export interface InsightStore {
  find(id: string): Promise<Insight | undefined>;
  /** Those of a group that were open at some time in the range, newest first. */
  list(groupName: string, fromSeconds: number, toSeconds: number): Promise<readonly Insight[]>;
  /** Newest first. */
  events(id: string): Promise<readonly InsightEvent[]>;
  graph(id: string, fromSeconds: number, toSeconds: number): Promise<readonly InsightGraphNode[]>;
}

/** Nothing was ever noticed. */
export const NO_INSIGHTS: InsightStore = {
  find: async () => undefined,
  list: async () => [],
  events: async () => [],
  graph: async () => [],
};

const KEPT_SECONDS = 30 * 86_400;
const LONGEST_GRAPH_SECONDS = 6 * 3_600;
const NODES_PER_PAGE = 1_000;

export class InsightService {
  readonly operations: Readonly<Record<'GetInsight' | 'GetInsightEvents' | 'GetInsightImpactGraph' | 'GetInsightSummaries', Handler>> = {
    GetInsight: (body) =>
      chain(parseGetInsight(body), async ({ id }) => {
        const insight = await this.#store.find(id);
        return insight ? ok({ Insight: toWireInsight(insight) }) : err(noInsight(id));
      }),
    GetInsightEvents: (body) => chain(parseGetInsightEvents(body), async (request) => this.#events(request)),
    GetInsightImpactGraph: (body) => chain(parseGetInsightGraph(body), async (request) => this.#graph(request)),
    GetInsightSummaries: (body) => chain(parseGetInsightSummaries(body), async (request) => this.#summaries(request)),
  };
  readonly #store: InsightStore;
  readonly #groups: GroupService;
  readonly #nowSeconds: () => number;

  constructor(store: InsightStore, groups: GroupService, nowSeconds: () => number) {
    this.#store = store;
    this.#groups = groups;
    this.#nowSeconds = nowSeconds;
  }

  async #events({ id, limit, nextToken }: InsightEventsRequest): Promise<Answer> {
    const place = decodePageToken('GetInsightEvents', { id }, nextToken);
    if (!place.ok) return place;
    if (!(await this.#store.find(id))) return err(noInsight(id));
    const events = await this.#store.events(id);
    const start = positionOf(place.value);
    const position = start + limit < events.length ? String(start + limit) : undefined;
    return ok({
      InsightEvents: events.slice(start, start + limit).map((event) => ({ ...toWireState(event), EventTime: event.atSeconds })),
      ...nextPage('GetInsightEvents', { id }, place.value, position),
    });
  }

  async #graph({ nextToken, ...query }: InsightGraphRequest): Promise<Answer> {
    const place = decodePageToken('GetInsightImpactGraph', query, nextToken);
    if (!place.ok) return place;
    const { id, fromSeconds, toSeconds } = query;
    if (toSeconds - fromSeconds > LONGEST_GRAPH_SECONDS) return err(invalidRequest('StartTime and EndTime may be at most 6 hours apart.'));
    const old = this.#checkAge(fromSeconds);
    if (old) return err(old);
    if (!(await this.#store.find(id))) return err(noInsight(id));
    const nodes = await this.#store.graph(id, fromSeconds, toSeconds);
    const start = positionOf(place.value);
    const position = start + NODES_PER_PAGE < nodes.length ? String(start + NODES_PER_PAGE) : undefined;
    const services = nodes.map(({ node, calls }, index) => ({
      ReferenceId: index,
      ...toServiceId(node),
      Edges: calls.map((called) => ({ ReferenceId: called })),
    }));
    return ok({
      InsightId: id,
      StartTime: fromSeconds,
      EndTime: toSeconds,
      ServiceGraphStartTime: fromSeconds,
      ServiceGraphEndTime: toSeconds,
      Services: services.slice(start, start + NODES_PER_PAGE),
      ...nextPage('GetInsightImpactGraph', query, place.value, position),
    });
  }

  async #summaries({ nextToken, limit, ...query }: InsightSummariesRequest): Promise<Answer> {
    const place = decodePageToken('GetInsightSummaries', query, nextToken);
    if (!place.ok) return place;
    const group = this.#groups.find(query.group);
    if (!group.ok) return group;
    const old = this.#checkAge(query.fromSeconds);
    if (old) return err(old);
    const all = await this.#store.list(group.value.name, query.fromSeconds, query.toSeconds);
    const wanted = all.filter((insight) => query.state === undefined || stateOf(insight) === query.state);
    const start = positionOf(place.value);
    const position = start + limit < wanted.length ? String(start + limit) : undefined;
    return ok({
      InsightSummaries: wanted.slice(start, start + limit).map((one) => ({ ...toWireInsight(one), LastUpdateTime: one.updatedSeconds })),
      ...nextPage('GetInsightSummaries', query, place.value, position),
    });
  }

  #checkAge(fromSeconds: number): AwsError | undefined {
    return fromSeconds < this.#nowSeconds() - KEPT_SECONDS - 60 ? invalidRequest('StartTime may be at most 30 days ago.') : undefined;
  }
}

function noInsight(id: string): AwsError {
  return invalidRequest(`There is no insight ${id}.`);
}

function stateOf({ endSeconds }: Insight): 'ACTIVE' | 'CLOSED' {
  return endSeconds === undefined ? 'ACTIVE' : 'CLOSED';
}

function toWireInsight(insight: Insight): Wire {
  return {
    InsightId: insight.id,
    GroupARN: groupArn(insight.groupName, insight.groupUniqueId),
    GroupName: insight.groupName,
    RootCauseServiceId: toServiceId(insight.rootCause),
    Categories: ['FAULT'],
    State: stateOf(insight),
    StartTime: insight.startSeconds,
    ...(insight.endSeconds !== undefined && { EndTime: insight.endSeconds }),
    ...toWireState(insight),
  };
}

function toWireState({ text, clientImpact, rootCauseImpact, anomalous }: InsightState): Wire {
  return {
    Summary: text,
    ClientRequestImpactStatistics: toWireImpact(clientImpact),
    RootCauseServiceRequestImpactStatistics: toWireImpact(rootCauseImpact),
    TopAnomalousServices: anomalous.map((node) => ({ ServiceId: toServiceId(node) })),
  };
}

function toWireImpact({ faults, ok: fine, total }: InsightImpact): Wire {
  return { FaultCount: faults, OkCount: fine, TotalCount: total };
}
