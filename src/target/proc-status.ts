/** What `/proc/PID/status` tells of a process (kernel fs/proc/array.c, `proc_pid_status`); numbers are -1 where the kernel does not say. */
export interface ProcessStatus {
  readonly name: string;
  /** `R`, `S`, `D`, `T`, `t`, `Z`, `X`. */
  readonly state: string;
  readonly tgid: number;
  readonly parentPid: number;
  readonly tracerPid: number;
  readonly uid: number;
  readonly gid: number;
  /** Process ids from the reader's namespace to the innermost one (kernel 4.1 and later; else only `tgid`). */
  readonly namespacePids: readonly number[];
  /** -1 where the kernel does not say (before 4.1): then `/proc/PID/stat` does. */
  readonly processGroup: number;
  readonly isKernelThread: boolean;
}

/** Parses the text of `/proc/PID/status`; undefined when it is not such a text (as of a process that is ending). */
export function parseStatus(text: string): ProcessStatus | undefined {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  const tgid = toInteger(fields.get('Tgid'));
  if (tgid < 0) return undefined;
  const namespacePids = (fields.get('NStgid') ?? String(tgid)).split(/\s+/).map(Number);
  return {
    name: unescapeName(fields.get('Name') ?? ''),
    state: (fields.get('State') ?? '?').slice(0, 1),
    tgid,
    parentPid: toInteger(fields.get('PPid')),
    tracerPid: toInteger(fields.get('TracerPid')),
    uid: toInteger(fields.get('Uid')?.split(/\s+/)[0]),
    gid: toInteger(fields.get('Gid')?.split(/\s+/)[0]),
    namespacePids,
    processGroup: toInteger(fields.get('NSpgid')?.split(/\s+/)[0]),
    isKernelThread: fields.get('Kthread') === '1',
  };
}

function toInteger(text: string | undefined): number {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : -1;
}

/** The kernel writes `\n` and `\\` in a thread's name as escapes (`proc_task_name`). */
function unescapeName(name: string): string {
  return name.replaceAll(/\\(n|\\)/g, (_whole, letter: string) => (letter === 'n' ? '\n' : '\\'));
}

/**
 * Start time of a process in clock ticks since boot, field 22 of `/proc/PID/stat`: with the pid it names one process for ever.
 *
 * @returns undefined when the text is damaged
 */
export function parseStartTicks(stat: string): number | undefined {
  // The name in parentheses may hold anything, also parentheses and spaces: count from the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[19]);
  return Number.isSafeInteger(ticks) && fields.length > 19 ? ticks : undefined;
}

/** Splits NUL-ended strings as in `/proc/PID/cmdline`. A process that overwrote its command line may have one string with spaces. */
export function parseCommandLine(bytes: Uint8Array): string[] {
  const text = new TextDecoder().decode(bytes);
  const words = text.split('\0');
  while (words.length > 0 && words.at(-1) === '') words.pop();
  return words;
}

/** Parses `/proc/PID/auxv` or an NT_AUXV note: pairs of 64-bit words up to AT_NULL. */
export function parseAuxv(bytes: Uint8Array): Map<number, bigint> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const auxv = new Map<number, bigint>();
  for (let at = 0; at + 16 <= bytes.length; at += 16) {
    const type = Number(view.getBigUint64(at, true));
    if (type === 0) break;
    auxv.set(type, view.getBigUint64(at + 8, true));
  }
  return auxv;
}
