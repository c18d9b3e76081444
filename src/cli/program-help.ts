/** `fluoro run FILE --help`: what a program says of itself, and the options that it declares. Read from its text alone; nothing is looked at. */
import { parse, type Knowledge, type SourceText } from '../y/index.ts';

type Item = ReturnType<typeof parse>['unit']['items'][number];
type Variable = Extract<Item, { kind: 'variable' }>;

/** @param knowledge for conditions on the target (`##ifdef…`) in the text */
export function describeProgram(source: SourceText, defines: ReadonlyMap<string, string>, knowledge: Knowledge): string {
  const { file, text, resolveInclude: include } = source;
  const { unit, sources } = parse({ file, text, include, knowledge, defines });
  const tags = new Map((unit.header?.tags ?? []).map(({ name, value }) => [name, value]));
  const name = tags.get('analyzer') ?? file;
  const title = tags.get('title');
  const others = [...tags].filter(([tag]) => tag !== 'analyzer' && tag !== 'title');
  const options = unit.items.filter((item): item is Variable => item.kind === 'variable' && item.storage.option);
  const rows = options.map((option) => describeOption(option, sources));
  return [
    `${name}${title === undefined ? '' : `: ${title}`}`,
    ...others.map(([tag, value]) => `  ${tag}: ${value}`),
    '',
    ...(rows.length === 0 ? ['It has no options of its own.'] : ['Options:', ...alignRows(rows)]),
    '',
    'For the options of every program see fluoro run --help.',
    '',
  ].join('\n');
}

function describeOption({ name, type, initializer, help }: Variable, sources: ReadonlyMap<string, string>): [flag: string, help: string] {
  const slice = (span: { readonly file: string; readonly start: number; readonly end: number } | undefined): string =>
    span === undefined ? '' : (sources.get(span.file)?.slice(span.start, span.end) ?? '');
  const fallback = slice(initializer?.span);
  const flag = `  --${name.text.replaceAll('_', '-')} <${slice(type.span).replace(/^_option\s+/, '')}>`;
  return [flag, [help, fallback === '' ? '' : `(default: ${fallback})`].filter((part) => part !== '').join(' ')];
}

function alignRows(rows: readonly (readonly [flag: string, help: string])[]): string[] {
  const width = Math.max(...rows.map(([flag]) => flag.length));
  return rows.map(([flag, help]) => `${flag.padEnd(width)}  ${help}`.trimEnd());
}
