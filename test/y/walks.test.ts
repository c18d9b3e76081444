// The same walk gives the same text on a live process, a frozen one and a core dump, loses nothing, and agrees with gdb.
//
// Where the types come from:
// - the C++ program: its own debug information (GCC 12, libstdc++);
// - nginx: Debian's binary has none and exports `ngx_cycle`; the walk's types are nginx-1.22.y, gdb's are nginx's own headers (nginx-dev);
// - redis: Debian's binary has none and exports `server`; the walk's types are redis-7.0.y, and gdb gets the same file compiled as C, so that
//   gdb judges layout and reads, and redis-cli the numbers and names. Its offsets are those that a build of redis 7.0.15 has.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { until } from '../support/until.ts';
import { Targets } from './support/targets.ts';
import { askGdb, dumpCore, walk, type Walked } from './support/walk.ts';

const FOLDER = fileURLToPath(new URL('walks/', import.meta.url));
const HEADERS = '/usr/share/nginx/src';

let work: string;
const children: ChildProcess[] = [];
/** Processes that our children started, which outlive them. */
const workers: number[] = [];
beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'fluoro-walk-'));
});
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  for (const pid of workers) process.kill(pid, 'SIGKILL');
  rmSync(work, { recursive: true, force: true });
});

function start(command: string, args: readonly string[]): ChildProcess {
  const child = spawn(command, args, { stdio: 'ignore' });
  children.push(child);
  return child;
}

function need(context: TestContext, ...programs: readonly string[]): void {
  for (const program of programs)
    requireOrSkip(
      context,
      ['/usr/bin', '/usr/sbin'].some((folder) => existsSync(`${folder}/${program}`)),
      `no ${program}; install its package`,
    );
}

/** The walk on all three, which must agree; and what one of them printed. */
async function walkThrice(name: string, pid: number, core: string): Promise<Walked & { readonly durations: readonly number[] }> {
  const live = await walk(name, { kind: 'process', pid, freeze: false });
  const frozen = await walk(name, { kind: 'process', pid, freeze: true });
  const dumped = await walk(name, { kind: 'core', path: core, exe: undefined });
  expect(frozen.text, 'frozen and live').toBe(live.text);
  expect(dumped.text, 'the core dump and live').toBe(live.text);
  expect([live.lost, frozen.lost, dumped.lost]).toEqual([[], [], []]);
  return { ...live, durations: [live, frozen, dumped].map(({ durationMs }) => durationMs) };
}

test('containers of libstdc++ and classes read the same everywhere, and as gdb reads them', async (context) => {
  need(context, 'g++', 'gdb', 'gcore');
  const targets = new Targets();
  try {
    const target = await targets.start('state-cc');
    const core = targets.dump(target);
    const { text } = await walkThrice('containers.y', target.pid, core);
    expect(text).toContain(' 55 black 6:name 5\nunordered_map of 4\n');
    const names = /(\S+) in section \.text of .*\n(\S+) in section \.text of .*\n/;
    const gdb = askGdb('containers.gdb', targets.build('state-cc')!, core);
    const functions = names.exec(gdb)!;
    const [before, after] = text.split(`${functions[1]} and ${functions[2]}\n`);
    expect(`${before}${after}`).toBe(gdb.replace(names, ''));
  } finally {
    targets.close();
  }
});

test('a stack has the lines and inlined calls that addr2line gives', async (context) => {
  need(context, 'gcc', 'gcore', 'addr2line', 'nm');
  const program = join(work, 'inlined');
  execFileSync('gcc', ['-g', '-O2', `${FOLDER}inlined.c`, '-o', program]);
  const child = spawn(program, { stdio: ['pipe', 'pipe', 'ignore'] });
  children.push(child);
  await new Promise((resolve) => child.stdout!.once('data', resolve));
  await delay(100);
  const core = dumpCore(child.pid!, join(work, 'inlined-core'));
  const frozen = await walk('stack.y', { kind: 'process', pid: child.pid!, freeze: true });
  const dumped = await walk('stack.y', { kind: 'core', path: core, exe: undefined });
  expect(dumped.text).toBe(frozen.text);
  expect([frozen.lost, dumped.lost]).toEqual([[], []]);

  const frames = frozen.text.split('\n');
  const last = frames.findIndex((line) => line.startsWith('main+'));
  const own = frames.slice(
    frames.findIndex((line) => line.startsWith('getchar [inlined]')),
    last + 1,
  );
  const judged = ['outer', 'main'].flatMap((name) => askAddr2line(program, name, own));
  expect(own.map((line) => line.replace(/\+0x\w+/, ''))).toEqual(judged);
  expect(judged).toHaveLength(5);
});

/** What addr2line says of the call in a function that a stack has, in the stack's own form. */
function askAddr2line(program: string, name: string, frames: readonly string[]): string[] {
  const offset = Number(new RegExp(`^${name}\\+(0x\\w+)`, 'm').exec(frames.join('\n'))![1]);
  const symbol = new RegExp(`^(\\w+) T ${name}$`, 'm').exec(execFileSync('nm', [program], { encoding: 'utf8' }))![1]!;
  // The return address lies behind the call.
  const address = (Number.parseInt(symbol, 16) + offset - 1).toString(16);
  const said = execFileSync('addr2line', ['-f', '-i', '-e', program, address], { encoding: 'utf8' }).trimEnd().split('\n');
  const pairs = said.flatMap((line, index) =>
    index % 2 === 0 ? [[line, said[index + 1]!.replace(/ \(discriminator.*/, '')] as const] : [],
  );
  return pairs.map(([fn, place], index) => `${fn}${index < pairs.length - 1 ? ' [inlined]' : ''} (${place})`);
}

describe('nginx', () => {
  test('connections and listening sockets read the same everywhere, as gdb reads them and the kernel counts them', async (context) => {
    need(context, 'nginx', 'gdb', 'gcore');
    const { port, worker } = await startNginx();
    const clients = [await openClient(port, 1), await openClient(port, 3), await openClient(port, 2), await openClient(port, 0)];
    // One has sent half of a request, so nginx waits for the rest.
    clients[3]!.write('GET / HT');
    await delay(300);
    const core = dumpCore(worker, join(work, 'nginx'));
    const { text } = await walkThrice('nginx-connections.y', worker, core);

    expect(text).toContain(`listening 127.0.0.1:${port} fd `);
    expect(text).toMatch(/^4 clients, 3 of them idle, 7 requests$/m);
    expect([...text.matchAll(/number \d+, (\d) requests, \d+ bytes, idle, reusable$/gm)].map((match) => match[1]).toSorted()).toEqual([
      '1',
      '2',
      '3',
    ]);
    expect(text).toMatch(/^(\d+) free of 64, counted \1, reusable 3$/m);
    const walked = [...text.matchAll(/^\d+: fd (\d+) of 127\.0\.0\.1/gm)].map((match) => Number(match[1]));
    expect(walked.toSorted((a, b) => a - b)).toEqual(connectedFds(worker, port));

    await request(clients[0]!);
    expect((await walk('nginx-connections.y', { kind: 'process', pid: worker, freeze: false })).text).toMatch(
      /^4 clients, 3 of them idle, 8 req/m,
    );
    for (const client of clients) client.destroy();

    requireOrSkip(context, existsSync(HEADERS), 'no headers of nginx for gdb; install nginx-dev');
    expect(askGdb('nginx-connections.gdb', '/usr/sbin/nginx', core, compileNginxTypes())).toBe(text);
  }, 180_000);
});

async function startNginx(): Promise<{ readonly port: number; readonly worker: number }> {
  const port = await freePort();
  const folder = join(work, 'nginx-files');
  mkdirSync(folder);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join(' ');
  const config = join(folder, 'nginx.conf');
  writeFileSync(
    config,
    `daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/errors;
events { worker_connections 64; }
http { access_log off; keepalive_timeout 1000; client_header_timeout 1000; ${temporary}
  server { listen 127.0.0.1:${port}; location / { return 200 "hello"; } } }
`,
  );
  const master = start('nginx', ['-e', `${folder}/errors`, '-c', config]);
  const childrenOf = (): string => readFileSync(`/proc/${master.pid}/task/${master.pid}/children`, 'utf8').trim();
  await until(async () => childrenOf() !== '' && (await answers(port)), Boolean);
  const worker = Number(childrenOf());
  workers.push(worker);
  return { port, worker };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function answers(port: number): Promise<boolean> {
  try {
    (await openClient(port, 0)).destroy();
    return true;
  } catch {
    return false;
  }
}

/** A connection that has made some requests, and stays. */
async function openClient(port: number, requests: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  for (let count = 0; count < requests; count++) await request(socket);
  return socket;
}

async function request(socket: Socket): Promise<void> {
  const answer = new Promise<string>((resolve) => socket.once('data', (bytes: Buffer) => resolve(bytes.toString())));
  socket.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n');
  expect(await answer).toMatch(/^HTTP\/1\.1 200 OK/);
}

/** Descriptors of established connections to a port, as the kernel lists them. */
function connectedFds(pid: number, port: number): number[] {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = readFileSync('/proc/net/tcp', 'utf8').split('\n');
  const inodes = rows.map((row) => row.trim().split(/\s+/)).filter(([, address, , state]) => address === local && state === '01');
  const sockets = new Set(inodes.map((row) => `socket:[${row[9]}]`));
  const fds = readdirSync(`/proc/${pid}/fd`).map(Number);
  return fds.filter((fd) => sockets.has(readlinkSync(`/proc/${pid}/fd/${fd}`))).sort((a, b) => a - b);
}

/** nginx's own types with debug information, configured as Debian configures it. */
function compileNginxTypes(): string {
  const folder = join(work, 'nginx-source');
  execFileSync('cp', ['-r', HEADERS, folder]);
  execFileSync('bash', ['-c', '. ./conf_flags && ./configure "${NGX_CONF_FLAGS[@]}"'], { cwd: folder, stdio: 'pipe' });
  const object = join(work, 'nginx-types.o');
  const includes = ['src/core', 'src/event', 'src/event/modules', 'src/os/unix', 'objs'].map((name) => `-I${folder}/${name}`);
  execFileSync('gcc', ['-g', '-c', `${FOLDER}nginx-types.c`, '-o', object, ...includes]);
  return object;
}

describe('redis', () => {
  const KEYS = 100_000;

  test('keys of several databases read the same everywhere, as gdb reads them and redis-cli counts them', async (context) => {
    need(context, 'redis-server', 'redis-cli', 'gdb', 'gcore');
    const redis = await startRedis();
    redis.ask(...Array.from({ length: KEYS }, (_, index) => `SET key:${index} ${index % 2 === 0 ? index : `text-${index}`}`));
    redis.ask(
      'SELECT 1',
      ...Array.from({ length: 900 }, (_, index) => [`RPUSH list:${index} a b`, `SADD set:${index} a`, `HSET hash:${index} a 1`]).flat(),
    );
    redis.ask('SELECT 1', 'ZADD sorted 1 a', 'XADD stream * a 1', 'EXPIRE sorted 100000', `SET ${'long-'.repeat(60)} x`);
    // One more than fits: redis moves entries to a larger table with each access from now on, and stands in the middle.
    redis.ask('SELECT 5', ...Array.from({ length: 1025 }, (_, index) => `SET ${(index * 7919) % 1025} x`));
    const sizes = [0, 1, 5].map((db) => Number(redis.ask(`SELECT ${db}`, 'DBSIZE').at(-1)));
    const keys = [0, 1, 5].map((db) => redis.ask(`SELECT ${db}`, 'KEYS *').slice(1).toSorted());
    const core = dumpCore(redis.pid, join(work, 'redis'));
    const { text, durations } = await walkThrice('redis-keys.y', redis.pid, core);

    expect(sizes).toEqual([KEYS, 2703, 1025]);
    for (const [index, db] of [0, 1, 5].entries()) {
      expect(text).toContain(`db${db}: ${sizes[index]} keys, `);
      const shown = [...text.matchAll(new RegExp(`^db${db} (.*)$`, 'gm'))].map((match) => match[1]);
      expect(shown).toEqual(keys[index]!.slice(0, 12));
    }
    const types = [...text.matchAll(/^db1: (\d+ \w+)$/gm)].map((match) => match[1]);
    expect(types).toEqual(['1 string', '900 list', '900 set', '1 zset', '900 hash', '1 stream']);
    expect(text).toMatch(/^db5: tables of 2\^10 and 2\^11 hold [1-9]\d* \+ [1-9]\d*, rehash \d+, 0 expire$/m);
    expect(text).toMatch(/^db1: tables of .*, 1 expire$/m);
    expect(Math.max(...durations), 'milliseconds').toBeLessThan(15_000);
    compareWithGdb(text, askGdb('redis-keys.gdb', '/usr/bin/redis-server', core, compileRedisTypes()), keys[2]!);
  }, 180_000);
});

/** gdb prints the keys of database 5 in the order of its tables, and the same lines otherwise. */
function compareWithGdb(text: string, gdb: string, keys: readonly string[]): void {
  const lines = gdb.trimEnd().split('\n');
  const isKey = (line: string): boolean => line.startsWith('db5 ');
  expect(
    lines
      .filter(isKey)
      .map((line) => line.slice(4))
      .toSorted(),
  ).toEqual(keys);
  const others = lines.filter((line) => !isKey(line));
  expect(others).toHaveLength(4);
  const own = text.split('\n');
  for (const line of others) expect(own).toContain(line);
}

async function startRedis(): Promise<{ readonly pid: number; ask(...commands: readonly string[]): string[] }> {
  const folder = join(work, 'redis-files');
  mkdirSync(folder);
  const socket = join(folder, 'socket');
  const quiet = ['--save', '', '--appendonly', 'no', '--activerehashing', 'no', '--loglevel', 'warning'];
  const server = start('redis-server', ['--port', '0', '--unixsocket', socket, '--dir', folder, '--daemonize', 'no', ...quiet]);
  await until(async () => existsSync(socket), Boolean);
  const ask = (...commands: readonly string[]): string[] =>
    execFileSync('redis-cli', ['-s', socket], { input: commands.map((line) => `${line}\n`).join(''), encoding: 'utf8', maxBuffer: 2 ** 26 })
      .trimEnd()
      .split('\n');
  return { pid: server.pid!, ask };
}

/** The walk's own header is C. */
function compileRedisTypes(): string {
  const source = join(work, 'redis-types.c');
  copyFileSync(`${FOLDER}redis-7.0.y`, source);
  writeFileSync(source, 'struct redisServer *a_server;\nrobj *an_object;\n', { flag: 'a' });
  const object = join(work, 'redis-types.o');
  execFileSync('gcc', ['-g', '-w', '-c', source, '-o', object]);
  return object;
}
