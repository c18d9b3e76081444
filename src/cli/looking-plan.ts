/** Which engine runs a program, and what it is put on. */
import { err, ok, type Result } from '../base/index.ts';
import type { Subject } from '../session/index.ts';
import type { Program } from '../y/index.ts';
import type { LookingWish } from './looking-options.ts';

type ProgramProbe = Program['probes'][number];

/** The engine for a program, or why it cannot run as it was asked. */
export function chooseEngine({ probes }: Program, wish: LookingWish): Result<'ebpf' | 'snapshot', string> {
  const hit = probes.find(({ where }) => where === 'hit');
  const walk = probes.find(({ point }) => point.kind === 'oneshot');
  const isCore = wish.target.kind === 'core';
  if (hit !== undefined) {
    if (isCore) return err(`${hit.text} waits for something to happen, and in a core dump nothing does; _oneshot walks it`);
    if (wish.freeze) return err(`${hit.text} waits for something to happen, and with --freeze nothing does; leave it out`);
    if (wish.engine === 'snapshot')
      return err(`${hit.text} runs in the kernel: --engine snapshot has only _begin, _end, _oneshot and _timer`);
    if (walk !== undefined) return err(`${walk.text} and ${hit.text} cannot be in one program: the first walks memory from outside, once`);
    return ok('ebpf');
  }
  if (wish.engine === 'ebpf' && walk !== undefined) return err(`${walk.text} walks memory from outside: --engine ebpf has it not`);
  if (wish.engine === 'ebpf' && isCore) return err('--engine ebpf needs something that runs, and a core dump does not');
  return ok(wish.engine ?? 'snapshot');
}

/** What is about to be armed, in one line: `2 probes on 17 places of 1 process; Ctrl-C ends`. */
export function announce({ probes }: Program, subject: Subject, timeoutMs: number | undefined): string {
  const hits = probes.filter(({ where }) => where === 'hit');
  const timers = probes.filter(({ point }) => point.kind === 'timer');
  const places = hits.reduce((sum, probe) => sum + countPlaces(probe), 0);
  const where = subject.choice.kind === 'host' ? 'the whole host' : count(subject.processes?.members.size ?? 1, 'process', 'processes');
  const what = [
    ...(hits.length === 0 ? [] : [`${count(hits.length, 'probe')} on ${count(places, 'place')} of ${where}`]),
    ...(timers.length === 0 ? [] : [count(timers.length, 'timer')]),
  ];
  const end = timeoutMs === undefined ? 'Ctrl-C ends' : `ends after ${timeoutMs / 1000} s or with Ctrl-C`;
  return `${what.length === 0 ? 'no probes' : what.join(', ')}; ${end}`;
}

function countPlaces({ point }: ProgramProbe): number {
  return 'sites' in point ? point.sites.length : 1;
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
