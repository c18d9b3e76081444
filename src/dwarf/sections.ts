/** The sections that debug information lies in, wherever they come from: an ELF file, a `.dwo`, a test. */
export interface DebugSections {
  /** Bytes of a section by its plain name (`.debug_info`), already inflated if it was compressed; undefined when there is none. */
  section(name: string): Uint8Array | undefined;
  readonly littleEndian: boolean;
  readonly addressSize: 4 | 8;
}
