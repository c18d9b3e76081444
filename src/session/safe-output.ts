/** Where a session writes to, when that may fail: a pipe whose reader is gone, a full disk. */
import type { OutputSink } from '../y/index.ts';

/** After its first failure it writes nothing more, and whoever made it is told. */
export class SafeOutput implements OutputSink {
  readonly #sink: OutputSink;
  readonly #onFailure: () => void;
  #failure: string | undefined;

  constructor(sink: OutputSink, onFailure: () => void) {
    this.#sink = sink;
    this.#onFailure = onFailure;
  }

  /** What went wrong. */
  get failure(): string | undefined {
    return this.#failure;
  }

  write(stream: 'out' | 'warn' | 'error', text: string): void {
    this.#attempt(() => this.#sink.write(stream, text));
  }

  chart(chart: Parameters<OutputSink['chart']>[0]): void {
    this.#attempt(() => this.#sink.chart(chart));
  }

  #attempt(write: () => void): void {
    if (this.#failure !== undefined) return;
    try {
      write();
    } catch (cause) {
      this.#failure = cause instanceof Error ? cause.message : String(cause);
      this.#onFailure();
    }
  }
}
