/**
 * Runs the embedded store: writes its configuration, starts the child (`embedded-host`), waits until it answers, and starts it
 * again when it dies. Data under `dir` survives; the password is new at every start and known only to this process and the child.
 */
import { createHash, randomBytes } from 'node:crypto';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { StoreAddress } from './client.ts';
import { repairDeduplicationLogs } from './deduplication-log.ts';

export interface EmbeddedOptions {
  /** Directory for the tables; made when missing. */
  readonly dir: string;
  /** Most memory the store may use, in bytes; default half the machine's, at most 4 GB. */
  readonly memoryBytes?: number;
  /** Ports to use instead of free ones: `tcp` opens ClickHouse's own protocol too (between nodes of a cluster). */
  readonly ports?: { readonly http: number; readonly tcp?: number };
  /** Clusters this node belongs to: name to shards, each `host:port` of the shard's own protocol. */
  readonly clusters?: Readonly<Record<string, readonly string[]>>;
  /** Instead of a random one (nodes of a cluster must share it). */
  readonly password?: string;
  readonly onEvent?: (event: EmbeddedEvent) => void;
}

export type EmbeddedEvent =
  | { readonly kind: 'ready'; readonly pid: number; readonly tookMs: number }
  | { readonly kind: 'died'; readonly code: number | null; readonly signal: string | null; readonly output: string }
  | { readonly kind: 'failed'; readonly reason: string }
  /** Batches whose storing was cut off: they are stored when they are sent again. */
  | { readonly kind: 'repaired'; readonly tokens: number };

/** Name that the server signs in with. */
const USER = 'fluoroscope';
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;
const READY_LIMIT_MS = 60_000;
// Tests run the sources, but a child process runs what was built.
const HOST_SCRIPT = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../dist/store/embedded-host.js' : './embedded-host.js', import.meta.url),
);

/** A start that fails because the data is held by another process is tried again for so long: a store that was killed may still be ending. */
const HELD_LIMIT_MS = 5_000;

/** The embedded store's child process. `address` stays the same over restarts. */
export class EmbeddedStore {
  readonly address: StoreAddress;
  readonly #options: EmbeddedOptions;
  readonly #dir: string;
  readonly #ports: { readonly http: number; readonly tcp?: number };
  #child: ChildProcess | undefined;
  #stopping = false;
  #retryMs = FIRST_RETRY_MS;
  #retryTimer: NodeJS.Timeout | undefined;

  private constructor(options: EmbeddedOptions, ports: { http: number; tcp?: number }) {
    this.#options = options;
    this.#dir = resolve(options.dir);
    this.#ports = ports;
    const password = options.password ?? randomBytes(24).toString('base64url');
    this.address = { url: `http://127.0.0.1:${ports.http}`, user: USER, password };
  }

  /** Starts the child and waits until it answers. Throws with the child's own words when it cannot start. */
  static async start(options: EmbeddedOptions): Promise<EmbeddedStore> {
    const ports = options.ports ?? { http: await freePort() };
    const store = new EmbeddedStore(options, ports);
    store.#writeConfiguration();
    const deadline = performance.now() + HELD_LIMIT_MS;
    for (;;) {
      try {
        await store.#spawnAndWait();
        return store;
      } catch (cause) {
        if (!(cause instanceof DataHeldError) || performance.now() > deadline) throw cause;
        await new Promise((done) => setTimeout(done, 200));
      }
    }
  }

  /** The child's process id while it runs. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Ends the child; what was acknowledged stays on disk. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#retryTimer);
    const child = this.#child;
    if (!child || hasEnded(child)) return;
    const gone = new Promise<void>((done) => child.once('exit', () => done()));
    child.stdin?.end();
    await gone;
  }

  #writeConfiguration(): void {
    const dir = this.#dir;
    mkdirSync(join(dir, 'data'), { recursive: true, mode: 0o700 });
    writeFileSync(join(dir, 'users.xml'), usersXml(this.address.password), { mode: 0o600 });
    writeFileSync(join(dir, 'config.xml'), this.#configXml(), { mode: 0o600 });
  }

  #configXml(): string {
    const memory = this.#options.memoryBytes ?? Math.min(totalmem() / 2, 4e9);
    return `<clickhouse>
  <users_config>${escapeXml(join(this.#dir, 'users.xml'))}</users_config>
  <logger><log>${escapeXml(join(this.#dir, 'store.log'))}</log><size>10M</size><count>2</count></logger>
  <max_server_memory_usage>${Math.floor(memory)}</max_server_memory_usage>
  <mark_cache_size>134217728</mark_cache_size>
  <background_pool_size>${Math.max(2, Math.floor(availableParallelism() / 2))}</background_pool_size>
  <background_schedule_pool_size>4</background_schedule_pool_size>
  <background_message_broker_schedule_pool_size>1</background_message_broker_schedule_pool_size>
  <background_distributed_schedule_pool_size>2</background_distributed_schedule_pool_size>
  <background_move_pool_size>1</background_move_pool_size>
  <background_fetches_pool_size>1</background_fetches_pool_size>
  <background_common_pool_size>2</background_common_pool_size>
  <interserver_http_host>127.0.0.1</interserver_http_host>
  ${this.#clustersXml()}
</clickhouse>
`;
  }

  #clustersXml(): string {
    const clusters = Object.entries(this.#options.clusters ?? {});
    if (clusters.length === 0) return '';
    const replica = (shard: string): string => {
      const [host, port] = shard.split(':');
      const login = `<user>${USER}</user><password>${escapeXml(this.address.password)}</password>`;
      return `<shard><replica><host>${host}</host><port>${port}</port>${login}</replica></shard>`;
    };
    const xml = clusters.map(([name, shards]) => `<${name}>${shards.map(replica).join('')}</${name}>`);
    return `<remote_servers>${xml.join('')}</remote_servers>`;
  }

  #arguments(): readonly string[] {
    const listen = this.#ports.tcp === undefined ? '' : 'SYSTEM START LISTEN TCP; ';
    // The last statement keeps the library in its call for as long as the process lives.
    const query = `SYSTEM START LISTEN HTTP; ${listen}SELECT sleepEachRow(36000) FROM numbers(1000000) SETTINGS function_sleep_max_microseconds_per_block = 0 FORMAT Null`;
    const tcp = this.#ports.tcp === undefined ? [] : [`--tcp_port=${this.#ports.tcp}`];
    return [
      `--path=${join(this.#dir, 'data')}`,
      '--listen_host=127.0.0.1',
      '--log-level=warning', // the one place that `clickhouse local` reads it from; its default is trace, a line or more a query
      `--http_port=${this.#ports.http}`,
      ...tcp,
      `--config-file=${join(this.#dir, 'config.xml')}`,
      '--query',
      query,
    ];
  }

  async #spawnAndWait(): Promise<void> {
    const startedMs = performance.now();
    this.#repair();
    const child = spawn(process.execPath, [HOST_SCRIPT, ...this.#arguments()], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#child = child;
    child.stdin.on('error', () => undefined); // the child died before it read; `exit` tells
    let output = '';
    const collect = (chunk: Buffer): void => {
      output = (output + chunk.toString('utf8')).slice(-4000);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    await this.#untilReady(child, () => output);
    this.#retryMs = FIRST_RETRY_MS;
    const tookMs = performance.now() - startedMs;
    this.#options.onEvent?.({ kind: 'ready', pid: child.pid ?? 0, tookMs });
    // It may have died right after it answered.
    if (hasEnded(child)) this.#onDeath(child.exitCode, child.signalCode, output);
    else child.once('exit', (code, signal) => this.#onDeath(code, signal, output));
  }

  #repair(): void {
    const tokens = repairDeduplicationLogs(join(this.#dir, 'data'));
    if (tokens > 0) this.#options.onEvent?.({ kind: 'repaired', tokens });
  }

  async #untilReady(child: ChildProcess, output: () => string): Promise<void> {
    const deadline = performance.now() + READY_LIMIT_MS;
    for (;;) {
      if (hasEnded(child)) throw startFailure(this.#dir, output());
      if (await answers(this.address)) return;
      if (performance.now() > deadline) {
        child.kill('SIGKILL');
        throw new Error(`the embedded store did not answer within ${READY_LIMIT_MS / 1000} s; see ${join(this.#dir, 'store.log')}`);
      }
      await new Promise((done) => setTimeout(done, 20));
    }
  }

  #onDeath(code: number | null, signal: string | null, output: string): void {
    if (this.#stopping) return;
    this.#options.onEvent?.({ kind: 'died', code, signal, output });
    this.#restartSoon();
  }

  #restartSoon(): void {
    this.#retryTimer = setTimeout(() => {
      this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
      this.#spawnAndWait().catch((reason: Error) => {
        if (this.#stopping) return;
        this.#options.onEvent?.({ kind: 'failed', reason: reason.message });
        this.#restartSoon();
      });
    }, this.#retryMs);
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function answers(address: StoreAddress): Promise<boolean> {
  try {
    const answer = await fetch(`${address.url}/?query=SELECT+1`, {
      headers: { 'X-ClickHouse-User': address.user, 'X-ClickHouse-Key': address.password },
      signal: AbortSignal.timeout(2000),
    });
    return answer.ok;
  } catch {
    return false; // not listening yet
  }
}

class DataHeldError extends Error {}

function startFailure(dir: string, output: string): Error {
  if (output.includes('Cannot lock file')) return new DataHeldError(`the store's data in ${dir} is in use by another process`);
  return new Error(otherFailure(dir, output));
}

function otherFailure(dir: string, output: string): string {
  if (/Cannot find module 'chdb|ERR_MODULE_NOT_FOUND|GLIBC|ld-musl/.test(output)) {
    return `the embedded store is not available here (it needs Linux with glibc, or macOS): give a ClickHouse server with --store URL. It said: ${lastLine(output)}`;
  }
  return `the embedded store in ${dir} did not start: ${lastLine(output) || `no message; see ${join(dir, 'store.log')}`}`;
}

function lastLine(output: string): string {
  return output.trim().split('\n').at(-1) ?? '';
}

/**
 * The local session of `clickhouse local` always signs in as `default` without a password from loopback, so that user may
 * only open the listeners; ours has a password and everything else.
 */
function usersXml(password: string): string {
  const hash = createHash('sha256').update(password).digest('hex');
  return `<clickhouse>
  <profiles><default/></profiles><quotas><default/></quotas>
  <users>
    <default><password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>
      <grants><query>GRANT SYSTEM LISTEN ON *.*</query></grants></default>
    <${USER}><password_sha256_hex>${hash}</password_sha256_hex><networks><ip>127.0.0.1</ip><ip>::1</ip></networks>
      <profile>default</profile><quota>default</quota></${USER}>
  </users>
</clickhouse>
`;
}

function escapeXml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const probe = createServer();
    probe.once('error', fail);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => done(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
