/** Whether a process runs. */
import { readFileSync } from 'node:fs';

/** False when it is gone, or only waits for its parent to notice that it ended. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const state = stat[stat.lastIndexOf(')') + 2];
    return state !== 'Z' && state !== 'X';
  } catch {
    return false;
  }
}
