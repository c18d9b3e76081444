import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

const HEADING = `# Benchmarks

Each section is written by the command that it names. Figures of one run may be compared with each other; figures of
different machines may not.
`;

/** The document with the section `name` replaced, or added at its end. */
export function replaceSection(document: string, name: string, body: string): string {
  if (!/^[\w-]+$/.test(name)) throw new RangeError(`a section's name has letters, digits and dashes: ${name}`);
  const start = `<!-- bench:${name} -->`;
  const end = `<!-- /bench:${name} -->`;
  const section = `${start}\n${body.trim()}\n${end}`;
  const from = document.indexOf(start);
  if (from < 0) return `${document.trimEnd()}\n\n${section}\n`.trimStart();
  const to = document.indexOf(end, from);
  if (to < 0) throw new Error(`the document has ${start} without ${end}`);
  return document.slice(0, from) + section + document.slice(to + end.length);
}

/** Writes the section `name` of docs/benchmarks.md; a document that does not exist is begun. Run from the repository. */
export async function saveSection(name: string, body: string, file = 'docs/benchmarks.md'): Promise<void> {
  const path = resolve(file);
  const before = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return HEADING;
    throw error;
  });
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.new`, replaceSection(before, name, body));
  await rename(`${path}.new`, path);
}
