/** What the kernel counts of a loaded program: its runs, their time, and those that it left out. */
import { err, ok, type Result } from '../base/index.ts';
import { callBpf, closeDescriptor } from '../native/index.ts';
import { Command } from './commands.ts';
import { toKernelError, type KernelError } from './error.ts';

/** Runs and time count on only while some process measures (`measurePrograms`), or sysctl kernel.bpf_stats_enabled is 1. */
export interface ProgramStatistics {
  readonly runTimeNs: number;
  readonly runs: number;
  /** Events that the program missed because it was running on that CPU already; counted always (Linux 5.12; 0 before). */
  readonly missed: number;
}

/** struct bpf_prog_info (include/uapi/linux/bpf.h, Linux 6.18): `run_time_ns`, `run_cnt`, `recursion_misses`. */
const INFO = { runTime: 192, runs: 200, missed: 208, bytes: 216 } as const;
const BPF_STATS_RUN_TIME = 0;

/** Reads them by the program's descriptor. */
export function readProgramStatistics(fd: number): Result<ProgramStatistics, KernelError> {
  let info: Uint8Array | undefined;
  const answer = callBpf('OBJ_GET_INFO_BY_FD', Command.OBJ_GET_INFO_BY_FD, 16, (attributes) => {
    attributes.setU32(0, fd);
    attributes.setU32(4, INFO.bytes);
    info = attributes.pointToRoom(8, INFO.bytes);
  });
  if (!answer.ok) return err(toKernelError(answer.error));
  const view = new DataView(info!.buffer, info!.byteOffset, info!.byteLength);
  const read = (offset: number): number => Number(view.getBigUint64(offset, true));
  return ok({ runTimeNs: read(INFO.runTime), runs: read(INFO.runs), missed: read(INFO.missed) });
}

/**
 * Makes the kernel measure all programs of the host until the returned function is called (or our process ends). Costs every run two
 * clock readings meanwhile. Linux 5.8; needs CAP_SYS_ADMIN.
 */
export function measurePrograms(): Result<() => void, KernelError> {
  const fd = callBpf('ENABLE_STATS', Command.ENABLE_STATS, 4, (attributes) => attributes.setU32(0, BPF_STATS_RUN_TIME));
  if (!fd.ok) return err(toKernelError(fd.error));
  return ok(() => closeDescriptor(fd.value));
}
