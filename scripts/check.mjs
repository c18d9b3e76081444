// `npm run check`: every static check, one line of result each; the output of a check only when it fails.
//
// node scripts/check.mjs [name ...]     only the named checks

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * @typedef {object} Check
 * @property {string} name
 * @property {string[]} command
 * @property {string} [needs] a file without which there is nothing to check
 */

/** @type {Check[]} */
const CHECKS = [
  { name: 'types', command: ['tsc', '--pretty', 'false', '-p', 'tsconfig.json'] },
  { name: 'types-browser-safe', command: ['tsc', '--pretty', 'false', '-p', 'tsconfig.browser-safe.json'] },
  { name: 'types-page', command: ['tsc', '--pretty', 'false', '-p', 'web/tsconfig.json'], needs: 'web/tsconfig.json' },
  { name: 'types-page-dev', command: ['tsc', '--pretty', 'false', '-p', 'web/tsconfig.dev.json'], needs: 'web/tsconfig.dev.json' },
  { name: 'lint', command: ['oxlint'] },
  { name: 'format', command: ['oxfmt', '--check', '.'] },
  { name: 'unused', command: ['knip', '--no-progress'] },
  { name: 'layers', command: ['node', 'scripts/check-layers.mjs'] },
  { name: 'tidy', command: ['node', 'scripts/tidy.mjs'] },
];

/**
 * Runs one command and collects what it prints.
 * @param {Check} check
 * @returns {Promise<{ name: string, ok: boolean, output: string, seconds: number }>}
 */
function run({ name, command }) {
  const start = performance.now();
  const env = { ...process.env, PATH: join(ROOT, 'node_modules/.bin') + delimiter + process.env.PATH, NO_COLOR: '1' };
  return new Promise((resolve) => {
    const child = spawn(command[0], command.slice(1), { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const end = (ok) => resolve({ name, ok, output, seconds: (performance.now() - start) / 1000 });
    child.stdout.on('data', (bytes) => (output += bytes));
    child.stderr.on('data', (bytes) => (output += bytes));
    child.on('error', (error) => {
      output += `${command[0]}: ${error.message}\n`;
      end(false);
    });
    child.on('close', (code) => end(code === 0));
  });
}

/** Runs the checks, a few at a time, and prints each as it ends. */
async function runAll(checks) {
  const waiting = [...checks];
  const failed = [];
  const worker = async () => {
    for (let check = waiting.shift(); check; check = waiting.shift()) {
      const { name, ok, output, seconds } = await run(check);
      console.log(`${ok ? 'ok    ' : 'FAILED'}  ${name.padEnd(20)} ${seconds.toFixed(1)} s`);
      if (ok) continue;
      failed.push(name);
      console.log(output.trimEnd().replace(/^/gm, '    '));
    }
  };
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, worker));
  return failed;
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !CHECKS.some((check) => check.name === name));
if (unknown.length > 0) {
  console.error(`no such check: ${unknown.join(', ')}; there are ${CHECKS.map((check) => check.name).join(', ')}`);
  process.exit(2);
}
const chosen = CHECKS.filter((check) => wanted.length === 0 || wanted.includes(check.name));
const failed = await runAll(chosen.filter((check) => check.needs === undefined || existsSync(join(ROOT, check.needs))));
if (failed.length > 0) console.log(`${failed.length} of ${chosen.length} checks failed: ${failed.join(', ')}`);
process.exitCode = failed.length > 0 ? 1 : 0;
