/** Processors, as the kernel counts them. */
import { readFileSync } from 'node:fs';

/**
 * The list in a file of /sys/devices/system/cpu (`0-3,8`), as numbers. `possible` decides how many values a per-CPU map has; `online` where
 * perf events can be opened.
 */
export function listCpus(kind: 'possible' | 'online'): number[] {
  return parseCpuList(readFileSync(`/sys/devices/system/cpu/${kind}`, 'utf8'));
}

/** `0-3,8` to numbers. What is no list gives no numbers. */
export function parseCpuList(text: string): number[] {
  return text
    .trim()
    .split(',')
    .flatMap((part) => {
      const match = /^(\d+)(?:-(\d+))?$/.exec(part);
      if (match === null) return [];
      const first = Number(match[1]);
      const last = Number(match[2] ?? first);
      return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
    });
}
