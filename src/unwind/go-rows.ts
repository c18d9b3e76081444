// Go's functions as rows. Go links no .eh_frame; how far the return address is from the stack pointer is in the table that Go's own tracebacks use,
// which stripped programs have too. Sources: Go runtime/traceback.go; cmd/internal/obj/{x86,arm64}/obj*.go for where a frame keeps what.
import type { FrameArchitecture } from '../dwarf/index.ts';
import { parseGoTable, type ElfFile, type GoTable } from '../elf/index.ts';
import { encodeGoFrame, encodeKind } from './compact-rule.ts';

/** Rows to lay over those of call-frame information. */
export interface OverlayRows {
  /** Addresses of the file, ascending. */
  readonly pc: readonly number[];
  /** Index in `rules`; `KEEP` where the rows below show through. */
  readonly rule: readonly number[];
  readonly rules: readonly Uint8Array[];
}

export const KEEP = -1;

/** Functions into which the runtime sends a thread as if by a call, from any instruction: the address in the caller is exact. */
const INJECTED = new Set(['runtime.asyncPreempt', 'runtime.sigpanic', 'runtime.debugCallV2']);

/** Rows of all Go functions; undefined for files that Go did not link, or whose table is damaged. */
export function compileGoRows(elf: ElfFile, architecture: FrameArchitecture): OverlayRows | undefined {
  const table = parseGoTable(elf);
  return table.ok && table.value !== undefined ? new GoRows(table.value, architecture).compile() : undefined;
}

class GoRows {
  readonly #table: GoTable;
  readonly #architecture: FrameArchitecture;
  readonly #pc: number[] = [];
  readonly #rule: number[] = [];
  readonly #rules: Uint8Array[] = [];
  readonly #numbers = new Map<string, number>();

  constructor(table: GoTable, architecture: FrameArchitecture) {
    this.#table = table;
    this.#architecture = architecture;
  }

  compile(): OverlayRows {
    const { base, starts, functionCount } = this.#table;
    for (let index = 0; index < functionCount; index++) this.#addFunction(index);
    this.#push(base + starts[functionCount]!, KEEP);
    return { pc: this.#pc, rule: this.#rule, rules: this.#rules };
  }

  #addFunction(index: number): void {
    const start = this.#table.base + this.#table.starts[index]!;
    const rows = this.#table.stackRows(index);
    if (rows === undefined) return this.#push(start, KEEP);
    if (this.#table.isTopFrame(index)) return this.#push(start, this.#kind('end'));
    const switches = this.#table.writesStackPointer(index);
    const injected = INJECTED.has(this.#table.name(index));
    const deepest = Math.max(...rows.depths);
    for (const [i, depth] of rows.depths.entries()) {
      if (!switches) this.#push(rows.starts[i]!, this.#frame(depth, injected));
      // With a frame, the frame pointer leads back to the stack it came from; without one there is no way back, and the runtime sees an end, too.
      else if (deepest > 0) this.#push(rows.starts[i]!, depth > 0 ? this.#kind('frame') : this.#frame(0, false));
      else this.#push(rows.starts[i]!, this.#kind('end'));
    }
  }

  #push(pc: number, rule: number): void {
    if (this.#rule.at(-1) === rule) return;
    this.#pc.push(pc);
    this.#rule.push(rule);
  }

  #frame(depth: number, injected: boolean): number {
    return this.#number(`${depth} ${injected}`, () => encodeGoFrame(depth, injected, this.#architecture));
  }

  #kind(kind: 'end' | 'frame'): number {
    return this.#number(kind, () => encodeKind(kind));
  }

  #number(key: string, encode: () => Uint8Array): number {
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.#rules.length);
    this.#rules.push(encode());
    return this.#rules.length - 1;
  }
}
