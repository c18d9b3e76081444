import { expect, test } from 'vitest';
import type { Outcome, TimelineRow, TraceAnswer } from '../../core.ts';
import { ancestorsOf, findRows, positionOf, toTimelineModel, visibleRows } from './model.ts';

/** `depth name [outcome]` a line, in display order; an asterisk marks an inferred row. */
function traceOf(picture: string): TraceAnswer {
  const rows: TimelineRow[] = [];
  for (const line of picture.trim().split('\n')) {
    const [, indent, name, outcome] = /^( *)(\S+) ?(\w+)?$/.exec(line)!;
    const depth = indent!.length / 2;
    const parent = rows.findLastIndex((row) => row.depth === depth - 1);
    rows.push({
      id: name!.padStart(16, '0'),
      parent: depth === 0 ? -1 : parent,
      depth,
      kind: 'segment',
      name: name!.replace('*', ''),
      node: { name: name!, type: 'unknown' },
      startSeconds: 100 + rows.length,
      endSeconds: 101 + rows.length,
      outcome: (outcome ?? 'ok') as Outcome,
      inferred: name!.endsWith('*'),
      orphan: false,
      placeholder: false,
    });
  }
  return { startSeconds: 100, endSeconds: 102, rows } as unknown as TraceAnswer;
}

const model = toTimelineModel(
  traceOf(`
a fault
  b
    c error
    d
  e fault
    f fault
      g* fault
h`),
);

test('subtrees end where the next row of the same or a lower depth begins', () => {
  expect([...model.subtreeEnd]).toEqual([7, 4, 3, 4, 7, 7, 7, 8]);
});

test('the end covers rows that outlast the root', () => expect(model.end).toBe(108));

test('the likely cause is the deepest fault, on the row that recorded it', () => {
  expect(model.failing).toEqual([0, 2, 4, 5, 6]);
  expect(model.likelyCause).toBe(5);
});

test('visibleRows() leaves out what is folded', () => {
  const visible = visibleRows(model, new Set([1, 4]));
  expect([...visible]).toEqual([0, 1, 4, 7]);
  expect(positionOf(visible, 4)).toBe(2);
  expect(positionOf(visible, 5)).toBe(-1);
  expect([...visibleRows(model, new Set())]).toHaveLength(8);
});

test('ancestorsOf() goes up to the top', () => expect(ancestorsOf(model, 6)).toEqual([5, 4, 0]));

test('findRows() looks at names and outcomes', () => {
  expect(findRows(model, 'ERROR')).toEqual([2]);
  expect(findRows(model, ' ')).toEqual([]);
});
