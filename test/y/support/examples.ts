// Programs and what they print, in Markdown: a block ```y, and after it ```text (the output) or ```error (the diagnostics). The manual is
// such a file, and so are the conformance sets. Comments at the top of a program say how it is run:
//
//   // target: state          which program of test/y/targets it looks at (none: nothing)
//   // engines: live, core    where it runs; otherwise everywhere that it can
//   // args: --rows 2         values of its options
//   // until: exit            the session ends by itself, or after so many milliseconds (`until: 300`); otherwise after one round of calls
//   // output: json           charts as JSON
//
// Where a program says `PROBE`, that is `_oneshot`, and on the ebpf engine `finished`, the last function of a round: the same text on both.

export type Engine = 'ebpf' | 'live' | 'frozen' | 'core';

export interface Example {
  /** Last heading before it, and its number below that heading. */
  readonly name: string;
  readonly line: number;
  readonly code: string;
  readonly target: string | undefined;
  readonly engines: readonly Engine[] | undefined;
  readonly args: readonly string[];
  readonly until: string | undefined;
  readonly json: boolean;
  /** Where the text of its answer begins and ends in the file. */
  readonly answer: { readonly start: number; readonly end: number };
  readonly expected: { readonly kind: 'text' | 'error'; readonly text: string };
}

const BLOCK = /^```(\w+)\n(.*?)^```$/gms;

export function parseExamples(markdown: string): Example[] {
  const blocks = [...markdown.matchAll(BLOCK)].map((match) => ({ kind: match[1]!, text: match[2]!, at: match.index }));
  const counts = new Map<string, number>();
  return blocks.flatMap(({ kind, text, at }, index) => {
    const answer = blocks[index + 1];
    if (kind !== 'y') return [];
    const line = markdown.slice(0, at).split('\n').length;
    if (answer === undefined || (answer.kind !== 'text' && answer.kind !== 'error'))
      throw new Error(`line ${line}: a program without what it prints`);
    const heading =
      /^#+ (.*)$/m.exec(
        markdown
          .slice(0, at)
          .split(/^(?=#+ )/m)
          .at(-1) ?? '',
      )?.[1] ?? '';
    const number = (counts.get(heading) ?? 0) + 1;
    counts.set(heading, number);
    return [
      {
        name: `${heading} ${number}`,
        line,
        code: text,
        ...readDirectives(text),
        answer: toRange(answer),
        expected: { kind: answer.kind, text: answer.text },
      },
    ];
  });
}

function toRange({ kind, text, at }: { kind: string; text: string; at: number }): Example['answer'] {
  const start = at + '```'.length + kind.length + 1;
  return { start, end: start + text.length };
}

function readDirectives(code: string): Pick<Example, 'target' | 'engines' | 'args' | 'until' | 'json'> {
  const directives = code.matchAll(/^\/\/ (target|engines|args|until|output): (.*)$/gm);
  const values = new Map([...directives].map((match) => [match[1]!, match[2]!.trim()]));
  return {
    target: values.get('target'),
    engines: values.get('engines')?.split(/,\s*/) as Engine[] | undefined,
    args: values.get('args')?.split(/\s+/) ?? [],
    until: values.get('until'),
    json: values.get('output') === 'json',
  };
}
