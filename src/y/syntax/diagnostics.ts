/**
 * What the compiler has to say to the user, and how it looks in a terminal.
 */
import type { Span } from './span.ts';

export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  /** Short and stable, for tests and for documents: `unknown-type`. */
  readonly code: string;
  /** What is wrong, with the thing and the value; no final dot. */
  readonly message: string;
  /** Undefined only where no place of a source is to blame. */
  readonly span: Span | undefined;
  readonly notes: readonly Note[];
  /** The way out; undefined when there is none to offer. */
  readonly hint: string | undefined;
}

export interface Note {
  readonly message: string;
  readonly span: Span | undefined;
}

/** Source texts by file name, as in the spans. */
export type Sources = ReadonlyMap<string, string>;
