/** One instruction as a closure over its registers. Answers `NEXT`, or the block where control goes on. */
import type { Loss, SourcePlace } from '../../ir/program.ts';
import type { Frame } from './frame.ts';

export type Step = (frame: Frame) => number;

/** Goes on with the next instruction. */
export const NEXT = -1;
/** Leaves the function. Only terminators answer this. */
export const LEAVE = -2;

/** Thrown to end a hit from any depth of calls; caught where the probe is run. Carries no stack: it is no bug. */
export class HitEnded {
  readonly why: Loss;
  readonly at: SourcePlace | undefined;
  readonly detail: string;
  /** A call with a handler goes on there. */
  readonly caught: boolean;

  constructor(why: Loss, at: SourcePlace | undefined, detail: string, caught = false) {
    this.why = why;
    this.at = at;
    this.detail = detail;
    this.caught = caught;
  }
}
