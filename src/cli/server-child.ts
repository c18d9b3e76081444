/**
 * The server's process under `fluoro up`. Its settings come by message (they hold the store's password);
 * it stops when told to, or when its supervisor is gone.
 */
import { assert } from '../base/index.ts';
import { type RunningServer, startServer, type ServerOptions } from '../server/index.ts';
import { claimSpool } from './data-lock.ts';
import { createLog } from './log.ts';
import type { FromServer, ToServer } from './supervisor.ts';

assert(process.send !== undefined, 'the server child is started by its supervisor');

let running: Promise<RunningServer> | undefined;

function say(message: FromServer): void {
  if (process.connected) process.send?.(message);
}

async function start(options: Omit<ServerOptions, 'log' | 'onFatal'>, logLevel: string): Promise<void> {
  const log = createLog(logLevel, 'server');
  running = claimSpool(options.dir).then(() =>
    startServer({
      ...options,
      log,
      onFatal: (message) => {
        log.fatal({ reason: message }, 'the server cannot go on');
        process.exit(70);
      },
    }),
  );
  try {
    say({ kind: 'started', addresses: (await running).addresses });
  } catch (cause) {
    const error = cause as Error;
    say({ kind: 'failed', name: error.constructor.name, message: error.message, stack: error.stack ?? '' });
    process.exitCode = 1;
    process.disconnect();
  }
}

async function stop(): Promise<void> {
  const server = await running?.catch(() => undefined);
  await server?.stop();
  process.exit(0);
}

process.on('message', (message: ToServer) => {
  if (message.kind === 'start') void start(message.options, message.logLevel);
  else void stop();
});
process.on('disconnect', () => void stop());
process.on('SIGINT', () => undefined); // Ctrl-C reaches the whole group; the supervisor says when
process.on('SIGTERM', () => void stop());
