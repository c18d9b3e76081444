/**
 * The kernel's functions from /proc/kallsyms (Linux kernel/kallsyms.c). Without the right to see addresses
 * (kernel.kptr_restrict, CAP_SYSLOG) every address there is zero.
 */
import { findLastNotAbove } from '../elf/index.ts';

/** Kernel addresses count from here, so that they fit in a double exactly: all are in the upper half of the address space. */
const KERNEL_BASE = 0xffff_0000_0000_0000n;
const HIGH_BASE = 0xffff_0000;

/** Functions sorted by address. */
export interface KernelSymbols {
  readonly count: number;
  /** Offsets from 0xffff000000000000. */
  readonly starts: Float64Array;
  name(index: number): string;
  /** `kernel`, or the module's name. */
  module(index: number): string;
}

export type KernelSymbolsState =
  | { readonly kind: 'ready'; readonly symbols: KernelSymbols }
  /** The file is there, but shows zeros. */
  | { readonly kind: 'hidden'; readonly message: string }
  | { readonly kind: 'unreadable'; readonly message: string };

/** Parses the text of /proc/kallsyms: lines `address type name [module]`. Only code (types t, T, w, W) is kept. */
export function parseKernelSymbols(text: string): KernelSymbolsState {
  const lines: { offset: number; at: number }[] = [];
  let hidden = false;
  let at = 0;
  while (at < text.length) {
    const newline = text.indexOf('\n', at);
    const end = newline < 0 ? text.length : newline;
    const type = text.charCodeAt(at + 17) | 32;
    if (end - at > 19 && (type === 0x74 || type === 0x77)) {
      const high = Number.parseInt(text.slice(at, at + 8), 16);
      const low = Number.parseInt(text.slice(at + 8, at + 16), 16);
      if (high >= HIGH_BASE) lines.push({ offset: (high - HIGH_BASE) * 2 ** 32 + low, at: at + 19 });
      else hidden ||= high === 0 && low === 0;
    }
    at = end + 1;
  }
  if (lines.length === 0) {
    const message = hidden
      ? 'the kernel hides its addresses from this user: run as root or with CAP_SYSLOG, and with kernel.kptr_restrict below 2'
      : 'no kernel functions are listed';
    return { kind: hidden ? 'hidden' : 'unreadable', message };
  }
  lines.sort((a, b) => a.offset - b.offset);
  const fieldsOf = (index: number): string[] => {
    const start = lines[index]!.at;
    const newline = text.indexOf('\n', start);
    return text.slice(start, newline < 0 ? text.length : newline).split('\t');
  };
  return {
    kind: 'ready',
    symbols: {
      count: lines.length,
      starts: Float64Array.from(lines, (line) => line.offset),
      name: (index) => fieldsOf(index)[0]!,
      module: (index) => fieldsOf(index)[1]?.replace(/^\[|\]$/g, '') ?? 'kernel',
    },
  };
}

/** The function at a kernel address, and how far into it; undefined below the first one. */
export function findKernelFunction(symbols: KernelSymbols, address: bigint): { index: number; offset: number } | undefined {
  const wanted = Number(address - KERNEL_BASE);
  const index = findLastNotAbove(symbols.starts, wanted, symbols.count);
  return index < 0 ? undefined : { index, offset: wanted - symbols.starts[index]! };
}

/** True for addresses in the kernel's half. */
export function isKernelAddress(address: bigint): boolean {
  return address >= KERNEL_BASE;
}
