import type { Diagnostic } from './diagnostics.ts';
import type { Span } from './span.ts';

export interface Token {
  readonly kind: TokenKind;
  /** As written; of a name in backquotes, without them; of the end, empty. */
  readonly text: string;
  readonly span: Span;
  /** Blanks, a comment or a line's end before it. */
  readonly spaced: boolean;
  /** The first one of its line. */
  readonly lineStart: boolean;
  /** Macros that made it, which do not expand again. */
  readonly hidden?: HiddenMacros | undefined;
  /** Of a `bad` token: given when the token is met, so that what `#if` skips says nothing. */
  readonly fault?: Diagnostic | undefined;
}

export type TokenKind =
  | 'identifier'
  /** `` `std::vector<int>` `` */
  | 'quoted'
  /** A preprocessing number: any digits with letters and dots after them. Checked when read as a literal. */
  | 'number'
  | 'string'
  | 'character'
  | 'regex'
  /** `$0` */
  | 'capture'
  | 'mark'
  | 'bad'
  | 'end';

/** A linked list, shared between tokens. */
export interface HiddenMacros {
  readonly name: string;
  readonly next: HiddenMacros | undefined;
}

export interface Comment {
  /** Without the comment's marks. */
  readonly text: string;
  /** Begins with two stars. */
  readonly document: boolean;
  readonly span: Span;
}

export function isMark(token: Token, text: string): boolean {
  return token.kind === 'mark' && token.text === text;
}
