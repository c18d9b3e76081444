/** Probes and their points: section 5 of the language's manual. */
import type {
  Expression,
  FunctionPattern,
  Identifier,
  ParameterNode,
  PointKind,
  PointNode,
  ProbeDeclaration,
  StringLiteral,
} from './ast.ts';
import { StatementParser } from './parse-statements.ts';
import { readNumber } from './literals.ts';
import { didYouMean } from './similar.ts';
import { spanOver, type Span } from './span.ts';
import { toIdentifier } from './token-reader.ts';
import { isMark, type Token } from './token.ts';

const TIMER_UNITS = ['s', 'ms', 'us', 'hz'] as const;
const LIFE = {
  _process: { exec: 'exec', fork: 'fork', exit: 'exit' },
  _thread: { start: 'thread-start', exit: 'thread-exit' },
} as const;
/** What probe points begin with, other than functions of the target. */
const POINT_WORDS = [
  '_begin',
  '_end',
  '_oneshot',
  '_timer',
  '_profile',
  '_pmu',
  '_addr',
  '_usdt',
  '_syscall',
  '_kfunc',
  '_tracepoint',
  '_cpu',
  '_process',
  '_thread',
  '_page_fault',
];

export abstract class PointParser extends StatementParser {
  /** `_probe POINT [, POINT …] [/ condition /] { body }`, with `_global` before or after `_probe`. */
  protected parseProbe(): ProbeDeclaration {
    const begin = this.peek().span;
    let global = this.takeWord('_global');
    if (!this.takeWord('_probe')) this.failExpected('"_probe" after "_global"');
    const optional = this.takeMark('?');
    global = this.takeWord('_global') || global;
    return this.scoped(() => {
      const points = [this.parsePoint()];
      while (this.takeMark(',')) {
        points.push(this.parsePoint());
        this.checkChain(points.length);
      }
      const condition = this.parseProbeCondition();
      if (!this.isMark('{')) this.failExpected('"{" and the body of the probe');
      const body = this.parseBlock();
      return { kind: 'probe', optional, global, points, condition, body, span: spanOver(begin, body.span) };
    });
  }

  private parseProbeCondition(): Expression | undefined {
    if (!this.takeMark('/')) return undefined;
    const condition = this.parseExpression();
    this.expectMark('/', 'after the condition of the probe');
    return condition;
  }

  private parsePoint(): PointNode {
    const begin = this.peek().span;
    const kind = this.parsePointKind();
    if ('parameters' in kind) for (const parameter of kind.parameters ?? []) this.declare(parameter.name, 'value');
    if ('result' in kind) this.declare(kind.result?.name, 'value');
    const span = spanOver(begin, this.last().span);
    return { ...kind, text: this.textOf(span), span };
  }

  private textOf(span: Span): string {
    const text = this.source.sources.get(span.file) ?? '';
    return text.slice(span.start, span.end).replace(/\s+/g, ' ');
  }

  private parsePointKind(): PointKind {
    const token = this.peek();
    if (token.kind === 'string') return this.parseScoped();
    if (token.kind !== 'identifier') return this.parseFunction(undefined);
    const isOurs = POINT_WORDS.includes(token.text);
    // `_end(…)` or `_exit` are functions of the target.
    if (isOurs) return this.parseWordPoint(token);
    const near =
      token.text.startsWith('_') && (this.isMark('.', 1) || this.isMark('{', 1)) ? didYouMean(token.text, POINT_WORDS) : undefined;
    if (near !== undefined || this.isMark('.', 1)) this.fail('unknown-probe', `there is no probe point "${token.text}"`, token.span, near);
    return this.parseFunction(undefined);
  }

  private parseWordPoint(token: Token): PointKind {
    this.next();
    switch (token.text) {
      case '_begin':
        return { kind: 'begin' };
      case '_end':
        return { kind: 'end' };
      case '_oneshot':
        return { kind: 'oneshot' };
      case '_timer':
        return { kind: 'timer', unit: this.parseChoice(token, TIMER_UNITS), amount: this.parseArgument(token) };
      case '_profile':
        this.parseChoice(token, ['hz']);
        return { kind: 'profile', hz: this.parseArgument(token) };
      case '_pmu':
        return this.parsePmu();
      case '_addr':
        return { kind: 'address', address: this.parseArgument(token) };
      case '_usdt':
        return this.parseUsdt();
      case '_syscall':
      case '_kfunc':
        return this.parseKernelFunction(token);
      case '_tracepoint':
        return this.parseTracepoint();
      case '_cpu':
        return { kind: 'cpu', direction: this.parseChoice(token, ['on', 'off']) };
      case '_process':
        return { kind: 'life', event: LIFE._process[this.parseChoice(token, ['exec', 'fork', 'exit'])] };
      case '_thread':
        return { kind: 'life', event: LIFE._thread[this.parseChoice(token, ['start', 'exit'])] };
      default:
        return { kind: 'page-fault', parameters: this.isMark('(') ? this.parseParameters('probe').parameters : undefined };
    }
  }

  /** `.word`, one of `choices`. */
  private parseChoice<T extends string>(of: Token, choices: readonly T[]): T {
    const list = choices.map((choice) => `${of.text}.${choice}`).join(', ');
    this.expectMark('.', `after ${of.text}: ${list}`);
    const token = this.peek();
    const found = token.kind === 'identifier' ? choices.find((choice) => choice === token.text) : undefined;
    if (found === undefined)
      this.fail('unknown-probe', `there is no probe point "${of.text}.${token.text}"`, token.span, `there is ${list}`);
    this.next();
    return found;
  }

  /** `(expression)` */
  private parseArgument(of: Token): Expression {
    this.expectMark('(', `after ${of.text}`);
    const value = this.parseConditional();
    this.expectMark(')', `of ${of.text}`);
    return value;
  }

  private parsePmu(): PointKind {
    this.expectMark('(', 'after _pmu');
    const event = this.parseString();
    this.expectMark(',', 'and the period after the event');
    const period = this.parseConditional();
    this.expectMark(')', 'of _pmu');
    return { kind: 'pmu', event, period };
  }

  private parseUsdt(): PointKind {
    this.expectMark('(', 'after _usdt');
    const provider = this.parseString();
    this.expectMark(',', 'and the name after the provider');
    const name = this.parseString();
    this.expectMark(')', 'of _usdt');
    return { kind: 'usdt', provider, name, parameters: this.isMark('(') ? this.parseParameters('probe').parameters : undefined };
  }

  private parseKernelFunction(word: Token): PointKind {
    const kind = word.text === '_syscall' ? 'syscall' : 'kfunc';
    this.expectMark('.', `and a name after ${word.text}`);
    const { name } = this.parsePattern(undefined);
    const parameters = this.isMark('(') ? this.parseParameters('probe').parameters : undefined;
    if (!this.isMark('->')) return { kind, name, parameters };
    return { kind: `${kind}-return`, name, result: this.parseResult(parameters) };
  }

  private parseTracepoint(): PointKind {
    const form = 'of _tracepoint.CATEGORY.NAME';
    this.expectMark('.', form);
    const category = this.expectName(`the category ${form}`);
    this.expectMark('.', form);
    return { kind: 'tracepoint', category, name: this.expectName(`the name ${form}`) };
  }

  // ------------------------------------------------------------ functions

  /** `"scope"::name…` or `"file.c":123`. */
  private parseScoped(): PointKind {
    const scope = this.parseString();
    if (this.takeMark('::')) return this.parseFunction(scope);
    this.expectMark(':', 'and a line, or "::" and a name, after the file');
    const token = this.peek();
    if (token.kind !== 'number') this.failExpected('the number of a line');
    const line = readNumber(this.next(), this.complain);
    const good = line.kind === 'integer' && line.value > 0n && line.value < 1n << 31n;
    if (!good) this.complain('bad-line', `"${token.text}" is no line number`, token.span);
    return { kind: 'line', file: scope, line: good ? Number(line.value) : 1 };
  }

  private parseFunction(scope: StringLiteral | undefined): PointKind {
    const target = this.parsePattern(scope);
    if (this.takeMark('+')) return { kind: 'instruction', function: target, offset: this.parseOffset() };
    const parameters = this.isMark('(') ? this.parseParameters('probe').parameters : undefined;
    if (!this.isMark('->')) return { kind: 'function-entry', function: target, parameters };
    return { kind: 'function-return', function: target, result: this.parseResult(parameters) };
  }

  private parseOffset(): bigint {
    const token = this.peek();
    if (token.kind !== 'number') this.failExpected('an offset in bytes after "+"');
    const offset = readNumber(this.next(), this.complain);
    if (offset.kind !== 'integer') this.fail('bad-offset', `"${token.text}" is no offset in bytes`, token.span);
    return offset.value;
  }

  /** `-> T r`. The parentheses before it must be empty. */
  private parseResult(parameters: readonly ParameterNode[] | undefined): ParameterNode | undefined {
    this.next();
    const [first] = parameters ?? [];
    if (first !== undefined) {
      this.complain(
        'entry-parameters',
        'at its return a function has no parameters',
        first.span,
        'keep them from its entry in a _thread variable',
      );
    }
    if (this.isWord('void') && !this.isMark('*', 1)) {
      this.next();
      return undefined;
    }
    if (!this.isName() && !this.isTypeStart()) this.failExpected('a type and a name for the value after "->"');
    return this.parseParameter('probe');
  }

  /** A name, or a glob: names, numbers, `*` and `?` with nothing between them. */
  private parsePattern(scope: StringLiteral | undefined): FunctionPattern {
    if (this.peek().kind === 'quoted') return { name: toIdentifier(this.next()), scope, glob: false };
    const parts: Token[] = [];
    for (let token = this.peek(); isPatternPart(token) && (parts.length === 0 || !token.spaced); token = this.peek())
      parts.push(this.next());
    const [first, last] = [parts[0], parts.at(-1)];
    if (first === undefined || last === undefined) {
      return this.failExpected('a probe point', `a function, or one of ${POINT_WORDS.join(' ')}`);
    }
    if (this.isMark('::')) {
      this.fail(
        'plain-cpp-name',
        'a C++ name is written in backquotes',
        spanOver(first.span, this.peek().span),
        `write \`${first.text}::…\``,
      );
    }
    const text = parts.map((token) => token.text).join('');
    const name: Identifier = { text, quoted: false, span: spanOver(first.span, last.span) };
    return { name, scope, glob: /[*?]/.test(text) };
  }
}

function isPatternPart(token: Token): boolean {
  return token.kind === 'identifier' || token.kind === 'number' || isMark(token, '*') || isMark(token, '?');
}
