/**
 * Filter expressions from text to tree. Recursive descent, one method a rule of the grammar:
 *
 *     or        = and { "OR" and }
 *     and       = unary { [ "AND" ] unary }
 *     unary     = "!" unary | "(" or ")" | condition
 *     condition = key [ operator value ] | annotation [ operator value ] | service | edge | group | root cause
 *
 * Linear in the text: no rule looks further ahead than two tokens, and none is tried twice.
 */
import { assertNever, err, ok, type Result } from '../../base/index.ts';
import {
  describeScope,
  findKey,
  fitsScope,
  ROOT_CAUSE_WORDS,
  startWords,
  type Cause,
  type KeyInfo,
  type Place,
  type RootCausePart,
  type Scope,
} from './keys.ts';
import { ANY_OPERATORS, EQUALITY_OPERATORS, NUMBER_OPERATORS, TEXT_OPERATORS } from './operators.ts';
import type { AnnotationOwner, AnyOperator, FilterError, FilterExpression, Literal, NodeSelector, SourceSpan } from './syntax.ts';
import { suggest } from './suggest.ts';
import { quoted, Refusal, TokenReader } from './token-reader.ts';

/** Longest text that is read, in UTF-16 units. */
export const MAX_FILTER_LENGTH = 4096;

const ANNOTATION = /^(?:(source|destination)\.)?annotation(?:\.(.+))?$/is;
const TRACE_ID = /^\s*\d-[0-9a-f]{8}-[0-9a-f]{24}\s*$/i;
const TRACE_PLACE: Place = { scope: 'trace', cause: undefined };
const SERVICE_PLACE: Place = { scope: 'service', cause: undefined };
const EDGE_PLACE: Place = { scope: 'edge', cause: undefined };

/**
 * Reads a filter expression. Empty text is every trace. Never throws; text over `MAX_FILTER_LENGTH` and nesting over
 * 128 levels are refused. Time is linear in the text.
 */
export function parseFilter(text: string): Result<FilterExpression, FilterError> {
  const refusal = refuseWhole(text);
  if (refusal !== undefined) return err(refusal);
  try {
    return ok(new Parser(text).whole());
  } catch (thrown) {
    if (thrown instanceof Refusal) return err(thrown.fault);
    throw thrown;
  }
}

function refuseWhole(text: string): FilterError | undefined {
  const length = text.length;
  if (length > MAX_FILTER_LENGTH) {
    const message = `The expression has ${length} characters; at most ${MAX_FILTER_LENGTH} are read.`;
    return { message, position: MAX_FILTER_LENGTH, length: length - MAX_FILTER_LENGTH, expected: [] };
  }
  if (!TRACE_ID.test(text)) return undefined;
  const message = 'This is a trace id, not a condition. Open the trace by its id instead.';
  return { message, position: 0, length, expected: ['a keyword'] };
}

class Parser {
  readonly reader: TokenReader;

  constructor(text: string) {
    this.reader = new TokenReader(text);
  }

  whole(): FilterExpression {
    const { reader } = this;
    if (reader.atEnd()) return { kind: 'everything', span: { start: 0, end: reader.text.length } };
    const expression = this.or(TRACE_PLACE);
    return reader.atEnd() ? expression : reader.refuse('AND, OR or the end of the expression', ['AND', 'OR']);
  }

  or(place: Place): FilterExpression {
    const operands = [this.and(place)];
    while (this.reader.skipWord('or')) operands.push(this.and(place));
    return join('or', operands);
  }

  and(place: Place): FilterExpression {
    const operands = [this.unary(place)];
    while (this.reader.skipWord('and') || this.atUnary()) operands.push(this.unary(place));
    return join('and', operands);
  }

  atUnary(): boolean {
    const { reader } = this;
    if (reader.token.kind === 'word') return !reader.atWord('or');
    return reader.atMark('!') || reader.atMark('(');
  }

  unary(place: Place): FilterExpression {
    const { reader } = this;
    const opening = reader.token;
    if (reader.atMark('!')) {
      return reader.spanned(() => {
        reader.take();
        return { kind: 'not', operand: reader.deeper(opening, () => this.unary(place)) };
      });
    }
    if (!reader.skipMark('(')) return this.condition(place);
    const inner = reader.deeper(opening, () => this.or(place));
    reader.needMark(')', 'to close the parenthesis, AND or OR');
    return inner;
  }

  condition(place: Place): FilterExpression {
    const { reader } = this;
    const { token } = reader;
    if (token.kind !== 'word' || reader.atWord('and') || reader.atWord('or')) return this.refuseStart(place);
    return reader.spanned(() => this.complex(place, token.text) ?? this.key(place, token.text));
  }

  refuseStart(place: Place): never {
    const words = startWords(place);
    return this.reader.refuse('a keyword such as "fault" or "responsetime", "!" or "("', [...words, '!', '(']);
  }

  /** A condition that does not start with a plain key; undefined, and nothing taken, when it does. */
  complex(place: Place, word: string): WithoutSpan | undefined {
    const annotation = ANNOTATION.exec(word);
    if (annotation) return this.annotation(place, word, annotation[1], annotation[2]);
    const lower = word.toLowerCase();
    const root = lower === 'rootcause' || lower.startsWith('rootcause.');
    if (!root && !['service', 'edge', 'group.name', 'group.arn'].includes(lower)) return undefined;
    if (place.scope !== 'trace') this.refuseInBlock(place, lower);
    if (root) return this.rootCause(lower);
    if (lower === 'service') return this.service();
    return lower === 'edge' ? this.edge() : this.group(lower === 'group.arn' ? 'arn' : 'name');
  }

  refuseInBlock(place: Place, word: string): never {
    const { reader } = this;
    const message =
      `"${word}" cannot stand ${describeScope(place.scope)} (position ${reader.token.start}): ` +
      'close the block first and join the two by AND.';
    return reader.refuseAt(reader.token, message, startWords(place));
  }

  key(place: Place, word: string): WithoutSpan {
    const info = findKey(word);
    if (info === undefined || !fitsScope(info, place.scope, place.cause)) return this.refuseKey(place, word, info);
    this.reader.take();
    switch (info.kind) {
      case 'flag':
        return { kind: 'flag', key: info.key, expected: this.expected(info.key) };
      case 'number': {
        const operator = this.reader.operator(info.key, NUMBER_OPERATORS);
        if (operator === undefined) return { kind: 'set', key: info.key };
        return { kind: 'number', key: info.key, operator, value: this.reader.numberValue() };
      }
      case 'text': {
        const operator = this.reader.operator(info.key, TEXT_OPERATORS);
        if (operator === undefined) return { kind: 'set', key: info.key };
        return { kind: 'text', key: info.key, operator, value: this.reader.textValue() };
      }
      default:
        return assertNever(info);
    }
  }

  refuseKey(place: Place, word: string, known: KeyInfo | undefined): never {
    const { reader } = this;
    const start = reader.token.start;
    const words = startWords(place);
    if (known !== undefined) {
      const where = known.key === 'coverage' ? 'rootcause.responsetime.entity' : known.scopes.map(blockName).join(', ');
      const message = `"${known.key}" has no meaning ${describeScope(place.scope)} (position ${start}); it belongs to ${where}.`;
      return reader.refuseAt(reader.token, message, words);
    }
    const near = suggest(word, words);
    const hint = near === undefined ? '' : ` Did you mean "${near}"?`;
    const message = `${quoted(word)} at position ${start} is not a keyword ${describeScope(place.scope)}.${hint}`;
    return reader.refuseAt(reader.token, message, near === undefined ? words : [near]);
  }

  /** What a flag is to be: `ok`, `ok = true`, `ok != false` are the same. */
  expected(key: string): boolean {
    const operator = this.reader.operator(key, EQUALITY_OPERATORS);
    if (operator === undefined) return true;
    return this.reader.booleanValue() === (operator === '=');
  }

  annotation(place: Place, word: string, side: string | undefined, dotted: string | undefined): WithoutSpan {
    const { reader } = this;
    const inBlock = place.scope === 'trace' || place.scope === 'service' || place.scope === 'edge';
    if (!inBlock || (side !== undefined && place.scope !== 'edge')) this.refuseAnnotation(place, word, side);
    reader.take();
    const key = dotted ?? this.bracketed();
    const owner = (side?.toLowerCase() ?? 'own') as AnnotationOwner;
    const operator = reader.operator(`annotation.${key}`, ANY_OPERATORS);
    if (operator === undefined) return { kind: 'annotation-set', owner, key };
    return { kind: 'annotation', owner, key, operator, value: this.annotationValue(operator) };
  }

  refuseAnnotation(place: Place, word: string, side: string | undefined): never {
    const belongs = side === undefined ? 'the trace, service() and edge()' : 'the block of edge()';
    const { token } = this.reader;
    const message = `${quoted(word)} has no meaning ${describeScope(place.scope)} (position ${token.start}); it belongs to ${belongs}.`;
    return this.reader.refuseAt(token, message, startWords(place));
  }

  bracketed(): string {
    const { reader } = this;
    if (!reader.skipMark('[')) reader.refuse('the annotation\'s key: annotation.key or annotation["key"]', ['.', '[']);
    const key = reader.textValue();
    reader.needMark(']', "after the annotation's key");
    return key;
  }

  annotationValue(operator: AnyOperator): Literal {
    if (operator === '=' || operator === '!=') return this.reader.literal();
    const ordered = NUMBER_OPERATORS.some((number) => number === operator);
    return ordered ? this.reader.numberValue() : this.reader.textValue();
  }

  service(): WithoutSpan {
    const { reader } = this;
    reader.take();
    reader.needMark('(', 'after "service"');
    const selector = reader.atMark(')') ? undefined : this.selector();
    reader.needMark(')', 'to close service(');
    return { kind: 'service', selector, block: this.block(SERVICE_PLACE) };
  }

  edge(): WithoutSpan {
    const { reader } = this;
    reader.take();
    reader.needMark('(', 'after "edge"');
    const source = reader.atMark(',') || reader.atMark(')') ? undefined : this.selector();
    const destination = reader.skipMark(',') && !reader.atMark(')') ? this.selector() : undefined;
    reader.needMark(')', 'to close edge(');
    return { kind: 'edge', source, destination, block: this.block(EDGE_PLACE) };
  }

  block(place: Place): FilterExpression | undefined {
    return this.reader.atMark('{') ? this.neededBlock(place, '') : undefined;
  }

  neededBlock(place: Place, after: string): FilterExpression {
    const { reader } = this;
    const opening = reader.token;
    reader.needMark('{', after);
    const inner = reader.deeper(opening, () => this.or(place));
    reader.needMark('}', 'to close the block, AND or OR');
    return inner;
  }

  /** A name or `id(…)`; a selector without any part that says something fits every node, like none. */
  selector(): NodeSelector | undefined {
    const { reader } = this;
    if (!reader.atCall('id')) return selectorOf({ name: reader.textValue() });
    reader.take();
    reader.take();
    const parts: SelectorParts = {};
    do this.selectorPart(parts);
    while (reader.skipMark(','));
    reader.needMark(')', 'to close id(');
    return selectorOf(parts);
  }

  selectorPart(parts: SelectorParts): void {
    const { reader } = this;
    const { token } = reader;
    const word = token.kind === 'word' ? token.text : '';
    const part = SELECTOR_PARTS.get(word.toLowerCase());
    if (part === undefined) return reader.refuse('name:, type: or account.id:', ['name:', 'type:', 'account.id:']);
    if (parts[part] !== undefined) reader.refuseAt(token, `"${word}" is given twice, again at position ${token.start}.`, []);
    reader.take();
    reader.needMark(':', `after "${word}"`);
    parts[part] = reader.textValue();
  }

  group(by: 'name' | 'arn'): WithoutSpan {
    const { reader } = this;
    reader.take();
    const operator = reader.operator(`group.${by}`, EQUALITY_OPERATORS);
    if (operator === undefined) return reader.refuse(`= or != after "group.${by}"`, EQUALITY_OPERATORS);
    return { kind: 'group', by, operator, value: reader.textValue() };
  }

  rootCause(word: string): WithoutSpan {
    const { reader } = this;
    if (!ROOT_CAUSE_WORDS.includes(word)) this.refuseRootCause(word);
    reader.take();
    const [first, last] = word.slice('rootcause.'.length).split('.');
    if (last === undefined) return this.rootCauseJson(word, undefined);
    const cause = first as Cause;
    if (last === 'json') return this.rootCauseJson(word, cause);
    if (last === 'client_impacting') return { kind: 'rootcause-impact', cause, expected: this.expected(word) };
    const part = last as RootCausePart;
    return { kind: 'rootcause', cause, part, block: this.neededBlock({ scope: `rootcause.${part}`, cause }, `after "${word}"`) };
  }

  refuseRootCause(word: string): never {
    const { token } = this.reader;
    const near = suggest(word, ROOT_CAUSE_WORDS);
    const hint = near === undefined ? '' : ` Did you mean "${near}"?`;
    const message = `${quoted(word)} at position ${token.start} is no root cause: write rootcause.json or rootcause.fault.service {…}.${hint}`;
    return this.reader.refuseAt(token, message, near === undefined ? ROOT_CAUSE_WORDS : [near]);
  }

  rootCauseJson(word: string, cause: Cause | undefined): WithoutSpan {
    const { reader } = this;
    const operator = reader.operator(word, EQUALITY_OPERATORS) ?? reader.refuse(`= or != after "${word}"`, EQUALITY_OPERATORS);
    const { token } = reader;
    if (token.kind !== 'json') return reader.refuse('JSON after "#", such as #[{"Services": […]}]', ['#']);
    reader.take();
    return { kind: 'rootcause-json', cause, operator, pattern: token.value };
  }
}

/** A node of the tree that does not know its place yet. */
type WithoutSpan = DistributeOmit<FilterExpression>;
type DistributeOmit<T> = T extends { readonly span: SourceSpan } ? Omit<T, 'span'> : never;

interface SelectorParts {
  name?: string;
  type?: string;
  accountId?: string;
}

const SELECTOR_PARTS: ReadonlyMap<string, keyof SelectorParts> = new Map([
  ['name', 'name'],
  ['type', 'type'],
  ['account.id', 'accountId'],
]);

function selectorOf(parts: SelectorParts): NodeSelector | undefined {
  const [name, type, accountId] = [parts.name, parts.type, parts.accountId].map((part) => part || undefined);
  if (name === undefined && type === undefined && accountId === undefined) return undefined;
  return { name, type, accountId };
}

function join(kind: 'and' | 'or', operands: readonly FilterExpression[]): FilterExpression {
  const first = operands[0]!;
  const last = operands[operands.length - 1]!;
  if (first === last) return first;
  return { kind, operands, span: { start: first.span.start, end: last.span.end } };
}

function blockName(scope: Scope): string {
  if (scope === 'trace') return 'the trace';
  return scope === 'service' || scope === 'edge' ? `${scope}() {…}` : `rootcause.<cause>.${scope.slice('rootcause.'.length)} {…}`;
}
