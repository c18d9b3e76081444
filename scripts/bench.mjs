// npm run bench -- <name> [options]     compiles bench/<name>.ts with what it imports, and runs it
// npm run bench                         lists the benchmarks

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit' });
  if (error) console.error(`${command}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

const [name, ...options] = process.argv.slice(2);
if (name === undefined || !/^[\w-]+$/.test(name) || !existsSync(join(ROOT, 'bench', `${name}.ts`))) {
  const names = readdirSync(join(ROOT, 'bench')).filter((file) => file.endsWith('.ts'));
  console.error(`npm run bench -- <name> [options], where <name> is one of: ${names.map((file) => file.slice(0, -3)).join(', ')}`);
  process.exit(name === undefined ? 0 : 2);
}
run(join(ROOT, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.bench.json']);
run(process.execPath, ['--enable-source-maps', `dist-bench/bench/${name}.js`, ...options]);
