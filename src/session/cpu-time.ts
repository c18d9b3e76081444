/** CPU time that processes and the host have used, in nanoseconds. */
import { readFileSync } from 'node:fs';

/** Ticks of /proc are hundredths of a second on all Linux user interfaces (USER_HZ, include/asm-generic/param.h). */
const TICK_NS = 1e7;

/** CPU time of all processors since boot that was not idle, waiting or stolen; 0 when it cannot be read. */
export function readHostCpuNs(text = readIfThere('/proc/stat')): number {
  const fields =
    /^cpu +(.*)$/m
      .exec(text ?? '')?.[1]
      ?.split(' ')
      .map(Number) ?? [];
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0] = fields;
  return (user + nice + system + irq + softIrq) * TICK_NS;
}

interface Usage {
  /** Of the process itself. */
  readonly own: number;
  /** Of children that ended and were waited for, and theirs. */
  readonly children: number;
  /** Ticks since boot at its start. */
  readonly started: number;
}

/** Sums the CPU time of a changing set of processes, and of children that came and went in between. */
export class ProcessClock {
  #last = new Map<number, Usage>();
  /** Processes that started after this were children, or joined new: all their time counts. */
  #since: number;

  /** @param uptimeTicks ticks since boot, now */
  constructor(uptimeTicks = readUptimeTicks()) {
    this.#since = uptimeTicks;
  }

  /** Nanoseconds since the last call. What an ended child used is counted when its parent has waited for it. */
  advance(pids: readonly number[], read = readUsage): number {
    const now = new Map<number, Usage>();
    let own = 0;
    let inherited = 0;
    for (const pid of pids) {
      const usage = read(pid);
      if (usage === undefined) continue;
      now.set(pid, usage);
      const before = this.#before(pid, usage);
      own += usage.own - before.own;
      inherited += usage.children - before.children;
    }
    // What a parent inherits of a child that we knew was counted while it lived.
    for (const [pid, { own: known, children }] of this.#last) if (!now.has(pid)) inherited -= known + children;
    this.#last = now;
    return (own + Math.max(0, inherited)) * TICK_NS;
  }

  #before(pid: number, usage: Usage): { readonly own: number; readonly children: number } {
    const last = this.#last.get(pid);
    if (last?.started === usage.started) return last;
    return usage.started >= this.#since ? { own: 0, children: 0 } : usage;
  }
}

/** Of /proc/PID/stat (proc(5)): utime 14, stime 15, cutime 16, cstime 17, starttime 22; undefined when the process is gone. */
function readUsage(pid: number): Usage | undefined {
  const text = readIfThere(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): number => Number(fields[number - 3]);
  return { own: field(14) + field(15), children: field(16) + field(17), started: field(22) };
}

function readUptimeTicks(): number {
  return Number(readIfThere('/proc/uptime')?.split(' ')[0] ?? 0) * 100;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
