import { SEGMENT, type ElfFile } from '../elf/index.ts';
import type { Mapping } from './target.ts';

/** Mappings of one file (or of the vDSO) that were made together: one loaded copy of it. */
export interface ModuleGroup {
  readonly path: string;
  readonly mappings: Mapping[];
}

/**
 * Groups a memory map by file. A file that is loaded twice gives two groups: a new copy begins where the file offset does not rise or
 * where another file lies between.
 *
 * @param isFile whether a mapping counts as one of a file
 */
export function groupModules(map: readonly Mapping[], isFile: (mapping: Mapping) => boolean): ModuleGroup[] {
  const groups: ModuleGroup[] = [];
  const latest = new Map<string, ModuleGroup>();
  let lastKey: string | undefined;
  for (const mapping of map) {
    if (!isFile(mapping) && mapping.path !== '[vdso]') continue;
    const key = `${mapping.device} ${mapping.inode} ${mapping.path}`;
    const group = latest.get(key);
    if (group !== undefined && belongsTo(group, mapping, lastKey === key)) {
      group.mappings.push(mapping);
    } else {
      const begun = { path: mapping.path, mappings: [mapping] };
      latest.set(key, begun);
      groups.push(begun);
    }
    lastKey = key;
  }
  return groups;
}

/** A copy's segments keep their distances: a mapping that lies elsewhere, or that goes back in the file, is another copy's. */
function belongsTo(group: ModuleGroup, mapping: Mapping, isNeighbour: boolean): boolean {
  const last = group.mappings.at(-1)!;
  if (mapping.fileOffset < last.fileOffset) return false;
  // Two segments may share a page of the file, so the same offset twice is normal when their rights differ. So it is side by side: data that
  // is read-only after relocation has the rights of the constants before it. At its first offset a file begins again.
  if (mapping.fileOffset === last.fileOffset && mapping.executable === last.executable && mapping.writable === last.writable)
    return mapping.start === last.end && mapping.fileOffset !== group.mappings[0]!.fileOffset;
  return isNeighbour || mapping.start - last.end < MAX_GAP;
}

/** Between a module's segments nothing else is mapped, or (with 2 MiB alignment) a hole; 1 GiB is beyond any linker's. */
const MAX_GAP = 1n << 30n;

/**
 * Difference between the addresses of a file (as in its program headers) and of its mappings.
 *
 * @returns undefined when no loaded segment of the file fits any mapping
 */
export function findBias(elf: ElfFile, mappings: readonly Mapping[]): bigint | undefined {
  const loads = elf.segments.filter((segment) => segment.type === SEGMENT.load);
  const inOrder = [...mappings].sort((a, b) => Number(b.executable) - Number(a.executable));
  for (const mapping of inOrder) {
    const fitting = loads.filter((s) => pageDown(s.fileOffset) <= mapping.fileOffset && mapping.fileOffset < s.fileOffset + s.fileSize);
    const segment =
      fitting.find((s) => s.executable === mapping.executable && pageDown(s.fileOffset) === mapping.fileOffset) ??
      fitting.find((s) => s.executable === mapping.executable) ??
      fitting[0];
    if (segment !== undefined) return mapping.start - BigInt(segment.address + (mapping.fileOffset - segment.fileOffset));
  }
  return undefined;
}

function pageDown(offset: number): number {
  return offset - (offset % 4096);
}
