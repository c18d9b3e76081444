/** `fluoro demo`: the product, and the shop of examples/shop, which sends traces to it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { StatusAnswer } from '../api/index.ts';
import { addressText } from '../server/index.ts';
import type { Settings } from './options.ts';
import { StartError, Supervisor } from './supervisor.ts';
import { Exit, untilStopAsked } from './ending.ts';
import { run } from './up.ts';

const SCRIPT = fileURLToPath(new URL('../../examples/shop/shop.mjs', import.meta.url));
const STOP_LIMIT_MS = 6_000;
const ASK_LIMIT_MS = 3_000;

/** Filters to paste, each with what it finds in the shop. */
const FILTERS: readonly (readonly [string, string])[] = [
  ['service("orders") { responsetime > 0.5 }', 'slow: one query for each order that mira ever placed'],
  ['fault', 'failed: the gift card has no price, and an exception says where'],
  ['throttle', 'turned away: more searches than the front allows'],
];

/** Where the shop sends its traces, `host:port` each. */
interface Intake {
  readonly page: string;
  readonly xray: string;
  readonly otlpHttp: string;
}

interface OpenShop {
  /** Address of the shop's front. */
  readonly web: string;
  readonly services: readonly string[];
  /** What is missing here, with the reason. */
  readonly leftOut: readonly string[];
}

/** Runs the product and the shop until told to stop; the exit status. Without `keepData` in a directory that goes with it. */
export async function runDemo(
  asked: Settings,
  version: string,
  options: { readonly json: boolean; readonly keepData: boolean },
): Promise<number> {
  const data = options.keepData ? asked.data : mkdtempSync(join(tmpdir(), 'fluoro-demo-'));
  const settings = { ...asked, data };
  try {
    return await run(settings, version, options.json, async (log) => {
      const supervisor = new Supervisor(settings, version, log);
      try {
        const addresses = await supervisor.start();
        const intake = {
          page: reachable(addresses.page),
          xray: reachable(addresses.xrayUdp ?? ''),
          otlpHttp: reachable(addresses.otlpHttp ?? addresses.page),
        };
        const shop = await Shop.start(intake);
        const stop = async (): Promise<void> => {
          await shop.stop();
          await supervisor.stop();
        };
        const kill = (): void => {
          shop.kill();
          supervisor.kill();
        };
        return { addresses, notes: { text: describe(shop.open, intake.page), members: { shop: shop.open } }, stop, kill };
      } catch (cause) {
        await supervisor.stop();
        throw await withWayOut(cause, settings);
      }
    });
  } finally {
    if (!options.keepData) rmSync(data, { recursive: true, force: true });
  }
}

/** Runs only the shop, for a Fluoroscope that runs at `server` already. */
export async function runShopFor(server: string, json: boolean): Promise<number> {
  const stopAsked = untilStopAsked();
  try {
    const intake = await askForIntake(server);
    const shop = await Shop.start(intake);
    process.stdout.write(
      json ? `${JSON.stringify({ pid: process.pid, shop: shop.open })}\n` : `${describe(shop.open, intake.page)}\nCtrl-C ends the shop.\n`,
    );
    void stopAsked.second.then(() => shop.kill());
    await stopAsked.first;
    await shop.stop();
    return Exit.done;
  } catch (cause) {
    if (!(cause instanceof StartError)) throw cause;
    process.stderr.write(`fluoro: ${cause.message}\n`);
    return Exit.unavailable;
  }
}

/** The shop's processes, as one: examples/shop/shop.mjs starts and ends them. */
class Shop {
  readonly open: OpenShop;
  readonly #process: ChildProcess;
  #stopping = false;

  private constructor(child: ChildProcess, open: OpenShop) {
    this.#process = child;
    this.open = open;
    child.once('exit', (code, signal) => {
      if (!this.#stopping && code !== 0) process.stderr.write(`fluoro: the shop ended (${signal ?? code}); no more traces come from it\n`);
    });
  }

  /** Waits until every service listens. */
  static async start(intake: Intake): Promise<Shop> {
    if (!existsSync(SCRIPT))
      throw new StartError(
        'the shop is in the source tree, not in the published package; clone the repository and run ./fluoro demo there',
      );
    if (intake.xray === '') throw new StartError('the shop needs the X-Ray port, which is off; leave out --xray off');
    const env = { ...process.env, AWS_XRAY_DAEMON_ADDRESS: intake.xray, OTEL_EXPORTER_OTLP_ENDPOINT: `http://${intake.otlpHttp}` };
    const child = spawn(process.execPath, [SCRIPT, '--json'], { env, stdio: ['pipe', 'pipe', 'inherit'] });
    return new Shop(child, await untilOpen(child));
  }

  /** Ends all of it. */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = new Promise<void>((done) => this.#process.once('exit', () => done()));
    const limit = setTimeout(() => this.kill(), STOP_LIMIT_MS);
    this.#process.stdin!.destroy();
    await gone;
    clearTimeout(limit);
  }

  /** The services end by themselves when this process is gone. */
  kill(): void {
    this.#process.kill('SIGKILL');
  }
}

async function untilOpen(child: ChildProcess): Promise<OpenShop> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      reject(new StartError(`the shop did not open (${signal ?? code}); its services' complaints are above`)),
    );
    createInterface({ input: child.stdout! }).once('line', (line) => resolve(JSON.parse(line) as OpenShop));
  });
}

function describe(shop: OpenShop, page: string): string {
  const width = Math.max(...FILTERS.map(([filter]) => filter.length));
  const filters = FILTERS.map(([filter, what]) => `  ${filter.padEnd(width)}   ${what}\n`);
  const leftOut = shop.leftOut.map((line) => `  left out    ${line}\n`);
  return `
The shop is open: about ten requests a second by ${shop.services.length} processes.

  map         http://${page}
  shop        ${shop.web}
  services    ${shop.services.join(', ')}
${leftOut.join('')}
Within a minute these filters find something in the list of traces:

${filters.join('')}`;
}

/** Where a running Fluoroscope takes traces in. */
async function askForIntake(server: string): Promise<Intake> {
  if (!URL.canParse(server)) throw new StartError(`--server ${server}: give the address of its page, such as http://127.0.0.1:7070`);
  const url = new URL(server);
  const status = await fetchStatus(url.origin);
  if (!status) throw new StartError(`no Fluoroscope answers at ${url.origin}; start one with fluoro up, or leave --server out`);
  const { page, xray, otlpHttp } = status.addresses;
  return {
    page: url.host,
    xray: reachable(xray ?? '', url.hostname),
    otlpHttp: otlpHttp === undefined ? url.host : reachable(otlpHttp ?? page, url.hostname),
  };
}

async function fetchStatus(origin: string): Promise<StatusAnswer | undefined> {
  try {
    const answer = await fetch(`${origin}/api/v1/status`, { signal: AbortSignal.timeout(ASK_LIMIT_MS) });
    const status = (await answer.json()) as Partial<StatusAnswer>;
    return status.addresses === undefined ? undefined : (status as StatusAnswer);
  } catch {
    return undefined; // nobody there, or somebody else
  }
}

/** An address that listens everywhere, as one that can be called. */
function reachable(address: string, host = '127.0.0.1'): string {
  return address.replace(/^(0\.0\.0\.0|\[::\]):/, `${host}:`);
}

/** Names the other way when the ports are taken by a Fluoroscope that runs. */
async function withWayOut(cause: unknown, settings: Settings): Promise<unknown> {
  const origin = `http://${addressText(settings.listen)}`;
  if (!(cause instanceof StartError) || settings.listen.port === 0 || !(await fetchStatus(origin))) return cause;
  return new StartError(
    `${cause.message}\nA Fluoroscope runs at ${origin}; to send the shop's traces to it: fluoro demo --server ${origin}`,
    { cause },
  );
}
