/** One place in source text. */
export interface SourcePlace {
  /** As the debug information or table spells it, not demangled. */
  readonly function: string | undefined;
  readonly file: string | undefined;
  /** From 1; undefined where it is not known. */
  readonly line: number | undefined;
}

/** What debug information knows of an address. */
export interface DebugPlace extends SourcePlace {
  /** Calls inlined at the address, the innermost first; each `line` is the place within that function. */
  readonly inlined: readonly SourcePlace[];
}

/** A reader of debug information of one file (DWARF, Go's table). `address` is linked, as in the file's symbols. */
export interface DebugLines {
  find(address: number): DebugPlace | undefined;
}
