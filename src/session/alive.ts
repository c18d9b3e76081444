/** Whether a process runs. */
import { readFileSync } from 'node:fs';

/** False when it is gone, or only waits for its parent to notice that it ended. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A main thread that ended is a zombie while others of the process run (field 20 of proc(5): their number).
    return (fields[0] !== 'Z' && fields[0] !== 'X') || Number(fields[17]) > 1;
  } catch {
    return false;
  }
}
