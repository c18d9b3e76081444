/** Stands between a server and its store, and makes the store slow, absent, or lose its answers. */
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StoreAddress } from '../../src/store/index.ts';

/** `lose-answers`: inserts of spans reach the store, its answers do not come back. `down`: nobody answers at all. */
export type ProxyMode = 'pass' | 'slow' | 'lose-answers' | 'down';

export class StoreProxy {
  mode: ProxyMode = 'pass';
  /** For `slow`. */
  delayMs = 5_000;
  /** Inserts of spans that were delayed, or whose answers were lost. */
  hits = 0;
  readonly #server: Server;
  readonly #store: StoreAddress;

  private constructor(store: StoreAddress) {
    this.#store = store;
    this.#server = createServer((incoming, outgoing) => void this.#handle(incoming, outgoing));
  }

  static async start(store: StoreAddress): Promise<StoreProxy> {
    const proxy = new StoreProxy(store);
    await new Promise<void>((done) => proxy.#server.listen(0, '127.0.0.1', done));
    return proxy;
  }

  /** For `--store`. */
  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://${this.#store.user}:${this.#store.password}@127.0.0.1:${port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((done) => this.#server.close(() => done()));
  }

  async #handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    if (this.mode === 'down') return void incoming.socket.destroy();
    const isInsert = /INSERT INTO \w+\.spans\b/.test(decodeURIComponent((incoming.url ?? '').replaceAll('+', ' ')));
    const mode = this.mode;
    if (mode === 'slow') {
      if (isInsert) this.hits++;
      await sleep(this.delayMs);
    }
    const { hostname, port } = new URL(this.#store.url);
    const onward = request({ hostname, port, method: incoming.method, path: incoming.url, headers: incoming.headers }, (answer) => {
      if (mode === 'lose-answers' && isInsert) {
        this.hits++;
        answer.resume().once('end', () => incoming.socket.destroy()); // the store is done with it
        return;
      }
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => incoming.socket.destroy());
    incoming.on('error', () => onward.destroy());
    incoming.pipe(onward);
  }
}
