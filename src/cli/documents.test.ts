/** What the documents list is what the program has. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { Exit } from './ending.ts';
import { OPTIONS } from './options.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Every match of the pattern's first group, once, sorted. */
function found(text: string, pattern: RegExp): string[] {
  return [...new Set([...text.matchAll(pattern)].map((match) => match[1]!))].sort();
}

/** The text from one heading to the next of the same depth. */
function section(text: string, heading: string): string {
  const start = text.indexOf(`\n${heading}\n`);
  expect(start, heading).toBeGreaterThan(0);
  const end = text.indexOf(`\n${heading.split(' ')[0]} `, start + heading.length);
  return text.slice(start, end < 0 ? undefined : end);
}

describe('docs/reference/options.md', () => {
  const document = read('docs/reference/options.md');
  const rows = [...document.matchAll(/^\| `--([\w-]+) ([^`]+)` \| `(\w+)` \| (.+?) \| .+ \|$/gm)];

  test.each(OPTIONS.map((option) => [option.flag, option] as const))(
    'has a row for --%s, with its variable and default',
    (flag, option) => {
      const [, , value, variable, fallback] = rows.find((row) => row[1] === flag) ?? [];
      expect(value?.replace('\\|', '|')).toBe(option.value);
      expect(variable).toBe(`FLUORO_${flag.replaceAll('-', '_').toUpperCase()}`);
      if (flag === 'data') return; // depends on who runs it
      if (option.fallback === '') expect(fallback).not.toMatch(/^`[^`]+`$/);
      else expect(fallback).toBe(`\`${option.fallback}\``);
    },
  );

  test('has no row for what is gone', () => {
    const known = new Set([...OPTIONS.map(({ flag }) => flag), 'config', 'json', 'server']);
    expect(found(document, /^\| `--([\w-]+)/gm).filter((flag) => !known.has(flag))).toEqual([]);
  });

  test('has the exit statuses that are used', () => {
    const statuses = found(section(document, '## Exit statuses'), /^\| (\d+) \|/gm).map(Number);
    expect(statuses.sort((a, b) => a - b)).toEqual(Object.values(Exit).filter((status) => status !== Exit.mistake));
  });
});

test('docs/guide/operating.md has every metric of its own, and no other', () => {
  const names = /\b(fluoroscope_(?!server)[a-z_]+)\b/g;
  const metrics = section(read('docs/guide/operating.md'), '## Metrics');
  expect(found(metrics, /`(fluoroscope_(?!server)[a-z_]+)/g)).toEqual(found(read('src/server/metrics.ts'), names));
});

describe('docs/guide/troubleshooting.md', () => {
  const codes = section(read('docs/guide/troubleshooting.md'), '## Codes');
  const listed = found(codes.replaceAll('`, `', '` |\n| `'), /^\| `([\w-]+)`/gm);

  test('has every code that a document or span is refused with, and no other', () => {
    const segments = read('src/ingest/segment-text.ts') + read('src/ingest/intake.ts') + read('src/ingest/intake-thread.ts');
    const model = read('src/otlp/model.ts');
    const used = [
      ...found(segments, /(?:refuse\(\s*|code: )'([A-Z]\w+)'/g),
      ...found(model.slice(model.indexOf('SpanRejectReason ='), model.indexOf('SpanRejects {')), /\| '([a-z0-9-]+)'/g),
      ...found(model.slice(model.indexOf('OtlpError {'), model.indexOf('MAX_DEPTH')), /\| '([a-z0-9-]+)'/g),
    ];
    expect(listed).toEqual([...new Set(used)].sort());
  });
});

describe('links, but for pictures,', () => {
  const documents = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', ...listDocuments()];

  test.each(documents)('%s leads to files and headings that are there', (path) => {
    const broken = found(read(path).replace(/```[^]*?```/g, ''), /(?<!!\[[^\]]*)\]\(([^)\s]+)\)/g).filter(
      (link) => !leadsSomewhere(path, link),
    );
    expect(broken).toEqual([]);
  });
});

function listDocuments(): string[] {
  const paths = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' });
  return paths.filter((path) => path.endsWith('.md')).map((path) => `docs/${path}`);
}

function leadsSomewhere(from: string, link: string): boolean {
  if (/^[a-z]+:/.test(link)) return true;
  const [file = '', heading] = link.split('#');
  const path = file === '' ? from : join(dirname(from), file);
  if (!existsSync(join(ROOT, path))) return false;
  return heading === undefined || headings(read(path)).includes(heading);
}

/** As GitHub makes them. */
function headings(text: string): string[] {
  return found(text.replace(/```[^]*?```/g, ''), /^#+ (.+)$/gm).map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}
