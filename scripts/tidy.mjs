// Small rules about files that no other tool checks:
//
//   - a file of more than 500 lines, or a function of more than 70, must be listed in tidy-known.json and may not grow;
//   - docs/dependencies.md has one row for each dependency, and none for what is gone;
//   - package-lock.json names every platform's packages and no registry;
//   - a room's README.md has at most 40 lines.
//
// node scripts/tidy.mjs [--update]     --update lowers the listed figures to today's, and adds nothing

import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findMissing } from './complete-lock.mjs';
import { listSourceFiles, readSourceFile } from './source.mjs';

const FOLDERS = ['src', 'web/src', 'web/dev', 'scripts', 'bench', 'examples', 'test'];
const MAX_FILE_LINES = 500;
const MAX_FUNCTION_LINES = 70;
const MAX_README_LINES = 40;
const KNOWN = 'scripts/tidy-known.json';
const TEST = /\.test\.(ts|tsx|mjs)$/;

/**
 * What is longer than its limit: `path` or `path: function` to lines. The bodies of tests are not counted as functions.
 * @param {string} root
 * @returns {Record<string, number>}
 */
export function findLong(root) {
  /** @type {Record<string, number>} */
  const long = {};
  for (const path of FOLDERS.flatMap((folder) => listSourceFiles(root, folder))) {
    const file = readSourceFile(root, path);
    if (file.lines > MAX_FILE_LINES) long[path] = file.lines;
    if (TEST.test(path)) continue;
    for (const { name, lines } of file.functions) {
      if (lines > MAX_FUNCTION_LINES) long[`${path}: ${name}`] = Math.max(lines, long[`${path}: ${name}`] ?? 0);
    }
  }
  return long;
}

/**
 * @param {Record<string, number>} long
 * @param {Record<string, number>} known
 * @returns {string[]}
 */
export function checkLengths(long, known) {
  const problems = [];
  for (const [name, lines] of Object.entries(long)) {
    const limit = known[name];
    if (limit === undefined) problems.push(`${name} has ${lines} lines; split it, or list it in ${KNOWN}`);
    else if (lines > limit) problems.push(`${name} grew from ${limit} to ${lines} lines; what is listed in ${KNOWN} may not grow`);
  }
  for (const name of Object.keys(known)) {
    if (!Object.hasOwn(long, name)) problems.push(`${name} is no longer too long; run: node scripts/tidy.mjs --update`);
  }
  return problems;
}

/**
 * @param {string} document text of docs/dependencies.md: rows that begin with | `name` |
 * @param {string[]} dependencies
 * @returns {string[]}
 */
export function checkDependencyRows(document, dependencies) {
  const rows = [...document.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1]);
  const counts = new Map();
  for (const row of rows) counts.set(row, (counts.get(row) ?? 0) + 1);
  const problems = [];
  for (const name of new Set(dependencies)) {
    if (!counts.has(name)) problems.push(`docs/dependencies.md has no row for ${name}`);
  }
  for (const [name, count] of counts) {
    if (!dependencies.includes(name)) problems.push(`docs/dependencies.md has a row for ${name}, which is not a dependency`);
    if (count > 1) problems.push(`docs/dependencies.md has ${count} rows for ${name}`);
  }
  return problems;
}

/**
 * @param {{ packages: Record<string, any> }} lock
 * @returns {string[]}
 */
export function checkLock(lock) {
  const problems = Object.keys(findMissing(lock)).map((path) => `package-lock.json lacks ${path}; run: node scripts/complete-lock.mjs`);
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (/^https?:/.test(entry.resolved ?? '')) problems.push(`package-lock.json names a registry for ${path}; see .npmrc`);
  }
  return problems;
}

function checkReadmes(root) {
  const problems = [];
  for (const entry of readdirSync(join(root, 'src'), { withFileTypes: true })) {
    const file = join(root, 'src', entry.name, 'README.md');
    if (!entry.isDirectory() || !existsSync(file)) continue;
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n').length;
    if (lines > MAX_README_LINES) problems.push(`src/${entry.name}/README.md has ${lines} lines; at most ${MAX_README_LINES}`);
  }
  return problems;
}

function readJson(root, path) {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}

function listDependencies(root) {
  return ['package.json', 'web/package.json'].flatMap((path) => {
    const { dependencies, devDependencies, optionalDependencies } = readJson(root, path);
    return Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies });
  });
}

function update(root, long, known) {
  const kept = Object.entries(known).filter(([name]) => Object.hasOwn(long, name));
  const lowered = Object.fromEntries(kept.map(([name, lines]) => [name, Math.min(lines, long[name])]));
  writeFileSync(join(root, KNOWN), `${JSON.stringify(lowered, null, 2)}\n`);
}

function main() {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const long = findLong(root);
  if (process.argv.includes('--update')) update(root, long, readJson(root, KNOWN));
  const problems = [
    ...checkLengths(long, readJson(root, KNOWN)),
    ...checkDependencyRows(readFileSync(join(root, 'docs/dependencies.md'), 'utf8'), listDependencies(root)),
    ...checkLock(readJson(root, 'package-lock.json')),
    ...checkReadmes(root),
  ];
  for (const problem of problems) console.error(problem);
  console.log(`${Object.keys(long).length} long files and functions, ${problems.length} problems`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
