/** Backtraces that a live session took: user stacks of our unwinder, kernel stacks of the kernel's. */
import type { KernelObject } from '../kernel/index.ts';
import { UNWIND_STATUS_TEXTS } from '../unwind/index.ts';
import { splitStackId } from '../y/index.ts';
import { toKey, toView } from './counters.ts';
import type { AddressNames, NamedStack } from './names.ts';
import type { KeptStack, StackMaps } from './unwound-stacks.ts';

export class LiveStacks {
  readonly #object: KernelObject;
  readonly #maps: StackMaps | undefined;
  readonly #kernelMap: string | undefined;
  readonly #namesOf: (pid: number, stack: number) => AddressNames | undefined;
  #known: ReadonlyMap<number, KeptStack> = new Map();
  #readAt = -1;

  /**
   * @param maps undefined when no user stack is taken
   * @param kernelMap the map of kernel stacks; undefined when none is taken
   * @param namesOf what names the addresses of a process when the stack of that number was taken
   */
  constructor(
    object: KernelObject,
    maps: StackMaps | undefined,
    kernelMap: string | undefined,
    namesOf: (pid: number, stack: number) => AddressNames | undefined,
  ) {
    this.#object = object;
    this.#maps = maps;
    this.#kernelMap = kernelMap;
    this.#namesOf = namesOf;
  }

  find(id: bigint): NamedStack | undefined {
    const { kernel } = splitStackId(id);
    const number = Number(BigInt.asUintN(32, id));
    const user = number === 0 ? undefined : this.#findUser(number);
    if (user === undefined && kernel === undefined) return undefined;
    return {
      pid: user?.pid ?? 0,
      user: user?.frames ?? [],
      exact: new Set(user?.exact),
      cut: user === undefined || user.status === 'complete' ? undefined : UNWIND_STATUS_TEXTS[user.status],
      kernel: this.#readKernel(kernel),
      names: user && this.#namesOf(user.pid, number),
    };
  }

  #findUser(number: number): KeptStack | undefined {
    const known = this.#known.get(number);
    if (known !== undefined || this.#maps === undefined) return known;
    const { count } = this.#maps;
    // Nothing new: this one was lost.
    if (count === this.#readAt) return undefined;
    const stacks = this.#maps.read();
    if (!stacks.ok) return undefined;
    this.#known = stacks.value;
    this.#readAt = count;
    return this.#known.get(number);
  }

  #readKernel(id: number | undefined): readonly bigint[] {
    if (id === undefined || this.#kernelMap === undefined) return [];
    const value = this.#object.map(this.#kernelMap).lookup(toKey(id));
    if (!value.ok || value.value === undefined) return [];
    const view = toView(value.value);
    const addresses = Array.from({ length: view.byteLength / 8 }, (_, index) => view.getBigUint64(index * 8, true));
    const end = addresses.indexOf(0n);
    return end < 0 ? addresses : addresses.slice(0, end);
  }
}
