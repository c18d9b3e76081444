/** A test for a shell pattern: `*` any text, `?` one character, all else itself. Without either, the very text. */
export function matchGlob(pattern: string): (text: string) => boolean {
  if (!/[*?]/.test(pattern)) return (text) => text === pattern;
  // Runs of stars mean one; a pattern of bounded length over names of bounded length keeps the search short.
  const parts = pattern.replace(/\*+/g, '*').split('*');
  return (text) => matchParts(parts, text);
}

/** The first part begins the text, the last ends it, the others follow each other: no going back is needed. */
function matchParts(parts: readonly string[], text: string): boolean {
  const first = parts[0]!;
  const last = parts.at(-1)!;
  if (parts.length === 1) return text.length === first.length && matchesAt(text, first, 0);
  if (text.length < first.length + last.length || !matchesAt(text, first, 0) || !matchesAt(text, last, text.length - last.length))
    return false;
  const end = text.length - last.length;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    while (at + part.length <= end && !matchesAt(text, part, at)) at++;
    if (at + part.length > end) return false;
    at += part.length;
  }
  return true;
}

function matchesAt(text: string, part: string, at: number): boolean {
  for (let i = 0; i < part.length; i++) if (part[i] !== '?' && part[i] !== text[at + i]) return false;
  return true;
}
