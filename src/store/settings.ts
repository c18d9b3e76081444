/**
 * What people set through the API: JSON values by kind and id, in the store, shared by all its servers. Every server keeps them in memory
 * and reads them again about once a second, so that two servers agree within a poll.
 *
 * A change names the version that it was made from. Its row is inserted under a token of kind, id and the next version, and the store
 * takes a token once: of two servers that change the same version one wins, and the other is told so. A row whose token was taken
 * is dropped without a word; so what stands there is read afterwards.
 */
import { randomUUID } from 'node:crypto';
import { err, ok, type Result } from '../base/index.ts';
import type { StoreError } from './client.ts';
import type { Store } from './store.ts';

export interface SettingKey {
  readonly kind: string;
  readonly id: string;
}

export interface Setting extends SettingKey {
  /** 1 at first, and one more with each change, deletions too. */
  readonly version: number;
  /** What was put. */
  readonly value: unknown;
  /** When it was put, epoch seconds by the clock of the server that did it. */
  readonly changedSeconds: number;
}

/** `conflict`: somebody changed it meanwhile; look again, then try again. */
export type SettingError = StoreError | { readonly kind: 'conflict'; readonly message: string };

interface Row {
  readonly kind: string;
  readonly id: string;
  readonly version: string;
  readonly deleted: number;
  readonly value: string;
  readonly writer: string;
  readonly changed_ms: string;
}

const COLUMNS = 'kind, id, version, deleted, value, writer, toUnixTimestamp64Milli(changed) AS changed_ms';
/** About how long a change made through another server may stay unseen. */
const POLL_MS = 1_000;
/** `version` when whatever stands there is to be replaced. */
type Expected = number | 'any';

/** A server's view of the settings. */
export class StoredSettings {
  readonly #store: Store;
  readonly #table: string;
  /** By kind and id, deleted ones too: their versions go on. */
  #known = new Map<string, Row>();
  #values = new Map<string, Setting>();
  #timer: NodeJS.Timeout | undefined;
  /** Counts changes of our own: what was read before one of them is not taken over after it. */
  #changes = 0;

  private constructor(store: Store) {
    this.#store = store;
    this.#table = `${store.layout.database}.settings`;
  }

  /** Reads the settings and keeps them current until `close`. */
  static async open(store: Store, pollMs = POLL_MS): Promise<Result<StoredSettings, StoreError>> {
    const settings = new StoredSettings(store);
    const read = await settings.refresh();
    if (!read.ok) return read;
    settings.#poll(pollMs);
    return ok(settings);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Those of a kind, by id. As of the last poll; those that expire are not among them. */
  list(kind: string): readonly Setting[] {
    return [...this.#values.values()].filter((setting) => setting.kind === kind).sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** As of the last poll. */
  find(key: SettingKey): Setting | undefined {
    return this.#values.get(nameOf(key));
  }

  /** When one of the kind was last deleted, epoch seconds; 0 for never. */
  lastDeletedSeconds(kind: string): number {
    let last = 0;
    for (const row of this.#known.values())
      if (row.kind === kind && row.deleted === 1) last = Math.max(last, Number(row.changed_ms) / 1000);
    return last;
  }

  /** As it stands in the store now, those that expire too. */
  async read(key: SettingKey): Promise<Result<Setting | undefined, StoreError>> {
    const row = await this.#readRow(key);
    return row.ok ? ok(row.value && toSetting(row.value)) : row;
  }

  /**
   * Puts a value in the place of the version `expected`; 0 when there must be none. `expires`: epoch seconds after which it is no more.
   * In the store, and seen by this server, when this returns.
   */
  async put(key: SettingKey, value: unknown, expected: Expected, expiresSeconds = 0): Promise<Result<Setting, SettingError>> {
    const written = await this.#write(key, { deleted: 0, value: JSON.stringify(value), expires: Math.ceil(expiresSeconds) }, expected);
    return written.ok ? ok(toSetting(written.value)!) : written;
  }

  /** Deletes the version `expected`; nothing happens when there is none and `any` was expected. */
  async delete(key: SettingKey, expected: Expected): Promise<Result<undefined, SettingError>> {
    const written = await this.#write(key, { deleted: 1, value: '', expires: 0 }, expected);
    return written.ok ? ok(undefined) : written;
  }

  /** Reads everything again, as happens once a second by itself. */
  async refresh(): Promise<Result<undefined, StoreError>> {
    const changes = this.#changes;
    const rows = await this.#store.client.rows<Row>(`SELECT ${COLUMNS} FROM ${this.#table} FINAL WHERE expires = toDateTime(0, 'UTC')`);
    if (!rows.ok) return rows;
    if (changes !== this.#changes) return ok(undefined);
    this.#known = new Map(rows.value.map((row) => [nameOf(row), row]));
    this.#values = new Map(rows.value.flatMap((row) => toSetting(row) ?? []).map((setting) => [nameOf(setting), setting]));
    return ok(undefined);
  }

  #poll(pollMs: number): void {
    this.#timer = setTimeout(() => {
      void this.refresh().then(() => this.#timer && this.#poll(pollMs));
    }, pollMs).unref();
  }

  async #readRow(key: SettingKey): Promise<Result<Row | undefined, StoreError>> {
    const rows = await this.#store.client.rows<Row>(
      `SELECT ${COLUMNS} FROM ${this.#table} FINAL
       WHERE kind = {kind:String} AND id = {id:String} AND (expires = toDateTime(0, 'UTC') OR expires > now())`,
      { kind: key.kind, id: key.id },
    );
    return rows.ok ? ok(rows.value[0]) : rows;
  }

  async #write(
    { kind, id }: SettingKey,
    values: { readonly deleted: 0 | 1; readonly value: string; readonly expires: number },
    expected: Expected,
  ): Promise<Result<Row, SettingError>> {
    const before = await this.#readRow({ kind, id });
    if (!before.ok) return before;
    const present = before.value?.deleted === 0 ? Number(before.value.version) : 0;
    if (expected !== 'any' && expected !== present) return err(conflict(kind, id));
    if (values.deleted === 1 && present === 0) return before.value ? ok(before.value) : ok(nothing(kind, id));
    const version = Number(before.value?.version ?? 0) + 1;
    const writer = randomUUID();
    const row = { kind, id, version, writer, changed: (Date.now() / 1000).toFixed(3), ...values };
    const inserted = await this.#store.client.insertRows(this.#table, [row], `${kind}/${id}/${version}`);
    if (!inserted.ok) return inserted;
    const after = await this.#readRow({ kind, id });
    if (!after.ok) return after;
    if (after.value?.writer !== writer) return err(conflict(kind, id));
    this.#changes++;
    if (values.expires === 0) this.#remember(after.value);
    return ok(after.value);
  }

  #remember(row: Row): void {
    this.#known.set(nameOf(row), row);
    const setting = toSetting(row);
    if (setting === undefined) this.#values.delete(nameOf(row));
    else this.#values.set(nameOf(row), setting);
  }
}

function nameOf({ kind, id }: SettingKey): string {
  return `${kind}\n${id}`;
}

function toSetting({ kind, id, version, deleted, value, changed_ms }: Row): Setting | undefined {
  if (deleted === 1) return undefined;
  return { kind, id, version: Number(version), value: JSON.parse(value) as unknown, changedSeconds: Number(changed_ms) / 1000 };
}

function nothing(kind: string, id: string): Row {
  return { kind, id, version: '0', deleted: 1, value: '', writer: '', changed_ms: '0' };
}

function conflict(kind: string, id: string): SettingError {
  return { kind: 'conflict', message: `the ${kind} ${id} was changed by somebody else at the same time: look at it and try again` };
}
