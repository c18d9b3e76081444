// The programs whose stacks are taken, each with work to do. All of a load's processes are ended by `stop`.

import { execFileSync, spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { listProcessTree } from '../harness/index.ts';

/** A program under load. */
export interface RunningLoad {
  /** Its process, whose descendants belong to it. */
  readonly pid: number;
  stop(): Promise<void>;
}

export interface Load {
  readonly name: string;
  /** Starts it; undefined when the program is not on this machine. */
  start(): Promise<RunningLoad | undefined>;
}

/** From dist-bench/bench/stacks, where this runs, to the sources. */
const SOURCES = fileURLToPath(new URL('../../../bench/stacks/', import.meta.url));
const SETTLE_MS = 1000;

const SCRIPTS = {
  python:
    'import json, re\ndef f(n):\n  return f(n - 1) if n else json.loads(json.dumps([{"a": i, "b": str(i)} for i in range(500)]))\nwhile 1:\n  f(20); sorted(re.findall("[a-z]+", "one two three " * 200))',
  perl: 'sub f { my $n = shift; return $n ? f($n - 1) : join(",", sort map { $_ * 2 } 1..500) } while (1) { my $t = f(20); my %h = map { $_ => 1 } split /,/, $t; $t =~ s/(\\d)(\\d)/$2$1/g }',
  bash: 'f() { local n=$1; if ((n > 0)); then f $((n - 1)); else for i in {1..200}; do x=${x/a/b}$i; x=${x: -40}; done; fi; }; while :; do f 10; done',
  php: 'function f($n) { if ($n > 0) return f($n - 1); $a = []; for ($i = 0; $i < 2000; $i++) $a["k" . ($i * 7 % 997)] = md5((string) $i); usort($a, fn($x, $y) => strcmp($x, $y)); return preg_replace("/[a-f]+/", "x", json_encode($a)); }',
  ruby: 'def f(n) n > 0 ? f(n - 1) : (1..500).map { |i| (i * 7919 % 997).to_s }.sort_by { |s| s.reverse }.group_by(&:size).to_a.inspect.gsub(/[0-4]/) { |d| d * 2 } end; loop { f(20) }',
  node: 'const f = (n) => n ? f(n - 1) : JSON.parse(JSON.stringify(Array.from({ length: 500 }, (_, i) => ({ i, s: String(i) })))).sort((a, b) => a.s < b.s ? -1 : 1); for (;;) { f(20); "one two three ".repeat(200).match(/[a-z]+/g) }',
  httpClient:
    'const http = require("http"); const agent = new http.Agent({ keepAlive: true }); const [port, path] = process.argv.slice(1); const go = () => http.get({ port, path, agent, headers: { "accept-encoding": "gzip" } }, (r) => r.resume().on("end", go)).on("error", () => setTimeout(go, 50)); for (let i = 0; i < 4; i++) go()',
} as const;

export const LOADS: readonly Load[] = [
  { name: 'nginx', start: () => startNginx() },
  { name: 'redis-server', start: startRedis },
  { name: 'postgres', start: startPostgres },
  script('python3', '/usr/bin/python3', ['-c', SCRIPTS.python]),
  script('perl', '/usr/bin/perl', ['-e', SCRIPTS.perl]),
  script('bash', '/usr/bin/bash', ['-c', SCRIPTS.bash]),
  script('gzip', '/usr/bin/bash', ['-c', 'exec gzip -9 -c < /dev/urandom > /dev/null']),
  { name: 'php-fpm', start: startPhp },
  script('ruby', '/usr/bin/ruby', ['-e', SCRIPTS.ruby]),
  script('node', process.execPath, ['-e', SCRIPTS.node]),
  compiled('go', 'load.go', (source, path) => ['go', 'build', '-o', path, source]),
  compiled('rust -O', 'load.rs', (source, path) => ['rustc', '-O', '-o', path, source]),
  compiled('C++ -O3 -flto', 'load.cc', (source, path) => ['g++', '-std=c++17', '-O3', '-flto=1', '-o', path, source]),
];

/** Processes of one load, and its folder. */
class LoadProcesses {
  readonly folder = mkdtempSync(join(tmpdir(), 'fluoro-stacks-'));
  readonly #children: ChildProcess[] = [];

  start(command: string, args: readonly string[], stdio: StdioOptions = ['ignore', 'ignore', 'ignore']): ChildProcess {
    const child = spawn(command, args, { stdio, cwd: this.folder });
    child.on('error', () => {});
    this.#children.push(child);
    return child;
  }

  /** Waits until the load is in full work. Servers of several processes end their own, so the first signal is a polite one. */
  async settle(child: ChildProcess): Promise<RunningLoad> {
    await sleep(SETTLE_MS);
    if (child.pid === undefined || child.exitCode !== null) throw new Error(`${child.spawnargs.join(' ')} ended with ${child.exitCode}`);
    return { pid: child.pid, stop: () => this.stop() };
  }

  async stop(): Promise<void> {
    for (const child of this.#children.toReversed()) {
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) continue;
      const tree = listProcessTree(child.pid);
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGTERM');
      const isGone = await Promise.race([ended.then(() => true), sleep(1500, false)]);
      if (isGone) continue;
      for (const pid of tree) killIfThere(pid);
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

async function waitForFile(path: string): Promise<void> {
  for (let tries = 0; tries < 100 && !existsSync(path); tries++) await sleep(50);
}

function script(name: string, command: string, args: readonly string[]): Load {
  return {
    name,
    start: async () => {
      if (!existsSync(command)) return undefined;
      const processes = new LoadProcesses();
      return processes.settle(processes.start(command, args));
    },
  };
}

function compiled(name: string, source: string, command: (source: string, path: string) => readonly [string, ...string[]]): Load {
  return {
    name,
    start: async () => {
      const processes = new LoadProcesses();
      const path = join(processes.folder, 'load');
      const [compiler, ...args] = command(join(SOURCES, source), path);
      try {
        execFileSync(compiler, args, { stdio: ['ignore', 'inherit', 'inherit'] });
      } catch (cause) {
        await processes.stop();
        if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw cause;
      }
      return processes.settle(processes.start(path, []));
    },
  };
}

const NGINX_PORT = 18_473;

function writeNginxConfiguration(folder: string, location: string): string {
  const file = join(folder, 'nginx.conf');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join(' ');
  writeFileSync(
    file,
    `daemon off; pid ${folder}/nginx.pid; error_log ${folder}/error.log; worker_processes 1; events {}
http { access_log off; gzip on; gzip_comp_level 6; gzip_types *; ${temporary}
server { listen 127.0.0.1:${NGINX_PORT}; ${location} } }`,
  );
  return file;
}

async function startNginx(): Promise<RunningLoad | undefined> {
  const command = '/usr/sbin/nginx';
  if (!existsSync(command)) return undefined;
  const processes = new LoadProcesses();
  const { folder } = processes;
  mkdirSync(join(folder, 'www'));
  writeFileSync(join(folder, 'www/page.txt'), Array.from({ length: 4000 }, (_, i) => `line ${i} ${i * 7919}\n`).join(''));
  for (const path of [folder, join(folder, 'www')]) chmodSync(path, 0o755);
  const configuration = writeNginxConfiguration(folder, `location / { root ${folder}/www; }`);
  const server = processes.start(command, ['-c', configuration, '-e', join(folder, 'error.log')]);
  await waitForFile(join(folder, 'nginx.pid'));
  processes.start(process.execPath, ['-e', SCRIPTS.httpClient, String(NGINX_PORT), '/page.txt']);
  return processes.settle(server);
}

async function startPhp(): Promise<RunningLoad | undefined> {
  const fpm = readdirSync('/usr/sbin').find((name) => /^php-fpm[\d.]+$/.test(name));
  if (fpm === undefined) return startPhpAlone();
  const processes = new LoadProcesses();
  const { folder } = processes;
  chmodSync(folder, 0o755);
  writeFileSync(join(folder, 'page.php'), `<?php ${SCRIPTS.php} echo strlen(f(10));`);
  const socket = join(folder, 'php.sock');
  writeFileSync(
    join(folder, 'fpm.conf'),
    `[global]\nerror_log = ${folder}/fpm.log\ndaemonize = no\n[www]\nuser = www-data\ngroup = www-data\nlisten = ${socket}\nlisten.mode = 0666\npm = static\npm.max_children = 2\n`,
  );
  const server = processes.start(`/usr/sbin/${fpm}`, ['-y', join(folder, 'fpm.conf'), '-n']);
  await waitForFile(socket);
  const pass = `location / { fastcgi_pass unix:${socket}; fastcgi_param SCRIPT_FILENAME ${folder}/page.php; fastcgi_param REQUEST_METHOD GET; }`;
  processes.start('/usr/sbin/nginx', ['-c', writeNginxConfiguration(folder, pass), '-e', join(folder, 'error.log')]);
  await waitForFile(join(folder, 'nginx.pid'));
  processes.start(process.execPath, ['-e', SCRIPTS.httpClient, String(NGINX_PORT), '/']);
  return processes.settle(server);
}

async function startPhpAlone(): Promise<RunningLoad | undefined> {
  if (!existsSync('/usr/bin/php')) return undefined;
  const processes = new LoadProcesses();
  return processes.settle(processes.start('/usr/bin/php', ['-n', '-r', `${SCRIPTS.php} while (true) f(10);`]));
}

async function startRedis(): Promise<RunningLoad | undefined> {
  if (!existsSync('/usr/bin/redis-server')) return undefined;
  const processes = new LoadProcesses();
  const socket = join(processes.folder, 'redis.sock');
  const server = processes.start('/usr/bin/redis-server', ['--port', '0', '--unixsocket', socket, '--save', '']);
  await waitForFile(socket);
  const tests = 'set,get,lpush,lrange_100,sadd,zadd,hset,mset';
  processes.start('/usr/bin/redis-benchmark', ['-s', socket, '-t', tests, '-l', '-q', '-c', '4', '-P', '8', '-n', '20000', '-r', '1000']);
  return processes.settle(server);
}

async function startPostgres(): Promise<RunningLoad | undefined> {
  const versions = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql') : [];
  const version = versions.toSorted((a, b) => Number(a) - Number(b)).at(-1);
  if (version === undefined) return undefined;
  const binaries = `/usr/lib/postgresql/${version}/bin`;
  const processes = new LoadProcesses();
  const { folder } = processes;
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' })));
  execFileSync('chown', [`${uid}:${gid}`, folder]);
  const as = { uid, gid, cwd: folder, stdio: 'ignore' } as const;
  execFileSync(`${binaries}/initdb`, ['-D', 'data', '-N'], as);
  const setpriv = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
  const server = processes.start('setpriv', [
    ...setpriv,
    `${binaries}/postgres`,
    '-D',
    join(folder, 'data'),
    '-k',
    folder,
    '-c',
    'listen_addresses=',
    '-F',
  ]);
  await waitForFile(join(folder, '.s.PGSQL.5432'));
  await sleep(1000);
  execFileSync('/usr/bin/pgbench', ['-h', folder, '-i', '-q', '-s', '2', 'postgres'], as);
  processes.start('setpriv', [...setpriv, '/usr/bin/pgbench', '-h', folder, '-c', '3', '-T', '3600', 'postgres']);
  return processes.settle(server);
}
