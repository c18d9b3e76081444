/**
 * Whether a trace matches a filter expression.
 *
 * Negation is carried down to the conditions instead of being applied to their result: a condition on a root segment
 * that was not received matches neither as it stands nor negated.
 */
import { assertNever } from '../../base/index.ts';
import type { Segment, Trace } from '../model.ts';
import type { RootCause } from '../root-causes.ts';
import { matchAnnotation, matchNumbers, matchTexts } from './compare.ts';
import { MAX_GROUP_DEPTH, type GroupLookup } from './groups.ts';
import { CAUSES, isNumberKey, type Cause, type NumberKey, type TextKey } from './keys.ts';
import { matchesPattern } from './pattern.ts';
import { listsOf, rootCausesOf, toJson, type PathEntity } from './root-cause-values.ts';
import { clientFits, nodeFits } from './selector.ts';
import { callSubject, elementSubject, segmentSubject, traceSubject, type Call, type Subject } from './subjects.ts';
import type {
  AnnotationCondition,
  EdgeCondition,
  FilterExpression,
  GroupCondition,
  NodeSelector,
  RootCauseCondition,
  RootCauseJsonCondition,
  ServiceCondition,
} from './syntax.ts';

/** What an expression may refer to outside of the trace. */
export interface EvaluationContext {
  readonly groups?: GroupLookup;
}

/**
 * Whether the trace matches. Group references that `checkGroups` refuses (unknown, circular, too deep) match nothing.
 * Time is linear in the trace's size times the expression's; in edge blocks with `duration` or annotations also in how deep
 * calls are nested within one segment.
 */
export function evaluateFilter(expression: FilterExpression, trace: Trace, context: EvaluationContext = {}): boolean {
  return new Evaluation(trace, context).holds(expression, traceSubject(trace), false);
}

class Evaluation {
  readonly trace: Trace;
  readonly context: EvaluationContext;
  /** Answers for group references, by reference and negation; undefined while one is being worked out. */
  readonly groupAnswers = new Map<string, boolean | undefined>();
  groupDepth = 0;
  readonly callerAnswers = new Map<Condition, Map<Segment, boolean | undefined>>();
  readonly causes = new Map<Cause, readonly RootCause<PathEntity>[]>();

  constructor(trace: Trace, context: EvaluationContext) {
    this.trace = trace;
    this.context = context;
  }

  /** Whether the expression is true of the subject or, when `negated`, whether its negation is. */
  holds(expression: FilterExpression, subject: Subject, negated: boolean): boolean {
    switch (expression.kind) {
      case 'and':
      case 'or': {
        const every = (expression.kind === 'and') !== negated;
        const test = (operand: FilterExpression): boolean => this.holds(operand, subject, negated);
        return every ? expression.operands.every(test) : expression.operands.some(test);
      }
      case 'not':
        return this.holds(expression.operand, subject, !negated);
      case 'group':
        return this.group(expression, negated !== (expression.operator === '!='));
      default: {
        const value = this.answer(expression, subject);
        return value !== undefined && value !== negated;
      }
    }
  }

  /** Asks a segment once, however many calls it makes: going through its users again for each would take the square of its size. */
  answer(condition: Condition, subject: Subject): boolean | undefined {
    const { caller } = subject;
    if (caller === undefined || !isAboutCaller(condition)) return this.condition(condition, subject);
    const answers = this.callerAnswers.get(condition) ?? new Map<Segment, boolean | undefined>();
    this.callerAnswers.set(condition, answers);
    if (!answers.has(caller)) answers.set(caller, this.condition(condition, subject));
    return answers.get(caller);
  }

  /** Undefined when there is nothing to ask. */
  condition(condition: Condition, subject: Subject): boolean | undefined {
    switch (condition.kind) {
      case 'everything':
        return true;
      case 'flag':
        return subject.flag(condition.key) === condition.expected;
      case 'number': {
        const values = subject.numbers(condition.key);
        return values && matchNumbers(values, condition.operator, condition.value);
      }
      case 'text': {
        const values = subject.texts(condition.key);
        return values && matchTexts(values, condition.operator, condition.value);
      }
      case 'set':
        return isSet(subject, condition.key);
      case 'annotation':
        return matchesAnnotation(condition, subject);
      case 'annotation-set':
        return subject.anyAnnotation(condition.owner, condition.key, () => true);
      default:
        return this.complex(condition);
    }
  }

  complex(condition: ComplexCondition): boolean {
    switch (condition.kind) {
      case 'service':
        return this.service(condition);
      case 'edge':
        return this.edge(condition);
      case 'rootcause':
        return this.rootCause(condition);
      case 'rootcause-impact':
        return this.rootCauses(condition.cause).some((cause) => cause.clientImpacting) === condition.expected;
      case 'rootcause-json':
        return this.rootCauseJson(condition);
      default:
        return assertNever(condition);
    }
  }

  service({ selector, block }: ServiceCondition): boolean {
    return this.trace.segments.some(
      (segment) =>
        !segment.placeholder &&
        nodeFits(selector, segment.node) &&
        (block === undefined || this.holds(block, segmentSubject(this.trace, segment), false)),
    );
  }

  edge({ source, destination, block }: EdgeCondition): boolean {
    return this.trace.segments.some((segment) => {
      if (segment.placeholder || !nodeFits(destination, segment.node)) return false;
      const call = this.callOf(segment);
      if (call === undefined || !isCalledBy(source, call)) return false;
      return block === undefined || this.holds(block, callSubject(call), false);
    });
  }

  /** The call that a segment answers; undefined for one whose caller was never received. */
  callOf(destination: Segment): Call | undefined {
    const caller = destination.parent;
    if (caller !== undefined) {
      const seen = caller.kind === 'subsegment' ? caller : destination;
      return { seen, source: caller.segment, destination };
    }
    const entry = destination.parentId === undefined || destination === this.trace.root;
    return entry ? { seen: destination, source: undefined, destination } : undefined;
  }

  rootCauses(cause: Cause): readonly RootCause<PathEntity>[] {
    const known = this.causes.get(cause);
    if (known !== undefined) return known;
    const found = rootCausesOf(this.trace, cause);
    this.causes.set(cause, found);
    return found;
  }

  rootCause({ cause, part, block }: RootCauseCondition): boolean {
    return this.rootCauses(cause).some((rootCause) =>
      listsOf(rootCause, part).some((list) =>
        list.some((element, index) => this.holds(block, elementSubject(element, index, list.length), false)),
      ),
    );
  }

  rootCauseJson({ cause, operator, pattern }: RootCauseJsonCondition): boolean {
    const causes = cause === undefined ? CAUSES : [cause];
    const found = causes.some((kind) => matchesPattern(pattern, toJson(this.rootCauses(kind))));
    return found === (operator === '=');
  }

  group(condition: GroupCondition, negated: boolean): boolean {
    const key = `${condition.by} ${negated ? 'not' : 'is'} ${condition.value}`;
    if (this.groupAnswers.has(key)) return this.groupAnswers.get(key) === true;
    this.groupAnswers.set(key, undefined);
    const expression = this.groupDepth < MAX_GROUP_DEPTH ? this.context.groups?.(condition.value) : undefined;
    if (expression === undefined) return false;
    this.groupDepth++;
    const answer = this.holds(expression, traceSubject(this.trace), negated);
    this.groupDepth--;
    this.groupAnswers.set(key, answer);
    return answer;
  }
}

function isAboutCaller(condition: Condition): boolean {
  if (condition.kind === 'text' || condition.kind === 'set') return condition.key === 'user';
  return (condition.kind === 'annotation' || condition.kind === 'annotation-set') && condition.owner === 'source';
}

function isSet(subject: Subject, key: NumberKey | TextKey): boolean | undefined {
  const values = isNumberKey(key) ? subject.numbers(key) : subject.texts(key);
  return values && values.length > 0;
}

function matchesAnnotation({ owner, key, operator, value }: AnnotationCondition, subject: Subject): boolean {
  if (operator === '!=') return !subject.anyAnnotation(owner, key, (own) => matchAnnotation(own, '=', value));
  return subject.anyAnnotation(owner, key, (own) => matchAnnotation(own, operator, value));
}

/** A caller that is only known from its subsegments has no node to select. */
function isCalledBy(selector: NodeSelector | undefined, { source, destination }: Call): boolean {
  if (source === undefined) return clientFits(selector, destination.node);
  return selector === undefined || (!source.placeholder && nodeFits(selector, source.node));
}

type ComplexCondition = Extract<
  FilterExpression,
  { readonly kind: 'service' | 'edge' | 'rootcause' | 'rootcause-impact' | 'rootcause-json' }
>;
type Condition = Exclude<FilterExpression, { readonly kind: 'and' | 'or' | 'not' | 'group' }>;
