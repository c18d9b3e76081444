/**
 * Random filter expressions and random traces that fit each other: both draw names, users, annotations, statuses and times from the
 * same few values, so that expressions match often enough to mean something.
 */
import * as fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { printFilter, type FilterExpression, type SegmentDocument } from '../../src/trace/index.ts';
import { KEYS, partsOf, type Cause, type Scope } from '../../src/trace/filter/keys.ts';
import type {
  AnnotationOwner,
  AnyOperator,
  JsonValue,
  Literal,
  NodeSelector,
  NumberOperator,
  TextOperator,
} from '../../src/trace/filter/syntax.ts';

const NO_SPAN = { span: { start: 0, end: 0 } };
const NAMES = ['api', 'web', 'db', 'users', 'DynamoDB'];
const TYPES = ['unknown', 'remote', 'Database::SQL', 'AWS::EC2::Instance', 'AWS::DynamoDB::Table', 'client'];
const URLS = ['http://api/', 'http://web/a', ''];
const METHODS = ['GET', 'POST', ''];
const USERS = ['alice', 'bob', ''];
const STATUSES = [0, 200, 404, 429, 500];
const SECONDS = [0, 0.5, 1, 2, 3];
const ANNOTATION_KEYS = ['age', 'name', 'on', '__proto__'];
const ANNOTATIONS: readonly Literal[] = [30, 0.5, '30', 'alice', '', true, false, 'true'];

const NUMBER_OPERATORS: readonly NumberOperator[] = ['=', '!=', '<', '<=', '>', '>='];
const TEXT_OPERATORS: readonly TextOperator[] = ['=', '!=', 'CONTAINS', 'BEGINSWITH', 'ENDSWITH'];
const of = <T>(values: readonly T[]): Arbitrary<T> => fc.constantFrom(...values);
const anyText = fc.oneof(
  { weight: 9, arbitrary: of([...NAMES, ...TYPES, ...URLS, ...METHODS, ...USERS, 'a', 'E']) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) },
);
const anyNumber = fc.oneof(
  { weight: 9, arbitrary: of([...STATUSES, ...SECONDS]) },
  { weight: 1, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
);
const plainZero = (value: number): number => (value === 0 ? 0 : value);

/** A random tree that stands in the given block; it prints to a text that gives the same tree. */
export function expressionTree(scope: Scope = 'trace', cause?: Cause, depth = 3): Arbitrary<FilterExpression> {
  const condition = conditionTree(scope, cause, depth);
  if (depth === 0) return condition;
  const inner = expressionTree(scope, cause, depth - 1);
  const operands = fc.array(inner, { minLength: 2, maxLength: 3 });
  return fc.oneof(
    { weight: 4, arbitrary: condition },
    { weight: 1, arbitrary: inner.map((operand): FilterExpression => ({ kind: 'not', operand, ...NO_SPAN })) },
    { weight: 1, arbitrary: operands.map((parts): FilterExpression => ({ kind: 'and', operands: parts, ...NO_SPAN })) },
    { weight: 1, arbitrary: operands.map((parts): FilterExpression => ({ kind: 'or', operands: parts, ...NO_SPAN })) },
  );
}

function conditionTree(scope: Scope, cause: Cause | undefined, depth: number): Arbitrary<FilterExpression> {
  const plain = keyCondition(scope, cause);
  if (scope.startsWith('rootcause')) return plain;
  const annotation = annotationCondition(scope === 'edge' ? ['own', 'source', 'destination'] : ['own']);
  if (scope !== 'trace' || depth === 0) return fc.oneof({ weight: 3, arbitrary: plain }, annotation);
  return fc.oneof({ weight: 3, arbitrary: plain }, annotation, { weight: 2, arbitrary: blockCondition(depth) }, rootCauseCondition());
}

function keyCondition(scope: Scope, cause: Cause | undefined): Arbitrary<FilterExpression> {
  const fitting = KEYS.filter(({ key, scopes }) => scopes.includes(scope) && (key !== 'coverage' || cause === 'responsetime'));
  return of(fitting).chain((info): Arbitrary<FilterExpression> => {
    if (info.kind === 'flag') return fc.boolean().map((expected) => ({ kind: 'flag', key: info.key, expected, ...NO_SPAN }));
    const set = fc.constant<FilterExpression>({ kind: 'set', key: info.key, ...NO_SPAN });
    if (info.kind === 'number') {
      const compared = fc
        .tuple(of(NUMBER_OPERATORS), anyNumber)
        .map(([operator, value]): FilterExpression => ({ kind: 'number', key: info.key, operator, value: plainZero(value), ...NO_SPAN }));
      return fc.oneof({ weight: 4, arbitrary: compared }, set);
    }
    const compared = fc
      .tuple(of(TEXT_OPERATORS), anyText)
      .map(([operator, value]): FilterExpression => ({ kind: 'text', key: info.key, operator, value, ...NO_SPAN }));
    return fc.oneof({ weight: 4, arbitrary: compared }, set);
  });
}

function annotationCondition(owners: readonly AnnotationOwner[]): Arbitrary<FilterExpression> {
  const key = fc.oneof(
    { weight: 9, arbitrary: of(ANNOTATION_KEYS) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) },
  );
  const test = fc.oneof(
    fc.tuple(of<AnyOperator>(['=', '!=']), fc.oneof<Arbitrary<Literal>[]>(of(ANNOTATIONS), anyText, anyNumber.map(plainZero))),
    fc.tuple(of<AnyOperator>(['<', '<=', '>', '>=']), anyNumber.map(plainZero)),
    fc.tuple(of<AnyOperator>(['CONTAINS', 'BEGINSWITH', 'ENDSWITH']), anyText),
  );
  return fc.oneof(
    fc.record({ kind: fc.constant('annotation-set' as const), owner: of(owners), key, span: fc.constant(NO_SPAN.span) }),
    fc
      .tuple(of(owners), key, test)
      .map(([owner, name, [operator, value]]): FilterExpression => ({ kind: 'annotation', owner, key: name, operator, value, ...NO_SPAN })),
  );
}

const selector: Arbitrary<NodeSelector | undefined> = fc
  .record({
    name: fc.option(of(NAMES), { nil: undefined, freq: 3 }),
    type: fc.option(of(TYPES), { nil: undefined, freq: 2 }),
    accountId: fc.option(of(['1', '2']), { nil: undefined, freq: 1 }).map((account) => (account === '2' ? undefined : account)),
  })
  .map((parts) => ((parts.name ?? parts.type ?? parts.accountId) === undefined ? undefined : parts));

function blockCondition(depth: number): Arbitrary<FilterExpression> {
  const block = (scope: Scope): Arbitrary<FilterExpression | undefined> =>
    fc.option(expressionTree(scope, undefined, depth - 1), { nil: undefined, freq: 3 });
  return fc.oneof(
    fc.record({ kind: fc.constant('service' as const), selector, block: block('service'), span: fc.constant(NO_SPAN.span) }),
    fc.record({
      kind: fc.constant('edge' as const),
      source: selector,
      destination: selector,
      block: block('edge'),
      span: fc.constant(NO_SPAN.span),
    }),
  );
}

function rootCauseCondition(): Arbitrary<FilterExpression> {
  const blocks = of<Cause>(['fault', 'error', 'responsetime']).chain((cause) =>
    of(partsOf(cause)).chain((part) =>
      expressionTree(`rootcause.${part}`, cause, 1).map((block): FilterExpression => ({
        kind: 'rootcause',
        cause,
        part,
        block,
        ...NO_SPAN,
      })),
    ),
  );
  const impact = fc.record({
    kind: fc.constant('rootcause-impact' as const),
    cause: of<Cause>(['fault', 'error', 'responsetime']),
    expected: fc.boolean(),
    span: fc.constant(NO_SPAN.span),
  });
  const json = fc.record({
    kind: fc.constant('rootcause-json' as const),
    cause: fc.option(of<Cause>(['fault', 'error', 'responsetime']), { nil: undefined }),
    operator: of(['=', '!='] as const),
    pattern: fc.oneof(
      fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)) as JsonValue),
      of(NAMES).map((Name): JsonValue => [{ Services: [{ Name }] }]),
      fc.constant<JsonValue>([{ ClientImpacting: true }]),
    ),
    span: fc.constant(NO_SPAN.span),
  });
  return fc.oneof(blocks, impact, json);
}

/** A random expression as text. */
export const expressionText: Arbitrary<string> = expressionTree().map(printFilter);

const WORDS =
  'ok fault responsetime http.status http.url user name first coverage annotation annotation.a source.annotation.b service edge id type ' +
  'account.id group.name rootcause.json rootcause.fault.entity rootcause.error.client_impacting AND or CONTAINS beginswith true x';
const VALUES = '"true" "xy" 5 -0.5e3 #[] #{"a":[1]} # "';
const MARKS = '( ) { } [ ] , : ! = != < <= > >=';
const TOKENS = `${WORDS} ${VALUES} ${MARKS}`.split(' ');

/** Tokens of the language in any order. */
export const tokenSoup: Arbitrary<string> = fc
  .array(fc.tuple(of(TOKENS), of([' ', ' ', ' ', '', '\n'])), { maxLength: 30 })
  .map((tokens) => tokens.map(([token, space]) => token + space).join(''));

type Members = Partial<SegmentDocument>;

const members: Arbitrary<Members> = fc
  .record(
    {
      name: of(NAMES),
      start_time: of([1_700_000_000, 1_700_000_000.5, 1_700_000_001.25]),
      seconds: fc.oneof(of([0, 0.5, 1, 2, 3, undefined]), fc.double({ min: 0, max: 5, noNaN: true })),
      origin: of(['AWS::EC2::Instance', 'AWS::DynamoDB::Table', 'remote']),
      namespace: of(['aws', 'remote', 'local']),
      inferred: of([true, false, false, false]),
      user: of(USERS),
      error: fc.boolean(),
      throttle: fc.boolean(),
      fault: fc.boolean(),
      annotations: fc.dictionary(of(ANNOTATION_KEYS), of(ANNOTATIONS), { maxKeys: 2 }),
      url: of(URLS),
      method: of(METHODS),
      status: fc.oneof(of<unknown>([...STATUSES, '404', '', 200.5, null]), fc.nat(999)),
      traced: of([true, false, false]),
      sql: fc.constant({}),
      aws: of<Record<string, unknown>>([
        { table_name: 'users' },
        { account_id: '1' },
        { ec2: { instance_id: 'i-1', availability_zone: 'a' } },
      ]),
    },
    { requiredKeys: ['name', 'start_time', 'seconds'] },
  )
  .map(({ seconds, url, method, status, traced, ...rest }) => {
    const document: Members = rest;
    if (seconds === undefined) document.in_progress = true;
    else document.end_time = rest.start_time + seconds;
    const request = {
      ...(url === undefined ? {} : { url }),
      ...(method === undefined ? {} : { method }),
      ...(traced === undefined ? {} : { traced }),
    };
    const response = status === undefined ? {} : { status: status as number };
    if (Object.keys(request).length + Object.keys(response).length > 0) document.http = { request, response };
    return document;
  });

/** Sixteen-digit ids of a few, so that documents meet, collide and call each other. */
const spanId = fc.nat(9).map((digit) => String(digit).repeat(16));

function documentTree(depth: number): Arbitrary<SegmentDocument> {
  const own = fc.tuple(spanId, members).map(([id, rest]) => ({ name: '', start_time: 0, ...rest, id }));
  if (depth === 0) return own;
  const below = fc.array(documentTree(depth - 1), { maxLength: 2 });
  return fc.tuple(own, below).map(([document, subsegments]) => (subsegments.length === 0 ? document : { ...document, subsegments }));
}

/** The documents of one random trace: segments and streamed subsegments, with copies, orphans and circles among them. */
export function traceDocuments(traceId: string): Arbitrary<SegmentDocument[]> {
  const top = fc.tuple(documentTree(2), fc.boolean(), fc.option(spanId, { nil: undefined })).map(([document, subsegment, parent]) => ({
    ...document,
    trace_id: traceId,
    ...(subsegment ? { type: 'subsegment', parent_id: parent ?? '0000000000000000' } : {}),
    ...(parent === undefined || subsegment ? {} : { parent_id: parent }),
  }));
  return fc.array(top, { minLength: 1, maxLength: 5 });
}
