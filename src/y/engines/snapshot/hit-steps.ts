/** What host probes may ask about the target and the moment; `_reg` and backtraces only where the target stands still. */
import { assertNever } from '../../../base/index.ts';
import type { Instruction, IntegerBuiltin, TextBuiltin } from '../../ir/program.ts';
import type { SnapshotEnvironment } from './environment.ts';
import { setInteger } from './frame.ts';
import { HitEnded, NEXT, type Step } from './step.ts';
import { compileTextSink, type Unit } from './unit.ts';

type Of<Op extends Instruction['op']> = Extract<Instruction, { op: Op }>;

export function compileBuiltin(unit: Unit, { to, name }: Of<'builtin'>): Step {
  const ask = integerBuiltin(unit.machine.environment, name);
  return (frame) => {
    setInteger(frame, to, ask());
    return NEXT;
  };
}

function integerBuiltin(environment: SnapshotEnvironment, name: IntegerBuiltin): () => bigint {
  const { identity, clock } = environment;
  switch (name) {
    case 'pid':
    case 'tid':
    case 'ppid':
    case 'pgid':
    case 'nspid':
    case 'uid':
    case 'gid':
    case 'cgroup': {
      const value = BigInt(identity[name]);
      return () => value;
    }
    case 'cpu':
      return () => 0n;
    case 'now-ns':
      return () => clock.monotonicNs();
    case 'now-us':
      return () => clock.monotonicNs() / 1_000n;
    case 'now-ms':
      return () => clock.monotonicNs() / 1_000_000n;
    case 'now-s':
      return () => clock.monotonicNs() / 1_000_000_000n;
    case 'wall-ns':
      return () => clock.wallNs();
    case 'random':
      return () => environment.random();
    case 'thread-pointer':
      return () => identity.threadPointer ?? 0n;
    default:
      return assertNever(name);
  }
}

export function compileBuiltinText(unit: Unit, { to, name }: Of<'builtin-text'>): Step {
  const text = Buffer.from(textBuiltin(unit.machine.environment, name));
  const write = compileTextSink(unit, to);
  return (frame) => {
    write(frame, text);
    return NEXT;
  };
}

/** No request runs and no function was hit in a host probe: those texts are empty. */
function textBuiltin({ identity }: SnapshotEnvironment, name: TextBuiltin): string {
  switch (name) {
    case 'comm':
    case 'exe':
    case 'container':
      return identity[name];
    case 'trace-id':
    case 'probe-function':
      return '';
    default:
      return assertNever(name);
  }
}

/** A backtrace that cannot be had is counted and has the id 0. */
export function compileStack(unit: Unit, { to, form, at }: Of<'stack'>): Step {
  const { machine } = unit;
  return (frame) => {
    const id = machine.environment.captureStack?.(form);
    if (id === undefined) machine.countLoss('stack-lost', at);
    setInteger(frame, to, id ?? 0n);
    return NEXT;
  };
}

export function compileRegister(unit: Unit, { to, name, at }: Of<'register'>): Step {
  const { environment } = unit.machine;
  return (frame) => {
    const value = environment.register?.(name);
    if (value === undefined) throw new HitEnded('failed-read', at, `the register ${name} of a running target cannot be read`);
    setInteger(frame, to, value);
    return NEXT;
  };
}
