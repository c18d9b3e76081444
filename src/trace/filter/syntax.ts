/**
 * What a filter expression means, as a tree. Keys are in their canonical spelling (lower case, `http.status`), strings are unescaped.
 * The language is AWS X-Ray's ("Use filter expressions", X-Ray developer guide).
 */
import type { Cause, FlagKey, NumberKey, RootCausePart, TextKey } from './keys.ts';

/** Where a node stands in the text: UTF-16 units, `end` exclusive. */
export interface SourceSpan {
  readonly start: number;
  readonly end: number;
}

interface Node {
  readonly span: SourceSpan;
}

export type NumberOperator = '=' | '!=' | '<' | '<=' | '>' | '>=';
export type EqualityOperator = '=' | '!=';
export type TextOperator = EqualityOperator | 'CONTAINS' | 'BEGINSWITH' | 'ENDSWITH';
export type AnyOperator = NumberOperator | TextOperator;

/** A value in the text; its type decides what it can equal. */
export type Literal = string | number | boolean;

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** The parts of a node's key that must be equal; absent parts fit any node. */
export interface NodeSelector {
  readonly name: string | undefined;
  readonly type: string | undefined;
  readonly accountId: string | undefined;
}

export type FilterExpression =
  | Everything
  | And
  | Or
  | Not
  | FlagCondition
  | NumberCondition
  | TextCondition
  | SetCondition
  | AnnotationCondition
  | AnnotationSetCondition
  | ServiceCondition
  | EdgeCondition
  | GroupCondition
  | RootCauseCondition
  | RootCauseImpactCondition
  | RootCauseJsonCondition;

/** The empty text: every trace. Only ever a whole expression. */
export interface Everything extends Node {
  readonly kind: 'everything';
}

/** Two or more operands. */
export interface And extends Node {
  readonly kind: 'and';
  readonly operands: readonly FilterExpression[];
}

/** Two or more operands. */
export interface Or extends Node {
  readonly kind: 'or';
  readonly operands: readonly FilterExpression[];
}

export interface Not extends Node {
  readonly kind: 'not';
  readonly operand: FilterExpression;
}

/** `fault` (`expected` true), `fault = false`. */
export interface FlagCondition extends Node {
  readonly kind: 'flag';
  readonly key: FlagKey;
  readonly expected: boolean;
}

export interface NumberCondition extends Node {
  readonly kind: 'number';
  readonly key: NumberKey;
  readonly operator: NumberOperator;
  readonly value: number;
}

export interface TextCondition extends Node {
  readonly kind: 'text';
  readonly key: TextKey;
  readonly operator: TextOperator;
  readonly value: string;
}

/** A bare key: the field has a value. */
export interface SetCondition extends Node {
  readonly kind: 'set';
  readonly key: NumberKey | TextKey;
}

/** Whose annotation: the subject's own or, in an edge block, the calling or the called segment's. */
export type AnnotationOwner = 'own' | 'source' | 'destination';

export interface AnnotationCondition extends Node {
  readonly kind: 'annotation';
  readonly owner: AnnotationOwner;
  readonly key: string;
  readonly operator: AnyOperator;
  /** A number for `<`, `<=`, `>`, `>=`; a string for `CONTAINS`, `BEGINSWITH`, `ENDSWITH`. */
  readonly value: Literal;
}

export interface AnnotationSetCondition extends Node {
  readonly kind: 'annotation-set';
  readonly owner: AnnotationOwner;
  readonly key: string;
}

/** `service("x") {…}`; no selector: any node. */
export interface ServiceCondition extends Node {
  readonly kind: 'service';
  readonly selector: NodeSelector | undefined;
  readonly block: FilterExpression | undefined;
}

/** `edge("a", "b") {…}`; no selector: any node. */
export interface EdgeCondition extends Node {
  readonly kind: 'edge';
  readonly source: NodeSelector | undefined;
  readonly destination: NodeSelector | undefined;
  readonly block: FilterExpression | undefined;
}

export interface GroupCondition extends Node {
  readonly kind: 'group';
  readonly by: 'name' | 'arn';
  readonly operator: EqualityOperator;
  readonly value: string;
}

/** `rootcause.fault.entity {…}` */
export interface RootCauseCondition extends Node {
  readonly kind: 'rootcause';
  readonly cause: Cause;
  readonly part: RootCausePart;
  readonly block: FilterExpression;
}

/** `rootcause.fault.client_impacting` */
export interface RootCauseImpactCondition extends Node {
  readonly kind: 'rootcause-impact';
  readonly cause: Cause;
  readonly expected: boolean;
}

/** `rootcause.json = #[…]`; no cause: of any of the three kinds. */
export interface RootCauseJsonCondition extends Node {
  readonly kind: 'rootcause-json';
  readonly cause: Cause | undefined;
  readonly operator: EqualityOperator;
  readonly pattern: JsonValue;
}

/** Why a text is no filter expression. */
export interface FilterError {
  /** A sentence that names what was found, where, and what would fit. */
  readonly message: string;
  /** 0-based index into the text, in UTF-16 units; the text's length when something is missing at its end. */
  readonly position: number;
  /** How much of the text is at fault; 0 at the end. */
  readonly length: number;
  /** What could stand there. */
  readonly expected: readonly string[];
}
