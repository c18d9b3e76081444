// Which functions stand at the outer end of a thread's stack.

/**
 * C: `_start`, `clone` and `clone3`, and the code that the dynamic linker begins with; a signal-free child of vfork has its parent's.
 * Go (runtime/traceback.go, `topofstack`): functions that run on a stack of their own.
 */
const ROOT =
  /^(_start|_dl_start_user|_{0,2}clone3?|__clone_internal|start_thread|thread_start|runtime\.(goexit|mstart|mcall|morestack|rt0_go|asmcgocall)(\b.*)?|_rt0_\w+|ret_from_fork\w*)(@.*)?$/;

/** glibc's function that calls `main`; only `_start` calls it, which stripped programs do not name. */
const BEFORE_ROOT = /^(__libc_start_main|__libc_start_call_main)/;

/** Whether names of frames, the outermost last, reach a thread's first function. `[unknown]` or nothing stands for no name. */
export function isRooted(names: readonly string[]): boolean {
  const last = names.at(-1) ?? '';
  if (ROOT.test(last)) return true;
  const isUnnamed = last === '' || last === '[unknown]' || last.startsWith('0x');
  return isUnnamed && BEFORE_ROOT.test(names.at(-2) ?? '');
}
