// Checks who imports whom against layers.json. A folder of src/ is a room; rooms meet only through their index.ts.
//
// It fails on: an import that layers.json does not allow, a cycle between rooms or between files, an import of another
// room's private file, a Node module or an unlisted package in a room that may not have it, a room that is not listed or
// lacks README.md or index.ts, an import whose target is computed or missing - and when it saw no imports at all.

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { listSourceFiles, readSourceFile } from './source.mjs';

/**
 * @typedef {object} Room
 * @property {string[]} mayImport
 * @property {boolean} [browserSafe] no Node modules; compiled by tsconfig.browser-safe.json
 * @property {string[]} [packages] the npm packages that it may use; absent: any dependency
 *
 * @typedef {object} Layers
 * @property {Record<string, Room>} rooms
 * @property {{ folder: string, mayImport: string[] }} [page]
 * @property {Record<string, string[]>} [packagesOnlyIn] package to the rooms that may use it
 */

const TEST = /\.(test|bench)\.(ts|tsx)$/;

/**
 * @param {string} root the repository
 * @returns {{ problems: string[], files: number, imports: number }}
 */
export function checkLayers(root) {
  /** @type {Layers} */
  const layers = JSON.parse(readFileSync(join(root, 'layers.json'), 'utf8'));
  const problems = [...checkRooms(root, layers), ...checkAllowList(layers), ...checkBrowserSafeProject(root, layers)];
  const files = [...listSourceFiles(root, 'src'), ...(layers.page ? listSourceFiles(root, layers.page.folder) : [])];
  const tree = { root, layers, known: new Set(files), dependencies: readDependencies(root) };
  /** @type {Map<string, Set<string>>} */
  const fileGraph = new Map();
  let imports = 0;
  for (const file of files) {
    const source = readSourceFile(root, file);
    problems.push(...source.errors.map((error) => `${file}: ${error}`));
    imports += source.imports.length;
    for (const found of source.imports) problems.push(...checkImport(tree, fileGraph, file, found));
  }
  problems.push(...findCycles(fileGraph).map((cycle) => `files import each other in a circle: ${cycle.join(' -> ')}`));
  problems.push(...findCycles(toRoomGraph(fileGraph)).map((cycle) => `rooms import each other in a circle: ${cycle.join(' -> ')}`));
  if (imports === 0) problems.push('no imports were seen at all: the check looks at the wrong place');
  return { problems, files: files.length, imports };
}

/** Every folder of src/ is listed and has its two files: its face (or entry) and its page. */
function checkRooms(root, layers) {
  const problems = [];
  for (const entry of readdirSync(join(root, 'src'), { withFileTypes: true })) {
    if (!entry.isDirectory()) {
      problems.push(`src/${entry.name}: a file outside any room`);
      continue;
    }
    if (!Object.hasOwn(layers.rooms, entry.name)) problems.push(`src/${entry.name}: this room is not in layers.json`);
    // A room that nobody may import has an entry instead of a public face.
    for (const file of [layers.rooms[entry.name]?.entry ?? 'index.ts', 'README.md']) {
      if (!existsSync(join(root, 'src', entry.name, file))) problems.push(`src/${entry.name}: the room has no ${file}`);
    }
  }
  return problems;
}

/** The allow list itself names only rooms, has no cycle, and keeps browser-safe rooms among themselves. */
function checkAllowList(layers) {
  const problems = [];
  const safe = (name) => layers.rooms[name]?.browserSafe === true;
  for (const [name, room] of Object.entries(layers.rooms)) {
    for (const other of room.mayImport) {
      if (!Object.hasOwn(layers.rooms, other)) problems.push(`layers.json: ${name} may import ${other}, which is not a room`);
      else if (safe(name) && !safe(other)) problems.push(`layers.json: ${name} is browser-safe, ${other} is not, so it may not import it`);
    }
  }
  for (const other of layers.page?.mayImport ?? []) {
    if (!safe(other)) problems.push(`layers.json: the page may import ${other}, which is not browser-safe`);
  }
  const graph = new Map(Object.entries(layers.rooms).map(([name, room]) => [name, new Set(room.mayImport)]));
  problems.push(...findCycles(graph).map((cycle) => `layers.json allows a circle: ${cycle.join(' -> ')}`));
  return problems;
}

/** tsconfig.browser-safe.json compiles every browser-safe room that exists. */
function checkBrowserSafeProject(root, layers) {
  const file = join(root, 'tsconfig.browser-safe.json');
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const safe = Object.keys(layers.rooms).filter((name) => layers.rooms[name].browserSafe && existsSync(join(root, 'src', name)));
  return safe
    .filter((name) => !text.includes(`"src/${name}"`))
    .map((name) => `tsconfig.browser-safe.json: src/${name} is browser-safe but not included`);
}

/** The packages that come with the published one; undefined when there is no package.json. */
function readDependencies(root) {
  const file = join(root, 'package.json');
  if (!existsSync(file)) return undefined;
  const { dependencies = {}, optionalDependencies = {} } = JSON.parse(readFileSync(file, 'utf8'));
  return new Set([...Object.keys(dependencies), ...Object.keys(optionalDependencies)]);
}

/** Problems of one import; adds the edge between files to `fileGraph`. */
function checkImport(tree, fileGraph, file, found) {
  const { root, layers, known } = tree;
  const at = `${file}:${found.line}`;
  if (found.target === undefined) return [`${at}: an import of a computed name cannot be checked; write it as a plain string`];
  if (!found.target.startsWith('.')) return checkPackage(tree, file, at, found.target);
  const target = posix.join(dirname(file), found.target.replace(/\?.*$/, ''));
  if (!known.has(target))
    return existsSync(join(root, target)) ? checkOtherFile(file, at, target) : [`${at}: ${found.target} does not exist`];
  if (!TEST.test(file)) addEdge(fileGraph, file, target);
  return checkTarget(layers, file, at, target);
}

/** A style sheet or data file: a room's own, or none's. */
function checkOtherFile(file, at, target) {
  const room = toRoom(target);
  return room !== undefined && room !== toRoom(file) ? [`${at}: ${target} is a private file of ${room}`] : [];
}

/** An import of a source file, in the same room or in another. */
function checkTarget(layers, file, at, target) {
  const from = toRoom(file);
  const to = toRoom(target);
  if (from === to) return [];
  if (to === undefined) return [`${at}: a room imports ${target}, which is outside src/`];
  const problems = [];
  const allowed = from === undefined ? layers.page?.mayImport : layers.rooms[from]?.mayImport;
  if (allowed && !allowed.includes(to)) problems.push(`${at}: ${from ?? 'the page'} may not import ${to} (layers.json)`);
  if (target !== `src/${to}/index.ts`) problems.push(`${at}: ${target} is a private file of ${to}; import src/${to}/index.ts`);
  return problems;
}

/** An import of a Node module or of an npm package. Tests may use both freely. */
function checkPackage({ layers, dependencies }, file, at, target) {
  const name = toRoom(file);
  const room = layers.rooms[name ?? ''];
  const browserSafe = name === undefined || room?.browserSafe === true;
  if (TEST.test(file)) return [];
  if (target === 'node' || isBuiltin(target)) {
    if (browserSafe) return [`${at}: ${name ?? 'the page'} runs in the browser and may not use ${target}`];
    return target.startsWith('node:') || target === 'node' ? [] : [`${at}: write node:${target}`];
  }
  const wanted = toPackageName(target);
  if (name !== undefined && dependencies && !dependencies.has(wanted))
    return [`${at}: ${wanted} is not among the dependencies of package.json`];
  if (room?.packages && !room.packages.includes(wanted)) return [`${at}: ${name} may not use the package ${wanted} (layers.json)`];
  const only = layers.packagesOnlyIn?.[wanted];
  if (only && name !== undefined && !only.includes(name))
    return [`${at}: the package ${wanted} is only for ${only.join(', ')} (layers.json)`];
  return [];
}

function toPackageName(target) {
  return target.split('/', target.startsWith('@') ? 2 : 1).join('/');
}

/** The room that a path of the repository lies in; undefined outside src/. */
function toRoom(path) {
  return /^src\/([^/]+)\//.exec(path)?.[1];
}

function addEdge(graph, from, to) {
  const targets = graph.get(from);
  if (targets) targets.add(to);
  else graph.set(from, new Set([to]));
}

function toRoomGraph(fileGraph) {
  const graph = new Map();
  for (const [file, targets] of fileGraph) {
    const from = toRoom(file);
    for (const target of targets) {
      const to = toRoom(target);
      if (from !== undefined && to !== undefined && from !== to) addEdge(graph, from, to);
    }
  }
  return graph;
}

/**
 * Circles of a graph as closed paths (a, b, a); none exactly when there is none.
 * @param {Map<string, Set<string>>} graph
 * @returns {string[][]}
 */
export function findCycles(graph) {
  const cycles = [];
  const done = new Set();
  for (const start of graph.keys()) {
    if (done.has(start)) continue;
    walk(graph, start, done, cycles);
  }
  return cycles;
}

/** Depth-first from `start`, without recursion: an edge back into the path under way closes a circle. */
function walk(graph, start, done, cycles) {
  const path = [start];
  const onPath = new Set(path);
  const rest = [[...(graph.get(start) ?? [])]];
  while (path.length > 0) {
    const next = rest.at(-1).pop();
    if (next === undefined) {
      const left = path.pop();
      rest.pop();
      onPath.delete(left);
      done.add(left);
    } else if (onPath.has(next)) cycles.push([...path.slice(path.indexOf(next)), next]);
    else if (!done.has(next)) {
      path.push(next);
      onPath.add(next);
      rest.push([...(graph.get(next) ?? [])]);
    }
  }
}

function main() {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const { problems, files, imports } = checkLayers(root);
  for (const problem of problems) console.error(problem);
  console.log(`${imports} imports in ${files} files, ${problems.length} problems`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
