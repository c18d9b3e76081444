// Starts the product as a user does, on free ports and an empty directory.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const LAUNCHER = fileURLToPath(new URL('../../fluoro', import.meta.url));
/** The launcher may have to build first. */
const START_LIMIT_MS = 110_000;

/** A running `fluoro up`. */
export interface FluoroProcess {
  /** `host:port` of the page and all HTTP APIs. */
  readonly page: string;
  /** `host:port` of the X-Ray daemon's port, UDP and TCP. */
  readonly xray: string;
  /** Ends it as Ctrl-C does, and removes its data; the exit status. */
  stop(): Promise<number | null>;
}

/** Starts `fluoro up` and waits until it listens. Rejects with what it printed when it ends before that. */
export async function startFluoro(flags: readonly string[] = []): Promise<FluoroProcess> {
  const data = mkdtempSync(join(tmpdir(), 'fluoro-test-'));
  const free = '127.0.0.1:0';
  const ports = ['--listen', free, '--xray', free, '--otlp-http', 'off', '--otlp-grpc', 'off'];
  const child = spawn(LAUNCHER, ['up', '--json', '--data', data, ...ports, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((done) => child.once('close', done));
  const stop = async (): Promise<number | null> => {
    child.kill('SIGINT');
    const status = await ended;
    rmSync(data, { recursive: true, force: true });
    return status;
  };
  try {
    const { addresses } = JSON.parse(await firstLine(child)) as { addresses: { page: string; xrayTcp: string } };
    return { page: addresses.page, xray: addresses.xrayTcp, stop };
  } catch (cause) {
    await stop();
    throw cause;
  }
}

async function firstLine(child: ChildProcess): Promise<string> {
  let complaints = '';
  child.stderr!.on('data', (bytes) => (complaints = `${complaints}${String(bytes)}`.slice(-10_000)));
  return new Promise((resolve, reject) => {
    const fail = (what: string): void => reject(new Error(`fluoro up ${what}:\n${complaints}`));
    const limit = setTimeout(() => fail('did not start in time'), START_LIMIT_MS);
    child.once('close', (status) => fail(`ended with ${status}`));
    createInterface({ input: child.stdout! }).once('line', (line) => {
      clearTimeout(limit);
      resolve(line);
    });
  });
}
