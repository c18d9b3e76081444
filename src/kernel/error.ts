import type { LineInfo } from '../bpf/index.ts';
import type { NativeError } from '../native/index.ts';

/** Why the kernel did not do what was asked. `message` names the thing, the reason and, where there is one, the way out. */
export type KernelError =
  /** The verifier did not let a program pass. */
  | {
      readonly kind: 'refused';
      readonly program: string;
      readonly message: string;
      /** The verifier's last lines, oldest first. */
      readonly log: readonly string[];
      /** Where in the source it stopped, when the program says where its slots come from. */
      readonly line: LineInfo | undefined;
      /** Of the call. */
      readonly errno: number;
    }
  /** A right, a sysctl or a policy forbids it. */
  | { readonly kind: 'forbidden'; readonly message: string; readonly errno: number }
  /** This kernel, or this machine, has it not. */
  | { readonly kind: 'unsupported'; readonly message: string; readonly errno: number }
  /** Something named does not exist: a file, a process, a tracepoint. */
  | { readonly kind: 'not-found'; readonly message: string; readonly errno: number }
  | { readonly kind: 'failed'; readonly message: string; readonly errno: number };

const EPERM = 1;
const ENOENT = 2;
const ESRCH = 3;
const EACCES = 13;
const UNSUPPORTED = new Set([19 /* ENODEV */, 38 /* ENOSYS */, 95 /* EOPNOTSUPP */, 524 /* ENOTSUPP */]);

/** Sorts a failed call by its error number. */
export function toKernelError(error: NativeError, what?: string): KernelError {
  const message = what === undefined ? error.message : `${what}: ${error.message}`;
  if (error.kind === 'no-ffi') return { kind: 'unsupported', message, errno: 0 };
  const { errno } = error;
  if (errno === EPERM || errno === EACCES)
    return { kind: 'forbidden', message: `${message}; \`fluoro doctor\` tells which right is missing`, errno };
  if (UNSUPPORTED.has(errno)) return { kind: 'unsupported', message, errno };
  if (errno === ENOENT || errno === ESRCH) return { kind: 'not-found', message, errno };
  return { kind: 'failed', message, errno };
}

/** An error that no call made. */
export function kernelError(kind: 'unsupported' | 'not-found' | 'failed', message: string): KernelError {
  return { kind, message, errno: 0 };
}
