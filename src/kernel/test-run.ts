/** BPF_PROG_TEST_RUN: the kernel runs a program once, on data given. */
import { err, ok, type Result } from '../base/index.ts';
import { callBpf } from '../native/index.ts';
import { Command } from './commands.ts';
import { toKernelError, type KernelError } from './error.ts';

/** `data`: the packet of a `socketFilter`, at least 14 bytes; `context`: of a `syscall` program. Returns r0's lower 32 bits. */
export function testRun(
  programFd: number,
  input: { readonly data?: Uint8Array; readonly context?: Uint8Array; readonly repeat?: number },
): Result<number, KernelError> {
  let value = 0;
  const result = callBpf(
    'PROG_TEST_RUN',
    Command.PROG_TEST_RUN,
    80,
    (attributes) => {
      attributes.setU32(0, programFd);
      if (input.data !== undefined) {
        attributes.setU32(8, input.data.length);
        attributes.pointToCopy(16, input.data);
      }
      attributes.setU32(32, input.repeat ?? 0);
      if (input.context !== undefined) {
        attributes.setU32(40, input.context.length);
        attributes.pointToCopy(48, input.context);
      }
    },
    (attributes) => {
      value = attributes.getU32(4);
    },
  );
  return result.ok ? ok(value) : err(toKernelError(result.error));
}
