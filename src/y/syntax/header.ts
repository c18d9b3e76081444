/** The `@analyzer` block that opens an analyzer's file: all that the catalogue knows of it. */
import type { Header, HeaderTag } from './ast.ts';
import { didYouMean } from './similar.ts';
import type { Comment } from './token.ts';
import type { Span } from './span.ts';

const TAGS = ['analyzer', 'title', 'category', 'chart', 'scope', 'runtime', 'requires', 'cost'];
const TAG = /(?<=^|[\s*])@([a-z][a-z-]*)/g;

/** The first comment that begins with `@analyzer`; `warn` is told of tags that are unknown or given twice. */
export function readHeader(
  comments: readonly Comment[],
  warn: (code: string, message: string, span: Span, hint?: string) => void,
): Header | undefined {
  const comment = comments.find((one) => one.document && /^[\s*]*@analyzer\b/.test(one.text));
  if (comment === undefined) return undefined;
  const { text, span } = comment;
  const found = [...text.matchAll(TAG)];
  const tags: HeaderTag[] = [];
  for (const [index, match] of found.entries()) {
    const name = match[1] ?? '';
    const end = found[index + 1]?.index ?? text.length;
    const value = text
      .slice(match.index + match[0].length, end)
      .replace(/\n[ \t]*\*(?!\/)/g, '\n')
      .replace(/\s+/g, ' ')
      .trim();
    const at = placeIn(comment, match.index, match[0].length);
    if (!TAGS.includes(name)) warn('unknown-tag', `there is no tag "@${name}"`, at, didYouMean(name, TAGS));
    if (tags.some((tag) => tag.name === name)) warn('repeated-tag', `the tag "@${name}" is given twice`, at, 'the first one counts');
    else tags.push({ name, value, span: at });
  }
  return { tags, span };
}

/** A place in a comment's text; the comment begins with three marks. */
function placeIn({ text, span }: Comment, index: number, size: number): Span {
  const before = text.slice(0, index);
  const newlines = before.split('\n').length - 1;
  const start = span.start + 3 + index;
  const column = newlines === 0 ? span.column + 3 + index : index - before.lastIndexOf('\n');
  return { file: span.file, start, end: start + size, line: span.line + newlines, column };
}
