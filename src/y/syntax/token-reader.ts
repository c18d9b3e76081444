/**
 * What all parts of the parser share: the place in the tokens, complaints, recovery, the bound on depth, and the script's names.
 *
 * A syntax error throws `ParseFailure` after its diagnostic; whoever reads a list (statements, declarations, probes) catches it and goes on
 * behind what is damaged. One damaged statement gives one diagnostic.
 */
import type { Identifier } from './ast.ts';
import type { Diagnostic, Note } from './diagnostics.ts';
import type { Preprocessed } from './preprocess.ts';
import type { Span } from './span.ts';
import { isMark, type Token } from './token.ts';

/** Thrown inside of the parser only. */
export class ParseFailure extends Error {}

/** Deepest nesting of blocks, parentheses, types and operators. */
export const MAX_DEPTH = 256;
/** Operators of one chain (`a + b + …`, `a.b.c…`), which nest as deep in the tree. */
export const MAX_CHAIN = 1000;
const MAX_DIAGNOSTICS = 100;

/** C's words that are no names. */
const RESERVED = new Set(
  (
    'auto break case char const continue default do double else enum extern float for goto if inline int long register restrict return short ' +
    'signed sizeof static struct switch typedef union unsigned void volatile while _Bool _Complex _Atomic _Alignas _Alignof _Generic _Noreturn ' +
    '_Static_assert _probe _foreach _try _catch _delete _clear _agg _str _option _percpu _lru _global'
  ).split(' '),
);
/** Types that need no declaration: names of C's standard headers. */
export const PREDEFINED_TYPES =
  'int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t intptr_t uintptr_t intmax_t uintmax_t size_t ssize_t ptrdiff_t off_t time_t wchar_t'.split(
    ' ',
  );

export class TokenReader {
  protected readonly source: Preprocessed;
  protected readonly diagnostics: Diagnostic[] = [];
  protected at = 0;
  private readonly tokens: readonly Token[];
  private readonly scopes: Map<string, 'type' | 'value'>[] = [new Map(PREDEFINED_TYPES.map((name) => [name, 'type']))];
  private depth = 0;
  /** Nothing more is said: a bound was reached. */
  private silent = false;
  private lastComplaint = -1;

  constructor(source: Preprocessed) {
    this.source = source;
    this.tokens = source.tokens;
  }

  // ------------------------------------------------------------ reading

  /** The token `ahead` of the present one; the end stands for all behind it. A damaged token complains when it is met. */
  protected peek(ahead = 0): Token {
    return this.tokens[Math.min(this.at + ahead, this.tokens.length - 1)] as Token;
  }

  protected next(): Token {
    const token = this.peek();
    if (token.kind === 'bad') this.failBad(token);
    if (token.kind !== 'end') this.at++;
    return token;
  }

  /** The last token that was read. */
  protected last(): Token {
    return this.tokens[Math.max(0, this.at - 1)] as Token;
  }

  protected isMark(text: string, ahead = 0): boolean {
    return isMark(this.peek(ahead), text);
  }

  protected isWord(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === 'identifier' && token.text === text;
  }

  protected takeMark(text: string): boolean {
    if (!this.isMark(text)) return false;
    this.at++;
    return true;
  }

  protected takeWord(text: string): boolean {
    if (!this.isWord(text)) return false;
    this.at++;
    return true;
  }

  /** Reads `text`, or fails; `context` says where: `after the condition`. */
  protected expectMark(text: string, context: string): Token {
    if (this.isMark(text)) return this.next();
    return this.failExpected(`"${text}" ${context}`);
  }

  /** Reads a `;`. Where it was forgotten at a line's end, complains and goes on. */
  protected expectSemicolon(context: string): void {
    if (this.takeMark(';')) return;
    const next = this.peek();
    if (next.kind === 'bad') this.failBad(next);
    const gap = behind(this.last());
    const sameLine = !next.lineStart && next.kind !== 'end' && !isMark(next, '}');
    if (sameLine) this.failExpected(`";" ${context}`);
    this.complain('expected', `expected ";" ${context}`, gap);
  }

  /** True for a name that is no reserved word. */
  protected isName(ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === 'quoted' || (token.kind === 'identifier' && !RESERVED.has(token.text));
  }

  protected expectName(what: string): Identifier {
    if (this.isName()) return toIdentifier(this.next());
    const token = this.peek();
    const hint = token.kind === 'identifier' ? `"${token.text}" is a word of the language` : undefined;
    return this.failExpected(what, hint);
  }

  // ------------------------------------------------------------ names

  protected declare(name: Identifier | undefined, as: 'type' | 'value'): void {
    if (name !== undefined && !name.quoted) this.scopes.at(-1)?.set(name.text, as);
  }

  /** What the script says the name at `ahead` is; undefined when that is the target's to say. */
  protected known(ahead = 0): 'type' | 'value' | undefined {
    const token = this.peek(ahead);
    if (token.kind !== 'identifier') return undefined;
    for (let at = this.scopes.length - 1; at >= 0; at--) {
      const found = this.scopes[at]?.get(token.text);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Runs `read` with a scope of its own. */
  protected scoped<T>(read: () => T): T {
    const height = this.scopes.length;
    this.scopes.push(new Map());
    try {
      return read();
    } finally {
      this.scopes.length = height;
    }
  }

  // ------------------------------------------------------------ bounds

  /** Runs `read` one level deeper. */
  protected nested<T>(read: () => T): T {
    if (this.depth >= MAX_DEPTH) this.stop('too-deep', `this is nested more than ${MAX_DEPTH} deep`);
    this.depth++;
    try {
      return read();
    } finally {
      this.depth--;
    }
  }

  /** Called for each operator of a chain with how many there are. */
  protected checkChain(count: number): void {
    if (count > MAX_CHAIN) this.stop('too-long', `this expression has more than ${MAX_CHAIN} operators in a row`);
  }

  /** Complains, and ends the parsing: what follows would be misread. */
  private stop(code: string, message: string): never {
    this.complain(code, message, this.peek().span, 'split it');
    this.silent = true;
    this.at = this.tokens.length - 1;
    throw new ParseFailure(message);
  }

  // ------------------------------------------------------------ complaints

  protected readonly complain = (code: string, message: string, span: Span, hint?: string, notes: readonly Note[] = []): void => {
    if (this.silent) return;
    if (this.diagnostics.length >= MAX_DIAGNOSTICS) {
      this.silent = true;
      this.at = this.tokens.length - 1;
      code = 'too-many';
      message = `more than ${MAX_DIAGNOSTICS} mistakes: the rest of the file was not looked at`;
      hint = undefined;
      notes = [];
    }
    this.diagnostics.push({ severity: 'error', code, message, span, notes, hint });
  };

  protected warn(code: string, message: string, span: Span, hint?: string): void {
    if (!this.silent) this.diagnostics.push({ severity: 'warning', code, message, span, notes: [], hint });
  }

  /** Complains that `what` was expected here, and fails. */
  protected failExpected(what: string, hint?: string): never {
    const token = this.peek();
    if (token.kind === 'bad') this.failBad(token);
    return this.fail('expected', `expected ${what}, got ${show(token)}`, token.span, hint);
  }

  protected fail(code: string, message: string, span: Span, hint?: string, notes: readonly Note[] = []): never {
    // A second complaint at the same token would come from the first.
    if (this.lastComplaint !== this.at) this.complain(code, message, span, hint, notes);
    this.lastComplaint = this.at;
    throw new ParseFailure(message);
  }

  private failBad(token: Token): never {
    const { fault } = token;
    const message = fault?.message ?? 'a damaged token';
    this.fail(fault?.code ?? 'bad-token', message, token.span, fault?.hint, fault?.notes);
  }

  // ------------------------------------------------------------ recovery

  /**
   * Goes behind a damaged statement that began at token `begin`: behind its `;`, or before the `}` of its block, a `{` that follows
   * the head of a loop, or the next probe.
   */
  protected skipStatement(begin: number): void {
    const head = this.tokens[begin]?.text ?? '';
    const hasBlock = ['if', 'for', 'while', '_foreach'].includes(head);
    const semicolonsInside = head === 'for' || head === '_foreach';
    if (this.closeBraces(begin)) return;
    let parentheses = 0;
    for (let at = begin; at < this.at; at++) parentheses += nesting(this.tokens[at] as Token);
    for (; this.peek().kind !== 'end' && !this.isMark('}') && !this.isItemStart(); this.at++) {
      const token = this.peek();
      // A literal that was not closed took the line's rest, and the `;` with it.
      if (token.kind === 'bad' && this.peek(1).lineStart) {
        this.at++;
        return;
      }
      parentheses = Math.max(0, parentheses + nesting(token));
      if (isMark(token, '{')) {
        if (hasBlock) return;
        this.skipBlock(0);
        this.takeMark(';');
        return;
      }
      if (isMark(token, ';') && (parentheses === 0 || !semicolonsInside)) {
        this.at++;
        return;
      }
    }
  }

  /** Goes behind a damaged declaration or probe. */
  protected skipItem(begin: number): void {
    if (this.at === begin && this.peek().kind !== 'end') this.at++;
    if (this.closeBraces(begin)) return;
    for (; this.peek().kind !== 'end' && !this.isItemStart(); this.at++) {
      if (this.isMark('{')) {
        this.skipBlock(0);
        this.takeMark(';');
        return;
      }
      if (this.isMark(';') || this.isMark('}')) {
        this.at++;
        return;
      }
    }
  }

  /** Goes behind the braces that were opened since token `begin` and not closed; false when there are none. */
  private closeBraces(begin: number): boolean {
    let depth = 0;
    for (let at = begin; at < this.at; at++) {
      const token = this.tokens[at] as Token;
      if (isMark(token, '{')) depth++;
      if (isMark(token, '}')) depth--;
    }
    if (depth <= 0) return false;
    this.skipBlock(depth);
    this.takeMark(';');
    return true;
  }

  /** To behind the `}` that closes `depth` braces, those met on the way too, or before the next probe. */
  private skipBlock(depth: number): void {
    for (; this.peek().kind !== 'end' && !this.isItemStart(); this.at++) {
      if (this.isMark('{')) depth++;
      if (this.isMark('}') && --depth === 0) {
        this.at++;
        return;
      }
    }
  }

  /** A word that can only begin something at the top of a file. */
  protected isItemStart(): boolean {
    const token = this.peek();
    if (!token.lineStart || token.kind !== 'identifier') return false;
    return token.text === '_probe' || token.text === '_option' || (token.text === '_global' && this.isWord('_probe', 1));
  }
}

export function toIdentifier(token: Token): Identifier {
  return { text: token.text, quoted: token.kind === 'quoted', span: token.span };
}

/** The empty place behind a token, which may have several lines. */
function behind({ text, span }: Token): Span {
  const lines = text.split('\n');
  const column = lines.length === 1 ? span.column + span.end - span.start : (lines.at(-1) ?? '').length + 1;
  return { ...span, start: span.end, line: span.line + lines.length - 1, column };
}

function nesting(token: Token): number {
  if (token.kind !== 'mark') return 0;
  if (token.text === '(' || token.text === '[') return 1;
  return token.text === ')' || token.text === ']' ? -1 : 0;
}

/** A token as messages name it. */
function show(token: Token): string {
  if (token.kind === 'end') return 'the end of the file';
  const text = token.text.length > 40 ? `${token.text.slice(0, 40)}…` : token.text;
  return token.kind === 'string' || token.kind === 'character' ? text : `"${text}"`;
}
