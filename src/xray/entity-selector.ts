/**
 * `EntitySelectorExpression`: which node or edge a time series is about. Its language is the part of filter expressions that begins with
 * `service(` or `edge(`, without blocks: `service("api")`, `edge(id(name: "api", type: "AWS::ECS::Container"), id(name: "users"))`.
 */
import { err, ok, type Result } from '../base/index.ts';
import { CLIENT_TYPE, type FilterExpression, parseFilter } from '../trace/index.ts';
import { type AwsError, invalidRequest } from './errors.ts';

/** A node by name, type or both; without either, any. */
export interface EntityPattern {
  readonly name?: string;
  readonly type?: string;
}

/** What is summed up: all nodes that fit `to`, or all edges whose ends fit. */
export interface EntitySelection {
  readonly kind: 'node' | 'edge';
  readonly from?: EntityPattern;
  readonly to?: EntityPattern;
}

/** Without a selector: the requests that come from outside. */
export const WHOLE_TRAFFIC: EntitySelection = { kind: 'edge', from: { type: CLIENT_TYPE } };

type Selector = Extract<FilterExpression, { kind: 'service' }>['selector'];

export function parseEntitySelector(text: string): Result<EntitySelection, AwsError> {
  const parsed = parseFilter(text);
  if (!parsed.ok) return err(refuse(parsed.error.message));
  const { value } = parsed;
  if (value.kind !== 'service' && value.kind !== 'edge') return err(refuse('it must be service(…) or edge(…).'));
  if (value.block !== undefined) return err(refuse(`a block has no meaning here (position ${value.block.span.start}).`));
  const selectors = value.kind === 'service' ? [undefined, value.selector] : [value.source, value.destination];
  if (selectors.some((selector) => selector?.accountId !== undefined)) {
    return err(refuse('statistics are not kept by account: leave account.id out.'));
  }
  const [from, to] = selectors.map(toPattern);
  return ok({ kind: value.kind === 'service' ? 'node' : 'edge', ...(from && { from }), ...(to && { to }) });
}

function refuse(reason: string): AwsError {
  return invalidRequest(`Invalid entity selector expression: ${reason}`);
}

function toPattern(selector: Selector): EntityPattern | undefined {
  if (selector === undefined) return undefined;
  const { name, type } = selector;
  return { ...(name !== undefined && { name }), ...(type !== undefined && { type }) };
}
