/** What the store is asked before traces are fetched: conditions on stored rows, and their conjunctions and disjunctions. */
import type { AnyOperator, Literal, NumberOperator, TextOperator } from './syntax.ts';

/**
 * A condition that every matching trace meets. `row`: at least one stored row of the trace (a segment's or a subsegment's, any
 * copy of it) passes all tests; different `row`s may be met by different rows. `and` and `or` have two or more parts.
 */
export type Narrowing =
  | { readonly kind: 'all' }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Narrowing[] }
  | { readonly kind: 'row'; readonly test: RowTest };

/** All of these hold for one row. Never empty. */
export type RowTest = readonly ColumnTest[];

export type RowFlag = 'error' | 'throttle' | 'fault' | 'inProgress';

/**
 * Text columns. `service` and `type` are the node of a segment's row (`segmentNode`) and are only tested together with `segment`;
 * `peer` and `peerType` the node that a subsegment's row calls (`calleeNode`), empty for none. The others are empty for none.
 */
export type TextColumn = 'service' | 'type' | 'peer' | 'peerType' | 'url' | 'method' | 'userAgent' | 'clientIp' | 'user';

/** A test of one column. What a row has not counts as empty text and status 0, and `!=` holds for it accordingly. */
export type ColumnTest =
  /** The row is a segment's. */
  | { readonly column: 'segment' }
  /** The row belongs to a segment of the node of this name, or does not know its node (a streamed subsegment). */
  | { readonly column: 'owner'; readonly name: string }
  /** At least one of the flags is set; they are `outcomeFlags` of the row's document, and "has no end". */
  | { readonly column: 'flags'; readonly anyOf: readonly RowFlag[] }
  /** End minus start, 0 while in progress; the bound is already widened by `DURATION_SLACK_SECONDS`. */
  | { readonly column: 'duration'; readonly operator: '<=' | '>='; readonly seconds: number }
  /** `filterStatusOf` the row's document. */
  | { readonly column: 'status'; readonly operator: NumberOperator; readonly value: number }
  | { readonly column: TextColumn; readonly operator: TextOperator; readonly value: string }
  /** The row has the annotation. */
  | { readonly column: 'annotation'; readonly key: string; readonly operator: 'exists' }
  /**
   * The row has the annotation with a fitting value, by `matchAnnotation`: a number fits only numbers, text operators only strings;
   * `true` and `"true"` fit both the boolean and the string.
   */
  | {
      readonly column: 'annotation';
      readonly key: string;
      readonly operator: Exclude<AnyOperator, '!='>;
      readonly value: Literal;
    };

/** Epoch seconds as doubles and as nanoseconds differ by less than this. */
export const DURATION_SLACK_SECONDS = 1e-6;

/** No condition. */
export const ALL: Narrowing = Object.freeze({ kind: 'all' });

/** Met by traces with a row that passes every test. */
export function rowWith(test: RowTest): Narrowing {
  return test.length === 0 ? ALL : { kind: 'row', test };
}

/** Met by traces that meet all parts. */
export function allOf(parts: readonly Narrowing[]): Narrowing {
  const distinct = flatten('and', parts).filter((part) => part.kind !== 'all');
  const [first] = distinct;
  if (first === undefined) return ALL;
  return distinct.length === 1 ? first : { kind: 'and', parts: distinct };
}

/** Met by traces that meet any part; there is at least one. */
export function anyOf(parts: readonly Narrowing[]): Narrowing {
  const distinct = flatten('or', parts);
  const [first] = distinct;
  if (first === undefined || distinct.some((part) => part.kind === 'all')) return ALL;
  return distinct.length === 1 ? first : { kind: 'or', parts: distinct };
}

/** Takes in parts of the same kind, and leaves out repetitions. */
function flatten(kind: 'and' | 'or', parts: readonly Narrowing[]): readonly Narrowing[] {
  const byText = new Map<string, Narrowing>();
  for (const part of parts.flatMap((inner) => (inner.kind === kind ? inner.parts : [inner]))) {
    byText.set(JSON.stringify(part), part);
  }
  return [...byText.values()];
}
