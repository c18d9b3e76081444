// Small programs that tests compile and look into.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Why nothing can be compiled here; undefined when it can. */
export function findNoCompiler(compiler = 'gcc'): string | undefined {
  try {
    execFileSync(compiler, ['--version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return `no ${compiler}; install it: apt-get install ${compiler === 'aarch64-linux-gnu-gcc' ? 'gcc-aarch64-linux-gnu' : compiler}`;
  }
}

/** Compiles a source file once for these flags; the path of the program, in a folder that is kept between runs. */
export function compileProgram(source: string, flags: readonly string[], compiler = 'gcc'): string {
  const folder = join(tmpdir(), `fluoro-test-programs-${process.getuid?.() ?? 0}`);
  mkdirSync(folder, { recursive: true });
  const digest = createHash('sha256')
    .update(readFileSync(source))
    .update(JSON.stringify([flags, compiler]))
    .digest('hex')
    .slice(0, 16);
  const path = join(folder, digest);
  if (existsSync(path)) return path;
  const unfinished = `${path}.${process.pid}`;
  execFileSync(compiler, [...flags, '-o', unfinished, source], { stdio: ['ignore', 'ignore', 'inherit'] });
  renameSync(unfinished, path);
  return path;
}

/** A program that a test started. */
export interface RunningProgram {
  readonly pid: number;
  readonly child: ChildProcess;
  /** What it printed up to `ready`. */
  readonly text: string;
  /** Kills it and waits until it is gone. */
  stop(): Promise<void>;
}

/** Starts a program and waits until it has printed `ready`. */
export async function startProgram(command: string, args: readonly string[]): Promise<RunningProgram> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const text = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (bytes: Buffer) => {
      text += bytes.toString();
      if (text.includes('ready')) resolve(text);
    });
    child.once('error', reject);
    child.once('close', (code) => reject(new Error(`${command} ended with ${code} before it was ready`)));
  });
  return {
    pid: child.pid!,
    child,
    text,
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
