/** For tests: programs compiled from `testdata`, and how to open their debug information. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseElf } from '../elf/index.ts';
import { DebugInfo, elfDebugSections, type DebugSections } from './index.ts';

/** Runs a program; its output, or an error that has what it printed. */
export function run(command: string, args: readonly string[], input?: string): string {
  const ended = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 28, ...(input === undefined ? {} : { input }) });
  if (ended.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${ended.error?.message ?? ended.stderr}`);
  return ended.stdout;
}

export class BuiltPrograms {
  readonly folder = mkdtempSync(join(tmpdir(), 'dwarf-'));

  /** Compiles a file of `testdata` in this folder with `flags`; answers the program's path. */
  build(source: string, name: string, flags: readonly string[]): string {
    const program = join(this.folder, name);
    copyFileSync(fileURLToPath(new URL(`testdata/${source}`, import.meta.url)), join(this.folder, source));
    const compiler = source.endsWith('.cc') ? 'g++' : 'gcc';
    const built = spawnSync(compiler, [...flags, source, '-o', name], { cwd: this.folder, encoding: 'utf8' });
    if (built.status !== 0) throw new Error(`${compiler} ${flags.join(' ')}: ${built.stderr}`);
    return program;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

export function openSections(path: string): DebugSections {
  const elf = parseElf(readFileSync(path));
  if (!elf.ok) throw new Error(elf.error.message);
  return elfDebugSections(elf.value);
}

/** Opens a program with whatever lies beside it: `.dwo` files, a `.dwp`, what `dwz` made. */
export function openProgram(path: string): DebugInfo {
  const opened = DebugInfo.open(openSections(path), {
    split: (name, directory) => {
      const path = name.startsWith('/') ? name : join(directory, name);
      return existsSync(path) ? openSections(path) : undefined;
    },
    package: () => (existsSync(`${path}.dwp`) ? openSections(`${path}.dwp`) : undefined),
    supplementary: (other) => openSections(join(path, '..', basename(other))),
  });
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
}
