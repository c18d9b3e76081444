/** Addresses and backtraces as names. Symbols, debug information and runtimes stand behind it. */
import type { Space } from '../../ir/program.ts';

export interface DescribedFrame {
  /** What a flame graph calls it: equal for all addresses of one function. */
  readonly name: string;
  /** What a printed backtrace says: name, offset, module, or source line. */
  readonly text: string;
}

export interface Describer {
  /** `name+0x1c`, or the address in hexadecimal when nothing is known. */
  symbol(address: bigint, space: Space): string;
  /** `file.c:12`, or the empty text. */
  source(address: bigint): string;
  /** Frames of a captured backtrace, innermost first; empty when it was lost. */
  stack(id: bigint): readonly DescribedFrame[];
}
