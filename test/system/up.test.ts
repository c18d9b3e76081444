/** `fluoro up` as a person meets it: what it says, what it refuses and why, and how it ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { HonestLoad } from '../support/honest-load.ts';
import { makeDirectory, Product, removeDirectory, waitUntil } from '../support/product.ts';
import { countSpansOfData, faultsOf } from '../support/stored-spans.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const PORTS = { listen: '127.0.0.1:0', xray: '127.0.0.1:0', otlpHttp: '127.0.0.1:0', otlpGrpc: '127.0.0.1:0' };

interface Run {
  readonly child: ChildProcess;
  /** So far. */
  output(): string;
  complaints(): string;
  readonly status: Promise<number | null>;
}

/** Runs the command line in a directory of its own; killed at the test's end if it still runs. */
function run(args: readonly string[], options: { cwd?: string; env?: Record<string, string> } = {}): Run {
  const child = spawn(process.execPath, [MAIN, ...args], { cwd: options.cwd, env: { ...process.env, ...options.env }, stdio: 'pipe' });
  let [output, complaints] = ['', ''];
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => (complaints += String(chunk)));
  const status = new Promise<number | null>((done) => child.once('close', done));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await status;
  });
  return { child, output: () => output, complaints: () => complaints, status };
}

function directory(): string {
  const dir = makeDirectory();
  onTestFinished(() => removeDirectory(dir));
  return dir;
}

function flagsOf(data: string, ports: Partial<typeof PORTS> = {}): string[] {
  const { listen, xray, otlpHttp, otlpGrpc } = { ...PORTS, ...ports };
  return ['--data', data, '--listen', listen, '--xray', xray, '--otlp-http', otlpHttp, '--otlp-grpc', otlpGrpc];
}

async function startProduct(): Promise<Product> {
  const product = await Product.start();
  onTestFinished(() => product.dispose());
  return product;
}

describe('fluoro up', () => {
  test('says on a banner where everything is, and ends with 0 at Ctrl-C', async () => {
    const data = directory();
    const up = run(['up', ...flagsOf(data)]);
    await waitUntil(() => up.output().includes('Ctrl-C stops it'), 30_000, 'the banner');
    const address = String.raw`127\.0\.0\.1:[1-9]\d+`;
    expect(up.output()).toMatch(/^\nFluoroscope \d+\.\d+\.\d+ is up\.\n/);
    expect(up.output()).toMatch(new RegExp(`page +http://${address}\n`));
    expect(up.output()).toMatch(new RegExp(`AWS_XRAY_DAEMON_ADDRESS=${address}\n`));
    expect(up.output()).toMatch(new RegExp(`AWS_ENDPOINT_URL_XRAY=http://${address}\n`));
    expect(up.output()).toMatch(new RegExp(`OTLP +http://${address} +grpc://${address}\n`));
    expect(up.output()).toContain(`${data} (kept 30 days)`);
    up.child.kill('SIGINT');
    expect(await up.status).toBe(0);
    expect(up.output()).toContain('Stopping');
  });

  test('answers /health, /ready and /metrics', async () => {
    const product = await startProduct();
    expect(await product.json('/health')).toEqual({ status: 'ok' });
    expect(await product.json('/ready')).toEqual({ status: 'ready' });
    await new HonestLoad(product.addresses).once(0);
    await product.settle();
    expect(await product.metric('fluoroscope_documents_total', 'source="segments",outcome="accepted"')).toBe(5);
    expect(await product.metric('fluoroscope_stored_rows_total')).toBe(10);
    expect(await product.metric('fluoroscope_store_up')).toBe(1);
    const metrics = await (await fetch(`http://${product.addresses.page}/metrics`)).text();
    for (const line of metrics.split('\n').filter(Boolean)) expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{.*\})? [-+\d.eEInfNa]+)$/);
  });

  test('Ctrl-C under load: all that was acknowledged is in the store', async () => {
    const product = await startProduct();
    const load = new HonestLoad(product.addresses);
    const running = load.run(10_000);
    await waitUntil(() => load.acknowledged.size > 100, 10_000, 'some batches');
    expect(await product.stop()).toBe(0);
    load.stop();
    await running;
    const counts = await countSpansOfData(product.data);
    expect(faultsOf(load, counts)).toEqual({ lost: [], doubled: [] });
  });

  test('a supervisor that is killed takes its children with it, and they store what they have', async () => {
    const product = await startProduct();
    const load = new HonestLoad(product.addresses);
    await load.run(200);
    const { server, store } = product.children();
    product.process.kill('SIGKILL');
    const again = await Product.start({ data: product.data }); // waits for the old server to have ended
    onTestFinished(() => again.killTree());
    for (const pid of [server, store]) expect(() => process.kill(pid!, 0)).toThrow('ESRCH');
    await again.settle();
    expect(await again.stop()).toBe(0);
    expect(faultsOf(load, await countSpansOfData(product.data))).toEqual({ lost: [], doubled: [] });
  });
});

describe('fluoro up refuses with the reason and the way out', () => {
  test('a second start on the same data: says who has it', async () => {
    const product = await startProduct();
    const second = run(['up', ...flagsOf(product.data)]);
    expect(await second.status).toBe(69);
    expect(second.complaints()).toContain(`the data in ${product.data} is in use by process ${product.pid}`);
    expect(second.complaints()).toContain('--data DIR');
    expect(await product.json('/health')).toEqual({ status: 'ok' });
  });

  test.each(['listen', 'otlpHttp', 'otlpGrpc', 'xray'] as const)('a TCP port that is taken: --%s', async (option) => {
    const holder = createServer().listen(0, '127.0.0.1');
    await new Promise((done) => holder.once('listening', done));
    onTestFinished(() => new Promise<void>((done) => holder.close(() => done())));
    const { port } = holder.address() as AddressInfo;
    const up = run(['up', ...flagsOf(directory(), { [option]: `127.0.0.1:${port}` })]);
    expect(await up.status).toBe(69);
    const flag = `--${option.replace('H', '-h').replace('G', '-g')}`;
    expect(up.complaints()).toMatch(new RegExp(`fluoro: cannot open .* on 127\\.0\\.0\\.1:${port}: .* take another with ${flag}`));
    if (process.platform === 'linux') expect(up.complaints()).toContain(`process ${process.pid} (`);
  });

  test('the UDP port that is taken', async () => {
    const holder = createSocket('udp4');
    await new Promise<void>((done) => holder.bind(0, '127.0.0.1', () => done()));
    onTestFinished(() => new Promise<void>((done) => holder.close(() => done())));
    const { port } = holder.address();
    const up = run(['up', ...flagsOf(directory(), { xray: `127.0.0.1:${port}` })]);
    expect(await up.status).toBe(69);
    expect(up.complaints()).toContain(`cannot open the X-Ray daemon port on 127.0.0.1:${port} (UDP)`);
    if (process.platform === 'linux') expect(up.complaints()).toContain(`process ${process.pid} (`);
  });

  test('a data directory that cannot be made', async () => {
    const file = join(directory(), 'file');
    writeFileSync(file, '');
    const up = run(['up', ...flagsOf(join(file, 'data'))]);
    expect(await up.status).toBe(69);
    expect(up.complaints()).toMatch(/cannot use the data directory .*file\/data: .*--data DIR/);
  });

  test.each([
    [['--listen', 'nowhere'], '--listen: "nowhere" does not fit: give HOST:PORT'],
    [['--listen', 'off'], 'the page cannot be off'],
    [['--listen', '127.0.0.1:99999'], 'give HOST:PORT'],
    [['--retain', 'long'], '--retain: "long" does not fit: give a number of days'],
    [['--retain', '0d'], 'give a number of days'],
    [['--spool-size', 'much'], 'give a size such as 512M'],
    [['--store', 'ftp://a'], 'give http://user:password@host:8123'],
    [['--log-level', 'loud'], 'give trace, debug'],
    [['--config', 'missing.yaml'], 'cannot read the configuration missing.yaml'],
    [['--nonsense'], "unknown option '--nonsense'"],
  ])('%j', async (args, message) => {
    const up = run(['up', ...args], { cwd: directory() });
    expect(await up.status).toBe(2);
    expect(up.complaints()).toContain(message);
    expect(up.output()).toBe('');
  });

  test('a configuration with an option that there is not', async () => {
    const cwd = directory();
    writeFileSync(join(cwd, 'fluoro.yaml'), 'retention: 3d\n');
    const up = run(['up'], { cwd });
    expect(await up.status).toBe(2);
    expect(up.complaints()).toContain('fluoro.yaml: there is no option retention; there are data, listen');
  });

  test('fluoro server without a store', async () => {
    const server = run(['server', '--data', directory()]);
    expect(await server.status).toBe(2);
    expect(server.complaints()).toContain('give the store with --store');
  });
});

test('a flag comes before the environment, the environment before the file', async () => {
  const cwd = directory();
  const config = join(cwd, 'own.yaml');
  const [inFile, inEnvironment, inFlag] = ['file', 'environment', 'flag'].map((name) => join(cwd, name));
  writeFileSync(config, `data: ${inFile}\nretain: 5d\nlisten: 127.0.0.1:0\nxray: "off"\notlp-grpc: "off"\notlp-http: 127.0.0.1:0\n`);
  const started = async (args: readonly string[], env: Record<string, string>): Promise<{ data: string; addresses: object }> => {
    const up = run(['up', '--json', '--config', config, ...args], { cwd, env });
    await waitUntil(() => up.output().includes('\n'), 30_000, 'the addresses');
    up.child.kill('SIGTERM');
    expect(await up.status).toBe(0);
    return JSON.parse(up.output()) as { data: string; addresses: object };
  };
  expect(await started([], { FLUORO_DATA: '' })).toMatchObject({ data: inFile });
  expect(await started([], { FLUORO_DATA: inEnvironment! })).toMatchObject({ data: inEnvironment });
  const last = await started(['--data', inFlag!], { FLUORO_DATA: inEnvironment!, FLUORO_OTLP_HTTP: 'off' });
  expect(last.data).toBe(inFlag);
  expect(Object.keys(last.addresses)).toEqual(['page']);
});
