// Completes package-lock.json with the platform packages that npm left out.
//
// Packages with native parts list one optional package for each platform. npm writes into the lock only those it could
// look up while it made the lock, and `npm ci` then refuses the lock on every machine, because the list and the lock
// differ. An entry with name, exact version and platform is enough for npm to skip or to install such a package; it
// carries no checksum, so the line in the lock shows which packages were never seen by the one who made it.
//
// Run after every `npm install`:  node scripts/complete-lock.mjs      (--check: report only, exit 1 if incomplete)

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const OPERATING_SYSTEMS = ['linux', 'darwin', 'win32', 'freebsd', 'android', 'openharmony', 'aix', 'sunos'];
const PROCESSORS = ['x64', 'arm64', 'arm', 'ia32', 'ppc64', 's390x', 'riscv64', 'loong64'];
const LIBRARIES = { gnu: 'glibc', musl: 'musl' };

/**
 * The platform that a package's name tells, e.g. `@chdb/lib-linux-arm64-gnu`.
 * @param {string} name
 * @returns {{ os: string[], cpu: string[], libc?: string[] } | undefined} undefined when the name tells none
 */
export function findPlatform(name) {
  const words = name.split(/[-/]/);
  const os = words.find((word) => OPERATING_SYSTEMS.includes(word));
  const cpu = words.find((word) => PROCESSORS.includes(word));
  if (os === undefined || cpu === undefined) return undefined;
  const library = words.find((word) => word in LIBRARIES);
  return { cpu: [cpu], ...(library === undefined ? {} : { libc: [LIBRARIES[library]] }), os: [os] };
}

/**
 * Entries that the lock lacks: exact optional dependencies of locked packages.
 * @param {{ packages: Record<string, any> }} lock
 * @returns {Record<string, object>} path in the lock to entry
 */
export function findMissing(lock) {
  /** @type {Record<string, object>} */
  const missing = {};
  for (const [path, entry] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (isLocked(lock, path, name)) continue;
      const platform = findPlatform(name);
      if (platform === undefined || !/^\d+\.\d+\.\d+[\w.+-]*$/.test(version)) continue;
      missing[`node_modules/${name}`] = { version, ...(entry.dev ? { dev: true } : {}), optional: true, ...platform };
    }
  }
  return missing;
}

/** Whether `name`, wanted by the package at `path`, has an entry there or in a folder above. */
function isLocked(lock, path, name) {
  for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    const candidate = at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (lock.packages[candidate] !== undefined) return true;
    if (at === '') return false;
  }
}

function sortByPath(packages) {
  return Object.fromEntries(Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en')));
}

function main() {
  const file = fileURLToPath(new URL('../package-lock.json', import.meta.url));
  const lock = JSON.parse(readFileSync(file, 'utf8'));
  const missing = findMissing(lock);
  const names = Object.keys(missing).map((path) => path.slice('node_modules/'.length));
  if (process.argv.includes('--check')) {
    if (names.length > 0) {
      console.error(`package-lock.json lacks ${names.join(', ')}; run: node scripts/complete-lock.mjs`);
      process.exit(1);
    }
    return;
  }
  if (names.length === 0) return;
  lock.packages = sortByPath({ ...lock.packages, ...missing });
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`package-lock.json: added ${names.join(', ')}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
