import type { Result } from '../base/index.ts';
import { openCoreDump } from './core-dump.ts';
import { openFrozenProcess } from './frozen-process.ts';
import { openLiveProcess } from './live-process.ts';
import type { Target, TargetError } from './target.ts';

/** What to open: a process, or a core dump with (where they are not at the paths that it names) its executable and the root of its files. */
export type TargetChoice = { readonly pid: number } | { readonly core: string; readonly exe?: string; readonly root?: string };

export interface OpenOptions {
  /** Stop all threads of a process until `close`. */
  readonly freeze?: boolean;
}

/** Opens what is to be looked at. The caller closes it. */
export function openTarget(choice: TargetChoice, options: OpenOptions = {}): Result<Target, TargetError> {
  if ('core' in choice) return openCoreDump(choice.core, choice);
  return options.freeze === true ? openFrozenProcess(choice.pid) : openLiveProcess(choice.pid);
}
