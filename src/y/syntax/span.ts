/**
 * Where something stands in a source. Offsets count UTF-16 units of the file's text, which is how JavaScript counts.
 */
export interface Span {
  readonly file: string;
  /** First unit, from 0. */
  readonly start: number;
  /** One past the last unit. A span may go over several lines. */
  readonly end: number;
  /** Of `start`, from 1. */
  readonly line: number;
  /** Of `start`, in UTF-16 units, from 1. */
  readonly column: number;
  /** Set when a macro made this: the span is then of the macro's use in the user's text, and this tells where the text came from. */
  readonly macro?: MacroOrigin | undefined;
}

export interface MacroOrigin {
  readonly name: string;
  /** Of the token in the macro's definition. */
  readonly span: Span;
}

/** From the start of `first` to the end of `last`; where these are of two files, `first`. */
export function spanOver(first: Span, last: Span): Span {
  if (first === last || first.file !== last.file || last.end <= first.end) return first;
  return { ...first, end: last.end };
}
