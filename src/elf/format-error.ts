import { err, ok, type Result } from '../base/index.ts';

/** Why bytes could not be read as what they were said to be. */
export type FormatError =
  /** Not this format at all: the magic number is another. */
  | { readonly kind: 'not-this-format'; readonly message: string }
  /** The bytes end before something that they promise. */
  | { readonly kind: 'truncated'; readonly message: string }
  /** A value contradicts the format. */
  | { readonly kind: 'damaged'; readonly message: string }
  /** Right, but a variant that we do not read. */
  | { readonly kind: 'unsupported'; readonly message: string }
  /** Unpacked it would pass the bound that keeps memory in proportion to the file. */
  | { readonly kind: 'too-large'; readonly message: string };

/** What parsers of this room throw inside; `parseAtBorder` turns it into a value. */
export class FormatFault extends Error {
  readonly error: FormatError;

  constructor(kind: FormatError['kind'], message: string) {
    super(message);
    this.error = { kind, message };
  }
}

/** Runs `parse`, and gives what it threw as a `FormatFault` as an error; anything else is our bug and goes on. */
export function parseAtBorder<T>(parse: () => T): Result<T, FormatError> {
  try {
    return ok(parse());
  } catch (error) {
    if (error instanceof FormatFault) return err(error.error);
    throw error;
  }
}
