// Runs the programs of test/system/clients, which use unmodified SDKs, in processes of their own.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Product } from './product.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CLIENTS = 'test/system/clients';
const RUN_LIMIT_MS = 60_000;

type Environment = Readonly<Record<string, string>>;

/** What points SDKs at the product. */
export function pointedAt({ addresses }: Product): Environment {
  return {
    AWS_XRAY_DAEMON_ADDRESS: addresses.xrayUdp,
    AWS_XRAY_LOG_LEVEL: 'error',
    AWS_XRAY_COLLECT_SQL_QUERIES: '1',
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://${addresses.otlpHttp}`,
  };
}

/** Runs a client to its end; what it printed as JSON on its last line. */
export async function runClient<T>(command: string, args: readonly string[], environment: Environment): Promise<T> {
  const [file = '', ...rest] = args;
  const { stdout } = await promisify(execFile)(command, [`${CLIENTS}/${file}`, ...rest], {
    cwd: ROOT,
    env: { ...process.env, ...environment },
    timeout: RUN_LIMIT_MS,
  });
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as T;
}

/** A client that serves HTTP until it is stopped. */
export class ClientServer {
  readonly url: string;
  readonly port: number;
  readonly #process: ChildProcess;
  readonly #lines: string[];

  private constructor(child: ChildProcess, port: number, lines: string[]) {
    this.#process = child;
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.#lines = lines;
  }

  /** Starts a Node program, by its path from the root, and waits until it says `listening PORT`. */
  static async start(args: readonly string[], environment: Environment): Promise<ClientServer> {
    const child = spawn(process.execPath, args, { cwd: ROOT, env: { ...process.env, ...environment }, stdio: ['pipe', 'pipe', 'pipe'] });
    const lines: string[] = [];
    createInterface({ input: child.stderr }).on('line', (line) => lines.push(line));
    const port = await new Promise<number>((resolve, reject) => {
      child.once('exit', (code, signal) => reject(new Error(`${args.join(' ')} ended with ${signal ?? code}: ${lines.join('\n')}`)));
      createInterface({ input: child.stdout }).on('line', (line) => {
        const [, found] = /^listening (\d+)$/.exec(line) ?? [];
        if (found === undefined) lines.push(line);
        else resolve(Number(found));
      });
    });
    return new ClientServer(child, port, lines);
  }

  /** Starts one of test/system/clients. */
  static async startClient(file: string, name: string, environment: Environment): Promise<ClientServer> {
    return ClientServer.start([`${CLIENTS}/${file}`, name], environment);
  }

  /** What it printed, the log of its SDK too. */
  get said(): string {
    return this.#lines.join('\n');
  }

  /** Asks it for `path`, as part of the trace that `header` names; the status. */
  async get(path: string, header?: string): Promise<number> {
    const response = await fetch(`${this.url}${path}`, header === undefined ? {} : { headers: { 'x-amzn-trace-id': header } });
    await response.arrayBuffer();
    return response.status;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = new Promise((done) => this.#process.once('exit', done));
    this.#process.stdin!.destroy();
    await gone;
  }
}
