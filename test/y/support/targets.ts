// The programs of test/y/targets: built once a run, started, told to do their round of calls, dumped.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const SOURCES = fileURLToPath(new URL('../targets/', import.meta.url));
const COMMANDS: Readonly<Record<string, (source: string, out: string) => readonly [string, readonly string[]]>> = {
  '.c': (source, out) => ['gcc', ['-g', '-O1', '-pthread', '-DWITH_USDT', source, '-o', out]],
  '.cc': (source, out) => ['g++', ['-g', '-O1', source, '-o', out]],
  '.go': (source, out) => ['go', ['build', '-o', out, source]],
  '.rs': (source, out) => ['rustc', ['-g', '-O', source, '-o', out]],
};
/** Names of targets, and the files they are built from. */
const FILES: Readonly<Record<string, string>> = {
  state: 'state.c',
  'state-cc': 'state.cc',
  'state-go': 'state.go',
  'state-rs': 'state.rs',
  'state-stripped': 'state.c',
  'state-plain': 'state.c',
  life: 'life.c',
};
const FLAGS: Readonly<Record<string, readonly string[]>> = { life: ['-no-pie', '-Wl,--section-start=.fixed=0x10000000'] };
/** What some names end with, and what is taken out: everything; debug information. */
const STRIPPED: Readonly<Record<string, string>> = { stripped: '--strip-all', plain: '--strip-debug' };

/** Builds targets into a folder of its own. */
export class Targets {
  readonly #folder = mkdtempSync(join(tmpdir(), 'fluoro-y-'));
  readonly #running: RunningTarget[] = [];

  /** Path of the built program; undefined when its compiler is not there. */
  build(name: string): string | undefined {
    const out = join(this.#folder, name);
    if (existsSync(out)) return out;
    const source = FILES[name];
    if (source === undefined) throw new Error(`no target ${name}`);
    const [command, args] = COMMANDS[extname(source)]!(join(SOURCES, source), out);
    try {
      execFileSync(command, [...args, ...(FLAGS[name] ?? [])], {
        stdio: 'pipe',
        env: { ...process.env, GOFLAGS: '-mod=mod', GO111MODULE: 'off' },
      });
      const strip = STRIPPED[name.replace(/^.*-/, '')];
      if (strip !== undefined) execFileSync('strip', [strip, out], { stdio: 'pipe' });
      return out;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw cause;
    }
  }

  /** Starts it; it has printed `ready` then. */
  async start(name: string): Promise<RunningTarget> {
    const path = this.build(name);
    if (path === undefined) throw new Error(`no compiler for ${name}`);
    const target = new RunningTarget(spawn(path, { stdio: ['pipe', 'pipe', 'inherit'] }));
    this.#running.push(target);
    await target.line();
    return target;
  }

  /** A core dump of a running target, made by gcore. */
  dump(target: RunningTarget): string {
    const prefix = join(this.#folder, 'core');
    execFileSync('gcore', ['-o', prefix, String(target.pid)], { stdio: 'pipe' });
    return `${prefix}.${target.pid}`;
  }

  /** Paths of targets without their folder, which is another in every run. */
  hideFolder(text: string): string {
    return text.replaceAll(`${this.#folder}/`, '');
  }

  /** Ends all that was started. */
  close(): void {
    for (const target of this.#running) target.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export class RunningTarget {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid!;
    const reader: Interface = createInterface(child.stdout!);
    this.#lines = reader[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    const next = await this.#lines.next();
    if (next.done === true) throw new Error('the target ended');
    return next.value;
  }

  /** One round of calls; resolves with what it printed when they are done. */
  async round(): Promise<string> {
    this.#child.stdin!.write('go\n');
    return this.line();
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }
}
