/** What the services that answer operations of the X-Ray API have in common. */
import type { Result } from '../base/index.ts';
import { type AwsError, decodePageToken, encodePageToken, type OperationName, type PagePlace, type Wire } from '../xray/index.ts';

export type Answer = Result<Wire, AwsError>;
export type Body = Readonly<Record<string, unknown>>;

/** What is known of who asks. */
export interface Caller {
  readonly userAgent: string | undefined;
}

export type Handler = (body: Body, caller: Caller) => Answer | Promise<Answer>;

/** Answers with `then` when the request was read. */
export async function chain<T>(parsed: Result<T, AwsError>, then: (value: T) => Answer | Promise<Answer>): Promise<Answer> {
  return parsed.ok ? then(parsed.value) : parsed;
}

/** `NextToken` when there is a next page, else no member at all. */
export function nextPage(operation: OperationName, query: unknown, place: PagePlace | undefined, position: string | undefined): Wire {
  if (position === undefined) return {};
  return { NextToken: encodePageToken(operation, query, { position, page: (place?.page ?? 0) + 1 }) };
}

/** A place that is a number; 0 on the first page, and for a token that somebody changed. */
export function positionOf(place: PagePlace | undefined): number {
  const position = Number(place?.position ?? 0);
  return Number.isFinite(position) ? Math.max(0, position) : 0;
}

/**
 * A page of a list that may change between two pages: pages are cut after keys, which ascend through the list. `member`: the name of the
 * answer's list.
 */
export function pageOfList<T>(
  operation: OperationName,
  member: string,
  { items, keyOf, toWire, size }: { items: readonly T[]; keyOf: (item: T) => string; toWire: (item: T) => unknown; size: number },
  nextToken: string | undefined,
  query: unknown = {},
): Answer {
  const place = decodePageToken(operation, query, nextToken);
  if (!place.ok) return place;
  const after = place.value?.position;
  const left = after === undefined ? items : items.filter((item) => keyOf(item) > after);
  const page = left.slice(0, size);
  const last = left.length > size ? page.at(-1) : undefined;
  return {
    ok: true,
    value: { [member]: page.map(toWire), ...nextPage(operation, query, place.value, last === undefined ? undefined : keyOf(last)) },
  };
}
