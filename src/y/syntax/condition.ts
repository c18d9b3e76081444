/** The constant expressions of `#if`: C11 6.10.1, in 64-bit arithmetic, signed or unsigned. Macros are expanded and `defined` replaced already. */
import { readCharacter, readNumber, type Complain } from './literals.ts';
import type { Span } from './span.ts';
import { isMark, type Token } from './token.ts';

/** Weakest first. */
const LEVELS: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<', '<=', '>', '>='],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];
const MAX_DEPTH = 200;

/** `value` is in the range of its signedness. */
interface Value {
  readonly value: bigint;
  readonly unsigned: boolean;
}

const ZERO: Value = { value: 0n, unsigned: false };

function toValue(value: bigint, unsigned: boolean): Value {
  return { value: unsigned ? BigInt.asUintN(64, value) : BigInt.asIntN(64, value), unsigned };
}

function toTruth(value: boolean): Value {
  return value ? { value: 1n, unsigned: false } : ZERO;
}

/** The value of `tokens`, or undefined after a complaint. `at` is blamed when there are none. */
export function evaluateCondition(tokens: readonly Token[], at: Span, complain: Complain): bigint | undefined {
  const evaluator = new Evaluator(tokens, at, complain);
  const { value } = evaluator.readAll();
  return evaluator.failed ? undefined : value;
}

class Evaluator {
  failed = false;
  private readonly tokens: readonly Token[];
  private readonly end: Span;
  private readonly complainOf: Complain;
  private at = 0;
  private depth = 0;

  constructor(tokens: readonly Token[], end: Span, complain: Complain) {
    this.tokens = tokens;
    this.end = tokens.at(-1)?.span ?? end;
    this.complainOf = complain;
  }

  readAll(): Value {
    const value = this.readConditional(true);
    const left = this.tokens[this.at];
    if (left !== undefined) this.complain(`"${left.text}" does not belong into this condition`, left.span);
    return value;
  }

  /** `live` is false where the value does not count: then a division by zero is none. */
  private readConditional(live: boolean): Value {
    const condition = this.readLevel(0, live);
    if (!this.take('?')) return condition;
    if (++this.depth > MAX_DEPTH) return this.complain('this condition is nested too deeply', this.here());
    const then = this.readConditional(live && condition.value !== 0n);
    if (!this.take(':')) return this.complain('expected ":" of the conditional operator', this.here());
    const otherwise = this.readConditional(live && condition.value === 0n);
    this.depth--;
    return toValue((condition.value === 0n ? otherwise : then).value, then.unsigned || otherwise.unsigned);
  }

  private readLevel(level: number, live: boolean): Value {
    const operators = LEVELS[level];
    if (operators === undefined) return this.readUnary(live);
    let left = this.readLevel(level + 1, live);
    for (let token = this.tokens[this.at]; token?.kind === 'mark' && operators.includes(token.text); token = this.tokens[this.at]) {
      this.at++;
      const needed = token.text === '&&' ? left.value !== 0n : token.text === '||' ? left.value === 0n : true;
      const right = this.readLevel(level + 1, live && needed);
      left = this.apply(token, left, right, live);
    }
    return left;
  }

  private readUnary(live: boolean): Value {
    if (++this.depth > MAX_DEPTH) return this.complain('this condition is nested too deeply', this.here());
    const value = this.readOperand(live);
    this.depth--;
    return value;
  }

  private readOperand(live: boolean): Value {
    const token = this.tokens[this.at++];
    if (token === undefined) return this.complain('expected a value in this condition', this.end);
    if (isMark(token, '!')) return toTruth(this.readUnary(live).value === 0n);
    if (isMark(token, '+')) return this.readUnary(live);
    if (isMark(token, '-') || isMark(token, '~')) {
      const { value, unsigned } = this.readUnary(live);
      return toValue(token.text === '-' ? -value : ~value, unsigned);
    }
    if (isMark(token, '(')) return this.readParenthesis(token, live);
    if (token.kind === 'number') return this.readNumber(token);
    if (token.kind === 'character') return toValue(readCharacter(token, this.complainOf).value, false);
    if (token.kind === 'identifier') return toTruth(token.text === 'true');
    return this.complain(`"${token.text}" does not belong into this condition`, token.span);
  }

  private readNumber(token: Token): Value {
    const literal = readNumber(token, this.complainOf);
    if (literal.kind === 'integer') return toValue(literal.value, /u/i.test(token.text) || literal.value >= 1n << 63n);
    return this.complain(`"${token.text}" is no integer, as a condition needs`, token.span);
  }

  private readParenthesis(open: Token, live: boolean): Value {
    const value = this.readConditional(live);
    if (!this.take(')')) return this.complain('this parenthesis is not closed', open.span);
    return value;
  }

  private apply(operator: Token, left: Value, right: Value, live: boolean): Value {
    const divides = operator.text === '/' || operator.text === '%';
    if (divides && right.value === 0n) return live ? this.complain('division by zero in this condition', operator.span) : ZERO;
    const shifts = operator.text === '<<' || operator.text === '>>';
    const unsigned = left.unsigned || (right.unsigned && !shifts);
    const value = calculate(operator.text, toValue(left.value, unsigned).value, toValue(right.value, unsigned).value);
    return typeof value === 'boolean' ? toTruth(value) : toValue(value, unsigned);
  }

  private take(mark: string): boolean {
    const token = this.tokens[this.at];
    if (token === undefined || !isMark(token, mark)) return false;
    this.at++;
    return true;
  }

  private here(): Span {
    return this.tokens[this.at]?.span ?? this.end;
  }

  /** One complaint is enough; the rest is skipped. */
  private complain(message: string, span: Span): Value {
    if (!this.failed) this.complainOf('bad-condition', message, span);
    this.failed = true;
    this.at = this.tokens.length;
    return ZERO;
  }
}

function calculate(operator: string, left: bigint, right: bigint): bigint | boolean {
  switch (operator) {
    case '||':
      return left !== 0n || right !== 0n;
    case '&&':
      return left !== 0n && right !== 0n;
    case '|':
      return left | right;
    case '^':
      return left ^ right;
    case '&':
      return left & right;
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
    case '<<':
      return left << (right & 63n);
    case '>>':
      return left >> (right & 63n);
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
    default:
      return left % right;
  }
}
