/** Addresses and backtraces of a session as names. */
import type { Frame } from '../symbols/index.ts';
import type { DescribedFrame, Describer } from '../y/index.ts';
import type { Subject } from './subject.ts';

/** The upper half of addresses is the kernel's, on x86-64 and AArch64. */
const FIRST_KERNEL_ADDRESS = 1n << 63n;

/** What turns an address into the functions there. */
export interface AddressNames {
  resolve(address: bigint): readonly Frame[];
}

/** A captured backtrace: addresses, innermost first. */
export interface NamedStack {
  readonly pid: number;
  readonly kernel: readonly bigint[];
  readonly user: readonly bigint[];
  /** Indexes of user frames whose address is no return address; 0 is always one. */
  readonly exact: ReadonlySet<number>;
  /** Why the user's part ends before the thread's first function; undefined when it does not. */
  readonly cut: string | undefined;
  /** Of the process as it was then; without, that of `pid` as it is now. */
  readonly names?: AddressNames | undefined;
}

/**
 * @param findStack a captured backtrace by its id; undefined when it was lost
 * @param pid whose addresses are named; without one, the subject's main process
 */
export function describeNames(subject: Subject, findStack: (id: bigint) => NamedStack | undefined, pid?: number): Describer {
  const namesOf = (of: number | undefined): AddressNames | undefined => {
    const { main } = subject;
    if (of === undefined || of === main?.pid) return main && subject.targets.get(main.pid)?.symbolizer;
    return subject.open(of)?.symbolizer ?? (main && subject.targets.get(main.pid)?.symbolizer);
  };
  // The kernel's names are the same whoever is asked; they are read once.
  const kernelNames = (): AddressNames | undefined => namesOf(undefined) ?? subject.open(process.pid)?.symbolizer;
  const frames = (names: AddressNames | undefined, address: bigint): readonly Frame[] =>
    (address >= FIRST_KERNEL_ADDRESS ? kernelNames() : names)?.resolve(address) ?? [];
  return {
    symbol: (address) => spell(frames(namesOf(pid), address).at(-1), address),
    source: (address) => {
      const frame = frames(namesOf(pid), address)[0];
      return frame?.file === undefined ? '' : `${frame.file}:${frame.line ?? 0}`;
    },
    stack: (id) => {
      const stack = findStack(id);
      if (stack === undefined) return [];
      const names = stack.names ?? namesOf(stack.pid);
      return describeStack(stack, (address) => {
        const found = frames(names, address);
        return found.length > 0 ? found : [unnamed(address)];
      });
    },
  };
}

function unnamed(address: bigint): Frame {
  const name = `0x${address.toString(16)}`;
  return { name, module: '', offset: 0, file: undefined, line: undefined, inlined: false, kind: 'unknown' };
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
