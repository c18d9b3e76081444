/** Addresses and backtraces of a session as names. */
import type { Frame } from '../symbols/index.ts';
import type { DescribedFrame, Describer } from '../y/index.ts';
import type { Subject } from './subject.ts';

/** A captured backtrace: addresses, innermost first, of a process. */
export interface NamedStack {
  readonly pid: number;
  readonly kernel: readonly bigint[];
  readonly user: readonly bigint[];
  /** Indexes of user frames whose address is no return address; 0 is always one. */
  readonly exact: ReadonlySet<number>;
  /** Why the user's part ends before the thread's first function; undefined when it does not. */
  readonly cut: string | undefined;
}

/** @param findStack a captured backtrace by its id; undefined when it was lost */
export function describeNames(subject: Subject, findStack: (id: bigint) => NamedStack | undefined): Describer {
  const symbolizerOf = (pid: number | undefined) => {
    const main = subject.main;
    return pid === undefined || pid === main?.pid ? main && subject.targets.get(main.pid)?.symbolizer : subject.open(pid)?.symbolizer;
  };
  const frames = (pid: number | undefined, address: bigint): readonly Frame[] => symbolizerOf(pid)?.resolve(address) ?? [];
  return {
    symbol: (address) => spell(frames(undefined, address).at(-1), address),
    source: (address) => {
      const frame = frames(undefined, address)[0];
      return frame?.file === undefined ? '' : `${frame.file}:${frame.line ?? 0}`;
    },
    stack: (id) => {
      const stack = findStack(id);
      return stack === undefined ? [] : describeStack(stack, (address) => frames(stack.pid, address));
    },
  };
}

function describeStack({ kernel, user, exact, cut }: NamedStack, resolve: (address: bigint) => readonly Frame[]): DescribedFrame[] {
  const described = [
    ...kernel.flatMap((address, index) => resolve(index === 0 ? address : address - 1n).map((frame) => toDescribed(frame, address))),
    // A return address is looked up by the byte before it: the call may be the function's last instruction.
    ...user.flatMap((address, index) => resolve(exact.has(index) ? address : address - 1n).map((frame) => toDescribed(frame, address))),
  ];
  return cut === undefined ? described : [...described, { name: `[${cut}]`, text: `[${cut}]` }];
}

function toDescribed(frame: Frame, address: bigint): DescribedFrame {
  const place = frame.file === undefined ? '' : ` (${frame.file}:${frame.line ?? 0})`;
  const inlined = frame.inlined ? ' [inlined]' : '';
  return { name: frame.name, text: `${spell(frame, address)}${inlined}${place}` };
}

function spell(frame: Frame | undefined, address: bigint): string {
  if (frame === undefined) return `0x${address.toString(16)}`;
  return frame.offset === 0 ? frame.name : `${frame.name}+0x${frame.offset.toString(16)}`;
}
