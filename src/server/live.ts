/** Tells open pages when there is something new to see: server-sent events, gathered so that a busy system does not flood them. */
import type { FastifyInstance } from 'fastify';
import type { ServerResponse } from 'node:http';
import type { LiveEvent } from '../api/index.ts';

const GATHER_MS = 500;
/** Proxies close what is silent. */
const KEEP_ALIVE_MS = 15_000;
const MAX_LISTENERS = 500;

export class LiveFeed {
  readonly #listeners = new Set<ServerResponse>();
  #pending: { fromSeconds: number; toSeconds: number } | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #keepAlive = setInterval(() => this.#send(': alive\n\n'), KEEP_ALIVE_MS);

  /** Spans or counts of this stretch of time are new. */
  announce(fromSeconds: number, toSeconds: number): void {
    const pending = this.#pending;
    this.#pending = {
      fromSeconds: Math.min(fromSeconds, pending?.fromSeconds ?? Infinity),
      toSeconds: Math.max(toSeconds, pending?.toSeconds ?? -Infinity),
    };
    this.#timer ??= setTimeout(() => this.#flush(), GATHER_MS);
  }

  register(app: FastifyInstance): void {
    app.get('/api/v1/live', (_request, reply) => {
      if (this.#listeners.size >= MAX_LISTENERS) {
        return reply.code(503).send({ error: { code: 'TooManyListeners', message: 'too many pages are open' } });
      }
      reply.hijack();
      const response = reply.raw;
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', connection: 'keep-alive' });
      response.write('retry: 1000\n\n');
      this.#listeners.add(response);
      response.on('close', () => this.#listeners.delete(response));
      return reply;
    });
  }

  close(): void {
    clearInterval(this.#keepAlive);
    clearTimeout(this.#timer);
    for (const listener of this.#listeners) listener.end();
  }

  #flush(): void {
    this.#timer = undefined;
    if (!this.#pending) return;
    const event: LiveEvent = { kind: 'data', ...this.#pending };
    this.#pending = undefined;
    this.#send(`data: ${JSON.stringify(event)}\n\n`);
  }

  #send(text: string): void {
    for (const listener of this.#listeners) {
      if (listener.writableLength > 65_536) listener.destroy(); // it does not read; it will come back
      else listener.write(text);
    }
  }
}
