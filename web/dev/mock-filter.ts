/**
 * Enough of the filter language for made-up data: flags, numbers, URL, user, annotations, service(), edge(), AND, OR, !, parentheses.
 * The real evaluator works on assembled traces, which the mock has not got.
 */
import type { MockSpan, MockTrace } from './shop.ts';

export class MockFilterError extends Error {
  readonly position: number;
  constructor(message: string, position: number) {
    super(message);
    this.position = position;
  }
}

interface Scope {
  readonly trace: MockTrace;
  readonly span: MockSpan;
}
type Test = (scope: Scope) => boolean;

const TOKEN = /\s*(?:("(?:[^"\\]|\\.)*")|([a-zA-Z_][\w.]*(?:\[[^\]]*\])?)|(-?\d+(?:\.\d+)?(?:e-?\d+)?)|(<=|>=|!=|[=<>!(){},:]))/gy;

export function compileMockFilter(text: string): (trace: MockTrace) => boolean {
  if (text.trim() === '') return () => true;
  const parser = new Parser(text);
  const test = parser.whole();
  return (trace) => trace.spans[0] !== undefined && test({ trace, span: trace.spans[0] });
}

class Parser {
  readonly #tokens: { text: string; at: number }[] = [];
  readonly #end: number;
  #next = 0;

  constructor(text: string) {
    this.#end = text.length;
    TOKEN.lastIndex = 0;
    while (text.slice(TOKEN.lastIndex).trim() !== '') {
      const from = TOKEN.lastIndex;
      const match = TOKEN.exec(text);
      if (!match)
        throw new MockFilterError(
          `unexpected character ${JSON.stringify(text.slice(from).trim()[0])}`,
          from + text.slice(from).search(/\S/),
        );
      const token = match[1] ?? match[2] ?? match[3] ?? match[4]!;
      this.#tokens.push({ text: token, at: TOKEN.lastIndex - token.length });
    }
  }

  whole(): Test {
    const test = this.#or();
    if (this.#peek() !== undefined) this.#fail('unexpected');
    return test;
  }

  #peek(): string | undefined {
    return this.#tokens[this.#next]?.text;
  }

  #fail(what: string): never {
    const token = this.#tokens[this.#next];
    throw new MockFilterError(token ? `${what} ${JSON.stringify(token.text)}` : 'the expression ends too early', token?.at ?? this.#end);
  }

  #take(expected?: string): string {
    const token = this.#peek();
    if (token === undefined || (expected !== undefined && token !== expected))
      this.#fail(expected ? `expected ${JSON.stringify(expected)}, found` : 'unexpected');
    this.#next++;
    return token;
  }

  #word(word: string): boolean {
    if (this.#peek()?.toUpperCase() !== word) return false;
    this.#next++;
    return true;
  }

  #or(): Test {
    let left = this.#and();
    while (this.#word('OR')) {
      const a = left;
      const b = this.#and();
      left = (scope) => a(scope) || b(scope);
    }
    return left;
  }

  #and(): Test {
    let left = this.#unary();
    for (;;) {
      const explicit = this.#word('AND');
      const token = this.#peek();
      if (!explicit && (token === undefined || token === ')' || token === '}' || token.toUpperCase() === 'OR')) return left;
      const a = left;
      const b = this.#unary();
      left = (scope) => a(scope) && b(scope);
    }
  }

  #unary(): Test {
    const token = this.#peek();
    if (token === '!') {
      this.#take();
      const test = this.#unary();
      return (scope) => !test(scope);
    }
    if (token === '(') {
      this.#take();
      const test = this.#or();
      this.#take(')');
      return test;
    }
    if (token?.toLowerCase() === 'service' || token?.toLowerCase() === 'edge') return this.#entity();
    return this.#predicate();
  }

  #entity(): Test {
    const edge = this.#take().toLowerCase() === 'edge';
    this.#take('(');
    const names: (string | undefined)[] = [];
    let name: string | undefined;
    let depth = 1;
    while (depth > 0) {
      const token = this.#take();
      if (token === '(') depth++;
      else if (token === ')') depth--;
      else if (token === ',' && depth === 1) names.push(name);
      else if (token.startsWith('"')) name ??= JSON.parse(token) as string;
      if (token === ',' && depth === 1) name = undefined;
    }
    names.push(name);
    let block: Test = () => true;
    if (this.#peek() === '{') {
      this.#take();
      block = this.#or();
      this.#take('}');
    }
    const callee = names.at(-1);
    return ({ trace }) =>
      trace.spans.some(
        (span) =>
          span.kind === 'segment' &&
          (callee === undefined || span.node.name === callee) &&
          (!edge || names[0] === undefined || trace.spans[span.parent]?.node.name === names[0]) &&
          block({ trace, span }),
      );
  }

  #predicate(): Test {
    const key = this.#take();
    if (!/^[a-z]/i.test(key)) {
      this.#next--;
      this.#fail('expected a keyword, found');
    }
    const operator = this.#peek()?.toUpperCase();
    if (operator === undefined || !['=', '!=', '<', '<=', '>', '>=', 'CONTAINS', 'BEGINSWITH', 'ENDSWITH'].includes(operator)) {
      const bare = value(key);
      if (!bare) this.#unknown(key);
      return (scope) => Boolean(bare(scope));
    }
    this.#take();
    const literal = this.#take();
    const wanted: unknown = /^(true|false)$/i.test(literal)
      ? literal.toLowerCase() === 'true'
      : literal.startsWith('"') || /^-?\d/.test(literal)
        ? JSON.parse(literal)
        : literal;
    const read = value(key);
    if (!read) this.#unknown(key);
    return (scope) => compare(read(scope), operator, wanted);
  }

  #unknown(key: string): never {
    this.#next = this.#tokens.findIndex((token) => token.text === key);
    return this.#fail('unknown keyword');
  }
}

function value(key: string): ((scope: Scope) => unknown) | undefined {
  const lower = key.toLowerCase();
  const annotation = /^annotation(?:\.(.+)|\[(.+)\])$/i.exec(key);
  if (annotation) return ({ trace }) => trace.annotations[(annotation[1] ?? annotation[2])!];
  const readers: Record<string, (scope: Scope) => unknown> = {
    ok: ({ span }) => span.outcome === 'ok',
    error: ({ span }) => span.outcome === 'error' || span.outcome === 'throttle',
    throttle: ({ span }) => span.outcome === 'throttle',
    fault: ({ span }) => span.outcome === 'fault',
    partial: ({ trace }) => trace.spans.some((span) => span.endSeconds === undefined),
    inferred: ({ span }) => span.inferred,
    root: ({ span }) => span.parent < 0,
    responsetime: ({ span }) => (span.endSeconds ?? span.startSeconds) - span.startSeconds,
    duration: ({ span }) => (span.endSeconds ?? span.startSeconds) - span.startSeconds,
    'http.url': ({ span }) => span.url,
    'http.method': ({ span }) => span.method,
    'http.status': ({ span }) => span.status,
    user: ({ trace }) => trace.user,
    name: ({ span }) => span.name,
    type: ({ span }) => span.node.type,
  };
  return readers[lower];
}

function compare(actual: unknown, operator: string, wanted: unknown): boolean {
  if (operator === '=') return actual === wanted;
  if (operator === '!=') return actual !== wanted;
  if (typeof actual === 'string' && typeof wanted === 'string') {
    if (operator === 'CONTAINS') return actual.includes(wanted);
    return operator === 'BEGINSWITH' ? actual.startsWith(wanted) : operator === 'ENDSWITH' && actual.endsWith(wanted);
  }
  if (typeof actual !== 'number' || typeof wanted !== 'number') return false;
  if (operator === '<') return actual < wanted;
  if (operator === '<=') return actual <= wanted;
  return operator === '>' ? actual > wanted : actual >= wanted;
}
