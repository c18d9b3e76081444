/** Iterators: the kernel walks over its tasks, files or maps and runs a program on each, whose output is read like a file. */
import { err, ok, type Result } from '../base/index.ts';
import { ATTACH_TYPES } from '../bpf/index.ts';
import { callBpf, closeDescriptor, readDescriptor } from '../native/index.ts';
import { Command } from './commands.ts';
import { toKernelError, type KernelError } from './error.ts';
import type { KernelMap } from './kernel-map.ts';

export interface IterateOptions {
  /** Only this process (Linux 6.1): of `task`, `task_vma`, `task_file`. */
  readonly pid?: number;
  /** The map whose elements are visited: of `bpf_map_elem`, where it must be given. */
  readonly map?: KernelMap;
}

/** Bytes of union bpf_iter_link_info; its task has tid, pid and pid_fd. */
const ITERATION_INFO_BYTES = 16;
const CHUNK_BYTES = 256 << 10;

/** Runs a loaded iterator to its end; all that the program wrote with `seq_write`, one piece after the other. */
export function iterate(programFd: number, options: IterateOptions = {}): Result<Uint8Array, KernelError> {
  const link = callBpf('LINK_CREATE iterator', Command.LINK_CREATE, 32, (attributes) => {
    attributes.setU32(0, programFd);
    attributes.setU32(8, ATTACH_TYPES.traceIterator);
    if (options.map === undefined && options.pid === undefined) return;
    const info = new Uint8Array(ITERATION_INFO_BYTES);
    const data = new DataView(info.buffer);
    if (options.map !== undefined) data.setUint32(0, options.map.fd, true);
    else data.setUint32(4, options.pid ?? 0, true);
    attributes.pointToCopy(16, info);
    attributes.setU32(24, ITERATION_INFO_BYTES);
  });
  if (!link.ok) return err(toKernelError(link.error));
  const file = callBpf('ITER_CREATE', Command.ITER_CREATE, 8, (attributes) => attributes.setU32(0, link.value));
  const bytes = file.ok ? readToEnd(file.value) : err(toKernelError(file.error));
  if (file.ok) closeDescriptor(file.value);
  closeDescriptor(link.value);
  return bytes;
}

function readToEnd(fd: number): Result<Uint8Array, KernelError> {
  const pieces: Uint8Array[] = [];
  for (;;) {
    const piece = readDescriptor(fd, CHUNK_BYTES);
    if (!piece.ok) return err(toKernelError(piece.error, 'iterator'));
    if (piece.value.length === 0) return ok(new Uint8Array(Buffer.concat(pieces)));
    pieces.push(piece.value);
  }
}
