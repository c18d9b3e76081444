/** The parser's hand on the tokens: looks ahead, takes, and refuses with a sentence. */
import { lexFilter, MAX_DEPTH, type Token } from './lex.ts';
import { operatorOf } from './operators.ts';
import type { FilterError, Literal, SourceSpan } from './syntax.ts';

/** Thrown inside the parser only; `parseFilter` turns it into a value. */
export class Refusal extends Error {
  readonly fault: FilterError;

  constructor(fault: FilterError) {
    super(fault.message);
    this.fault = fault;
  }
}

/** Reads tokens one by one; every method that takes one moves past it. */
export class TokenReader {
  readonly text: string;
  readonly #tokens: readonly Token[];
  #index = 0;
  #depth = 0;
  #lastEnd = 0;

  constructor(text: string) {
    this.text = text;
    this.#tokens = lexFilter(text);
  }

  get token(): Token {
    // The last token is `end` or `bad`, and neither is ever taken.
    return this.#tokens[this.#index]!;
  }

  /** Runs `read` and says which text it took. */
  spanned<T extends object>(read: () => T): T & { readonly span: SourceSpan } {
    const start = this.token.start;
    const value = read();
    return { ...value, span: { start, end: Math.max(start, this.#lastEnd) } };
  }

  atEnd(): boolean {
    return this.token.kind === 'end';
  }

  take(): Token {
    const token = this.token;
    if (token.kind === 'bad') throw new Refusal(token.fault);
    if (token.kind !== 'end') {
      this.#index++;
      this.#lastEnd = token.end;
    }
    return token;
  }

  atMark(mark: string): boolean {
    return this.token.kind === 'mark' && this.token.mark === mark;
  }

  skipMark(mark: string): boolean {
    if (!this.atMark(mark)) return false;
    this.take();
    return true;
  }

  needMark(mark: string, after: string): void {
    if (!this.skipMark(mark)) this.refuse(`"${mark}" ${after}`, [mark]);
  }

  atWord(word: string): boolean {
    return this.token.kind === 'word' && this.token.text.toLowerCase() === word;
  }

  skipWord(word: string): boolean {
    if (!this.atWord(word)) return false;
    this.take();
    return true;
  }

  /** Whether the token after this one is an opening parenthesis: `id(` is a selector, `id` alone a name. */
  atCall(word: string): boolean {
    const next = this.#tokens[this.#index + 1];
    return this.atWord(word) && next?.kind === 'mark' && next.mark === '(';
  }

  /** Runs `read` one level deeper; too deep is refused at the token that opened the level. */
  deeper<T>(opening: Token, read: () => T): T {
    if (this.#depth >= MAX_DEPTH) {
      this.refuseAt(opening, `Nested more than ${MAX_DEPTH} levels deep at position ${opening.start}.`, []);
    }
    this.#depth++;
    const value = read();
    this.#depth--;
    return value;
  }

  /** Takes an operator; undefined when none follows. Refuses one that is not in `allowed`, and a value without one. */
  operator<T extends string>(key: string, allowed: readonly T[]): T | undefined {
    const found = operatorOf(this.token);
    const fitting = allowed.find((operator) => operator === found);
    if (fitting !== undefined) {
      this.take();
      return fitting;
    }
    const value = ['string', 'number', 'json'].includes(this.token.kind);
    if (found !== undefined || value) this.refuse(`one of ${allowed.join(' ')} after "${key}"`, allowed);
    return undefined;
  }

  /** A string, or a bare word or number in its place. */
  textValue(): string {
    const token = this.token;
    if (token.kind === 'string') return (this.take(), token.value);
    if (token.kind === 'number') return (this.take(), this.text.slice(token.start, token.end));
    if (token.kind === 'word' && !this.#atConnective()) return (this.take(), token.text);
    return this.refuse('a text in double quotes', ['"']);
  }

  numberValue(): number {
    const token = this.token;
    if (token.kind === 'number') return (this.take(), token.value);
    const hint =
      token.kind === 'string'
        ? ' Write numbers without quotes.'
        : token.kind === 'word' && /^\d/.test(token.text)
          ? ' Write a plain number; times are in seconds.'
          : '';
    return this.refuse('a number', ['a number'], hint);
  }

  /** `true` or `false` in any case, with or without quotes. */
  booleanValue(): boolean {
    const token = this.token;
    const text = token.kind === 'word' ? token.text : token.kind === 'string' ? token.value : '';
    const lower = text.toLowerCase();
    if (lower !== 'true' && lower !== 'false') return this.refuse('true or false', ['true', 'false']);
    this.take();
    return lower === 'true';
  }

  /** A value whose type is told by its spelling. */
  literal(): Literal {
    if (this.token.kind === 'number') return this.numberValue();
    return this.atWord('true') || this.atWord('false') ? this.booleanValue() : this.textValue();
  }

  #atConnective(): boolean {
    return this.atWord('and') || this.atWord('or');
  }

  /** Refuses the token that stands here: `wanted` goes into the sentence, `expected` to programs. */
  refuse(wanted: string, expected: readonly string[], hint = ''): never {
    const token = this.token;
    if (token.kind === 'bad') throw new Refusal(token.fault);
    const found =
      token.kind === 'end'
        ? 'but the expression ends'
        : `found ${quoted(this.text.slice(token.start, token.end))} at position ${token.start}`;
    return this.refuseAt(token, `Expected ${wanted}, ${found}.${hint}`, expected);
  }

  /** Refuses a token with a sentence of the caller's own. */
  refuseAt(token: Token, message: string, expected: readonly string[]): never {
    throw new Refusal({ message, position: token.start, length: token.end - token.start, expected });
  }
}

const LONGEST_QUOTE = 40;

/** The text for a message, cut short. */
export function quoted(text: string): string {
  const short = text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text;
  return short.startsWith('"') ? short : `"${short}"`;
}
