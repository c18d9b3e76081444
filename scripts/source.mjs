// Reads source files for the checks: which there are, what each imports, how long its functions are.

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'oxc-parser';

/**
 * @typedef {object} Import
 * @property {string | undefined} target the text between the quotes; undefined when it is computed
 * @property {boolean} typeOnly whether it is gone after compilation
 * @property {number} line counted from 1
 *
 * @typedef {object} FunctionLength
 * @property {string} name
 * @property {number} line counted from 1
 * @property {number} lines
 *
 * @typedef {object} SourceFile
 * @property {Import[]} imports
 * @property {FunctionLength[]} functions
 * @property {number} lines
 * @property {string[]} errors
 */

const SOURCE = /\.(ts|tsx|mts|mjs|js)$/;
const NOT_OURS = new Set(['node_modules', 'dist', '.git', 'gen', 'testdata', 'fixtures']);

/**
 * Every source file under `folder`, sorted, as paths relative to `root` with `/`.
 * A folder that does not exist has none.
 * @param {string} root
 * @param {string} folder
 * @returns {string[]}
 */
export function listSourceFiles(root, folder) {
  let entries;
  try {
    entries = readdirSync(join(root, folder), { withFileTypes: true });
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
  const found = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      if (!NOT_OURS.has(entry.name)) found.push(...listSourceFiles(root, path));
    } else if (SOURCE.test(entry.name)) found.push(path);
  }
  return found;
}

/**
 * @param {string} root
 * @param {string} path relative to `root`
 * @returns {SourceFile}
 */
export function readSourceFile(root, path) {
  return parseSource(path, readFileSync(join(root, path), 'utf8'));
}

/**
 * @param {string} path decides the dialect by its suffix
 * @param {string} text
 * @returns {SourceFile}
 */
export function parseSource(path, text) {
  const { program, comments, errors } = parseSync(path, text);
  const lineStarts = findLineStarts(text);
  const lineAt = (offset) => findLine(lineStarts, offset);
  const file = { imports: [], functions: [], lines: lineAt(text.length - 1), errors: errors.map((error) => error.message) };
  for (const comment of comments) {
    const reference = /^\/\s*<reference\s+(?:types|path)\s*=\s*["']([^"']+)["']/.exec(comment.value);
    if (reference) file.imports.push({ target: reference[1], typeOnly: true, line: lineAt(comment.start) });
  }
  visit(program, undefined, (node, name) => {
    const found = findImport(node);
    if (found) file.imports.push({ ...found, line: lineAt(node.start) });
    if (isFunction(node)) {
      const line = lineAt(node.start);
      file.functions.push({ name: node.id?.name ?? name ?? '(anonymous)', line, lines: lineAt(node.end) - line + 1 });
    }
  });
  return file;
}

/** Calls `look` for every node of the tree, with the name that the nearest declaration gives it. */
function visit(node, name, look) {
  if (Array.isArray(node)) {
    for (const item of node) visit(item, name, look);
    return;
  }
  if (node === null || typeof node !== 'object' || typeof node.type !== 'string') return;
  look(node, name);
  const own = node.type === 'VariableDeclarator' ? node.id.name : node.key?.name;
  for (const key in node) {
    const value = node[key];
    if (value !== null && typeof value === 'object') visit(value, key === 'init' || key === 'value' ? (own ?? name) : undefined, look);
  }
}

function isFunction(node) {
  return node.body != null && /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type);
}

/** @returns {{ target: string | undefined, typeOnly: boolean } | undefined} */
function findImport(node) {
  switch (node.type) {
    case 'ImportDeclaration':
      return { target: node.source.value, typeOnly: node.importKind === 'type' || onlyTypes(node.specifiers, 'importKind') };
    case 'ExportNamedDeclaration':
      if (!node.source) return undefined;
      return { target: node.source.value, typeOnly: node.exportKind === 'type' || onlyTypes(node.specifiers, 'exportKind') };
    case 'ExportAllDeclaration':
      return { target: node.source.value, typeOnly: node.exportKind === 'type' };
    case 'ImportExpression':
      return { target: toText(node.source), typeOnly: false };
    case 'TSImportType':
      return { target: toText(node.source), typeOnly: true };
    case 'TSExternalModuleReference':
      return { target: toText(node.expression), typeOnly: false };
    case 'CallExpression':
      return isRequire(node.callee) ? { target: toText(node.arguments[0]), typeOnly: false } : undefined;
    case 'NewExpression':
      return findFileAddress(node);
    default:
      return undefined;
  }
}

function onlyTypes(specifiers, kind) {
  return specifiers.length > 0 && specifiers.every((specifier) => specifier[kind] === 'type');
}

function isRequire(callee) {
  if (callee.type === 'Identifier') return callee.name === 'require';
  return callee.type === 'MemberExpression' && callee.object.name === 'require' && callee.property.name === 'resolve';
}

/** `new URL('./worker.ts', import.meta.url)`: a source file by its address, as workers and children are started. */
function findFileAddress(node) {
  if (node.callee.name !== 'URL' || node.arguments.length !== 2) return undefined;
  const [target, base] = node.arguments;
  const text = toText(target);
  if (base.type !== 'MemberExpression' || base.object.type !== 'MetaProperty' || text === undefined) return undefined;
  return /^\.\.?\/.*\.(ts|tsx)$/.test(text) ? { target: text, typeOnly: false } : undefined;
}

/** The text of a plain string (or of a template without holes); undefined for anything computed. */
function toText(node) {
  if (node?.type === 'Literal' && typeof node.value === 'string') return node.value;
  if (node?.type === 'TSLiteralType') return toText(node.literal);
  if (node?.type === 'TemplateLiteral' && node.expressions.length === 0) return node.quasis[0].value.cooked;
  return undefined;
}

function findLineStarts(text) {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

function findLine(starts, offset) {
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (starts[middle] <= offset) low = middle;
    else high = middle;
  }
  return low + 1;
}
