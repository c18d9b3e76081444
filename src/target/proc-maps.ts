import type { Mapping } from './target.ts';

const LINE = /^([0-9a-f]+)-([0-9a-f]+) ([r-])([w-])([x-])([ps]) ([0-9a-f]+) ([0-9a-f]+:[0-9a-f]+) (\d+) *(.*)$/;
const DELETED = ' (deleted)';

/**
 * Parses the text of `/proc/PID/maps` (kernel fs/proc/task_mmu.c, `show_map_vma`).
 *
 * @returns mappings in the order of the file (by start), and how many lines were not understood
 */
export function parseMaps(text: string): { mappings: Mapping[]; skippedLines: number } {
  const mappings: Mapping[] = [];
  let skippedLines = 0;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const match = LINE.exec(line);
    if (match === null) skippedLines++;
    else mappings.push(toMapping(match));
  }
  return { mappings, skippedLines };
}

function toMapping(match: RegExpExecArray): Mapping {
  const [, start, end, read, write, execute, share, offset, device, inode, rawPath = ''] = match;
  const printed = unescapeNewlines(rawPath);
  // A file may be named "x (deleted)": only the inode of a file that is really there would tell, and the name's last word is then right.
  const deleted = printed.endsWith(DELETED);
  return {
    start: BigInt(`0x${start}`),
    end: BigInt(`0x${end}`),
    readable: read === 'r',
    writable: write === 'w',
    executable: execute === 'x',
    shared: share === 's',
    fileOffset: Number.parseInt(offset!, 16),
    device: device!,
    inode: Number(inode),
    path: deleted ? printed.slice(0, -DELETED.length) : printed,
    deleted,
  };
}

/** The kernel writes a newline in a path as `\012` and nothing else that way (`seq_path` with "\n"). */
function unescapeNewlines(path: string): string {
  return path.includes('\\012') ? path.replaceAll('\\012', '\n') : path;
}

/** True of a mapping of a file, false of anonymous memory, `[heap]`, `[vdso]`, `anon_inode:`, System V and POSIX shared memory. */
export function isFileMapping(mapping: Mapping): boolean {
  return mapping.inode !== 0 && mapping.path.startsWith('/') && !NOT_FILES.some((prefix) => mapping.path.startsWith(prefix));
}

const NOT_FILES = ['/dev/zero', '/SYSV', '/memfd:', '/anon_hugepage', '/[aio]', '/i915', '/drm'];

/**
 * Finds the mapping that holds `address`, by binary search.
 *
 * @param map sorted by start, not overlapping
 */
export function findMapping(map: readonly Mapping[], address: bigint): Mapping | undefined {
  let low = 0;
  let high = map.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (map[middle]!.end <= address) low = middle + 1;
    else high = middle;
  }
  const found = map[low];
  return found !== undefined && found.start <= address ? found : undefined;
}
