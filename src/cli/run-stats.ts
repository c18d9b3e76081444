/** `--stats`: what each probe did, and how backtraces ended. */
import type { SessionReport } from '../session/index.ts';

/** Lines without their ends. */
export function describeStats({ reason, durationMs, probes, stacks }: SessionReport): readonly string[] {
  const rows = probes.map(({ text, sites, hits, detached }) => [
    text,
    sites === 0 ? '' : count(sites, 'place'),
    sites === 0 ? '' : count(hits, 'hit'),
    detached === undefined ? '' : `taken off: ${detached}`,
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  return [
    `ended after ${(durationMs / 1000).toFixed(2)} s: ${REASONS[reason]}`,
    ...rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd()),
    ...describeStacks(stacks),
  ];
}

const REASONS: Readonly<Record<SessionReport['reason'], string>> = {
  finished: 'the program was done',
  exit: 'the program called _exit()',
  timeout: 'its time was up',
  stopped: 'it was told to stop',
  'target-gone': 'the target is gone',
  'output-failed': 'the output could not be written',
};

function describeStacks(stacks: SessionReport['stacks']): string[] {
  if (stacks === undefined) return [];
  const total = Object.values(stacks.stacks).reduce((sum, one) => sum + one, 0);
  if (total === 0) return ['backtraces of the user: none'];
  const ways = Object.entries(stacks.stacks)
    .filter(([, number]) => number > 0)
    .toSorted(([, a], [, b]) => b - a)
    .map(([status, number]) => `${spellStatus(status)} ${share(number, total)}`);
  return [
    `backtraces of the user: ${total}: ${ways.join(', ')}`,
    `  ${count(stacks.frames, 'frame')}, ${stacks.framePointerFrames} of them by the frame pointer; tables of ${count(stacks.modules, 'file')}`,
    ...[...stacks.failedModules].map(([path, why]) => `  no table of ${path}: ${why}`),
  ];
}

/** `noTable` is "no table". */
function spellStatus(status: string): string {
  return status.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function share(part: number, total: number): string {
  return `${((100 * part) / total).toFixed(1)}%`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
