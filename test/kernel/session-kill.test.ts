// Killed at any moment, a session changes nothing of what the target does and leaves nothing in it.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { until } from '../support/until.ts';
import { copyLively, Lively, needKernel } from './support/lively.ts';

const BUILT = new URL('../../dist/session/index.js', import.meta.url);
const TRACER = fileURLToPath(new URL('./support/hold-session.mjs', import.meta.url));
const KILLS = 50;
/** From the moment that a session begins to start: before it is armed, while it is, and while it looks. */
const LATEST_MS = 300;
const WORK = 100_000;

interface Kill {
  readonly wasLooking: boolean;
  readonly wasArmed: boolean;
}

/** A process that will look. */
class Tracer {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown[]>;
  readonly #prepared: Promise<unknown[]>;
  #text = '';

  constructor(pid: number, ...args: readonly string[]) {
    this.#child = spawn(process.execPath, [TRACER, String(pid), ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#exited = once(this.#child, 'exit');
    this.#prepared = once(this.#child.stdout!, 'data');
    this.#child.stdout!.on('data', (bytes: Buffer) => (this.#text += bytes.toString()));
  }

  async prepare(): Promise<void> {
    const ended = this.#exited.then(() => {
      throw new Error('the tracer ended by itself before it was prepared');
    });
    await Promise.race([this.#prepared, ended]);
  }

  /** Starts its session, and kills it so much later, or so much after it is armed. */
  async killAfter(target: Lively, delayMs: number, clean: string, whenArmed: boolean): Promise<Kill> {
    if (whenArmed) await this.look();
    else this.#child.stdin!.write('go\n');
    await new Promise((done) => setTimeout(done, delayMs));
    const wasArmed = target.code() !== clean;
    await this.kill();
    return { wasLooking: this.#text.includes('looking'), wasArmed };
  }

  /** Starts its session; resolves when that looks. */
  async look(): Promise<void> {
    this.#child.stdin!.write('go\n');
    await until(
      async () => this.#text,
      (text) => text.includes('looking'),
      20_000,
    );
  }

  residentBytes(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) * 1024;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    const [code] = await this.#exited;
    if (code !== null) throw new Error(`the tracer ended by itself with ${String(code)}`);
  }
}

test(`${KILLS} SIGKILLs leave the target's work right and no probe in it`, { timeout: 240_000 }, async (context) => {
  needKernel(context);
  requireOrSkip(context, existsSync(BUILT), 'not built; run ./fluoro build');
  const path = copyLively(context);
  const [alone, target] = [await Lively.start(context), await Lively.start(context, path)];
  const expected = await alone.ask(`burst ${WORK}`);
  const clean = target.code();
  const kills: Kill[] = [];
  const state = { isDone: false };
  // It works all the while; each round must give the same sum.
  const sums = (async () => {
    const wrong: string[] = [];
    while (!state.isDone) {
      const sum = await target.ask(`burst ${WORK}`);
      if (sum !== expected) wrong.push(sum);
      await new Promise((done) => setTimeout(done, 20));
    }
    return wrong;
  })();
  // The next one is prepared meanwhile.
  let next = new Tracer(target.pid);
  context.onTestFinished(() => next.kill());
  for (let i = 0; i < KILLS; i++) {
    const tracer = next;
    await tracer.prepare();
    next = new Tracer(target.pid);
    kills.push(await tracer.killAfter(target, Math.random() * LATEST_MS, clean, i % 2 === 0));
    await until(
      async () => ({ code: target.code(), semaphore: target.semaphore() }),
      ({ code, semaphore }) => code === clean && semaphore === 0,
      10_000,
    );
  }
  state.isDone = true;
  context.annotate(
    JSON.stringify({
      armed: kills.filter(({ wasArmed }) => wasArmed).length,
      looking: kills.filter(({ wasLooking }) => wasLooking).length,
    }),
  );
  expect(await sums).toEqual([]);
  // The moments lay before, while and after it was armed.
  expect(kills.some(({ wasArmed }) => !wasArmed)).toBe(true);
  expect(kills.filter(({ wasArmed }) => wasArmed).length).toBeGreaterThanOrEqual(KILLS / 2);
  expect(kills.some(({ wasLooking }) => wasLooking)).toBe(true);
});

/** Without the ring, whose 16 MiB are the kernel's, and count twice as they are mapped twice. */
const MOST_BYTES = 180e6;

test('a session with user stacks takes less than 180 MB', async (context) => {
  needKernel(context);
  requireOrSkip(context, existsSync(BUILT), 'not built; run ./fluoro build');
  const target = await Lively.start(context, copyLively(context));
  const tracer = new Tracer(target.pid, 'quiet');
  context.onTestFinished(() => tracer.kill());
  await tracer.prepare();
  await tracer.look();
  await target.ask('burst 100000');
  await until(
    async () => tracer.residentBytes(),
    (bytes) => bytes < MOST_BYTES,
    5000,
  );
});
