/** Why debug information could not be read: the place and what was wrong there. */
export interface FormatError {
  readonly kind: 'damaged';
  /** As `.debug_info`. */
  readonly section: string;
  /** Bytes from the section's start. */
  readonly offset: number;
  readonly message: string;
}

/** Thrown inside the parsers for data that cannot be read; turned into a `Result` or counted at their border. */
export class FormatFault extends Error {
  readonly detail: FormatError;

  constructor(section: string, offset: number, message: string) {
    super(`${section} at ${offset}: ${message}`);
    this.detail = { kind: 'damaged', section, offset, message };
  }
}

/** Runs `read`; a `FormatFault` becomes `undefined`, everything else goes on. */
export function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof FormatFault) return undefined;
    throw error;
  }
}
