/**
 * From a filter expression to a necessary condition on stored rows, so that the store fetches candidates instead of everything.
 * Sound, not complete: a trace that matches the expression meets the condition; one that meets it may still not match.
 *
 * Conditions on one entity (the root segment, a segment of a node, a call) are tests of one row and are kept together; they
 * travel as clauses, a disjunction of conjunctions. What may be told by any other row of the trace goes along as `elsewhere`.
 */
import { assertNever } from '../../base/index.ts';
import { CLIENT_TYPE } from '../graph.ts';
import { MAX_GROUP_DEPTH, type GroupLookup } from './groups.ts';
import { isNumberKey, type Cause, type TextKey } from './keys.ts';
import { ALL, allOf, anyOf, DURATION_SLACK_SECONDS, rowWith, type ColumnTest, type Narrowing, type TextColumn } from './narrowing.ts';
import type {
  AnnotationCondition,
  AnyOperator,
  EdgeCondition,
  EqualityOperator,
  FilterExpression,
  FlagCondition,
  GroupCondition,
  JsonValue,
  NodeSelector,
  NumberCondition,
  NumberOperator,
  ServiceCondition,
  SetCondition,
  TextCondition,
  TextOperator,
} from './syntax.ts';

/** More alternatives than this are no longer multiplied out. */
const MAX_CLAUSES = 8;
/** Groups within groups can make an expression grow without bound; conditions beyond this many are not narrowed by. */
const MAX_CONDITIONS = 300;

/** One alternative: tests of the entity's own row, and what else must be in the trace. */
interface Clause {
  readonly own: readonly ColumnTest[];
  readonly elsewhere: readonly Narrowing[];
}

/** No condition. */
const ANYTHING: readonly Clause[] = [{ own: [], elsewhere: [] }];

/** Which entity the conditions are about: its row's tests, and the columns that hold its node. */
interface View {
  readonly scope: 'trace' | 'service' | 'edge';
  /** Hold for the entity's row. */
  readonly base: readonly ColumnTest[];
  /** The entity must exist, also when nothing more is asked of it. */
  readonly needed: boolean;
  readonly node: { readonly name: TextColumn; readonly type: TextColumn };
}

const SEGMENT: ColumnTest = { column: 'segment' };
/** The row calls somebody: callees always have a type. */
const CALLS: ColumnTest = { column: 'peerType', operator: '!=', value: '' };
const SEGMENT_NODE = { name: 'service', type: 'type' } as const;
const CALLEE_NODE = { name: 'peer', type: 'peerType' } as const;
const ROOT: View = { scope: 'trace', base: [], needed: false, node: SEGMENT_NODE };

/** A condition that every trace matching the expression meets. `groups` as for `evaluateFilter`. */
export function narrowFilter(expression: FilterExpression, groups?: GroupLookup): Narrowing {
  return new Narrower(groups).narrow(expression, ROOT);
}

class Narrower {
  readonly groups: GroupLookup | undefined;
  groupDepth = 0;
  conditions = 0;

  constructor(groups: GroupLookup | undefined) {
    this.groups = groups;
  }

  narrow(expression: FilterExpression | undefined, view: View): Narrowing {
    return toNarrowing(expression === undefined ? ANYTHING : this.clauses(expression, view, false), view);
  }

  clauses(expression: FilterExpression, view: View, negated: boolean): readonly Clause[] {
    switch (expression.kind) {
      case 'not':
        return this.clauses(expression.operand, view, !negated);
      case 'and':
      case 'or': {
        const parts = expression.operands.map((operand) => this.clauses(operand, view, negated));
        return (expression.kind === 'and') !== negated ? allClauses(parts, view) : anyClauses(parts, view);
      }
      default:
        this.conditions++;
        return this.conditions > MAX_CONDITIONS ? ANYTHING : this.condition(expression, view, negated);
    }
  }

  condition(condition: Condition, view: View, negated: boolean): readonly Clause[] {
    switch (condition.kind) {
      case 'everything':
        return ANYTHING;
      case 'flag':
        return ownRow(flagTests(condition, view, negated));
      case 'number':
        return requestRow(view, numberTests(condition, view, negated));
      case 'text':
        return condition.key === 'user' ? userClauses(condition, negated) : requestRow(view, textTests(condition, view, negated));
      case 'set':
        return condition.key === 'user' ? userSetClauses(negated) : requestRow(view, setTests(condition, negated));
      case 'annotation':
        return annotationClauses(condition, view, negated);
      case 'annotation-set':
        return negated ? ANYTHING : anyRow(...ownerTests(view), { column: 'annotation', key: condition.key, operator: 'exists' });
      default:
        return this.complex(condition, negated);
    }
  }

  complex(condition: ComplexCondition, negated: boolean): readonly Clause[] {
    switch (condition.kind) {
      case 'group':
        return this.group(condition, negated);
      case 'service':
        return negated ? ANYTHING : [{ own: [], elsewhere: [this.service(condition)] }];
      case 'edge':
        return negated ? ANYTHING : [{ own: [], elsewhere: [this.edge(condition)] }];
      case 'rootcause':
        return negated ? ANYTHING : rootCauseClauses(condition.cause);
      case 'rootcause-impact':
        return negated === condition.expected ? ANYTHING : rootCauseClauses(condition.cause);
      case 'rootcause-json':
        return negated !== (condition.operator === '!=') || isEmpty(condition.pattern) ? ANYTHING : rootCauseClauses(condition.cause);
      default:
        return assertNever(condition);
    }
  }

  /** Inferred segments have no row: they are told by the subsegment that called them. */
  service({ selector, block }: ServiceCondition): Narrowing {
    const reported = this.narrow(block, { scope: 'service', base: segmentTests(selector), needed: true, node: SEGMENT_NODE });
    if (asksAnnotation(block)) return reported; // an inferred segment has none
    return anyOf([reported, this.narrow(block, { scope: 'service', base: calleeTests(selector), needed: true, node: CALLEE_NODE })]);
  }

  edge({ source, destination, block }: EdgeCondition): Narrowing {
    const caller = source === undefined ? ALL : rowWith(segmentTests(source));
    const called = rowWith(segmentTests(destination));
    // The calling subsegment's row may not know its own node, so it is held to the block only.
    const call: View = { scope: 'edge', base: [], needed: true, node: CALLEE_NODE };
    const inferred: View = { ...call, base: calleeTests(destination) };
    const alternatives = [allOf([caller, called, this.narrow(block, call)]), allOf([caller, this.narrow(block, inferred)])];
    if (source === undefined || source.type === CLIENT_TYPE) {
      alternatives.push(this.narrow(block, { ...call, base: segmentTests(destination) }));
    }
    return anyOf(alternatives);
  }

  group({ value, operator }: GroupCondition, negated: boolean): readonly Clause[] {
    const expression = this.groupDepth < MAX_GROUP_DEPTH ? this.groups?.(value) : undefined;
    if (expression === undefined || this.conditions > MAX_CONDITIONS) return ANYTHING;
    this.groupDepth++;
    const clauses = this.clauses(expression, ROOT, negated !== (operator === '!='));
    this.groupDepth--;
    return clauses;
  }
}

/** Whether what matches must have an annotation. */
function asksAnnotation(block: FilterExpression | undefined): boolean {
  if (block === undefined) return false;
  if (block.kind === 'and') return block.operands.some(asksAnnotation);
  return block.kind === 'annotation-set' || (block.kind === 'annotation' && block.operator !== '!=');
}

type Condition = Exclude<FilterExpression, { readonly kind: 'and' | 'or' | 'not' }>;
type ComplexCondition = Extract<
  FilterExpression,
  { readonly kind: 'group' | 'service' | 'edge' | 'rootcause' | 'rootcause-impact' | 'rootcause-json' }
>;

function ownRow(own: readonly ColumnTest[]): readonly Clause[] {
  return [{ own, elsewhere: [] }];
}

/** Without a root segment, conditions on it match neither as they stand nor negated: its row must be there. */
function requestRow(view: View, own: readonly ColumnTest[]): readonly Clause[] {
  return ownRow(view.scope === 'trace' && own.length > 0 ? [SEGMENT, ...own] : own);
}

function anyRow(...tests: readonly ColumnTest[]): readonly Clause[] {
  return [{ own: [], elsewhere: [rowWith(tests)] }];
}

/** Every combination of the parts' alternatives; when those are too many, the parts one by one. */
function allClauses(parts: readonly (readonly Clause[])[], view: View): readonly Clause[] {
  let combined = ANYTHING;
  for (const part of parts) {
    if (combined.length * part.length > MAX_CLAUSES) {
      return [{ own: [], elsewhere: parts.map((each) => toNarrowing(each, view)) }];
    }
    combined = combined.flatMap((left) => part.map((right) => bothOf(left, right)));
  }
  return combined;
}

function bothOf(left: Clause, right: Clause): Clause {
  return { own: [...left.own, ...right.own], elsewhere: [...left.elsewhere, ...right.elsewhere] };
}

function anyClauses(parts: readonly (readonly Clause[])[], view: View): readonly Clause[] {
  const clauses = parts.flat();
  return clauses.length > MAX_CLAUSES ? [{ own: [], elsewhere: [toNarrowing(clauses, view)] }] : clauses;
}

function toNarrowing(clauses: readonly Clause[], view: View): Narrowing {
  return anyOf(
    clauses.map(({ own, elsewhere }) => {
      const row = view.needed || own.length > 0 ? rowWith(distinctTests([...view.base, ...own])) : ALL;
      return allOf([row, ...elsewhere]);
    }),
  );
}

function distinctTests(tests: readonly ColumnTest[]): readonly ColumnTest[] {
  return [...new Map(tests.map((test) => [JSON.stringify(test), test])).values()];
}

function segmentTests(selector: NodeSelector | undefined): readonly ColumnTest[] {
  return [SEGMENT, ...nodeTests(selector, SEGMENT_NODE)];
}

function calleeTests(selector: NodeSelector | undefined): readonly ColumnTest[] {
  return [CALLS, ...nodeTests(selector, CALLEE_NODE)];
}

/** The account has no column. */
function nodeTests(selector: NodeSelector | undefined, columns: View['node']): readonly ColumnTest[] {
  const tests: ColumnTest[] = [];
  if (selector?.name !== undefined) tests.push({ column: columns.name, operator: '=', value: selector.name });
  if (selector?.type !== undefined) tests.push({ column: columns.type, operator: '=', value: selector.type });
  return tests;
}

/**
 * Only flags that are set can be asked for. A trace without a root takes them from subsegments, so any row may show them.
 * `partial` and `inferred` of a whole trace have causes that no single row shows.
 */
function flagTests({ key, expected }: FlagCondition, view: View, negated: boolean): readonly ColumnTest[] {
  const wanted = expected !== negated;
  if (key === 'ok') return wanted ? [] : [{ column: 'flags', anyOf: ['error', 'throttle', 'fault'] }];
  if (!wanted) return [];
  if (key === 'error' || key === 'throttle' || key === 'fault') return [{ column: 'flags', anyOf: [key] }];
  return key === 'partial' && view.scope !== 'trace' ? [{ column: 'flags', anyOf: ['inProgress'] }] : [];
}

function numberTests({ key, operator, value }: NumberCondition, view: View, negated: boolean): readonly ColumnTest[] {
  const asked = negated ? complement(operator) : operator;
  if (asked === undefined) return [];
  if (key === 'http.status') {
    // The column holds 0 where the field is unset, and unset is not equal to 0.
    return asked === '!=' && value === 0 ? [] : [{ column: 'status', operator: asked, value }];
  }
  if (key === 'responsetime') return durationTests(asked, value);
  // A segment's own row ends no later than the work that it left behind.
  if (key === 'duration' && view.scope !== 'trace') {
    return durationTests(asked, value).filter((test) => test.column === 'duration' && test.operator === '<=');
  }
  return [];
}

function durationTests(operator: NumberOperator, seconds: number): readonly ColumnTest[] {
  const least = seconds - DURATION_SLACK_SECONDS;
  const most = Math.max(0, seconds) + DURATION_SLACK_SECONDS;
  const tests: ColumnTest[] = [];
  const below = operator === '<' || operator === '<=';
  const above = operator === '>' || operator === '>=';
  if ((above || operator === '=') && least > 0) tests.push({ column: 'duration', operator: '>=', seconds: least });
  if (below || operator === '=') tests.push({ column: 'duration', operator: '<=', seconds: most });
  return tests;
}

const HTTP_COLUMNS: Partial<Record<TextKey, TextColumn>> = {
  'http.url': 'url',
  'http.method': 'method',
  'http.useragent': 'userAgent',
  'http.clientip': 'clientIp',
};

function textTests({ key, operator, value }: TextCondition, view: View, negated: boolean): readonly ColumnTest[] {
  const asked = negated ? complement(operator) : operator;
  if (asked === undefined) return [];
  const column = HTTP_COLUMNS[key];
  if (column !== undefined) return presentTextTests(column, asked, value);
  // A node's name may be empty and still be a name.
  if ((key === 'name' || key === 'type') && value !== '') return [{ column: view.node[key], operator: asked, value }];
  return [];
}

/** For columns that are empty when the field is unset: an unset field matches no operator but `!=`. */
function presentTextTests(column: TextColumn, operator: TextOperator, value: string): readonly ColumnTest[] {
  if (value !== '') return [{ column, operator, value }];
  return operator === '!=' ? [] : [{ column, operator: '!=', value: '' }];
}

/** Any row may hold a user, but no row shows that none is equal. */
function userClauses({ operator, value }: TextCondition, negated: boolean): readonly Clause[] {
  const asked = negated ? complement(operator) : operator;
  const [test] = asked === undefined || asked === '!=' ? [] : presentTextTests('user', asked, value);
  return test === undefined ? ANYTHING : anyRow(test);
}

function userSetClauses(negated: boolean): readonly Clause[] {
  return negated ? ANYTHING : anyRow({ column: 'user', operator: '!=', value: '' });
}

function setTests({ key }: SetCondition, negated: boolean): readonly ColumnTest[] {
  const operator = negated ? '=' : '!=';
  if (key === 'http.status') return [{ column: 'status', operator, value: 0 }];
  const column = isNumberKey(key) ? undefined : HTTP_COLUMNS[key];
  return column === undefined ? [] : [{ column, operator, value: '' }];
}

/** A segment's annotations may be its subsegments', whose rows name their segment's node or none. */
function ownerTests(view: View): readonly ColumnTest[] {
  if (view.scope !== 'service' || view.node !== SEGMENT_NODE) return [];
  return view.base.flatMap((test) =>
    test.column === 'service' && test.operator === '=' ? [{ column: 'owner', name: test.value } as const] : [],
  );
}

function annotationClauses({ key, operator, value }: AnnotationCondition, view: View, negated: boolean): readonly Clause[] {
  const asked = negated ? complement(operator) : operator;
  if (asked === undefined || asked === '!=') return ANYTHING;
  const present = value === '' && asked !== '=';
  const test: ColumnTest = present
    ? { column: 'annotation', key, operator: 'exists' }
    : { column: 'annotation', key, operator: asked, value };
  return anyRow(...ownerTests(view), test);
}

/** Faults and errors have root causes only where something is flagged; slowness needs nothing that a row would show. */
function rootCauseClauses(cause: Cause | undefined): readonly Clause[] {
  return cause === 'fault' || cause === 'error' ? anyRow({ column: 'flags', anyOf: [cause] }) : ANYTHING;
}

/** `#[]` asks for nothing, so it is found where there are no root causes too. */
function isEmpty(pattern: JsonValue): boolean {
  return Array.isArray(pattern) && pattern.length === 0;
}

/** The operator that says the opposite, also of an unset field; only `=` and `!=` have one. */
function complement(operator: AnyOperator): EqualityOperator | undefined {
  if (operator === '=') return '!=';
  return operator === '!=' ? '=' : undefined;
}
