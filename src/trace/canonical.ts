/** One text per JSON content, whatever the order of its keys: decides between two copies of a document. */

type Pending = { readonly literal: string } | { readonly value: unknown };

/**
 * JSON-like text (not for parsing) with sorted keys. `omit` leaves out that member of the outermost object. Works without recursion: a document of
 * 64 KB may nest its metadata 30,000 levels deep, which overflows the stack of `JSON.stringify`.
 */
export function canonicalText(value: unknown, omit?: string): string {
  const parts: string[] = [];
  const pending: Pending[] = [];
  expand(value, omit, pending, parts);
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if ('literal' in next) parts.push(next.literal);
    else expand(next.value, undefined, pending, parts);
  }
  return parts.join('');
}

/** Writes what opens `value`, and leaves the rest pending, last part first. */
function expand(value: unknown, omit: string | undefined, pending: Pending[], parts: string[]): void {
  if (typeof value !== 'object' || value === null) {
    parts.push(JSON.stringify(value) ?? 'null');
  } else if (Array.isArray(value)) {
    parts.push('[');
    pending.push({ literal: ']' });
    for (let index = value.length - 1; index >= 0; index -= 1) pending.push({ literal: ',' }, { value: value[index] });
  } else {
    parts.push('{');
    pending.push({ literal: '}' });
    const members = value as Readonly<Record<string, unknown>>;
    for (const key of Object.keys(members).sort().reverse()) {
      if (key === omit || members[key] === undefined) continue;
      pending.push({ literal: ',' }, { value: members[key] }, { literal: `${JSON.stringify(key)}:` });
    }
  }
}
