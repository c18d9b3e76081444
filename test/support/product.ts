/** The whole product as a process, for tests that do to it what machines and people do. Needs what `fluoro build` makes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const LOOPBACK = ['--listen', '127.0.0.1:0', '--xray', '127.0.0.1:0', '--otlp-http', '127.0.0.1:0', '--otlp-grpc', 'off'];

export interface ProductAddresses {
  readonly page: string;
  readonly xrayUdp: string;
  readonly xrayTcp: string;
  readonly otlpHttp: string;
  /** Only when asked for with `--otlp-grpc`. */
  readonly otlpGrpc?: string;
}

export interface ProductOptions {
  /** Default: a new directory, which `dispose` removes. */
  readonly data?: string;
  /** Further flags of `fluoro up`. */
  readonly flags?: readonly string[];
}

/** A directory that `removeDirectory` takes away again. */
export function makeDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'fluoro-test-'));
}

export function removeDirectory(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

export class Product {
  readonly addresses: ProductAddresses;
  readonly data: string;
  readonly process: ChildProcess;
  readonly #log: string[];

  private constructor(child: ChildProcess, addresses: ProductAddresses, data: string, log: string[]) {
    this.process = child;
    this.addresses = addresses;
    this.data = data;
    this.#log = log;
  }

  /** Starts `fluoro up` on free ports; rejected with what it said when it does not come up. */
  static async start(options: ProductOptions = {}): Promise<Product> {
    const data = options.data ?? makeDirectory();
    const child = spawn(process.execPath, [MAIN, 'up', '--json', '--data', data, ...LOOPBACK, ...(options.flags ?? [])], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const log: string[] = [];
    createInterface({ input: child.stderr }).on('line', (line) => log.push(line));
    const first = await new Promise<string>((done, fail) => {
      createInterface({ input: child.stdout }).once('line', done);
      child.once('exit', (code, signal) => fail(new Error(`fluoro up ended with ${signal ?? code}: ${log.join('\n')}`)));
    });
    return new Product(child, (JSON.parse(first) as { addresses: ProductAddresses }).addresses, data, log);
  }

  get pid(): number {
    return this.process.pid!;
  }

  /** What was logged so far: one object per line. */
  get log(): readonly Record<string, unknown>[] {
    return this.#log.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Everything said on standard error. */
  get said(): string {
    return this.#log.join('\n');
  }

  /** Process ids of the children that run now. */
  children(): { readonly server: number | undefined; readonly store: number | undefined } {
    const pids = childrenOf(this.pid);
    return {
      server: pids.find((pid) => commandOf(pid).includes('server-child')),
      store: pids.find((pid) => commandOf(pid).includes('embedded-host')),
    };
  }

  /** SIGKILL for one of them; false when it does not run. */
  killChild(which: 'server' | 'store'): boolean {
    const pid = this.children()[which];
    return pid !== undefined && kill(pid);
  }

  /** SIGKILL for all of it at once; resolved when none of it is left. */
  async killTree(): Promise<void> {
    const { server, store } = this.children();
    const pids = [this.pid, server, store].filter((pid) => pid !== undefined);
    for (const pid of pids) kill(pid);
    await waitUntil(() => pids.every((pid) => commandOf(pid) === ''), 10_000, 'the killed processes to be gone');
  }

  async json<T>(path: string): Promise<T> {
    const answer = await fetch(`http://${this.addresses.page}${path}`);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  /** Sum of a Prometheus metric over the labels that `labels` (as text, `a="b"`) selects; undefined while the server does not answer. */
  async metric(name: string, labels = ''): Promise<number | undefined> {
    const text = await fetch(`http://${this.addresses.page}/metrics`).then(
      (answer) => answer.text(),
      () => undefined,
    );
    const lines = text?.split('\n').filter((line) => (line.startsWith(`${name}{`) || line.startsWith(`${name} `)) && line.includes(labels));
    return lines?.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  async isReady(): Promise<boolean> {
    return fetch(`http://${this.addresses.page}/ready`).then(
      (answer) => answer.ok,
      () => false,
    );
  }

  /** Waits until it is ready and nothing waits in the spool. To be called when nothing more is sent. */
  async settle(limitMs = 30_000): Promise<void> {
    await sleep(700); // the state that metrics show is up to half a second old
    await waitUntil(
      async () => (await this.isReady()) && (await this.metric('fluoroscope_spool_records')) === 0,
      limitMs,
      'the spool to be empty',
    );
  }

  /** Ctrl-C; the exit status. */
  async stop(): Promise<number | null> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return this.process.exitCode;
    const gone = new Promise<number | null>((done) => this.process.once('exit', done));
    this.process.kill('SIGINT');
    return gone;
  }

  /** Ends whatever is left of it and removes its data. */
  async dispose(): Promise<void> {
    await this.killTree();
    removeDirectory(this.data);
  }
}

/** Tries until `condition` holds; throws after `limitMs` with what was waited for. */
export async function waitUntil(condition: () => boolean | Promise<boolean>, limitMs: number, what: string): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited ${limitMs / 1000} s for ${what}`);
    await sleep(25);
  }
}

function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false; // gone already
  }
}

/** Linux: the direct children of a process, zombies left out. */
function childrenOf(pid: number): number[] {
  const pids: number[] = [];
  for (const thread of list(`/proc/${pid}/task`)) {
    pids.push(...readText(`/proc/${pid}/task/${thread}/children`).split(' ').filter(Boolean).map(Number));
  }
  return pids;
}

/** Empty for a process that is gone or a zombie. */
function commandOf(pid: number): string {
  return readText(`/proc/${pid}/cmdline`);
}

function list(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
