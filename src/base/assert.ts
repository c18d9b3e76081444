/** Throws when `condition` is false: for our own bugs only, never for bad input. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`Bug: ${message}`);
}

/** Ends an exhaustive `switch` on a union: the compiler refuses it while a member is not handled. */
export function assertNever(value: never): never {
  throw new Error(`Bug: unexpected ${JSON.stringify(value)}`);
}
