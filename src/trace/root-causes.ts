/**
 * Why a trace failed or took long: paths from the request's entry down to where it began. AWS publishes the shape of the answer but not its
 * algorithm; ours follows the flags (fault, error) or the time (response time) down the call tree.
 */
import { exceptionsOf } from './exceptions.ts';
import type { Entity, NodeKey, Segment, Trace } from './model.ts';
import { forEachEntity } from './walk.ts';

/** A list of services from the root to the cause. */
export interface RootCause<PathEntity> {
  readonly services: readonly RootCauseService<PathEntity>[];
  /** The failure reaches the caller: the path begins at the trace's root. */
  readonly clientImpacting: boolean;
}

/** One segment on the way: first the segment itself, then the subsegments that lead to the cause. Never empty. */
export interface RootCauseService<PathEntity> {
  readonly node: NodeKey;
  readonly inferred: boolean;
  readonly entityPath: readonly PathEntity[];
}

export interface FailurePathEntity {
  readonly name: string;
  /** A call out of the process: a subsegment in namespace `aws` or `remote`, or an inferred segment. */
  readonly remote: boolean;
  readonly exceptions: readonly { readonly name: string; readonly message: string }[];
}

export interface ResponseTimePathEntity {
  readonly name: string;
  readonly remote: boolean;
  /** The entity's duration as a share of the root segment's, 0 to 1. */
  readonly coverage: number;
}

export type FailureRootCause = RootCause<FailurePathEntity>;
export type ResponseTimeRootCause = RootCause<ResponseTimePathEntity>;

/** Most failures of one trace share a few causes; the page and X-Ray's clients show the first. */
const MAX_CAUSES = 10;
/** Entities in one path; of a longer one the middle is left out. */
const MAX_PATH = 100;
/** A child that takes less of its parent's time than this is not where the time went. */
const MIN_SHARE = 0.5;

/**
 * Paths to where `flag` was first set, deepest first, at most 10. Within a segment flagged subsegments are followed (through
 * unflagged ones in between); from a flagged entity into a flagged callee. When the root is not flagged, the paths begin
 * at the highest flagged segments, and do not impact the client.
 */
export function failureRootCauses(trace: Trace, flag: 'fault' | 'error'): readonly FailureRootCause[] {
  const clientImpacting = trace.root?.[flag] === true;
  const starts = clientImpacting && trace.root !== undefined ? [trace.root] : highestFlagged(trace, flag);
  const leaves: Leaf[] = [];
  for (const start of starts) collectLeaves(start, flag, leaves);
  return leaves
    .sort(byDepthThenEnd)
    .slice(0, MAX_CAUSES)
    .map((leaf) => ({ services: toServices(pathTo(leaf), toFailureEntity), clientImpacting }));
}

/**
 * The path along which the root segment spent its time: from each entity into the child or callee that took most of what kept
 * its parent from finishing, while that is at least half. Empty without a root, while it is in progress, or when it took no time.
 */
export function responseTimeRootCauses(trace: Trace): readonly ResponseTimeRootCause[] {
  const { root } = trace;
  const total = root === undefined ? 0 : durationOf(root);
  if (root?.endSeconds === undefined || !(total > 0)) return [];
  const path: Entity[] = [];
  for (let entity: Entity | undefined = root; entity !== undefined; entity = slowestPart(entity)) path.push(entity);
  const toEntity = (entity: Entity): ResponseTimePathEntity => ({
    name: pathName(entity),
    remote: isRemote(entity),
    coverage: Math.min(1, durationOf(entity) / total),
  });
  return [{ services: toServices(shorten(path), toEntity), clientImpacting: true }];
}

interface Leaf {
  readonly start: Segment;
  readonly entity: Entity;
  readonly depth: number;
}

/** Flagged segments that no flagged segment called, directly or through others. */
function highestFlagged(trace: Trace, flag: 'fault' | 'error'): readonly Segment[] {
  const below = new Set<Segment>();
  const highest: Segment[] = [];
  const pending: Segment[] = trace.segments.filter((segment) => segment.parent === undefined).reverse();
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const covered = below.has(next) || next[flag];
    if (next[flag] && !below.has(next)) highest.push(next);
    forEachEntity(next, (entity) => {
      for (const callee of entity.callees) {
        if (covered) below.add(callee);
        pending.push(callee);
      }
    });
  }
  return highest;
}

interface Pending {
  readonly entity: Entity;
  readonly depth: number;
  /** The nearest flagged entity above, which is no leaf once something flagged is found below it. */
  readonly above: Found | undefined;
}

interface Found {
  readonly leaf: Leaf;
  last: boolean;
}

/** All flagged entities under `start` that lead to no further flagged one. */
function collectLeaves(start: Segment, flag: 'fault' | 'error', leaves: Leaf[]): void {
  const found: Found[] = [];
  const pending: Pending[] = [{ entity: start, depth: 0, above: undefined }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { entity, depth } = next;
    let { above } = next;
    if (entity[flag]) {
      if (above !== undefined) above.last = false;
      above = { leaf: { start, entity, depth }, last: true };
      found.push(above);
      for (const callee of entity.callees) if (callee[flag]) pending.push({ entity: callee, depth: depth + 1, above });
    }
    for (const child of entity.children) pending.push({ entity: child, depth: depth + 1, above });
  }
  for (const { leaf, last } of found) if (last) leaves.push(leaf);
}

function byDepthThenEnd(a: Leaf, b: Leaf): number {
  const end = (leaf: Leaf): number => leaf.entity.endSeconds ?? leaf.entity.startSeconds;
  if (a.depth !== b.depth) return b.depth - a.depth;
  if (end(a) !== end(b)) return end(b) - end(a);
  return a.entity.id < b.entity.id ? -1 : 1;
}

function pathTo({ start, entity }: Leaf): readonly Entity[] {
  const path: Entity[] = [];
  for (let step: Entity | undefined = entity; step !== undefined; step = step === start ? undefined : step.parent) {
    path.push(step);
  }
  return shorten(path.reverse());
}

/** Keeps both ends: where the request came in, and the cause. */
function shorten(path: readonly Entity[]): readonly Entity[] {
  return path.length <= MAX_PATH ? path : [...path.slice(0, MAX_PATH / 2), ...path.slice(-MAX_PATH / 2)];
}

/** Groups a path by segment. A path whose middle was left out may enter a segment below its top: that is put back. */
function toServices<PathEntity>(
  path: readonly Entity[],
  toEntity: (entity: Entity) => PathEntity,
): readonly RootCauseService<PathEntity>[] {
  const services: { node: NodeKey; inferred: boolean; entityPath: PathEntity[] }[] = [];
  let current: Segment | undefined;
  for (const entity of path) {
    if (entity.segment !== current) {
      current = entity.segment;
      services.push({ node: current.node, inferred: current.inferred, entityPath: [] });
      if (entity !== current) services.at(-1)?.entityPath.push(toEntity(current));
    }
    services.at(-1)?.entityPath.push(toEntity(entity));
  }
  return services;
}

function toFailureEntity(entity: Entity): FailurePathEntity {
  const exceptions = exceptionsOf(entity).map(({ type, message }) => ({
    name: typeof type === 'string' && type !== '' ? type : 'Error',
    message: typeof message === 'string' ? message : '',
  }));
  return { name: pathName(entity), remote: isRemote(entity), exceptions };
}

/** An inferred segment goes by its resource (the table), not by the call that it was made from (`DynamoDB`). */
function pathName(entity: Entity): string {
  return entity.inferred ? entity.segment.node.name : entity.name;
}

function isRemote(entity: Entity): boolean {
  const { namespace } = entity.document;
  return entity.inferred || (entity.kind === 'subsegment' && (namespace === 'remote' || namespace === 'aws'));
}

function durationOf(entity: Entity): number {
  return (entity.endSeconds ?? entity.startSeconds) - entity.startSeconds;
}

/** The part of `entity` that kept it longest from finishing; undefined when no part took half of it. */
function slowestPart(entity: Entity): Entity | undefined {
  const total = durationOf(entity);
  let slowest: Entity | undefined;
  let longest = total * MIN_SHARE;
  const consider = (part: Entity, seconds: number): void => {
    if (seconds < longest || seconds <= 0 || (seconds === longest && slowest !== undefined)) return;
    slowest = part;
    longest = seconds;
  };
  for (const callee of entity.callees) consider(callee, callSeconds(callee, entity));
  let waitingUntil = entity.endSeconds ?? entity.startSeconds;
  for (const child of entity.children.toSorted(byEndDescending)) {
    const end = Math.min(waitingUntil, child.endSeconds ?? child.startSeconds);
    const start = Math.max(child.startSeconds, entity.startSeconds);
    if (end <= start) continue;
    consider(child, end - start);
    waitingUntil = start;
  }
  return slowest;
}

/**
 * How long a caller waited for a callee. Another machine's clock may be off by more than the call took, so the callee's duration counts
 * wherever it lies, unless it is longer than the caller: then it worked on alone, and only the overlap counts.
 */
function callSeconds(callee: Entity, caller: Entity): number {
  const seconds = durationOf(callee);
  if (seconds <= durationOf(caller)) return seconds;
  const end = Math.min(callee.endSeconds ?? callee.startSeconds, caller.endSeconds ?? caller.startSeconds);
  return end - Math.max(callee.startSeconds, caller.startSeconds);
}

function byEndDescending(a: Entity, b: Entity): number {
  return (b.endSeconds ?? b.startSeconds) - (a.endSeconds ?? a.startSeconds);
}
