import { err, ok, type Result } from '../base/index.ts';
import { detachThread, freezeProcess, readRegisters, type FrozenThread } from '../native/index.ts';
import { isGone, LiveProcess, openLiveProcess, readThreadName, toTargetError } from './live-process.ts';
import { readIdentity } from './proc-files.ts';
import type { Identity, Registers, Target, TargetError, TargetThread } from './target.ts';

/** A process all of whose threads stand still until `close`; when our own process ends, the kernel lets them go on. */
export class FrozenProcess extends LiveProcess {
  override readonly kind: Target['kind'] = 'frozen';
  #frozen: readonly FrozenThread[];
  #registers: Map<number, Registers> | undefined;

  constructor(pid: number, identity: Identity, frozen: readonly FrozenThread[]) {
    super(pid, identity);
    this.#frozen = frozen;
  }

  /** Threads with their registers. */
  override threads(): Result<readonly TargetThread[], TargetError> {
    if (this.#registers === undefined) {
      const registers = this.#readAll();
      if (!registers.ok) return registers;
      this.#registers = registers.value;
    }
    const all = this.#registers;
    return ok(
      this.#frozen
        .filter(({ tid }) => all.has(tid))
        .map(({ tid }) => ({ tid, name: readThreadName(this.pid, tid), registers: all.get(tid) })),
    );
  }

  #readAll(): Result<Map<number, Registers>, TargetError> {
    const all = new Map<number, Registers>();
    for (const { tid } of this.#frozen) {
      const registers = readRegisters(tid);
      // A frozen thread can still be killed.
      if (registers.ok) all.set(tid, registers.value);
      else if (!isGone(registers.error)) return err(toTargetError(this.pid, 'reading the registers', registers.error));
    }
    if (all.size === 0) return err({ kind: 'gone', message: `process ${this.pid} is gone` });
    return ok(all);
  }

  override close(): void {
    for (const thread of this.#frozen) detachThread(thread);
    this.#frozen = [];
    super.close();
  }
}

/** Freezes a process and opens it. All its calls must come from the thread that opened it. */
export function openFrozenProcess(pid: number): Result<FrozenProcess, TargetError> {
  const live = openLiveProcess(pid);
  if (!live.ok) return live;
  const frozen = freezeProcess(pid);
  if (!frozen.ok) return err(toTargetError(pid, 'freezing', frozen.error));
  // Read again: the process may have called exec before it stood.
  const identity = readIdentity(pid);
  const target = new FrozenProcess(pid, identity.ok ? identity.value : live.value.identity, frozen.value);
  const refreshed = target.refresh();
  if (refreshed.ok) return ok(target);
  target.close();
  return refreshed;
}
