/**
 * Finds the separate debug file of a stripped one on this host: by build-id under the debug directories, then by
 * .gnu_debuglink beside the file, in its `.debug` folder, and under the debug directories. A file counts only when its
 * build-id or checksum fits. Source: GDB manual, "Debugging Information in Separate Files".
 */
import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { findBuildId, findDebugLink, matchesDebugLink, parseElf, type ElfFile } from '../elf/index.ts';

/** Larger ones are left alone: a file is read as a whole. */
const MAX_SIZE = 2 * 2 ** 30 - 1;

export interface DebugFile {
  readonly path: string;
  readonly elf: ElfFile;
}

export interface DebugFileSearch {
  /** The file as the target sees it. */
  readonly path: string;
  readonly elf: ElfFile;
  readonly buildId: string | undefined;
  /** As `/usr/lib/debug`. */
  readonly debugDirectories: readonly string[];
  /** Put before `path` to find what lies beside it, as `/proc/PID/root`; empty for this host's own. */
  readonly root: string;
}

/** The debug file, or undefined when none fits. */
export function findDebugFile(search: DebugFileSearch): DebugFile | undefined {
  return findByBuildId(search) ?? findByLink(search);
}

function findByBuildId({ buildId, debugDirectories }: DebugFileSearch): DebugFile | undefined {
  if (buildId === undefined || buildId.length < 4) return undefined;
  for (const directory of debugDirectories) {
    const file = loadElf(join(directory, '.build-id', buildId.slice(0, 2), `${buildId.slice(2)}.debug`));
    if (file && findBuildId(file.elf) === buildId) return file;
  }
  return undefined;
}

function findByLink({ path, elf, buildId, debugDirectories, root }: DebugFileSearch): DebugFile | undefined {
  const link = findDebugLink(elf);
  if (!link || !path.startsWith('/')) return undefined;
  const folder = dirname(path);
  const candidates = [
    join(root, folder, link.name),
    join(root, folder, '.debug', link.name),
    ...debugDirectories.map((directory) => join(directory, folder, link.name)),
  ];
  for (const candidate of candidates) {
    if (candidate === join(root, path) && basename(path) === link.name) continue;
    const file = loadElf(candidate);
    if (!file) continue;
    const fits = buildId === undefined ? matchesDebugLink(link, file.elf.bytes) : findBuildId(file.elf) === buildId;
    if (fits) return file;
  }
  return undefined;
}

function loadElf(path: string): DebugFile | undefined {
  try {
    const { size } = statSync(path);
    if (size > MAX_SIZE) return undefined;
    const elf = parseElf(readFileSync(path));
    return elf.ok ? { path, elf: elf.value } : undefined;
  } catch {
    return undefined;
  }
}
