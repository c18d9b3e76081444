/** A file system opened for this process alone: mounted nowhere, gone with its descriptor. */
import { err, ok, type Result } from '../base/index.ts';
import { takeArena } from './arena.ts';
import type { NativeError } from './error.ts';
import { lastError } from './libc.ts';

/** The same numbers on all architectures (include/uapi/asm-generic/unistd.h). */
const FSOPEN = 430;
const FSCONFIG = 431;
const FSMOUNT = 432;
const CLOSE_ON_EXEC = 1;
const FSCONFIG_CMD_CREATE = 6;

/**
 * Opens a kernel file system (`tracefs`) without mounting it: fsopen(2), Linux 5.2, CAP_SYS_ADMIN. A descriptor of its root, below which files
 * are read as /proc/self/fd/N/…; the caller keeps it or closes it.
 */
export function openDetachedMount(type: string): Result<number, NativeError> {
  const taken = takeArena();
  if (!taken.ok) return taken;
  const arena = taken.value;
  const { libc } = arena;
  const name = arena.address(arena.put(new TextEncoder().encode(`${type}\0`)));
  const context = libc.syscall3(FSOPEN, name, CLOSE_ON_EXEC, 0);
  if (context < 0) return err(lastError(libc, `fsopen ${type}`));
  const created = libc.syscall5(FSCONFIG, context, FSCONFIG_CMD_CREATE, 0, 0, 0);
  const mount = created < 0 ? created : libc.syscall3(FSMOUNT, context, CLOSE_ON_EXEC, 0);
  const failed = mount < 0 ? err(lastError(libc, `fsmount ${type}`)) : undefined;
  libc.close(context);
  return failed ?? ok(mount);
}
