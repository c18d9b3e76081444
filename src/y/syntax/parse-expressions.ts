/** Expressions: C11 6.5, with `~~`, `in`, `<<<`, captures and the operators that take a type. */
import type {
  AssignExpression,
  BinaryOperatorText,
  ErrorExpression,
  Expression,
  InitializerItem,
  NameExpression,
  PathStep,
  RegexLiteral,
  StringLiteral,
  TypeNode,
} from './ast.ts';
import { readCharacter, readNumber, readRegex, readString } from './literals.ts';
import { TypeParser } from './parse-types.ts';
import { spanOver, type Span } from './span.ts';
import { toIdentifier } from './token-reader.ts';
import type { Token } from './token.ts';

/** Strength of the binary operators; `in` is as strong as `<`. */
const STRENGTH: Readonly<Record<string, number>> = {
  '||': 1,
  '&&': 2,
  '|': 3,
  '^': 4,
  '&': 5,
  '==': 6,
  '!=': 6,
  '~~': 6,
  '!~~': 6,
  '<': 7,
  '<=': 7,
  '>': 7,
  '>=': 7,
  in: 7,
  '<<': 8,
  '>>': 8,
  '+': 9,
  '-': 9,
  '*': 10,
  '/': 10,
  '%': 10,
};
const ADDITIVE = 9;
const ASSIGN = new Set(['=', '+=', '-=', '*=', '/=', '%=', '<<=', '>>=', '&=', '|=', '^=']);

export abstract class ExpressionParser extends TypeParser {
  /** With commas. */
  protected parseExpression(): Expression {
    const first = this.parseAssignment();
    if (!this.isMark(',')) return first;
    const items = [first];
    while (this.takeMark(',')) {
      items.push(this.parseAssignment());
      this.checkChain(items.length);
    }
    return { kind: 'comma', items, span: spanOver(first.span, this.last().span) };
  }

  protected parseAssignment(): Expression {
    return this.nested(() => {
      const target = this.parseConditional();
      const token = this.peek();
      if (token.kind !== 'mark') return target;
      if (token.text === '<<<') {
        this.next();
        const value = this.parseConditional();
        return { kind: 'sample', into: target, value, span: spanOver(target.span, value.span) };
      }
      if (!ASSIGN.has(token.text)) return target;
      this.next();
      const operator = (token.text === '=' ? undefined : token.text.slice(0, -1)) as AssignExpression['operator'];
      const value = this.parseAssignment();
      return { kind: 'assign', operator, target, value, operatorSpan: token.span, span: spanOver(target.span, value.span) };
    });
  }

  protected parseConditional(): Expression {
    const condition = this.parseBinary(1);
    if (!this.takeMark('?')) return condition;
    const then = this.isMark(':') ? undefined : this.parseExpression();
    this.expectMark(':', 'of the conditional operator');
    const otherwise = this.nested(() => this.parseConditional());
    // oxlint-disable-next-line unicorn/no-thenable -- a node, never awaited
    return { kind: 'conditional', condition, then, else: otherwise, span: spanOver(condition.span, otherwise.span) };
  }

  /** No comparison and no shift: `_str<16>` ends at its `>`. */
  protected parseAdditive(): Expression {
    return this.parseBinary(ADDITIVE);
  }

  // ------------------------------------------------------------ binary

  private parseBinary(weakest: number): Expression {
    let left = this.nested(() => this.parseUnary());
    for (let count = 1; ; count++) {
      const token = this.peek();
      const strength = this.strengthOf(token);
      if (strength < weakest) return left;
      this.checkChain(count);
      this.next();
      left = this.readRight(left, token, strength);
    }
  }

  /** 0 for what is no binary operator. A `/` before `{` ends a probe's condition. */
  private strengthOf(token: Token): number {
    const operator = token.kind === 'mark' || (token.kind === 'identifier' && token.text === 'in');
    if (!operator || !Object.hasOwn(STRENGTH, token.text)) return 0;
    if (token.text === '/' && this.isMark('{', 1)) return 0;
    return STRENGTH[token.text] ?? 0;
  }

  private readRight(left: Expression, operator: Token, strength: number): Expression {
    if (operator.text === '~~' || operator.text === '!~~') return this.readMatch(left, operator);
    const right = this.parseBinary(strength + 1);
    const span = spanOver(left.span, right.span);
    if (operator.text === '&&' || operator.text === '||') return { kind: 'logical', operator: operator.text, left, right, span };
    if (operator.text === 'in') return { kind: 'in', keys: left.kind === 'comma' ? left.items : [left], array: right, span };
    return { kind: 'binary', operator: operator.text as BinaryOperatorText, left, right, operatorSpan: operator.span, span };
  }

  private readMatch(subject: Expression, operator: Token): Expression {
    const negated = operator.text === '!~~';
    const pattern = this.readPattern(operator);
    return { kind: 'match', subject, negated, pattern, span: spanOver(subject.span, pattern.span) };
  }

  private readPattern(operator: Token): RegexLiteral | ErrorExpression {
    if (this.peek().kind === 'regex') return readRegex(this.next());
    const right = this.parseBinary((STRENGTH[operator.text] ?? 0) + 1);
    const hint = right.kind === 'string' ? `write rx/${right.text}/` : 'write rx/…/';
    this.complain('expected-regex', `expected a regular expression after "${operator.text}"`, right.span, hint);
    return { kind: 'error', span: right.span };
  }

  // ------------------------------------------------------------ unary and casts

  private parseUnary(): Expression {
    const token = this.peek();
    if (token.kind === 'identifier' && token.text === 'sizeof') return this.parseSizeof();
    if (token.kind !== 'mark') return this.parsePostfix();
    switch (token.text) {
      case '+':
      case '-':
      case '!':
      case '~':
      case '*':
      case '&': {
        this.next();
        const operand = this.nested(() => this.parseUnary());
        return { kind: 'unary', operator: token.text, operand, span: spanOver(token.span, operand.span) };
      }
      case '++':
      case '--': {
        this.next();
        const operand = this.nested(() => this.parseUnary());
        return { kind: 'update', operator: token.text, prefix: true, operand, span: spanOver(token.span, operand.span) };
      }
      case '~~':
      case '!~~':
        return this.readDoubled(token);
      case '(':
        return this.isCast() ? this.parseCast() : this.parsePostfix();
      default:
        return this.parsePostfix();
    }
  }

  /** C's `~~x` and `!~~x`, which are operators of one operand here. */
  private readDoubled(token: Token): Expression {
    this.next();
    const operand = this.nested(() => this.parseUnary());
    const span = spanOver(token.span, operand.span);
    const once: Expression = { kind: 'unary', operator: '~', operand, span };
    const twice: Expression = { kind: 'unary', operator: '~', operand: once, span };
    return token.text === '~~' ? twice : { kind: 'unary', operator: '!', operand: twice, span };
  }

  /** At a `(`: whether a type in parentheses begins here. */
  private isCast(): boolean {
    if (this.isTypeStart(1)) return true;
    if (!this.mayBeType(1)) return false;
    if (this.isPointerTo(2)) return true;
    return this.isMark(')', 2) && this.isOperandAfterCast(3, this.peek(1));
  }

  /** From `ahead`: stars (and `const`), or `(*)`, then `)`. */
  private isPointerTo(ahead: number): boolean {
    if (this.isMark('(', ahead) && this.isMark('*', ahead + 1) && this.isMark(')', ahead + 2)) return true;
    let at = ahead;
    while (this.isMark('*', at) || this.isWord('const', at) || this.isWord('volatile', at)) at++;
    return at > ahead && this.isMark(')', at);
  }

  /** What follows `(name)` when that is a cast. `(a) - b` is a difference, unless the name looks like a type's. */
  private isOperandAfterCast(ahead: number, name: Token): boolean {
    const token = this.peek(ahead);
    if (token.kind === 'identifier') return token.text !== 'in';
    if (token.kind !== 'mark') return token.kind !== 'end' && token.kind !== 'bad' && token.kind !== 'regex';
    if (token.text === '!' || token.text === '~') return true;
    return ['-', '+', '*', '&', '++', '--', '~~'].includes(token.text) && (name.kind === 'quoted' || name.text.endsWith('_t'));
  }

  private parseCast(): Expression {
    const open = this.next();
    const type = this.parseTypeName();
    this.expectMark(')', 'after the type of the cast');
    if (this.isMark('{')) {
      const operand = this.parseInitializer();
      return { kind: 'cast', type, operand, span: spanOver(open.span, operand.span) };
    }
    const operand = this.nested(() => this.parseUnary());
    return { kind: 'cast', type, operand, span: spanOver(open.span, operand.span) };
  }

  private parseSizeof(): Expression {
    const word = this.next();
    const isType = this.isMark('(') && (this.isTypeStart(1) || (this.mayBeType(1) && this.isPointerTo(2)));
    if (isType) {
      this.next();
      const type = this.parseTypeName();
      const close = this.expectMark(')', 'after the type');
      return { kind: 'sizeof', type, operand: undefined, span: spanOver(word.span, close.span) };
    }
    const operand = this.nested(() => this.parseUnary());
    return { kind: 'sizeof', type: undefined, operand, span: spanOver(word.span, this.last().span) };
  }

  // ------------------------------------------------------------ postfix

  private parsePostfix(): Expression {
    let value = this.parseAmbiguous() ?? this.parsePrimary();
    for (let count = 1; ; count++) {
      const next = this.readPostfix(value);
      if (next === undefined) return value;
      this.checkChain(count);
      value = next;
    }
  }

  private readPostfix(object: Expression): Expression | undefined {
    const token = this.peek();
    if (token.kind !== 'mark') return undefined;
    const over = (): Span => spanOver(object.span, this.last().span);
    switch (token.text) {
      case '[': {
        this.next();
        const indices = this.parseList(']', 'after the index');
        if (indices.length === 0) this.complain('expected', 'expected an index between the brackets', token.span);
        return { kind: 'index', object, indices: indices.length === 0 ? [{ kind: 'error', span: token.span }] : indices, span: over() };
      }
      case '(': {
        this.next();
        const given = this.parseList(')', 'after the arguments');
        return { kind: 'call', callee: object, arguments: given, span: over() };
      }
      case '.':
      case '->': {
        this.next();
        const name = this.expectName('the name of a member');
        return { kind: 'member', object, name, arrow: token.text === '->', span: over() };
      }
      case '++':
      case '--':
        this.next();
        return { kind: 'update', operator: token.text, prefix: false, operand: object, span: over() };
      default:
        return undefined;
    }
  }

  /** Assignments between commas, to `close`, which is read. */
  private parseList(close: string, context: string): Expression[] {
    const items: Expression[] = [];
    if (this.takeMark(close)) return items;
    do items.push(this.parseAssignment());
    while (this.takeMark(','));
    this.expectMark(close, context);
    return items;
  }

  /** `(name)(…)` of a name that is not the script's. */
  private parseAmbiguous(): Expression | undefined {
    const shape = this.isMark('(') && this.isName(1) && this.isMark(')', 2) && this.isMark('(', 3);
    if (!shape || this.known(1) === 'value') return undefined;
    const open = this.next();
    const name = toName(this.next());
    this.next();
    this.next();
    const given = this.parseList(')', 'after the arguments');
    return { kind: 'ambiguous-call', name, arguments: given, span: spanOver(open.span, this.last().span) };
  }

  // ------------------------------------------------------------ primary

  private parsePrimary(): Expression {
    const token = this.peek();
    switch (token.kind) {
      case 'number':
        return readNumber(this.next(), this.complain);
      case 'character':
        return readCharacter(this.next(), this.complain);
      case 'string':
        return this.parseStringOrScope();
      case 'regex': {
        const literal = readRegex(this.next());
        this.complain('stray-regex', 'a regular expression stands only after "~~" or "!~~"', literal.span, 'write text ~~ rx/…/');
        return { kind: 'error', span: literal.span };
      }
      case 'capture':
        this.next();
        return { kind: 'capture', index: Number(token.text.slice(1)), span: token.span };
      case 'identifier':
      case 'quoted':
        return this.parseWord(token);
      default:
        return this.isMark('(') ? this.parseParenthesis() : this.failExpected('an expression');
    }
  }

  private parseParenthesis(): Expression {
    const open = this.next();
    const inner = this.parseExpression();
    const close = this.expectMark(')', 'after the expression');
    return { ...inner, span: spanOver(open.span, close.span) };
  }

  /** Adjacent strings are one; before `::` a string is a scope. */
  private parseStringOrScope(): Expression {
    const text = this.parseString();
    if (!this.takeMark('::')) return text;
    const name = this.expectName('a name after "::"');
    return { kind: 'name', name, scope: text, span: spanOver(text.span, name.span) };
  }

  protected parseString(): StringLiteral {
    const parts: Token[] = [];
    while (this.peek().kind === 'string') parts.push(this.next());
    if (parts.length === 0) this.failExpected('a string');
    return readString(parts, this.complain);
  }

  private parseWord(token: Token): Expression {
    const called = this.isMark('(', 1) && token.kind === 'identifier';
    if (called && (token.text === '_user' || token.text === '_kernel'))
      return this.parseSpaceCast(token.text === '_user' ? 'user' : 'kernel');
    if (called && token.text === '_read') return this.parseRead();
    if (called && (token.text === 'offsetof' || token.text === '__builtin_offsetof')) return this.parseOffsetof();
    if (called && token.text === '_container_of') return this.parseContainerOf();
    if (!this.isName()) {
      const template = this.last().text === '<' ? 'a C++ name is written in backquotes: `std::vector<int>`' : undefined;
      const cast = this.isTypeWord() ? 'a type stands here only in parentheses, as a cast' : undefined;
      const hint = template ?? cast ?? `"${token.text}" is a word of the language`;
      return this.failExpected('an expression', hint);
    }
    const name = toName(this.next());
    if (token.kind === 'identifier' && this.isMark('::')) {
      this.fail(
        'plain-cpp-name',
        'a C++ name is written in backquotes',
        spanOver(token.span, this.peek().span),
        `write \`${token.text}::…\``,
      );
    }
    return name;
  }

  private parseSpaceCast(space: 'user' | 'kernel'): Expression {
    const { word, type } = this.parseTypeArgument();
    const operand = this.parseAssignment();
    const close = this.expectMark(')', 'after the pointer');
    return { kind: 'space-cast', space, type, operand, span: spanOver(word.span, close.span) };
  }

  private parseRead(): Expression {
    const { word, type } = this.parseTypeArgument();
    const address = this.parseAssignment();
    const close = this.expectMark(')', 'after the address');
    return { kind: 'read', type, address, span: spanOver(word.span, close.span) };
  }

  private parseOffsetof(): Expression {
    const { word, type } = this.parseTypeArgument();
    const path = this.parsePath();
    const close = this.expectMark(')', 'after the member');
    return { kind: 'offsetof', type, path, span: spanOver(word.span, close.span) };
  }

  private parseContainerOf(): Expression {
    const word = this.next();
    this.expectMark('(', 'after _container_of');
    const pointer = this.parseAssignment();
    this.expectMark(',', 'and a type after the pointer');
    const type = this.parseTypeName();
    this.expectMark(',', 'and a member after the type');
    const path = this.parsePath();
    const close = this.expectMark(')', 'after the member');
    return { kind: 'container-of', pointer, type, path, span: spanOver(word.span, close.span) };
  }

  /** `word(T,` */
  private parseTypeArgument(): { readonly word: Token; readonly type: TypeNode } {
    const word = this.next();
    this.expectMark('(', `after ${word.text}`);
    const type = this.parseTypeName();
    this.expectMark(',', 'after the type');
    return { word, type };
  }

  /** `a.b[2].c` */
  private parsePath(): readonly PathStep[] {
    const first = this.expectName('the name of a member');
    const path: PathStep[] = [{ kind: 'member-step', name: first, span: first.span }];
    for (;;) {
      const step = this.parseStep();
      if (step === undefined) return path;
      path.push(step);
    }
  }

  /** `.name` or `[index]`. */
  private parseStep(): PathStep | undefined {
    const begin = this.peek().span;
    if (this.takeMark('.')) {
      const name = this.expectName('the name of a member');
      return { kind: 'member-step', name, span: spanOver(begin, name.span) };
    }
    if (!this.takeMark('[')) return undefined;
    const index = this.parseConditional();
    const close = this.expectMark(']', 'after the index');
    return { kind: 'index-step', index, span: spanOver(begin, close.span) };
  }

  // ------------------------------------------------------------ initialisers

  /** What may stand after `=` of a declaration. */
  protected parseInitializer(): Expression {
    if (!this.isMark('{')) return this.parseAssignment();
    return this.nested(() => {
      const open = this.next();
      const items: InitializerItem[] = [];
      while (!this.isMark('}')) {
        items.push(this.parseInitializerItem());
        if (!this.takeMark(',')) break;
      }
      const close = this.expectMark('}', 'after the initial values');
      return { kind: 'initializer-list', items, span: spanOver(open.span, close.span) };
    });
  }

  private parseInitializerItem(): InitializerItem {
    const begin = this.peek().span;
    const designators: PathStep[] = [];
    for (let step = this.parseStep(); step !== undefined; step = this.parseStep()) designators.push(step);
    if (designators.length > 0) this.expectMark('=', 'after the designator');
    const value = this.parseInitializer();
    return { designators, value, span: spanOver(begin, value.span) };
  }
}

function toName(token: Token): NameExpression {
  return { kind: 'name', name: toIdentifier(token), scope: undefined, span: token.span };
}
