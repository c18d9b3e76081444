#!/usr/bin/env node
// Starts the shop: every service a process of its own, started again when it dies, ended with this one.
//
//   node examples/shop/shop.mjs            sends X-Ray segments to AWS_XRAY_DAEMON_ADDRESS (else 127.0.0.1:2000)
//                                          and OTLP to OTEL_EXPORTER_OTLP_ENDPOINT (else http://localhost:4318)
//   node examples/shop/shop.mjs --json     says on one line of JSON when everything runs, for `fluoro demo`
import { execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const START_LIMIT_MS = 30_000;
const RETRY_MS = 1_000;
/** Waiting for messages belongs to no trace, and the shop is not about which Node the next AWS SDK needs. */
const QUIET = {
  AWS_XRAY_CONTEXT_MISSING: 'IGNORE_ERROR',
  AWS_XRAY_LOG_LEVEL: 'error',
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
};
const PYTHONS = ['python3', '/usr/bin/python3'];

let ending = false;
const services = new Map();
const script = (name) => fileURLToPath(new URL(name, import.meta.url));

/** Starts a service, waits until it listens, and starts it again at the same port whenever it dies. */
async function start(name, command, file, settings) {
  const env = { ...process.env, ...QUIET, AWS_XRAY_COLLECT_SQL_QUERIES: '1', ...settings };
  const child = spawn(command, [script(file)], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  services.set(name, child);
  const port = await listening(name, child);
  settings.PORT = String(port);
  child.once('exit', (code, signal) => {
    setTimeout(() => {
      if (ending) return; // Ctrl-C reaches all at once, and a service may have been quicker
      process.stderr.write(`shop: ${name} ended (${signal ?? code}) and is started again\n`);
      start(name, command, file, settings).catch(giveUp);
    }, RETRY_MS);
  });
  return port;
}

function listening(name, child) {
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error(`${name} did not start within ${START_LIMIT_MS / 1000} s`)), START_LIMIT_MS);
    child.once('error', reject);
    child.once('exit', (code, signal) => reject(new Error(`${name} ended at its start (${signal ?? code})`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [, port] = /^listening (\d+)$/.exec(line) ?? [];
      if (port === undefined) return process.stderr.write(`${name}: ${line}\n`);
      clearTimeout(limit);
      resolve(Number(port));
    });
  });
}

const node = (name, file, settings = {}) => start(name, process.execPath, file, settings);
const at = (port, host = '127.0.0.1') => `http://${host}:${port}`;

/** A Python that has the AWS X-Ray SDK. */
async function findPython() {
  for (const python of PYTHONS) {
    const found = await promisify(execFile)(python, ['-c', 'import aws_xray_sdk.core']).then(
      () => true,
      () => false,
    );
    if (found) return python;
  }
  return undefined;
}

async function startAll() {
  const leftOut = [];
  const [database, queue, bank, python] = await Promise.all([
    node('database', 'database.mjs'),
    node('queue', 'queue.mjs'),
    node('bank', 'bank.mjs'),
    findPython(),
  ]);
  const QUEUE_URL = `${at(queue)}/000000000000/paid-orders`;
  const [orders, payments, recommend] = await Promise.all([
    node('orders', 'orders.mjs', { DATABASE_PORT: String(database), QUEUE_URL }),
    node('payments', 'payments.cjs', { BANK_URL: at(bank, 'bank.example') }),
    python === undefined ? undefined : start('recommend', python, 'recommend.py', {}),
  ]);
  if (recommend === undefined)
    leftOut.push(
      'recommend: no Python with the AWS X-Ray SDK here (Debian: apt-get install python3-aws-xray-sdk; else: pip install aws-xray-sdk)',
    );
  await node('fulfilment', 'fulfilment.mjs', { ORDERS_URL: at(orders, 'orders'), QUEUE_URL });
  const urls = {
    ORDERS_URL: at(orders, 'orders'),
    PAYMENTS_URL: at(payments, 'payments'),
    ...(recommend && { RECOMMEND_URL: at(recommend, 'recommend') }),
  };
  const web = await node('web', 'web.mjs', urls);
  await node('shoppers', 'shoppers.mjs', { WEB_URL: at(web) });
  return { web: at(web), services: [...services.keys()], leftOut };
}

/** Ends all: closing its standard input ends a service at once, and a signal one that hangs. */
function end(status) {
  if (ending) return;
  ending = true;
  const left = [...services.values()].filter((child) => child.exitCode === null && child.signalCode === null);
  const gone = left.map((child) => new Promise((done) => child.once('exit', done)));
  for (const child of left) child.stdin.destroy();
  setTimeout(() => left.forEach((child) => child.kill('SIGKILL')), 3_000);
  void Promise.all(gone).then(() => process.exit(status));
}

function giveUp(error) {
  process.stderr.write(`shop: ${error.message}\n`);
  end(69);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => end(0));
const json = process.argv.includes('--json');
if (json) process.stdin.on('end', () => end(0)).resume(); // who started this is gone

try {
  const shop = await startAll();
  if (json) process.stdout.write(`${JSON.stringify(shop)}\n`);
  else
    process.stdout.write(
      `The shop is open at ${shop.web}: ${shop.services.join(', ')}.\n${shop.leftOut.map((line) => `Left out: ${line}\n`).join('')}Ctrl-C ends it.\n`,
    );
} catch (error) {
  giveUp(error);
}
