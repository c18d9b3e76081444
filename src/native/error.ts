import { errnoName } from './errno.ts';

/** Why a call into the kernel did not succeed. */
export type NativeError =
  | {
      readonly kind: 'system';
      /** The function that failed, with what was asked of it: `bpf MAP_CREATE`. */
      readonly call: string;
      readonly errno: number;
      /** `EPERM`, … */
      readonly name: string;
      readonly message: string;
    }
  /** No foreign function interface here: not Linux, another processor, or koffi is not installed. */
  | { readonly kind: 'no-ffi'; readonly message: string };

/** The error that a failed call left behind. */
export function systemError(call: string, errno: number): NativeError {
  const name = errnoName(errno);
  return { kind: 'system', call, errno, name, message: `${call}: ${name}` };
}

/** The error number, or 0 where there is none. */
export function errnoOf(error: NativeError): number {
  return error.kind === 'system' ? error.errno : 0;
}
