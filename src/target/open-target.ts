import type { Result } from '../base/index.ts';
import { openFrozenProcess } from './frozen-process.ts';
import { openLiveProcess } from './live-process.ts';
import type { Target, TargetError } from './target.ts';

/** What to open. */
export type TargetChoice = { readonly pid: number };

export interface OpenOptions {
  /** Stop all threads of a process until `close`. */
  readonly freeze?: boolean;
}

/** Opens what is to be looked at. The caller closes it. */
export function openTarget(choice: TargetChoice, options: OpenOptions = {}): Result<Target, TargetError> {
  return options.freeze === true ? openFrozenProcess(choice.pid) : openLiveProcess(choice.pid);
}
