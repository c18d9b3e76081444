/**
 * The store child: ClickHouse (the chDB library) with its own HTTP listener, in a process of its own, so that a fault in
 * native code never takes the intake down. Arguments are ClickHouse's. Ends when its standard input does, so it never
 * outlives the process that started it.
 *
 * The library blocks a thread for as long as it runs; ffi-rs gives it one. (koffi cannot: it switches stacks, which ClickHouse refuses.)
 */
import { createRequire } from 'node:module';
import { DataType, load, open } from 'ffi-rs';

const require = createRequire(import.meta.url);
const { libchdbPath } = require('chdb/libchdb') as { libchdbPath: () => string };

function endNow(): void {
  // ClickHouse's exit handlers hang while its server threads run; what was acknowledged is in its files.
  process.kill(process.pid, 'SIGKILL');
}

process.stdin.on('end', endNow);
process.stdin.on('error', endNow);
process.stdin.resume();
process.on('SIGTERM', endNow);
process.on('SIGINT', () => undefined); // Ctrl-C reaches the whole group; the parent decides

open({ library: 'chdb', path: libchdbPath() });
const args = ['clickhouse', ...process.argv.slice(2)];
await load({
  library: 'chdb',
  funcName: 'chdb_query_cmdline',
  retType: DataType.External,
  paramsType: [DataType.I32, DataType.StringArray],
  paramsValue: [args.length, args],
  runInNewThread: true,
});
endNow();
