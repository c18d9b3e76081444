/**
 * Tables and their migrations. The same statements make a single embedded store, a server and a cluster:
 * only the engine clause and the `Distributed` twins differ. On a cluster the statements run on every node in turn.
 *
 * `spans` is sorted by five-minute bucket, then trace: the spans of a trace lie together (which is what makes them small
 * and a trace quick to fetch), a time range prunes buckets, and a bloom filter finds a trace when its time is not known.
 */

/** How tables are laid out. */
export interface Layout {
  readonly database: string;
  /** Days that data is kept. */
  readonly retainDays: number;
  /** Name of a cluster of the server's configuration; tables get `Distributed` twins and replicated engines where `replicated`. */
  readonly cluster?: string;
  readonly replicated?: boolean;
  /** Whether inserts must reach the disk before they are answered (an embedded store; a cluster has replicas). */
  readonly fsync: boolean;
}

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly statements: (layout: Layout) => readonly string[];
}

function engine(layout: Layout, table: string, kind = ''): string {
  const replicated = layout.replicated === true;
  const path = `'/clickhouse/tables/{shard}/${layout.database}/${table}', '{replica}'`;
  return replicated ? `Replicated${kind}MergeTree(${path})` : `${kind}MergeTree`;
}

/** Of rows with the same key, the one of the highest `version` stays. */
function replacing(layout: Layout, table: string): string {
  return layout.replicated === true ? engine(layout, table, 'Replacing').replace(/\)$/, ', version)') : 'ReplacingMergeTree(version)';
}

/** The table that rows are stored in: behind a `Distributed` twin on a cluster. */
export function localTable(layout: Layout, table: string): string {
  return layout.cluster === undefined ? `${layout.database}.${table}` : `${layout.database}.${table}_local`;
}

function distributedTwin(layout: Layout, table: string, shardingKey: string): readonly string[] {
  if (layout.cluster === undefined) return [];
  const local = localTable(layout, table);
  return [
    `CREATE TABLE IF NOT EXISTS ${layout.database}.${table} AS ${local}
     ENGINE = Distributed('${layout.cluster}', '${layout.database}', '${table}_local', ${shardingKey})`,
  ];
}

function settings(layout: Layout, own: string, wholeParts = true): string {
  const durable = layout.fsync ? ', fsync_after_insert = 1, fsync_part_directory = 1' : '';
  // A batch that is sent twice (its answer was lost) is recognised by its token and stored once.
  const once = layout.replicated === true ? '' : ', non_replicated_deduplication_window = 10000';
  return `SETTINGS ${own}, ttl_only_drop_parts = ${wholeParts ? 1 : 0}${once}${durable}`;
}

function spansTable(layout: Layout): string {
  return `CREATE TABLE IF NOT EXISTS ${localTable(layout, 'spans')} (
    ts DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    dur UInt64 CODEC(ZSTD(1)),
    trace_id FixedString(16) CODEC(ZSTD(1)),
    span_id FixedString(8) CODEC(ZSTD(1)),
    parent_id FixedString(8) CODEC(ZSTD(1)),
    flags UInt16 CODEC(ZSTD(1)),
    status UInt16 CODEC(ZSTD(1)),
    seen DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    name LowCardinality(String) CODEC(ZSTD(1)),
    service LowCardinality(String) CODEC(ZSTD(1)),
    type LowCardinality(String) CODEC(ZSTD(1)),
    peer LowCardinality(String) CODEC(ZSTD(1)),
    peer_type LowCardinality(String) CODEC(ZSTD(1)),
    method LowCardinality(String) CODEC(ZSTD(1)),
    user_agent LowCardinality(String) CODEC(ZSTD(1)),
    url String CODEC(ZSTD(1)),
    client_ip String CODEC(ZSTD(1)),
    user String CODEC(ZSTD(1)),
    attrs Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    resource LowCardinality(String) CODEC(ZSTD(1)),
    shape LowCardinality(String) CODEC(ZSTD(1)),
    rest String CODEC(ZSTD(1)),
    INDEX trace_bloom trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX value_bloom mapValues(attrs) TYPE bloom_filter(0.01) GRANULARITY 1
  ) ENGINE = ${engine(layout, 'spans')}
  PARTITION BY toDate(ts)
  ORDER BY (toStartOfFiveMinutes(ts), trace_id)
  TTL toDateTime(ts) + INTERVAL ${layout.retainDays} DAY
  ${settings(
    layout,
    `index_granularity = 512, min_compress_block_size = 65536, max_compress_block_size = 262144,
     map_serialization_version = 'with_buckets', map_serialization_version_for_zero_level_parts = 'basic',
     map_buckets_strategy = 'constant', max_buckets_in_map = 16, map_buckets_min_avg_size = 1`,
  )}`;
}

/**
 * Per-minute statistics of the service map's nodes and edges, computed from whole traces (`rollup`).
 * A minute is computed again when late spans arrive; the newest `version` counts, and members that
 * fell away are written with `total = 0`.
 */
function graphTable(layout: Layout): string {
  return `CREATE TABLE IF NOT EXISTS ${localTable(layout, 'graph_minutes')} (
    minute DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    version UInt64 CODEC(Delta(8), ZSTD(1)),
    kind LowCardinality(String),
    from_name LowCardinality(String), from_type LowCardinality(String),
    to_name LowCardinality(String), to_type LowCardinality(String),
    root UInt8, active UInt8,
    total UInt64 CODEC(T64, ZSTD(1)), errors UInt64 CODEC(T64, ZSTD(1)),
    throttles UInt64 CODEC(T64, ZSTD(1)), faults UInt64 CODEC(T64, ZSTD(1)),
    nanos UInt64 CODEC(T64, ZSTD(1)),
    first DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)), last DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    buckets Array(UInt16) CODEC(ZSTD(1)), counts Array(UInt32) CODEC(ZSTD(1))
  ) ENGINE = ${replacing(layout, 'graph_minutes')}
  PARTITION BY toDate(minute)
  ORDER BY (minute, kind, from_name, from_type, to_name, to_type)
  TTL minute + INTERVAL ${layout.retainDays} DAY
  ${settings(layout, 'index_granularity = 8192')}`;
}

/**
 * What people set, as JSON by kind and id, with the version that `StoredSettings` counts. `deleted`: it is no more. `expires`: rows go
 * by themselves after that time; 1970 for those that stay.
 */
function settingsTable(layout: Layout): string {
  return `CREATE TABLE IF NOT EXISTS ${localTable(layout, 'settings')} (
    kind LowCardinality(String), id String, version UInt64, deleted UInt8, value String,
    writer String, changed DateTime64(3, 'UTC'), expires DateTime('UTC')
  ) ENGINE = ${replacing(layout, 'settings')}
  ORDER BY (kind, id)
  TTL expires DELETE WHERE expires > toDateTime(0, 'UTC')
  ${settings(layout, 'index_granularity = 8192', false)}`;
}

/** What sampling clients reported to which server, and the boosts of rules: see `sampling-reports.ts`. */
function samplingTable(layout: Layout): string {
  return `CREATE TABLE IF NOT EXISTS ${localTable(layout, 'sampling_reports')} (
    at DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    server LowCardinality(String), kind LowCardinality(String), rule LowCardinality(String), client String,
    report String CODEC(ZSTD(1))
  ) ENGINE = ${engine(layout, 'sampling_reports')}
  PARTITION BY toStartOfHour(at)
  ORDER BY at
  TTL toDateTime(at) + INTERVAL 1 HOUR
  ${settings(layout, 'index_granularity = 8192')}`;
}

export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: 'spans and graph_minutes',
    statements: (layout) => [
      spansTable(layout),
      ...distributedTwin(layout, 'spans', 'cityHash64(trace_id)'),
      graphTable(layout),
      ...distributedTwin(layout, 'graph_minutes', 'toUInt64(minute)'),
    ],
  },
  {
    version: 2,
    name: 'settings and sampling_reports',
    statements: (layout) => [
      settingsTable(layout),
      ...distributedTwin(layout, 'settings', 'cityHash64(kind, id)'),
      samplingTable(layout),
      ...distributedTwin(layout, 'sampling_reports', 'cityHash64(client)'),
    ],
  },
];

/** Where the versions that were applied are written down. */
export function migrationsTable(layout: Layout): string {
  return `CREATE TABLE IF NOT EXISTS ${localTable(layout, 'migrations')} (
    version UInt32, name String, applied DateTime('UTC') DEFAULT now()
  ) ENGINE = ${engine(layout, 'migrations')} ORDER BY version`;
}

/** Brings the tables' retention in line with `layout` when the setting changed. */
export function retentionStatements(layout: Layout): readonly string[] {
  const ttl = (table: string, column: string): string =>
    `ALTER TABLE ${localTable(layout, table)} MODIFY TTL ${column} + INTERVAL ${layout.retainDays} DAY`;
  return [ttl('spans', 'toDateTime(ts)'), ttl('graph_minutes', 'minute')];
}
