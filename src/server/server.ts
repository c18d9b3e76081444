/** The server: intake, X-Ray API, OTLP, the page's API and the page, behind as many listeners as were asked for. */
import { createServer, type Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import type { StatusAnswer } from '../api/index.ts';
import { type IntakeLimits, ListenError, Pipeline } from '../ingest/index.ts';
import { CentralSampler } from '../sampling/index.ts';
import { type Layout, openStore, type Store, type StoreAddress, StoredSettings } from '../store/index.ts';
import type { TelemetryRecord } from '../xray/index.ts';
import { Agents } from './agents.ts';
import { registerApi } from './api-routes.ts';
import { type Address, addressText, chooseTcpPort, listen, portError } from './listen.ts';
import { GroupService } from './group-service.ts';
import { NO_INSIGHTS } from './insight-service.ts';
import { LiveFeed } from './live.ts';
import { registerMetrics } from './metrics.ts';
import { OtlpGrpc, registerOtlp } from './otlp-routes.ts';
import { isView, registerPage } from './page.ts';
import { SamplingExchange } from './sampling-exchange.ts';
import { TraceReader } from './trace-reader.ts';
import { answerUnknownOperation, registerXRay } from './xray-routes.ts';

export interface ServerOptions {
  readonly version: string;
  /** Directory of the spool. */
  readonly dir: string;
  readonly stores: readonly StoreAddress[];
  readonly layout: Layout;
  readonly limits: IntakeLimits;
  /** Page and every API. */
  readonly listen: Address;
  /** The X-Ray daemon's UDP and TCP port; undefined: none. */
  readonly xray: Address | undefined;
  readonly otlpHttp: Address | undefined;
  readonly otlpGrpc: Address | undefined;
  readonly log: FastifyBaseLogger;
  /** The server cannot go on. */
  readonly onFatal: (message: string) => void;
}

/** Addresses as they were taken, `host:port`; a listener that was not asked for is absent. */
export interface ServerAddresses {
  readonly page: string;
  readonly xrayUdp?: string;
  readonly xrayTcp?: string;
  readonly otlpHttp?: string;
  readonly otlpGrpc?: string;
}

export interface RunningServer {
  readonly addresses: ServerAddresses;
  /** Stops taking new work, writes what is pending, gives the store a moment to take it. */
  stop(): Promise<void>;
}

const PAGE_DIR = fileURLToPath(new URL('../web/', import.meta.url));
const MAX_BODY_BYTES = 64 * 1024 * 1024;
const DRAIN_LIMIT_MS = 5_000;
const STORE_RETRY_MS = 500;
/** How long a server waits at its start for a store that does not answer yet. */
const STORE_START_LIMIT_MS = 60_000;

/** Starts everything; throws `PortError` or `StoreStartError` with a message for the user. */
export async function startServer(asked: ServerOptions): Promise<RunningServer> {
  const options = { ...asked, xray: asked.xray && (await chooseTcpPort(asked.xray)) };
  const store = await openStoreSoon(options);
  const live = new LiveFeed();
  const pipeline = await startPipeline(options, live);
  const closers: (() => Promise<void>)[] = [];
  try {
    const settings = await openSettings(store);
    closers.push(async () => settings.close());
    const sampler = new CentralSampler();
    const exchange = new SamplingExchange(store, sampler, ({ message }) =>
      options.log.warn({ reason: message }, 'sampling reports wait: the store does not take them'),
    );
    await exchange.start();
    closers.push(async () => exchange.stop());
    const agents = new Agents();
    const reader = new TraceReader(store, new GroupService(settings).lookup);
    const app = createApp(options.log);
    const addresses: { -readonly [Key in keyof ServerAddresses]: ServerAddresses[Key] } = { page: '' };
    const startedSeconds = Date.now() / 1000;
    const telemetry = (records: readonly TelemetryRecord[]): void => agents.add(records);
    registerXRay(app, { reader, intake: pipeline, settings, sampler, insights: NO_INSIGHTS, telemetry });
    registerOtlp(app, pipeline);
    registerApi(app, reader, async () => statusOf(options, addresses, startedSeconds, { pipeline, store, agents }));
    live.register(app);
    registerMetrics(app, pipeline, store, agents);
    registerHealth(app, pipeline, store);
    answerTheRest(app, await registerPage(app, PAGE_DIR));
    await app.ready();
    await openListeners(options, app, pipeline, addresses, closers);
    return { addresses, stop: () => stopAll(closers, live, pipeline, store) };
  } catch (cause) {
    await stopAll(closers, live, pipeline, store);
    throw cause;
  }
}

/** The store could not be opened; the message is for the user. */
export class StoreStartError extends Error {}

async function openStoreSoon(options: ServerOptions): Promise<Store> {
  const deadline = Date.now() + STORE_START_LIMIT_MS;
  for (let tries = 0; ; tries++) {
    const opened = await openStore(options.stores, options.layout);
    if (opened.ok) return opened.value;
    const where = options.stores.map((store) => store.url).join(', ');
    if (opened.error.kind === 'refused' || Date.now() > deadline) {
      throw new StoreStartError(`cannot use the store at ${where}: ${opened.error.message}`);
    }
    if (tries % 10 === 0) options.log.warn({ store: where, reason: opened.error.message }, 'waiting for the store');
    await new Promise((done) => setTimeout(done, STORE_RETRY_MS));
  }
}

async function openSettings(store: Store): Promise<StoredSettings> {
  const settings = await StoredSettings.open(store);
  if (settings.ok) return settings.value;
  throw new StoreStartError(`cannot read the settings in the store: ${settings.error.message}`);
}

async function startPipeline(options: ServerOptions, live: LiveFeed): Promise<Pipeline> {
  const { dir, stores, layout, limits, log } = options;
  try {
    const pipeline = await Pipeline.start(
      { dir, stores, layout, limits, udp: options.xray },
      {
        log: (level, message, details) => log[level](details ?? {}, message),
        stored: (minutes) => live.announce(Math.min(...minutes) * 60, Math.max(...minutes) * 60 + 60),
        graphUpdated: (minutes) => live.announce(Math.min(...minutes), Math.max(...minutes) + 60),
        died: options.onFatal,
      },
    );
    tellRecovery(pipeline, log);
    return pipeline;
  } catch (cause) {
    if (!(cause instanceof ListenError) || !options.xray) throw cause;
    throw portError({ code: cause.code, message: cause.message }, options.xray, 'the X-Ray daemon port', '--xray', 'udp');
  }
}

function tellRecovery({ recovery }: Pipeline, log: FastifyBaseLogger): void {
  const { records, tornBytes, damagedBytes, kept } = recovery;
  if (records > 0) log.info({ records }, 'the spool holds records of an earlier run; they go to the store now');
  if (tornBytes > 0) {
    log.warn({ bytes: tornBytes, kept }, 'the spool ends in bytes that are no whole record: a write that was cut off; they are kept');
  }
  if (damagedBytes > 0)
    log.error({ bytes: damagedBytes, kept }, 'the spool was damaged on disk: what stood there is lost; the bytes are kept');
}

function createApp(log: FastifyBaseLogger): FastifyInstance {
  const app: FastifyInstance = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: MAX_BODY_BYTES,
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true, maxParamLength: 200 },
  });
  // Bodies stay bytes: what is in them is read off the main thread, and only after their size is known.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  return app;
}

/** The page for its views; for anything else the kind of error that AWS's clients can read. */
function answerTheRest(app: FastifyInstance, hasPage: boolean): void {
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] ?? '/';
    if (hasPage && isView(request.method, path)) return reply.sendFile('index.html');
    return answerUnknownOperation(request, reply);
  });
}

function registerHealth(app: FastifyInstance, pipeline: Pipeline, store: Store): void {
  app.get('/health', () => ({ status: 'ok' }));
  app.get('/ready', async (_request, reply) => {
    const answer = await store.client.rows('SELECT 1');
    const obstacle = pipeline.state?.obstacle;
    if (answer.ok && obstacle === undefined) return { status: 'ready' };
    return reply.code(503).send({ status: 'not ready', reason: answer.ok ? obstacle : answer.error.message });
  });
}

async function openListeners(
  options: ServerOptions,
  app: FastifyInstance,
  pipeline: Pipeline,
  addresses: { -readonly [Key in keyof ServerAddresses]: ServerAddresses[Key] },
  closers: (() => Promise<void>)[],
): Promise<void> {
  const open = async (address: Address, what: string, option: string): Promise<string> => {
    const server = createServer((request, response) => app.routing(request, response));
    closers.push(() => closeServer(server));
    return addressText(await listen(server, address, what, option));
  };
  closers.push(() => app.close());
  addresses.page = await open(options.listen, 'the page', '--listen');
  if (pipeline.udp && options.xray) {
    addresses.xrayUdp = addressText(pipeline.udp);
    // Same number for both, as SDKs expect, also when any free port was asked for.
    addresses.xrayTcp = await open({ host: options.xray.host, port: pipeline.udp.port }, 'the X-Ray daemon port', '--xray');
  }
  if (options.otlpHttp) addresses.otlpHttp = await open(options.otlpHttp, 'the OTLP HTTP listener', '--otlp-http');
  if (!options.otlpGrpc) return;
  const grpc = await OtlpGrpc.start(options.otlpGrpc, pipeline);
  closers.push(() => grpc.stop());
  addresses.otlpGrpc = addressText(grpc.address);
}

async function closeServer(server: Server): Promise<void> {
  await new Promise<void>((done) => {
    server.close(() => done());
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), 1_000).unref();
  });
}

async function stopAll(closers: readonly (() => Promise<void>)[], live: LiveFeed, pipeline: Pipeline, store: Store): Promise<void> {
  live.close();
  await Promise.all(closers.map((close) => close()));
  await pipeline.stop(DRAIN_LIMIT_MS);
  await store.client.close();
}

async function statusOf(
  options: ServerOptions,
  addresses: ServerAddresses,
  startedSeconds: number,
  { pipeline, store, agents }: { readonly pipeline: Pipeline; readonly store: Store; readonly agents: Agents },
): Promise<StatusAnswer> {
  const state = pipeline.state;
  const any = await store.client.rows<{ n: number }>(`SELECT 1 AS n FROM ${store.layout.database}.spans LIMIT 1`);
  const trouble = any.ok ? state?.storeTrouble : any.error.message;
  return {
    version: options.version,
    startedSeconds,
    addresses: {
      page: addresses.page,
      ...(addresses.xrayUdp === undefined ? {} : { xray: addresses.xrayUdp }),
      ...(addresses.otlpHttp === undefined ? {} : { otlpHttp: addresses.otlpHttp }),
      ...(addresses.otlpGrpc === undefined ? {} : { otlpGrpc: addresses.otlpGrpc }),
    },
    intake: Object.entries(state?.counts ?? {}).map(([source, counts]) => ({
      source: source as StatusAnswer['intake'][number]['source'],
      ...counts,
    })),
    store: trouble === undefined ? { state: 'ready' } : { state: 'down', detail: trouble },
    spool: {
      bytes: state?.spoolBytes ?? 0,
      batches: state?.spoolRecords ?? 0,
      ...(state?.oldestMs === undefined ? {} : { oldestSeconds: state.oldestMs / 1000 }),
    },
    rejects: pipeline.refusals.toReversed().slice(0, 100),
    agents: agents.list().map(({ backendErrors: _, ...counts }) => counts),
    hasData: any.ok ? any.value.length > 0 : true,
  };
}
