/** What a program says: formatted lines and charts. */
import type { Expression } from '../../check/index.ts';
import type { OutputValue } from '../program.ts';
import { type Context, lowerFloat, lowerNumber, lowerText } from './context.ts';
import { lowerAggregate } from './places.ts';

export function lowerPrint(x: Context, e: Extract<Expression, { kind: 'print' }>): void {
  const values = e.values.map((value) => lowerValue(x, value));
  x.b.emit({ op: 'print', stream: e.stream, format: x.tables.format(e.format), values }, e.at);
}

function lowerValue(x: Context, value: Expression): OutputValue {
  if (value.kind === 'describe') return { kind: 'described', value: lowerNumber(x, value.operand), as: value.as };
  if (value.kind === 'histogram') return { kind: 'histogram', from: lowerAggregate(x, value.place), scale: value.scale };
  if (value.type.kind === 'text') return { kind: 'text', text: lowerText(x, value) };
  if (value.type.kind === 'float') return { kind: 'float', register: lowerFloat(x, value) };
  return { kind: 'integer', value: lowerNumber(x, value) };
}

export function lowerChart(x: Context, e: Extract<Expression, { kind: 'chart' }>): void {
  const unit = e.unit && x.tables.literal(e.unit);
  const title = e.title && x.tables.literal(e.title);
  x.b.emit({ op: 'chart', chart: e.chart, source: e.source, reader: e.reader, unit, title }, e.at);
}
