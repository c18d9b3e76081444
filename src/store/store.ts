/** A store that is ready to use: its layout applied, and a client that speaks to it. */
import { err, ok, type Result } from '../base/index.ts';
import { StoreClient, type StoreAddress, type StoreError } from './client.ts';
import { type Layout, localTable, MIGRATIONS, migrationsTable, retentionStatements } from './schema.ts';

/** The client and the names that queries are written with. */
export interface Store {
  readonly client: StoreClient;
  readonly layout: Layout;
}

/** Connects, creates what is missing and applies new migrations. Safe to run from several servers at once. */
export async function openStore(addresses: readonly StoreAddress[], layout: Layout): Promise<Result<Store, StoreError>> {
  for (const address of addresses) {
    const migrated = await migrateNode(address, layout);
    if (!migrated.ok) return migrated;
  }
  return ok(connectStore(addresses, layout));
}

/** Each node of a cluster has tables of its own, and may have joined later than the others. */
async function migrateNode(address: StoreAddress, layout: Layout): Promise<Result<undefined, StoreError>> {
  const client = new StoreClient([address]);
  try {
    return await migrate(client, layout);
  } finally {
    await client.close();
  }
}

/** Connects without touching the tables: for a process beside the one that opened the store. */
export function connectStore(addresses: readonly StoreAddress[], layout: Layout): Store {
  return { client: new StoreClient(addresses), layout };
}

/** Rows and bytes on disk of each table, on the node that answers. */
export async function readSizes(store: Store): Promise<Result<{ table: string; rows: number; bytes: number }[], StoreError>> {
  const sizes = await store.client.rows<{ table: string; rows: string; bytes: string }>(
    `SELECT table, sum(rows) AS rows, sum(bytes_on_disk) AS bytes FROM system.parts WHERE database = {database:String} AND active GROUP BY table`,
    { database: store.layout.database },
  );
  if (!sizes.ok) return sizes;
  return ok(sizes.value.map(({ table, rows, bytes }) => ({ table, rows: Number(rows), bytes: Number(bytes) })));
}

async function migrate(client: StoreClient, layout: Layout): Promise<Result<undefined, StoreError>> {
  const prepared = await runAll(client, [`CREATE DATABASE IF NOT EXISTS ${layout.database} ENGINE = Atomic`, migrationsTable(layout)]);
  if (!prepared.ok) return prepared;
  const applied = await client.rows<{ version: number }>(`SELECT version FROM ${localTable(layout, 'migrations')}`);
  if (!applied.ok) return applied;
  const known = new Set(applied.value.map((row) => row.version));
  const newest = MIGRATIONS.at(-1)?.version ?? 0;
  const foreign = [...known].find((version) => version > newest);
  if (foreign !== undefined) {
    return err({
      kind: 'refused',
      message: `the store was written by a newer version (its schema is ${foreign}, this version knows ${newest}): upgrade, or give another --data`,
    });
  }
  for (const migration of MIGRATIONS) {
    if (known.has(migration.version)) continue;
    const done = await runAll(client, [
      ...migration.statements(layout),
      `INSERT INTO ${localTable(layout, 'migrations')} (version, name) VALUES (${migration.version}, '${migration.name}')`,
    ]);
    if (!done.ok) return done;
  }
  return applyRetention(client, layout);
}

/** Changes the node's tables' retention when it is not what the layout says. */
async function applyRetention(client: StoreClient, layout: Layout): Promise<Result<undefined, StoreError>> {
  const tables = await client.rows<{ create_table_query: string }>(
    `SELECT create_table_query FROM system.tables WHERE database = {database:String} AND name IN ('spans', 'spans_local', 'graph_minutes', 'graph_minutes_local') AND engine != 'Distributed'`,
    { database: layout.database },
  );
  if (!tables.ok) return tables;
  const wanted = `toIntervalDay(${layout.retainDays})`;
  if (tables.value.every((table) => table.create_table_query.includes(wanted))) return ok(undefined);
  return runAll(client, retentionStatements(layout));
}

async function runAll(client: StoreClient, statements: readonly string[]): Promise<Result<undefined, StoreError>> {
  for (const statement of statements) {
    const done = await client.command(statement);
    if (!done.ok) return done;
  }
  return ok(undefined);
}
