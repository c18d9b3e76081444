import { timelineRows, type TimelineRow, type Trace } from '../../src/trace/index.ts';

/** A trace as indented lines, one per (sub)segment, to be read and compared: `* name` is a segment, `- name` a subsegment. */
export function drawTrace(trace: Trace): string {
  return timelineRows(trace).map(drawRow).join('\n');
}

function drawRow(row: TimelineRow): string {
  const marks = [
    row.outcome === 'ok' ? '' : row.outcome,
    row.endSeconds === undefined ? 'in-progress' : '',
    row.placeholder ? 'placeholder' : '',
    row.orphan ? 'orphan' : '',
    row.inferred ? `inferred ${row.node.type} ${row.node.name}` : '',
  ].filter((mark) => mark !== '');
  return [`${'  '.repeat(row.depth)}${row.kind === 'segment' ? '*' : '-'} ${row.name}`, ...marks].join(' ');
}
