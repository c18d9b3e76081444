/**
 * Splits a source into tokens, for the preprocessor and through it for the parser. C11 6.4, with Y's additions: `<<<`, `~~`, `!~~`, `::`,
 * names in backquotes, regular expressions and `$0`. A joined line (`\` at its end) counts as a blank.
 * Time is linear in the text's length.
 */
import type { Diagnostic } from './diagnostics.ts';
import type { Span } from './span.ts';
import type { Comment, Token, TokenKind } from './token.ts';

export interface Lexed {
  /** The last one is `end`. */
  readonly tokens: readonly Token[];
  readonly comments: readonly Comment[];
}

const BLANK = /(?:[ \t\v\f\r\uFEFF]|\\\r?\n)+/y;
const NAME = /[\p{L}_][\p{L}\p{N}_]*/uy;
const NUMBER = /\.?[0-9](?:[eEpP][+-]|[\p{L}\p{N}_.])*/uy;
const MARK = /\.\.\.|<<<|<<=|>>=|!~~|~~|::|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|##|[-+*/%&|^~!<>=?:;,.(){}[\]#]/y;
const CAPTURE = /\$[0-9]{1,9}/y;
// A string or character literal goes to its quote or, damaged, to the line's end.
const STRING = /(?:u8)?"[^"\\\n]*(?:\\(?:\r\n|[^])[^"\\\n]*)*"/y;
const CHARACTER = /'[^'\\\n]*(?:\\[^\n][^'\\\n]*)*'/y;
const REST_OF_LINE = /[^\n]*/y;
const REGEX_FLAGS = /[A-Za-z]*/y;
/** What opens a regular expression after `rx`, and what closes it. */
const DELIMITERS: Readonly<Record<string, string>> = { '/': '/', '{': '}', '(': ')', '[': ']', "'": "'", '"': '"', '!': '!', '#': '#' };

/** Longest regular expression, in characters. */
const MAX_REGEX = 4096;

/** Splits `text`. What cannot be read becomes a `bad` token that carries its diagnostic. */
export function lex(file: string, text: string): Lexed {
  return new Lexer(file, text).run();
}

class Lexer {
  private readonly file: string;
  private readonly text: string;
  private readonly tokens: Token[] = [];
  private readonly comments: Comment[] = [];
  private at = 0;
  private line = 1;
  private lineBegin = 0;
  private spaced = false;
  private lineStart = true;

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
  }

  run(): Lexed {
    while (this.at < this.text.length) {
      if (!this.skipBlank()) this.readToken();
    }
    this.lineStart = true;
    this.push('end', '', this.at);
    return { tokens: this.tokens, comments: this.comments };
  }

  /** Skips one blank, line end or comment; false when there is none. */
  private skipBlank(): boolean {
    const { text, at } = this;
    if (text[at] === '\n') {
      this.move(at + 1);
      this.lineStart = true;
    } else if (text.startsWith('//', at)) {
      const end = at + length(REST_OF_LINE, text, at);
      this.comments.push({ text: text.slice(at + 2, end).trim(), document: false, span: this.span(at, end) });
      this.move(end);
    } else if (text.startsWith('/*', at)) {
      const close = text.indexOf('*/', at + 2);
      if (close < 0) return false;
      const document = text[at + 2] === '*' && close > at + 2;
      this.comments.push({ text: text.slice(at + (document ? 3 : 2), close), document, span: this.span(at, close + 2) });
      this.move(close + 2);
    } else {
      const blank = length(BLANK, text, at);
      if (blank === 0) return false;
      this.move(at + blank);
    }
    this.spaced = true;
    return true;
  }

  private readToken(): void {
    const { text, at } = this;
    const name = length(NAME, text, at);
    if (text.startsWith('/*', at)) this.bad(text.length, 'open-comment', 'this comment has no end', 'close it with */');
    else if (name > 0 && !(text[at] === 'u' && length(STRING, text, at) > 0)) this.readName(name);
    else if (text[at] === '`') this.readQuoted();
    else if (text[at] === '"' || text[at] === 'u') this.readText('string', STRING);
    else if (text[at] === "'") this.readText('character', CHARACTER);
    else if (!this.readBy('number', NUMBER) && !this.readBy('capture', CAPTURE) && !this.readBy('mark', MARK)) this.readStrange();
  }

  private readName(size: number): void {
    const { text, at } = this;
    const opening = size === 2 && text.startsWith('rx', at) ? (text[at + 2] ?? '') : '';
    const closing = Object.hasOwn(DELIMITERS, opening) ? DELIMITERS[opening] : undefined;
    const before = this.tokens.at(-1)?.text;
    // A member that is called so (`p->rx[0]`), or a variable (`rx != 3`).
    const isName = closing === undefined || before === '.' || before === '->' || text.startsWith('rx!=', at);
    if (isName) return this.push('identifier', text.slice(at, at + size), at + size);
    const close = this.findRegexEnd(at + 2, opening, closing);
    if (close === undefined) {
      return this.bad(at + length(REST_OF_LINE, text, at), 'open-regex', 'this regular expression has no end', `close it with ${closing}`);
    }
    const end = close + length(REGEX_FLAGS, text, close);
    this.push('regex', text.slice(at, end), end);
  }

  /** Where the regular expression ends whose opening mark is at `open`: one past the closing mark. Only those in brackets may have several lines. */
  private findRegexEnd(open: number, opening: string, closing: string): number | undefined {
    const { text } = this;
    const bound = Math.min(text.length, open + MAX_REGEX);
    for (let at = open + 1, depth = 1; at < bound; at++) {
      if (text[at] === '\\') at++;
      else if (text[at] === closing && --depth === 0) return at + 1;
      else if (text[at] === opening && opening !== closing) depth++;
      else if (text[at] === '\n' && opening === closing) return undefined;
    }
    return undefined;
  }

  private readQuoted(): void {
    const { text, at } = this;
    const end = at + length(REST_OF_LINE, text, at);
    const close = text.indexOf('`', at + 1);
    const name = text.slice(at + 1, close).trim();
    if (close < 0 || close > end) this.bad(end, 'open-name', 'this name has no closing backquote', undefined);
    else if (name === '') this.bad(close + 1, 'empty-name', 'a name in backquotes is empty', 'write a C++ name, as `std::string`');
    else this.push('quoted', name.replace(/\s+/g, ' '), close + 1);
  }

  private readText(kind: 'string' | 'character', pattern: RegExp): void {
    const { text, at } = this;
    const size = length(pattern, text, at);
    if (size > 0) return this.push(kind, text.slice(at, at + size), at + size);
    const what = kind === 'string' ? 'string' : 'character constant';
    const hint = `close it with ${text[at] === "'" ? "'" : '"'} on the same line`;
    this.bad(at + length(REST_OF_LINE, text, at), 'open-literal', `this ${what} has no end`, hint);
  }

  private readBy(kind: TokenKind, pattern: RegExp): boolean {
    const size = length(pattern, this.text, this.at);
    if (size > 0) this.push(kind, this.text.slice(this.at, this.at + size), this.at + size);
    return size > 0;
  }

  private readStrange(): void {
    const point = this.text.codePointAt(this.at) ?? 0;
    const shown = point < 0x20 || point === 0x7f ? `U+${point.toString(16).padStart(4, '0')}` : String.fromCodePoint(point);
    this.bad(this.at + (point > 0xffff ? 2 : 1), 'stray-character', `the character "${shown}" means nothing here`, undefined);
  }

  private bad(end: number, code: string, message: string, hint: string | undefined): void {
    const fault: Diagnostic = { severity: 'error', code, message, span: this.span(this.at, end), notes: [], hint };
    this.push('bad', this.text.slice(this.at, end), end, fault);
  }

  private push(kind: TokenKind, text: string, end: number, fault?: Diagnostic): void {
    const { spaced, lineStart } = this;
    this.tokens.push({ kind, text, span: this.span(this.at, end), spaced: spaced || lineStart, lineStart, fault });
    this.move(end);
    this.spaced = false;
    this.lineStart = false;
  }

  private span(start: number, end: number): Span {
    return { file: this.file, start, end, line: this.line, column: start - this.lineBegin + 1 };
  }

  /** Goes to `end`, counting the lines that are passed. */
  private move(end: number): void {
    for (let at = this.at; at < end; at++) {
      if (this.text.charCodeAt(at) !== 10) continue;
      this.line++;
      this.lineBegin = at + 1;
    }
    this.at = end;
  }
}

/** Units that `pattern` (sticky) matches at `at`, or 0. */
function length(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex - at : 0;
}
