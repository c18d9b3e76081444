/** Adds to `fixed` properties that are computed when they are first looked at, and kept: how readers make types that may be cyclic. */
export function lazy<const Fixed extends object, Late extends object>(
  fixed: Fixed,
  getters: { readonly [Key in keyof Late]: () => Late[Key] },
): Fixed & Late {
  for (const key of Object.keys(getters) as (keyof Late & string)[]) {
    Object.defineProperty(fixed, key, {
      enumerable: true,
      configurable: true,
      get() {
        const value = getters[key]();
        Object.defineProperty(fixed, key, { enumerable: true, value });
        return value;
      },
    });
  }
  return fixed as Fixed & Late;
}
