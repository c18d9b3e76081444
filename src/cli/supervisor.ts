/** Keeps the product running: the embedded store and the server, each in a process of its own, started again when it dies. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { DEFAULT_LIMITS } from '../ingest/index.ts';
import type { ServerAddresses, ServerOptions } from '../server/index.ts';
import { EmbeddedStore } from '../store/index.ts';
import type { Settings } from './options.ts';

export type ToServer =
  | { readonly kind: 'start'; readonly options: Omit<ServerOptions, 'log' | 'onFatal'>; readonly logLevel: string }
  | { readonly kind: 'stop' };

export type FromServer =
  | { readonly kind: 'started'; readonly addresses: ServerAddresses }
  | { readonly kind: 'failed'; readonly name: string; readonly message: string; readonly stack: string };

/** Something that the user can put right keeps the product from starting. */
export class StartError extends Error {}

const SERVER_SCRIPT = fileURLToPath(new URL('./server-child.js', import.meta.url));
const FIRST_RETRY_MS = 200;
const LAST_RETRY_MS = 5_000;
const STOP_LIMIT_MS = 15_000;

export class Supervisor {
  readonly #settings: Settings;
  readonly #version: string;
  readonly #log: Logger;
  #store: EmbeddedStore | undefined;
  #server: ChildProcess | undefined;
  #addresses: ServerAddresses | undefined;
  #stopping = false;
  #retryMs = FIRST_RETRY_MS;

  constructor(settings: Settings, version: string, log: Logger) {
    this.#settings = settings;
    this.#version = version;
    this.#log = log;
  }

  /** Starts everything; throws `StartError` with a message for the user. */
  async start(): Promise<ServerAddresses> {
    if (this.#settings.store.length === 0) await this.#startStore();
    this.#addresses = await this.#startServer();
    return this.#addresses;
  }

  /** Process ids of the children that run now. */
  get pids(): { readonly server: number | undefined; readonly store: number | undefined } {
    return { server: this.#server?.pid, store: this.#store?.pid };
  }

  /** Drains and ends everything. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const server = this.#server;
    if (server && server.exitCode === null && server.signalCode === null) {
      const gone = new Promise<void>((done) => server.once('exit', () => done()));
      server.send({ kind: 'stop' } satisfies ToServer);
      const limit = setTimeout(() => server.kill('SIGKILL'), STOP_LIMIT_MS);
      await gone;
      clearTimeout(limit);
    }
    await this.#store?.stop();
  }

  /** For a second Ctrl-C: nothing that was acknowledged is lost by it. */
  kill(): void {
    this.#stopping = true;
    this.#server?.kill('SIGKILL');
    if (this.#store?.pid !== undefined) process.kill(this.#store.pid, 'SIGKILL');
  }

  async #startStore(): Promise<void> {
    const { data, storeMemoryBytes } = this.#settings;
    try {
      this.#store = await EmbeddedStore.start({
        dir: join(data, 'store'),
        ...(storeMemoryBytes === undefined ? {} : { memoryBytes: storeMemoryBytes }),
        onEvent: (event) => {
          if (event.kind === 'ready') this.#log.info({ pid: event.pid, tookMs: Math.round(event.tookMs) }, 'the store is ready');
          else if (event.kind === 'died')
            this.#log.error(
              { code: event.code, signal: event.signal, output: event.output.slice(-500) },
              'the store died; it is started again',
            );
          else if (event.kind === 'repaired')
            this.#log.warn({ batches: event.tokens }, 'the store was ended while it stored; it forgets what it did not finish');
          else this.#log.error({ reason: event.reason }, 'the store did not start; it is tried again');
        },
      });
    } catch (cause) {
      throw new StartError((cause as Error).message, { cause });
    }
  }

  async #startServer(): Promise<ServerAddresses> {
    const child = fork(SERVER_SCRIPT, [], { env: this.#environment() });
    this.#server = child;
    child.on('error', () => undefined); // it died before it could be told something; `exit` tells
    const addresses = await new Promise<ServerAddresses>((done, fail) => {
      child.once('exit', (code, signal) => fail(new Error(`the server ended at its start (${signal ?? code})`)));
      child.once('message', (message: FromServer) => {
        if (message.kind === 'started') done(message.addresses);
        else if (['PortError', 'StoreStartError', 'DataError'].includes(message.name)) fail(new StartError(message.message));
        else fail(new Error(message.stack));
      });
      child.send({ kind: 'start', options: this.#serverOptions(), logLevel: this.#settings.logLevel } satisfies ToServer);
    });
    this.#retryMs = FIRST_RETRY_MS;
    child.removeAllListeners('exit');
    child.once('exit', (code, signal) => this.#onServerDeath(code, signal));
    return addresses;
  }

  #environment(): NodeJS.ProcessEnv {
    return process.stderr.isTTY ? { ...process.env, FLUORO_LOG_TERMINAL: '1' } : process.env;
  }

  #serverOptions(): Omit<ServerOptions, 'log' | 'onFatal'> {
    const settings = this.#settings;
    const taken = this.#addresses;
    // After a restart the same ports, also where any free one was asked for: senders know them by now.
    const again = <T extends { host: string; port: number } | undefined>(asked: T, was: string | undefined): T =>
      asked && was !== undefined ? { ...asked, port: Number(was.slice(was.lastIndexOf(':') + 1)) } : asked;
    return {
      version: this.#version,
      dir: settings.data,
      stores: this.#store ? [this.#store.address] : settings.store,
      layout: layoutOf(settings, this.#store !== undefined),
      limits: limitsOf(settings),
      listen: again(settings.listen, taken?.page),
      xray: again(settings.xray, taken?.xrayUdp),
      otlpHttp: again(settings.otlpHttp, taken?.otlpHttp),
      otlpGrpc: again(settings.otlpGrpc, taken?.otlpGrpc),
    };
  }

  #onServerDeath(code: number | null, signal: string | null): void {
    if (this.#stopping) return;
    this.#log.error({ code, signal }, 'the server died; it is started again');
    this.#restartSoon();
  }

  #restartSoon(): void {
    setTimeout(() => {
      if (this.#stopping) return;
      this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
      this.#startServer().catch((cause: Error) => {
        if (this.#stopping) return;
        this.#log.error({ reason: cause.message }, 'the server did not start; it is tried again');
        this.#restartSoon();
      });
    }, this.#retryMs);
  }
}

export function layoutOf(settings: Settings, embedded: boolean): ServerOptions['layout'] {
  return {
    database: settings.storeDatabase,
    retainDays: settings.retainDays,
    fsync: embedded,
    replicated: settings.storeReplicated,
    ...(settings.storeCluster === undefined ? {} : { cluster: settings.storeCluster }),
  };
}

export function limitsOf(settings: Settings): ServerOptions['limits'] {
  return { ...DEFAULT_LIMITS, spoolBytes: settings.spoolBytes, freeBytes: settings.minFreeBytes, retainDays: settings.retainDays };
}
