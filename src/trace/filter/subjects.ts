/**
 * What the keywords of a block are asked of: the trace, a segment, a call between two segments, an element of a root cause.
 * A field is read as the list of its values. `undefined` instead of a list says that there is nothing to ask (the trace's
 * root segment was not received): then neither a condition nor its negation matches.
 */
import type { AnnotationScalar } from '../document.ts';
import type { Entity, Segment, Trace } from '../model.ts';
import { findEntity, forEachEntity } from '../walk.ts';
import { annotationOf, filterStatusOf, httpTextOf, isHttpText, placeOf, userOf } from './fields.ts';
import type { FlagKey, NumberKey, TextKey } from './keys.ts';
import type { AnnotationOwner } from './syntax.ts';

export interface Subject {
  /** In a call from a segment: that segment, whose users and `source.annotation`s are the same for all calls that it makes. */
  readonly caller?: Segment | undefined;
  readonly flag: (key: FlagKey) => boolean;
  readonly numbers: (key: NumberKey) => readonly number[] | undefined;
  readonly texts: (key: TextKey) => readonly string[] | undefined;
  /** Whether any annotation of this key passes the test. */
  readonly anyAnnotation: (owner: AnnotationOwner, key: string, test: (value: AnnotationScalar) => boolean) => boolean;
}

const NONE: readonly never[] = [];

/** Outside of blocks: outcome, response time and http are the root segment's, everything else is the whole trace's. */
export function traceSubject(trace: Trace): Subject {
  const { root, segments } = trace;
  return {
    flag: (key) => {
      if (key === 'partial') return trace.partial;
      if (key === 'inferred') return segments.some((segment) => segment.inferred);
      return root === undefined ? rootlessFlag(trace, key) : outcomeFlag(root, key);
    },
    numbers: (key) => {
      if (key === 'duration') return [trace.endSeconds - trace.startSeconds];
      return root && entityNumbers(root, key);
    },
    texts: (key) => {
      if (isHttpText(key)) return root && present(httpTextOf(root.document, key));
      return key === 'user' ? usersUnder(segments) : segments.flatMap((segment) => segmentTexts(segment, key));
    },
    anyAnnotation: (_owner, key, test) => anyAnnotationUnder(segments, key, test),
  };
}

/** In the block of `service()`: one segment, with the annotations and users of its subsegments. */
export function segmentSubject(trace: Trace, segment: Segment): Subject {
  return {
    flag: (key) => {
      if (key === 'partial') return segment.inProgress;
      if (key === 'inferred') return segment.inferred;
      return key === 'root' ? isOfNode(trace.root, segment) : outcomeFlag(segment, key);
    },
    numbers: (key) => entityNumbers(segment, key),
    texts: (key) => (key === 'user' ? usersUnder([segment]) : segmentTexts(segment, key)),
    anyAnnotation: (_owner, key, test) => anyAnnotationUnder([segment], key, test),
  };
}

/** A call between two nodes. */
export interface Call {
  /** The calling subsegment; the called segment where no subsegment stands for the call (and for requests from outside). */
  readonly seen: Entity;
  /** Undefined for requests from outside. */
  readonly source: Segment | undefined;
  readonly destination: Segment;
}

/** In the block of `edge()`: the call as its caller saw it. Users and places are the calling segment's. */
export function callSubject({ seen, source, destination }: Call): Subject {
  const caller = source ?? destination;
  return {
    caller: source,
    flag: (key) => (key === 'partial' ? seen.inProgress : outcomeFlag(seen, key)),
    numbers: (key) => entityNumbers(seen, key),
    texts: (key) => {
      if (isHttpText(key)) return present(httpTextOf(seen.document, key));
      return key === 'user' ? usersUnder([caller]) : segmentTexts(caller, key);
    },
    anyAnnotation: (owner, key, test) => {
      if (owner === 'own') return anyAnnotationUnder([seen], key, test);
      // A client has no annotations.
      const whose = owner === 'source' ? source : destination;
      return whose !== undefined && anyAnnotationUnder([whose], key, test);
    },
  };
}

/** What an element of a root cause says of itself. */
export interface RootCauseElement {
  readonly name: string | undefined;
  readonly type?: string | undefined;
  readonly message?: string | undefined;
  readonly inferred?: boolean | undefined;
  readonly remote?: boolean | undefined;
  readonly coverage?: number | undefined;
}

/** In the block of a root cause: the element at `index` of `count`. */
export function elementSubject(element: RootCauseElement, index: number, count: number): Subject {
  const flags: Partial<Record<FlagKey, boolean | undefined>> = {
    first: index === 0,
    last: index === count - 1,
    inferred: element.inferred,
    remote: element.remote,
  };
  const { name, type, message } = element;
  const texts: Partial<Record<TextKey, string | undefined>> = { name, type, message };
  return {
    flag: (key) => flags[key] === true,
    numbers: (key) => (key === 'index' ? [index] : present(element.coverage)),
    texts: (key) => present(texts[key]),
    anyAnnotation: () => false,
  };
}

/** As the list of traces shows it: the worst of what is at the top of the tree. */
function rootlessFlag({ segments }: Trace, key: FlagKey): boolean {
  const tops = segments.filter((segment) => segment.parent === undefined);
  const known = tops.flatMap((top) => (top.placeholder ? top.children : [top]));
  if (key === 'ok') return known.every((entity) => outcomeFlag(entity, 'ok'));
  return known.some((entity) => outcomeFlag(entity, key));
}

function outcomeFlag(entity: Entity, key: FlagKey): boolean {
  switch (key) {
    case 'ok':
      return !entity.error && !entity.throttle && !entity.fault;
    case 'error':
    case 'throttle':
    case 'fault':
      return entity[key];
    default:
      return false; // the parser lets no other flag stand here
  }
}

function entityNumbers(entity: Entity, key: NumberKey): readonly number[] {
  switch (key) {
    case 'responsetime':
      return present(entity.endSeconds === undefined ? undefined : entity.endSeconds - entity.startSeconds);
    case 'duration':
      return present(wholeSeconds(entity));
    case 'http.status':
      return present(filterStatusOf(entity.document));
    default:
      return NONE;
  }
}

/** Until the last of its subsegments ended; a segment may answer before work that it started is done. */
function wholeSeconds(entity: Entity): number | undefined {
  if (entity.endSeconds === undefined) return undefined;
  let end = entity.endSeconds;
  forEachEntity(entity, (below) => {
    end = Math.max(end, below.endSeconds ?? end);
  });
  return end - entity.startSeconds;
}

/** The text fields that belong to one segment as such. */
function segmentTexts(segment: Segment, key: TextKey): readonly string[] {
  if (segment.placeholder) return NONE;
  if (isHttpText(key)) return present(httpTextOf(segment.document, key));
  switch (key) {
    case 'name':
    case 'type':
      return [segment.node[key]];
    case 'availabilityzone':
    case 'instance.id':
    case 'resource.arn':
      return present(placeOf(segment.document, key));
    default:
      return NONE;
  }
}

function usersUnder(tops: readonly Entity[]): readonly string[] {
  const users: string[] = [];
  for (const top of tops) {
    forEachEntity(top, ({ document }) => {
      const user = userOf(document);
      if (user !== undefined) users.push(user);
    });
  }
  return users;
}

function anyAnnotationUnder(tops: readonly Entity[], key: string, test: (value: AnnotationScalar) => boolean): boolean {
  const passes = ({ document }: Entity): boolean => {
    const value = annotationOf(document, key);
    return value !== undefined && test(value);
  };
  return tops.some((top) => findEntity(top, passes) !== undefined);
}

function isOfNode(root: Segment | undefined, { node }: Segment): boolean {
  if (root === undefined) return false;
  return root.node.name === node.name && root.node.type === node.type && root.node.accountId === node.accountId;
}

function present<T>(value: T | undefined): readonly T[] {
  return value === undefined ? NONE : [value];
}
