/** The `format` file of a tracepoint (tracefs, `Documentation/trace/events.rst`) as a table of fields. */
import type { Tracepoint, TracepointField } from '../y/index.ts';

const FIELD = /^\s*field:(?<declaration>[^;]+);\s*offset:(?<offset>\d+);\s*size:(?<size>\d+);\s*signed:(?<signed>[01]);/;

/** Undefined when the text is not a format file. Fields that it does not understand are left out. */
export function parseTracepointFormat(category: string, text: string): Tracepoint | undefined {
  const name = /^name: (\S+)$/m.exec(text)?.[1];
  const id = /^ID: (\d+)$/m.exec(text)?.[1];
  if (name === undefined || id === undefined) return undefined;
  const fields = text.split('\n').flatMap((line) => parseField(line) ?? []);
  return { category, name, id: Number(id), fields };
}

function parseField(line: string): TracepointField | undefined {
  const parts = FIELD.exec(line)?.groups;
  if (!parts) return undefined;
  const { declaration, offset, size, signed } = parts as Record<'declaration' | 'offset' | 'size' | 'signed', string>;
  const found = /^(?<dynamic>__data_loc )?(?<type>.*?)\s*(?<name>\w+)\s*(?<array>\[[^\]]*\])?$/.exec(declaration.trim())?.groups;
  const name = found?.['name'];
  if (found === undefined || name === undefined || declaration.includes('__rel_loc')) return undefined;
  const shape = found['dynamic'] ? 'data-loc' : found['array'] ? 'array' : 'scalar';
  const count = shape === 'array' ? (/^\[\d+\]$/.exec(found['array']!)?.[0] ?? '') : '';
  const type = (found['type'] ?? '').replace(/\[\]$/, '').trim() + count;
  return { name, offset: Number(offset), size: Number(size), signed: signed === '1', shape, type };
}
