import { describe, expect, test } from 'vitest';
import { type Layout, MIGRATIONS, migrationsTable, retentionStatements } from './schema.ts';

const PLAIN: Layout = { database: 'db', retainDays: 30, fsync: true };
const CLUSTER: Layout = { ...PLAIN, fsync: false, cluster: 'prod' };
const REPLICATED: Layout = { ...CLUSTER, replicated: true };

/** What a layout decides: each table's name, engine and settings that are about durability. */
function outline(layout: Layout): string[] {
  const statements = [...MIGRATIONS.flatMap((migration) => migration.statements(layout)), migrationsTable(layout)];
  return statements.map((statement) => {
    const [, table] = /CREATE TABLE IF NOT EXISTS (\S+)/.exec(statement)!;
    const [engine] = /ENGINE = .*/.exec(statement)!;
    const once = /non_replicated_deduplication_window = \d+/.exec(statement)?.[0];
    const durable = /fsync_after_insert = 1, fsync_part_directory = 1/.exec(statement)?.[0];
    return [table, engine, once, durable].filter(Boolean).join(' | ');
  });
}

describe('the tables', () => {
  test('of a store by itself', () => {
    expect(outline(PLAIN)).toEqual([
      'db.spans | ENGINE = MergeTree | non_replicated_deduplication_window = 10000 | fsync_after_insert = 1, fsync_part_directory = 1',
      'db.graph_minutes | ENGINE = ReplacingMergeTree(version) | non_replicated_deduplication_window = 10000 | fsync_after_insert = 1, fsync_part_directory = 1',
      'db.settings | ENGINE = ReplacingMergeTree(version) | non_replicated_deduplication_window = 10000 | fsync_after_insert = 1, fsync_part_directory = 1',
      'db.sampling_reports | ENGINE = MergeTree | non_replicated_deduplication_window = 10000 | fsync_after_insert = 1, fsync_part_directory = 1',
      'db.migrations | ENGINE = MergeTree ORDER BY version',
    ]);
  });

  test('of a cluster', () => {
    expect(outline(CLUSTER)).toEqual([
      'db.spans_local | ENGINE = MergeTree | non_replicated_deduplication_window = 10000',
      "db.spans | ENGINE = Distributed('prod', 'db', 'spans_local', cityHash64(trace_id))",
      'db.graph_minutes_local | ENGINE = ReplacingMergeTree(version) | non_replicated_deduplication_window = 10000',
      "db.graph_minutes | ENGINE = Distributed('prod', 'db', 'graph_minutes_local', toUInt64(minute))",
      'db.settings_local | ENGINE = ReplacingMergeTree(version) | non_replicated_deduplication_window = 10000',
      "db.settings | ENGINE = Distributed('prod', 'db', 'settings_local', cityHash64(kind, id))",
      'db.sampling_reports_local | ENGINE = MergeTree | non_replicated_deduplication_window = 10000',
      "db.sampling_reports | ENGINE = Distributed('prod', 'db', 'sampling_reports_local', cityHash64(client))",
      'db.migrations_local | ENGINE = MergeTree ORDER BY version',
    ]);
  });

  test('of a cluster with replicas', () => {
    expect(outline(REPLICATED)).toEqual([
      "db.spans_local | ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/db/spans', '{replica}')",
      "db.spans | ENGINE = Distributed('prod', 'db', 'spans_local', cityHash64(trace_id))",
      "db.graph_minutes_local | ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/db/graph_minutes', '{replica}', version)",
      "db.graph_minutes | ENGINE = Distributed('prod', 'db', 'graph_minutes_local', toUInt64(minute))",
      "db.settings_local | ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/db/settings', '{replica}', version)",
      "db.settings | ENGINE = Distributed('prod', 'db', 'settings_local', cityHash64(kind, id))",
      "db.sampling_reports_local | ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/db/sampling_reports', '{replica}')",
      "db.sampling_reports | ENGINE = Distributed('prod', 'db', 'sampling_reports_local', cityHash64(client))",
      "db.migrations_local | ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/db/migrations', '{replica}') ORDER BY version",
    ]);
  });

  test('rows are kept as long as the layout says', () => {
    expect(retentionStatements({ ...CLUSTER, retainDays: 7 })).toEqual([
      'ALTER TABLE db.spans_local MODIFY TTL toDateTime(ts) + INTERVAL 7 DAY',
      'ALTER TABLE db.graph_minutes_local MODIFY TTL minute + INTERVAL 7 DAY',
    ]);
  });

  test('versions of migrations ascend from 1', () => {
    expect(MIGRATIONS.map((migration) => migration.version)).toEqual(MIGRATIONS.map((_, index) => index + 1));
  });
});
