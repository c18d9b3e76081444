/** The whole product in a directory of its own, for a benchmark. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { listProcessTree, readCommandLine, readCpuTimeMs, readMemory, readPeakMemory } from '../harness/index.ts';

export interface Addresses {
  readonly page: string;
  readonly xrayUdp: string;
  readonly otlpHttp: string;
}

export interface Usage {
  readonly name: string;
  readonly cpuMs: number;
  readonly memoryBytes: number;
  readonly peakBytes: number;
}

export class Product {
  readonly addresses: Addresses;
  readonly data: string;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, addresses: Addresses, data: string) {
    this.#process = process;
    this.addresses = addresses;
    this.data = data;
  }

  /** Starts `fluoro up` on ports of its own. `data`: keep it there instead of in a new directory. */
  static async start(data = mkdtempSync(join(tmpdir(), 'fluoro-bench-'))): Promise<Product> {
    const off = ['--listen', '127.0.0.1:0', '--xray', '127.0.0.1:0', '--otlp-http', '127.0.0.1:0', '--otlp-grpc', 'off'];
    const child = spawn(process.execPath, ['dist/cli/main.js', 'up', '--json', '--data', data, '--log-level', 'warn', ...off], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: child.stdout });
    const first = await new Promise<string>((done, fail) => {
      lines.once('line', done);
      child.once('exit', (code) => fail(new Error(`fluoro up ended with ${code}`)));
    });
    return new Product(child, (JSON.parse(first) as { addresses: Addresses }).addresses, data);
  }

  /** Processes of the product, with what they have used so far. */
  usage(): Usage[] {
    return listProcessTree(this.#process.pid!).map((pid) => ({
      name: nameOf(readCommandLine(pid) ?? ''),
      cpuMs: readCpuTimeMs(pid) ?? 0,
      memoryBytes: readMemory(pid) ?? 0,
      peakBytes: readPeakMemory(pid) ?? 0,
    }));
  }

  async json<T>(path: string): Promise<T> {
    const answer = await fetch(`http://${this.addresses.page}${path}`);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  /** Sum of a Prometheus metric over the labels that `labels` (as text, `a="b"`) selects. */
  async metric(name: string, labels = ''): Promise<number> {
    const text = await (await fetch(`http://${this.addresses.page}/metrics`)).text();
    return text
      .split('\n')
      .filter((line) => (line.startsWith(`${name}{`) || line.startsWith(`${name} `)) && line.includes(labels))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  /** Waits until nothing waits in the spool and the map is counted; how long it took. */
  async settle(limitMs = 300_000): Promise<number> {
    const startedMs = performance.now();
    while (performance.now() - startedMs < limitMs) {
      if ((await this.metric('fluoroscope_spool_records')) === 0 && (await this.metric('fluoroscope_map_minutes_owed')) <= 2) break;
      await new Promise((done) => setTimeout(done, 250));
    }
    return performance.now() - startedMs;
  }

  diskBytes(): number {
    return Number(execFileSync('du', ['-sb', join(this.data, 'store/data/store')], { encoding: 'utf8' }).split('\t')[0]);
  }

  async stop(keep = false): Promise<void> {
    const gone = new Promise((done) => this.#process.once('exit', done));
    this.#process.kill('SIGINT');
    await gone;
    if (!keep) rmSync(this.data, { recursive: true, force: true });
  }
}

function nameOf(commandLine: string): string {
  if (commandLine.includes('embedded-host')) return 'store';
  return commandLine.includes('server-child') ? 'server' : 'supervisor';
}
