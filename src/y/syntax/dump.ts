import type { Unit } from './ast.ts';

/** What needs no line of its own when it has this value. */
const DULL = new Set<unknown>([undefined, false, '']);
const LEFT_OUT = new Set(['kind', 'span', 'operatorSpan', 'patternStart', 'file', 'bytes']);

/**
 * The syntax tree as text, a node a line, children indented under their role: for `--dump=ast` and for tests. Leaves out spans and whatever is
 * absent or false. Ends with a newline.
 */
export function dumpAst(unit: Unit): string {
  const lines: string[] = [];
  for (const tag of unit.header?.tags ?? []) lines.push(`@${tag.name} ${tag.value}`.trimEnd());
  for (const item of unit.items) dumpNode(item, '', '', lines);
  return lines.map((line) => `${line}\n`).join('');
}

function dumpNode(node: object, role: string, indent: string, lines: string[]): void {
  const leaves: string[] = [];
  const children: [string, unknown][] = [];
  for (const [key, value] of Object.entries(node)) {
    if (DULL.has(value) || LEFT_OUT.has(key)) continue;
    const leaf = toLeaf(key, value);
    if (leaf === undefined) children.push([key, value]);
    else if (leaf !== '') leaves.push(leaf);
  }
  const kind = 'kind' in node ? String(node.kind) : '';
  lines.push(`${indent}${role === '' ? '' : `${role}: `}${[kind, ...leaves].filter((part) => part !== '').join(' ')}`.trimEnd());
  for (const [key, value] of children) dumpChild(value, key, `${indent}  `, lines);
}

function dumpChild(value: unknown, role: string, indent: string, lines: string[]): void {
  if (!Array.isArray(value)) return dumpNode(value as object, role, indent, lines);
  if (value.length === 0) lines.push(`${indent}${role}: none`);
  for (const one of value as readonly object[]) {
    const leaf = toLeaf('', one);
    if (leaf === undefined) dumpNode(one, role, indent, lines);
    else lines.push(`${indent}${role}: ${leaf}`);
  }
}

/** A value that fits on its node's line; undefined for a node or a list. */
function toLeaf(key: string, value: unknown): string | undefined {
  if (value === true) return key;
  if (typeof value === 'bigint' || typeof value === 'number') return key === 'value' ? String(value) : `${key}=${value}`;
  if (typeof value === 'string') return key === 'operator' || key === 'name' ? value : `${key}=${JSON.stringify(value)}`;
  if (typeof value !== 'object' || value === null || Array.isArray(value) || 'kind' in value) return undefined;
  if ('text' in value && 'quoted' in value) {
    const text = value.quoted === true ? `\`${String(value.text)}\`` : String(value.text);
    return key === 'name' || key === '' || key === 'function' ? text : `${key}=${text}`;
  }
  if (key === 'storage') {
    return Object.entries(value)
      .filter(([, set]) => set === true)
      .map(([flag]) => flag)
      .join(' ');
  }
  return undefined;
}
