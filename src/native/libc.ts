/**
 * The functions of libc that the product calls, each with its prototype reviewed against the manual page. A wrong prototype or
 * pointer here ends the process without an exception, so nothing outside of this room sees an address.
 *
 * koffi is loaded at the first call. What is kept then is a fact of the process (its own libc), not state of the product.
 * Addresses are numbers: user addresses of x86-64 and AArch64 Linux have at most 48 bits.
 */
import { createRequire } from 'node:module';
import { err, ok, type Result } from '../base/index.ts';
import type koffiType from 'koffi';
import { systemError, type NativeError } from './error.ts';

type Koffi = typeof koffiType;

export interface Libc {
  /** Reads errno of the last call: nothing may come between. */
  errno(): number;
  /** `length` bytes at `address`, without a copy. Using it after the memory was unmapped ends the process. */
  view(address: number, length: number): ArrayBuffer;
  /** syscall(2) with three arguments: bpf(2). */
  syscall3(number: number, a: number, b: number, c: number): number;
  /** syscall(2) with five arguments: perf_event_open(2). */
  syscall5(number: number, a: number, b: number, c: number, d: number, e: number): number;
  mmap(address: number, length: number, protection: number, flags: number, fd: number, offset: number): number;
  munmap(address: number, length: number): number;
  getPageSize(): number;
  ioctl(fd: number, request: number, argument: number): number;
  close(fd: number): number;
  /** close(2) on a thread of libuv's pool. */
  closeElsewhere(fd: number): Promise<number>;
  read(fd: number, address: number, length: number): number;
  epollCreate(flags: number): number;
  epollControl(epoll: number, operation: number, fd: number, event: number): number;
  epollWait(epoll: number, events: number, count: number, timeoutMs: number): number;
  processVmReadv(pid: number, local: number, localCount: number, remote: number, remoteCount: number, flags: number): number;
  ptrace(request: number, tid: number, address: number, data: number): number;
  waitpid(pid: number, status: number, options: number): number;
  /** Calls back on the event loop when `fd` can be read, until the function returned is called. Not libc's, but koffi's (uv_poll). */
  poll(fd: number, ready: () => void): () => void;
}

/** System call numbers (arch/x86/entry/syscalls/syscall_64.tbl; include/uapi/asm-generic/unistd.h). */
export interface SyscallNumbers {
  readonly bpf: number;
  readonly perfEventOpen: number;
}

const SYSCALLS: Readonly<Record<string, SyscallNumbers>> = {
  x64: { bpf: 321, perfEventOpen: 298 },
  arm64: { bpf: 280, perfEventOpen: 241 },
};

interface Loaded {
  readonly libc: Libc;
  readonly numbers: SyscallNumbers;
}

const loaded: { result?: Result<Loaded, NativeError> } = {};

/** libc, loaded at the first call; always the same answer. */
export function loadLibc(): Result<Loaded, NativeError> {
  return (loaded.result ??= load());
}

function load(): Result<Loaded, NativeError> {
  const numbers = SYSCALLS[process.arch];
  if (process.platform !== 'linux' || numbers === undefined)
    return unavailable(`looking into processes works on Linux on x64 and arm64; this is ${process.platform} on ${process.arch}`);
  let koffi: Koffi;
  try {
    koffi = createRequire(import.meta.url)('koffi') as Koffi;
  } catch (cause) {
    const reason = (cause as Error).message.split('\n')[0];
    return unavailable(`the package koffi cannot be loaded (${reason})`);
  }
  try {
    return ok({ libc: bind(koffi), numbers });
  } catch (cause) {
    return unavailable(`libc lacks a function that Fluoroscope needs: ${(cause as Error).message}`);
  }
}

function unavailable(message: string): Result<never, NativeError> {
  return err({ kind: 'no-ffi', message });
}

/** `load(null)` finds the functions in the running process, so it works with glibc and musl alike. */
function bind(koffi: Koffi): Libc {
  const process = koffi.load(null);
  const call = (name: string, result: string, parameters: string[]) => process.func(name, result, parameters);
  const variadic = (count: number) => call('syscall', 'long', ['long', ...Array<string>(count).fill('intptr_t')]);
  const close = call('close', 'int', ['int']);
  return {
    errno: () => koffi.errno(),
    view: (address, length) => koffi.view(BigInt(address), length),
    // syscall, ioctl and ptrace are variadic in C. On x86-64 System V and Linux AArch64, integer arguments of a variadic
    // function are passed like any other's, so a fixed prototype is right.
    syscall3: variadic(3),
    syscall5: variadic(5),
    mmap: call('mmap', 'intptr_t', ['uintptr_t', 'size_t', 'int', 'int', 'int', 'int64_t']),
    munmap: call('munmap', 'int', ['uintptr_t', 'size_t']),
    getPageSize: call('getpagesize', 'int', []),
    ioctl: call('ioctl', 'int', ['int', 'ulong', 'uintptr_t']),
    close,
    closeElsewhere: (fd) => new Promise((done) => void close.async(fd, (_: unknown, answer: number) => done(answer))),
    read: call('read', 'intptr_t', ['int', 'uintptr_t', 'size_t']),
    epollCreate: call('epoll_create1', 'int', ['int']),
    epollControl: call('epoll_ctl', 'int', ['int', 'int', 'int', 'uintptr_t']),
    epollWait: call('epoll_wait', 'int', ['int', 'uintptr_t', 'int', 'int']),
    processVmReadv: call('process_vm_readv', 'intptr_t', ['int', 'uintptr_t', 'ulong', 'uintptr_t', 'ulong', 'ulong']),
    ptrace: call('ptrace', 'long', ['int', 'int', 'uintptr_t', 'uintptr_t']),
    waitpid: call('waitpid', 'int', ['int', 'uintptr_t', 'int']),
    poll: (fd, ready) => {
      const handle = koffi.node.poll(fd, ready);
      return () => handle.close();
    },
  };
}

/** The error of the call that just failed. */
export function lastError(libc: Libc, call: string): NativeError {
  return systemError(call, libc.errno());
}
