/** Memory shared with the kernel. */
import { err, ok, type Result } from '../base/index.ts';
import type { NativeError } from './error.ts';
import { lastError, loadLibc } from './libc.ts';

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;

/**
 * Pages of a file descriptor. `buffer` must not be used after `close`: a read then ends the process without an exception, as does a write
 * where `writable` was not asked for. Who maps therefore keeps the buffer to itself.
 */
export interface Mapping {
  readonly buffer: ArrayBuffer;
  close(): void;
}

/** Bytes of a page: 4,096 on x86-64; 4,096, 16,384 or 65,536 on AArch64. */
export function loadPageSize(): Result<number, NativeError> {
  const loaded = loadLibc();
  return loaded.ok ? ok(loaded.value.libc.getPageSize()) : loaded;
}

/** Maps `length` bytes of a map's or ring's descriptor, shared; `offset` is a multiple of the page size. */
export function mapDescriptor(fd: number, length: number, offset: number, writable: boolean): Result<Mapping, NativeError> {
  const loaded = loadLibc();
  if (!loaded.ok) return loaded;
  const { libc } = loaded.value;
  const address = libc.mmap(0, length, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, offset);
  if (address === -1) return err(lastError(libc, 'mmap'));
  let open = true;
  return ok({
    buffer: libc.view(address, length),
    close: () => {
      if (open) libc.munmap(address, length);
      open = false;
    },
  });
}
