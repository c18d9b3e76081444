/** Speaks ClickHouse SQL over HTTP to one store: an embedded child, a server, or the nodes of a cluster. The only place that does. */
import { Readable } from 'node:stream';
import { type ClickHouseClient, ClickHouseError, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { err, ok, type Result } from '../base/index.ts';
import { readNative, type NativeTable } from './native-reader.ts';

/** Where a store listens, and how to sign in. */
export interface StoreAddress {
  readonly url: string;
  readonly user: string;
  readonly password: string;
}

/** Why the store did not do what was asked. `unavailable`: try again later; `refused`: the same request will fail again. */
export interface StoreError {
  readonly kind: 'unavailable' | 'refused';
  readonly message: string;
  /** ClickHouse's error code, when it answered. */
  readonly code?: string;
}

/** Codes that pass by themselves: timeouts, no space, too many parts or queries, memory, network, read-only. */
const PASSING_CODES = new Set([
  '159',
  '160',
  '202',
  '209',
  '210',
  '241',
  '242',
  '243',
  '252',
  '279',
  '307',
  '425',
  '473',
  '999',
  '74',
  '75',
  '76',
  '107',
  '198',
  '203',
  '394',
  '516',
  '519',
  '521',
  '574',
  '668',
  '722',
  '236',
  '319',
  '1000',
  '1001',
  '1002',
]);

const REQUEST_LIMIT_MS = 120_000;

export type QueryParams = Readonly<Record<string, unknown>>;

/** A connection to the first of `addresses` that answers; falls over to the next when it does not. */
export class StoreClient {
  readonly #clients: readonly ClickHouseClient[];
  #current = 0;

  constructor(addresses: readonly StoreAddress[]) {
    this.#clients = addresses.map((address) =>
      createClient({
        url: address.url,
        username: address.user,
        password: address.password,
        request_timeout: REQUEST_LIMIT_MS,
        max_open_connections: 12,
        compression: { request: false, response: false },
        keep_alive: { enabled: true, idle_socket_ttl: 2500 },
        log: { level: ClickHouseLogLevel.OFF }, // failures are values here; whoever asked tells
      }),
    );
  }

  /** Runs a statement that returns nothing. */
  async command(sql: string): Promise<Result<undefined, StoreError>> {
    return this.#attempt<undefined>(async (client) => {
      await client.command({ query: sql });
      return undefined;
    });
  }

  /** Rows as objects; 64-bit numbers come as text. */
  async rows<T>(sql: string, params: QueryParams = {}): Promise<Result<T[], StoreError>> {
    return this.#attempt(async (client) => {
      const answer = await client.query({ query: sql, query_params: { ...params }, format: 'JSONEachRow' });
      return answer.json<T>();
    });
  }

  /** Columns as typed arrays, read from the Native format. */
  async columns(sql: string, params: QueryParams = {}): Promise<Result<NativeTable, StoreError>> {
    return this.#attempt(async (client) => {
      const answer = await client.exec({ query: `${sql} FORMAT Native`, query_params: { ...params } });
      const chunks: Buffer[] = [];
      for await (const chunk of answer.stream) chunks.push(chunk as Buffer);
      return readNative(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
    });
  }

  /**
   * Inserts Native blocks as one batch. The same `token` is stored once, however often it is sent:
   * send the same blocks again when the outcome is not known.
   */
  async insertBlocks(table: string, blocks: readonly Uint8Array[], token: string): Promise<Result<undefined, StoreError>> {
    return this.#attempt<undefined>(async (client) => {
      const answer = await client.exec({
        query: `INSERT INTO ${table} FORMAT Native`,
        values: Readable.from(blocks, { objectMode: false }),
        clickhouse_settings: {
          insert_deduplicate: 1,
          insert_deduplication_token: token,
          max_partitions_per_insert_block: '0',
          max_insert_threads: '1',
          distributed_foreground_insert: 1,
          // One part per day and batch, whatever the size of the blocks it came in.
          min_insert_block_size_rows: '1000000',
        },
      });
      for await (const _ of answer.stream); // the answer is empty; its end is the acknowledgement
      return undefined;
    });
  }

  /** Inserts few rows given as objects. With a `token`: stored once, and not at all when rows of the same token came before. */
  async insertRows(table: string, values: readonly Record<string, unknown>[], token?: string): Promise<Result<undefined, StoreError>> {
    const once =
      token === undefined
        ? {}
        : { insert_deduplicate: 1 as const, insert_deduplication_token: token, distributed_foreground_insert: 1 as const };
    return this.#attempt<undefined>(async (client) => {
      await client.insert({ table, values: [...values], format: 'JSONEachRow', clickhouse_settings: once });
      return undefined;
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
  }

  async #attempt<T>(work: (client: ClickHouseClient) => Promise<T>): Promise<Result<T, StoreError>> {
    let outcome: Result<T, StoreError> = err({ kind: 'unavailable', message: 'no store address' });
    for (let i = 0; i < this.#clients.length; i++) {
      const client = this.#clients[this.#current % this.#clients.length]!;
      outcome = await settle(() => work(client));
      if (outcome.ok || outcome.error.kind === 'refused' || outcome.error.code !== undefined) return outcome;
      this.#current++;
    }
    return outcome;
  }
}

async function settle<T>(work: () => Promise<T>): Promise<Result<T, StoreError>> {
  try {
    return ok(await work());
  } catch (cause) {
    return err(toStoreError(cause));
  }
}

function toStoreError(cause: unknown): StoreError {
  if (cause instanceof ClickHouseError) {
    const kind = PASSING_CODES.has(cause.code) ? 'unavailable' : 'refused';
    return { kind, code: cause.code, message: `${cause.type ?? 'error'} (${cause.code}): ${cause.message.slice(0, 500)}` };
  }
  const message = cause instanceof Error ? cause.message || cause.name : String(cause);
  return { kind: 'unavailable', message: `the store does not answer: ${message}` };
}
