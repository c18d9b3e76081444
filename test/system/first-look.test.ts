// Does all that docs/guide/first-look.md says, in its order, with a real nginx.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { requireOrSkip } from '../support/require-or-skip.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MARK = '-- end of block --';

interface Block {
  readonly language: string;
  readonly text: string;
}

function readBlocks(): Block[] {
  const document = readFileSync(join(ROOT, 'docs/guide/first-look.md'), 'utf8');
  return [...document.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language, text]) => ({ language: language!, text: text! }));
}

async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** One script of all commands, with a line after each block, so that its output can be told apart. */
function toScript(blocks: readonly Block[], port: number): string {
  const commands = blocks.filter(({ language }) => language === 'sh').map(({ text }) => text);
  const prepared = commands
    .join(`\necho '${MARK}'\n`)
    .replace(/^apt-get .*$/m, '')
    .replaceAll(':8088', `:${port}`);
  return `set -e\nfluoro() { '${join(ROOT, 'fluoro')}' "$@"; }\n${prepared}`;
}

function runScript(
  script: string,
  folder: string,
): Promise<{ readonly status: number | null; readonly outputs: string[]; readonly errors: string }> {
  const child = spawn('bash', ['-c', script], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let output = '';
  let errors = '';
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (errors += bytes.toString()));
  return new Promise((resolve) => {
    child.once('exit', (status) => {
      endGroup(child.pid!);
      endNginx(join(folder, 'first-look/nginx.pid'));
      resolve({ status, outputs: output.split(`${MARK}\n`), errors });
    });
  });
}

/** What the script left when it failed half-way. */
function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGTERM');
  } catch {
    // all gone
  }
}

function endNginx(pidFile: string): void {
  if (existsSync(pidFile)) process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGTERM');
}

/** Lines with their numbers left out, each once. */
function shape(text: string): string[] {
  return [
    ...new Set(
      text
        .trim()
        .replaceAll(/\d[\d,.]*/g, '#')
        .split('\n'),
    ),
  ];
}

test('the guide gives what it shows', async (context) => {
  requireOrSkip(context, process.getuid?.() === 0, 'probes need root; `fluoro doctor` tells more');
  for (const program of ['nginx', 'curl', 'bash'])
    requireOrSkip(context, spawnSync('which', [program]).status === 0, `no ${program}; install it: apt-get install ${program}`);
  const folder = mkdtempSync(join(tmpdir(), 'fluoro-first-look-'));
  context.onTestFinished(() => rmSync(folder, { recursive: true }));
  chmodSync(folder, 0o755); // nginx's workers are another user
  const blocks = readBlocks();
  const programs = blocks.filter(({ language }) => language === 'y').map(({ text }) => text);
  const script = programs.reduce(
    (text, program) => {
      const name = /^\/\/ ([\w-]+\.y):/.exec(program)![1]!;
      writeFileSync(join(folder, name), program);
      return text.replaceAll(`run ${name}`, `run ../${name}`);
    },
    toScript(blocks, await findFreePort()),
  );

  const { status, outputs, errors } = await runScript(script, folder);
  expect(status, errors).toBe(0);
  const shown = (index: number): string => {
    const at = blocks.indexOf(blocks.filter(({ language }) => language === 'sh')[index]!);
    return blocks[at + 1]!.text;
  };
  const [, requests = '', writes = '', hot = '', help = '', slow = '', quick = '', state = ''] = outputs;
  expect(shape(requests)).toEqual(shape(shown(1)));
  expect(requests.match(/^[1-9]\d* requests/gm)?.length).toBeGreaterThan(0);
  expect(shape(writes)[0]).toBe('time (us)');
  expect(shape(writes).at(-1)).toBe(shape(shown(2)).at(-1));
  expect(hot.split('\n')[0]).toBe(shown(3).split('\n')[0]);
  expect(Number(/^ *([\d.]+)% .* deflate$/m.exec(hot)?.[1])).toBeGreaterThan(50);
  expect(errors).toMatch(/backtraces of the user: \d+: complete (9\d|100)\.\d%/);
  expect(help).toBe(shown(4));
  expect(shape(slow)).toEqual(shape(shown(5)));
  expect(shape(quick)).toEqual(shape(shown(6)));
  const averageOf = (text: string): number => Number(/(\d+) us each/.exec(text)![1]);
  expect(averageOf(quick)).toBeLessThan(averageOf(slow));
  expect(shape(state)).toEqual(shape(shown(7)));
});
