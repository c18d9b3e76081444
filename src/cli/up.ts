/** `fluoro up` and `fluoro server`. */
import type { Logger } from 'pino';
import { addressText, PortError, type ServerAddresses, startServer, StoreStartError } from '../server/index.ts';
import { claimDirectory, DataError } from './data-lock.ts';
import { Exit, untilStopAsked } from './ending.ts';
import { createLog } from './log.ts';
import type { Settings } from './options.ts';
import { layoutOf, limitsOf, StartError, Supervisor } from './supervisor.ts';

export interface Running {
  readonly addresses: ServerAddresses;
  /** More to say once it runs: after the banner, and as members of the line of JSON. */
  readonly notes?: { readonly text: string; readonly members: Readonly<Record<string, unknown>> };
  stop(): Promise<void>;
  kill(): void;
}

/** Runs the whole product until it is told to stop; the exit status. */
export async function runUp(settings: Settings, version: string, json: boolean): Promise<number> {
  return run(settings, version, json, async (log) => {
    const supervisor = new Supervisor(settings, version, log);
    try {
      const addresses = await supervisor.start();
      return { addresses, stop: () => supervisor.stop(), kill: () => supervisor.kill() };
    } catch (cause) {
      await supervisor.stop();
      throw cause;
    }
  });
}

/** Runs a server without a store of its own. */
export async function runServer(settings: Settings, version: string, json: boolean): Promise<number> {
  if (settings.store.length === 0) {
    process.stderr.write('fluoro server: give the store with --store http://user:password@host:8123 (fluoro up brings its own)\n');
    return Exit.usage;
  }
  return run(settings, version, json, async (log) => {
    const server = await startServer({
      version,
      dir: settings.data,
      stores: settings.store,
      layout: layoutOf(settings, false),
      limits: limitsOf(settings),
      listen: settings.listen,
      xray: settings.xray,
      otlpHttp: settings.otlpHttp,
      otlpGrpc: settings.otlpGrpc,
      log,
      onFatal: (message) => {
        log.fatal({ reason: message }, 'the server cannot go on');
        process.exit(Exit.bug);
      },
    });
    return { addresses: server.addresses, stop: () => server.stop(), kill: () => process.exit(Exit.done) };
  });
}

/** Claims the data directory, starts, says so, waits until it is told to stop, and stops; the exit status. */
export async function run(settings: Settings, version: string, json: boolean, start: (log: Logger) => Promise<Running>): Promise<number> {
  const log = createLog(settings.logLevel, 'main');
  const stopAsked = untilStopAsked();
  let release: () => void = () => undefined;
  try {
    release = claimDirectory(settings.data);
    const running = await start(log);
    process.stdout.write(json ? jsonLine(settings, running) : banner(settings, running, version));
    warnWhenOpen(settings, log);
    await stopAsked.first;
    if (!json)
      process.stdout.write(
        '\nStopping: what was received is written down, the store is closed. (Ctrl-C again ends it at once; nothing acknowledged is lost.)\n',
      );
    void stopAsked.second.then(() => {
      running.kill();
      process.exit(Exit.done);
    });
    await running.stop();
    return Exit.done;
  } catch (cause) {
    const known = [DataError, PortError, StartError, StoreStartError].some((kind) => cause instanceof kind);
    process.stderr.write(known ? `fluoro: ${(cause as Error).message}\n` : `fluoro: this is our bug: ${(cause as Error).stack}\n`);
    return known ? Exit.unavailable : Exit.bug;
  } finally {
    release();
  }
}

function jsonLine(settings: Settings, { addresses, notes }: Running): string {
  return `${JSON.stringify({ addresses, data: settings.data, pid: process.pid, ...notes?.members })}\n`;
}

function banner(settings: Settings, { addresses, notes }: Running, version: string): string {
  const lines: [string, string | undefined][] = [
    ['page', `http://${addresses.page}`],
    ['X-Ray SDKs', addresses.xrayUdp && `AWS_XRAY_DAEMON_ADDRESS=${addresses.xrayUdp}`],
    ['X-Ray API', `AWS_ENDPOINT_URL_XRAY=http://${addresses.page}`],
    [
      'OTLP',
      [addresses.otlpHttp && `http://${addresses.otlpHttp}`, addresses.otlpGrpc && `grpc://${addresses.otlpGrpc}`]
        .filter(Boolean)
        .join('  ') || undefined,
    ],
    ['data', `${settings.data} (kept ${settings.retainDays} days)`],
  ];
  const shown = lines.filter(([, value]) => value !== undefined).map(([name, value]) => `  ${name.padEnd(11)} ${value}`);
  return `\nFluoroscope ${version} is up.\n\n${shown.join('\n')}\n${notes?.text ?? ''}\nCtrl-C stops it.\n`;
}

/** Anyone who reaches the address can read traces and send some. */
function warnWhenOpen(settings: Settings, log: Logger): void {
  const open = [settings.listen, settings.xray, settings.otlpHttp, settings.otlpGrpc].filter(
    (address) => address && address.host !== 'localhost' && !address.host.startsWith('127.') && address.host !== '::1',
  );
  for (const address of open) log.warn({ address: address && addressText(address) }, 'open to the network without authentication');
}
