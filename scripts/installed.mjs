// Tells whether node_modules holds what package-lock.json asks for, so that a tree where `npm install` was run by hand
// is not installed a second time. Exit status 0: it does. npm records what it installed in node_modules/.package-lock.json.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * @param {Record<string, any>} wanted `packages` of package-lock.json
 * @param {Record<string, any>} installed `packages` of node_modules/.package-lock.json
 * @returns {boolean}
 */
export function isInstalled(wanted, installed) {
  for (const [path, entry] of Object.entries(wanted)) {
    if (!path.includes('node_modules/')) continue;
    const found = installed[path];
    if (found === undefined ? entry.optional !== true && entry.peer !== true : found.version !== entry.version) return false;
  }
  return Object.keys(installed).every((path) => path in wanted);
}

function main() {
  const read = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')).packages;
  try {
    process.exitCode = isInstalled(read('../package-lock.json'), read('../node_modules/.package-lock.json')) ? 0 : 1;
  } catch {
    process.exitCode = 1; // nothing installed yet, or a damaged record: install afresh
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
